/** @module A cassette without contents: what happened can be read, and what was said cannot. Pure. */
import { textBytes } from "../canonical.ts";
import type { Json } from "../faults.ts";
import type { Cassette } from "./cassette.ts";

/** The cassette with each text of a content in the same shape, replaced by its length. Names of fields stay. */
export function redacted(cassette: Cassette): Cassette {
  const values = Object.fromEntries(Object.entries(cassette.values).map(([ref, content]) => [ref, hidden(content)]));
  return { ...cassette, processes: withHidden(cassette.processes) as Cassette["processes"], values, redacted: true };
}

function withHidden(at: unknown): unknown {
  if (Array.isArray(at)) return at.map(withHidden);
  if (typeof at !== "object" || at === null) return at;
  return Object.fromEntries(
    Object.entries(at).map(([name, value]) => [
      name,
      CONTENTS.has(name) ? hidden(value as Json) : HIDDEN_TEXTS.has(name) ? "" : withHidden(value),
    ]),
  );
}

/** Inline contents are under the key `json`. The details of faults may quote them, and reasons too. */
const CONTENTS: ReadonlySet<string> = new Set(["json", "details", "reasons"]);
/** Texts of records that may repeat a content. */
const HIDDEN_TEXTS: ReadonlySet<string> = new Set(["message", "cause", "reason"]);

function hidden(content: Json): Json {
  if (typeof content === "string") return `(${textBytes(content)} bytes)`;
  if (typeof content === "number") return 0;
  if (Array.isArray(content)) return content.map(hidden);
  if (typeof content !== "object" || content === null) return content;
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, hidden(value)]));
}
