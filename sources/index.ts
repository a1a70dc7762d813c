/** @module Package entry `./sources`: ready-made sources of documents. */
import "../runtime/zod-version.ts";
export { folderSource, type FolderSourceOptions } from "./folder.ts";
