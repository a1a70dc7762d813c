/** @module A plugin of TypeDoc: the modules of the API have the names by which a user imports them. */
import { Comment, Converter } from "typedoc";

/** How the module comment of each entry begins. */
const NAMES = [
  [/^The public API/, "troupe"],
  [/`\.\/client`/, "troupe/client"],
  [/`\.\/dapr`/, "troupe/dapr"],
  [/`\.\/testing`/, "troupe/testing"],
];

/** TypeDoc takes the text behind `@module` for a name, and here it is a sentence. */
export function load(app) {
  app.converter.on(
    Converter.EVENT_RESOLVE_BEGIN,
    ({ project }) => {
      for (const child of project.children ?? []) {
        const name = NAMES.find(([pattern]) => pattern.test(child.name))?.[1];
        if (name === undefined) throw new Error(`no name is known for the module of the API: ${child.name}`);
        child.comment = new Comment([{ kind: "text", text: child.name }]);
        child.name = name;
      }
    },
    -1_000,
  );
}
