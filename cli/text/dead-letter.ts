/** @module A dead letter as a person reads it. Pure. */
import { stringify } from "yaml";
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { momentText } from "./duration.ts";
import { fixOf } from "./problem.ts";
import { STEP_HEAD, stepText } from "./progress.ts";
import { paint } from "./table.ts";
import { FaultOf, Line, type LetterOf } from "../client/views.ts";

const INDENT = "  ";

/** The letter of a process. Invalid message, and what a newer system writes, is shown as it is. */
const OfProcess = z.looseObject({
  stop: z.string().nullish(),
  traceId: z.string().optional(),
  principal: z.string().optional(),
  fault: FaultOf.optional(),
  path: z.array(z.string()),
  original: z.looseObject({
    kind: z.string(),
    target: z.looseObject({ agent: z.string().optional(), route: z.string().optional() }).optional(),
    input: z.custom<Json>(),
  }),
  attempts: z.array(z.looseObject({ attempt: z.int(), fault: FaultOf })),
  history: z.array(Line),
});

/** The head in words, the content, then what can be done. */
export function letterText(entry: z.infer<typeof LetterOf>): string {
  const letter = OfProcess.safeParse(entry.letter);
  return [
    `${entry.id}: ${paint({ text: entry.code ?? "unknown", colour: "red" })}, ${momentText(entry.atMs)}`,
    ...(entry.message === undefined ? [] : [entry.message]),
    ...(entry.code === undefined ? [] : [`What to do: ${fixOf({ code: entry.code, fix: letter.data?.fault?.fix })}`]),
    ...(entry.decision === undefined
      ? []
      : [
          `Decided: ${entry.decision}${entry.by === undefined ? "" : ` by ${entry.by}`}${entry.reason === undefined ? "" : ` (${entry.reason})`}`,
        ]),
    "",
    ...(letter.success ? contentLines(letter.data, entry.route) : [indented(stringify(entry.letter, { lineWidth: 0 }).trimEnd())]),
    ...(entry.decision !== undefined
      ? []
      : [
          "",
          ...mendLines(entry, letter.data?.original.kind),
          `Again:   ${againText(entry)}`,
          `Not:     troupe dead discard ${entry.id} --reason "..."`,
        ]),
  ].join("\n");
}

/** Whose it is, what was asked of whom, the input as JSON that can be copied, and what happened. */
function contentLines(letter: z.infer<typeof OfProcess>, route: string | undefined): readonly string[] {
  const { fault, original, stop, principal, traceId, path, attempts, history } = letter;
  const startedAtMs = history[0]?.atMs ?? 0;
  return [
    `route ${route ?? "unknown"}${stop === undefined || stop === null ? "" : `, stop ${stop}`}${principal === undefined ? "" : `, by ${principal}`}, trace ${traceId ?? "unknown"}`,
    ...(path.length === 0 ? [] : [`path: ${path.join(" -> ")}`]),
    `${original.kind === "undo" ? "the undo" : "the input"} of ${original.target?.agent ?? original.target?.route ?? "the task"}:`,
    indented(JSON.stringify(original.input, null, INDENT.length)),
    ...attempts.map((one) => `attempt ${one.attempt} failed: ${one.fault.code}: ${one.fault.message}`),
    ...causeLines(fault),
    ...(history.length === 0 ? [] : ["", STEP_HEAD, ...history.map((line) => stepText(line, startedAtMs))]),
  ];
}

/** What the handler threw in the last attempt, where it threw anything. */
function causeLines(fault: z.infer<typeof FaultOf> | undefined): readonly string[] {
  return fault?.cause === undefined ? [] : ["what the handler threw:", indented(fault.cause)];
}

/** How to get the input into a file, where a person may give another one to the work that failed. */
function mendLines({ id, parent }: z.infer<typeof LetterOf>, kind: string | undefined): readonly string[] {
  return kind === "do" && parent === undefined
    ? [`Mended:  troupe dead show ${id} --json | jq .letter.original.input > fixed.json, and edit it`]
    : [];
}

/** A nested route is done again by its parent; invalid, which has no route, as the task that it should have been. */
function againText({ id, route, parent }: z.infer<typeof LetterOf>): string {
  if (parent !== undefined) return `by the letter of its parent, process ${parent}`;
  return route === undefined
    ? `troupe dead redrive ${id} --input @task.json   with { "route": ..., "input": ... }, the whole corrected task`
    : `troupe dead redrive ${id} [--input @fixed.json]`;
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => INDENT + line)
    .join("\n");
}
