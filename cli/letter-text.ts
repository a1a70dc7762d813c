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
  return [
    `${entry.id}: ${paint({ text: entry.code ?? "unknown", colour: "red" })}, ${momentText(entry.atMs)}`,
    ...(entry.message === undefined ? [] : [entry.message]),
    ...(entry.code === undefined ? [] : [`What to do: ${fixOf(entry.code)}`]),
    ...(entry.decision === undefined ? [] : [`Decided: ${entry.decision}${entry.by === undefined ? "" : ` by ${entry.by}`}${entry.reason === undefined ? "" : ` (${entry.reason})`}`]),
    "",
    stringify(entry.letter, { lineWidth: 0 }).trimEnd().split("\n").map((line) => INDENT + line).join("\n"),
    ...(entry.decision !== undefined ? [] : ["", `Again:   ${againText(entry)}`, `Not:     troupe dead discard ${entry.id} --reason "..."`]),
  ].join("\n");
}

/** A nested route is done again by its parent; poison, which has no route, as the task that it should have been. */
function againText({ id, route, parent }: z.infer<typeof LetterOf>): string {
  if (parent !== undefined) return `by the letter of its parent, process ${parent}`;
  return route === undefined ? `troupe dead redrive ${id} --input @task.json   with { "route": ..., "input": ... }, the whole corrected task` : `troupe dead redrive ${id} [--input @mended.json]`;
}
