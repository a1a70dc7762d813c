/** @module The folder: its Markdown files and their text. Writes nothing, and reads nothing above the root. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Fault } from "troupe";
import { FILE_BYTES_MAX, FILES_MAX, type Document, type Listing } from "./contracts.ts";

const LEFT_OUT = ["node_modules", ".git", ".troupe"];

/** Lists the Markdown files of a folder and its subfolders, sorted by name. */
export function listFolder(folder: string, names: readonly string[]): Listing {
  const root = requireFolder(folder);
  const found = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md") && !path.split(sep).some((part) => LEFT_OUT.includes(part)))
    .toSorted();
  const sizes = found.map((path) => ({ path: path.split(sep).join("/"), bytes: statSync(join(root, path)).size }));
  const small = sizes.filter(({ bytes }) => bytes <= FILE_BYTES_MAX);
  return {
    files: small.slice(0, FILES_MAX).map(({ path }) => ({ folder, path, names: [...names] })),
    skipped: [
      ...sizes
        .filter(({ bytes }) => bytes > FILE_BYTES_MAX)
        .map(({ path, bytes }) => ({ path, why: `${bytes} bytes are more than ${FILE_BYTES_MAX}` })),
      ...small.slice(FILES_MAX).map(({ path }) => ({ path, why: `only ${FILES_MAX} files are read` })),
    ],
  };
}

/** Reads the text of a file. Rejects a file that has grown too large meanwhile. */
export function readDocument(folder: string, path: string, names: readonly string[]): Document {
  const root = requireFolder(folder);
  const file = resolve(root, path);
  if (!isBelow(root, file) || !existsSync(file)) throw new Fault("agent.refused", `there is no file ${path} in ${folder}`);
  if (statSync(file).size > FILE_BYTES_MAX) throw new Fault("agent.refused", `${path} has more than ${FILE_BYTES_MAX} bytes`);
  return { folder, path, text: readFileSync(file, "utf8"), names: [...names] };
}

/** Returns the target of a document's relative link; `undefined` if it does not exist. Reads nothing above the root. */
export function linkTarget({ folder, path }: Document, link: string): { readonly isMarkdown: boolean; text(): string } | undefined {
  const file = resolve(requireFolder(folder), dirname(path), link);
  if (!isBelow(rootFolder(), file) || !existsSync(file)) return undefined;
  return { isMarkdown: file.endsWith(".md") && statSync(file).size <= FILE_BYTES_MAX, text: () => readFileSync(file, "utf8") };
}

/** Resolves a folder. A task comes from outside, so it may only name folders below the root: the working directory, or MARKDOWN_ROOT. */
function requireFolder(folder: string): string {
  const path = resolve(rootFolder(), folder);
  if (!existsSync(path) || !statSync(path).isDirectory())
    throw new Fault("agent.refused", `there is no folder ${folder} in ${relative(process.cwd(), rootFolder()) || "the working directory"}`);
  const real = realpathSync(path);
  if (!isBelow(realpathSync(rootFolder()), real))
    throw new Fault("agent.refused", `the folder ${folder} is not below the root; set MARKDOWN_ROOT to read elsewhere`);
  return real;
}

function rootFolder(): string {
  return resolve(process.env["MARKDOWN_ROOT"] ?? ".");
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}
