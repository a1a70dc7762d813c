/** @module A plugin of TypeDoc: the modules of the API have the names by which a user imports them. */
import { Comment, Converter } from "typedoc";

/** How the module comment of an entry begins: `Package entry `./mcp`: ...`. That of the package itself begins otherwise. */
const ENTRY = /^Package entry `\.\/([a-z0-9-]+)`/;

/** TypeDoc takes the text behind `@module` for a name, and here it is a sentence. */
export function load(app) {
  app.converter.on(
    Converter.EVENT_RESOLVE_BEGIN,
    ({ project }) => {
      for (const child of project.children ?? []) {
        const entry = ENTRY.exec(child.name)?.[1];
        const name = child.name.startsWith("The public API") ? "troupe" : entry === undefined ? undefined : `troupe/${entry}`;
        if (name === undefined) throw new Error(`no name is known for the module of the API: ${child.name}`);
        child.comment = new Comment([{ kind: "text", text: child.name }]);
        child.name = name;
      }
    },
    -1_000,
  );
}
