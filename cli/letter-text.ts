/** @module A dead letter as a person reads it. Pure. */
import { stringify } from "yaml";
import type { z } from "zod";
import { momentText } from "./duration.ts";
import { fixOf } from "./problem.ts";
import { paint } from "./table.ts";
import type { LetterOf } from "./views.ts";

const INDENT = "  ";

/** The head in words, the content as YAML, then what can be done. */
export function letterText(entry: z.infer<typeof LetterOf>): string {
  const isPoison = entry.route === undefined;
  return [
    `${entry.id}: ${paint({ text: entry.code ?? "unknown", colour: "red" })}, ${momentText(entry.atMs)}`,
    ...(entry.message === undefined ? [] : [entry.message]),
    ...(entry.code === undefined ? [] : [`What to do: ${fixOf(entry.code)}`]),
    ...(entry.decision === undefined ? [] : [`Decided: ${entry.decision}${entry.by === undefined ? "" : ` by ${entry.by}`}${entry.reason === undefined ? "" : ` (${entry.reason})`}`]),
    "",
    stringify(entry.letter, { lineWidth: 0 }).trimEnd().split("\n").map((line) => INDENT + line).join("\n"),
    ...(entry.decision !== undefined ? [] : ["", ...(isPoison ? [] : [`Again:   troupe dead redrive ${entry.id} [--input @mended.json]`]), `Not:     troupe dead discard ${entry.id} --reason "..."`]),
  ].join("\n");
}
