/** @module Formats a dead letter for people. Pure. */
import { stringify } from "yaml";
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { momentText } from "./duration.ts";
import { oneLine } from "./output.ts";
import { fixOf } from "./problem.ts";
import { STEP_HEAD, stepText } from "./progress.ts";
import { spendingLines } from "./spending.ts";
import { paint } from "./table.ts";
import type { Letter } from "../../client/index.ts";
import { undoneStops } from "../../runtime/look.ts";
import { FaultView, HistoryLine, SpendingView } from "../../runtime/process-view.ts";

const INDENT = "  ";
const CHANGES_STAY = "If you edit the input, only your changes are kept; the rest comes from their new outputs.";
const AS_IT_IS = "This input was handed off, so an edited one is used exactly as written, old outputs of these stops included.";

/** The dead letter of a process. Other letters (invalid messages, those of a newer system) are printed as YAML. */
const OfProcess = z.looseObject({
  stop: z.string().nullish(),
  traceId: z.string().optional(),
  principal: z.string().optional(),
  fault: FaultView.optional(),
  path: z.array(z.string()),
  original: z.looseObject({
    kind: z.string(),
    target: z.looseObject({ agent: z.string().optional(), route: z.string().optional() }).optional(),
    input: z.custom<Json>(),
    whole: z.boolean().optional(),
  }),
  attempts: z.array(z.looseObject({ attempt: z.int(), fault: FaultView })),
  left: z.array(z.string()).optional(),
  stands: z.array(z.string()).optional(),
  spent: SpendingView.optional(),
  history: z.array(HistoryLine),
});

/** The whole text: head, content, and the commands that decide the letter. */
export function letterText(entry: Letter): string {
  const letter = OfProcess.safeParse(entry.letter);
  return [
    `${entry.id}: ${paint({ text: entry.code ?? "unknown", colour: "red" })}, ${momentText(entry.atMs)}`,
    ...(entry.message === undefined ? [] : [oneLine(entry.message)]),
    ...(entry.code === undefined ? [] : [oneLine(`What to do: ${fixOf({ code: entry.code, fix: letter.data?.fault?.fix })}`)]),
    ...(entry.decision === undefined
      ? []
      : [oneLine(`Decided: ${entry.decision}${optional(" by ", entry.by)}${optional(" (", entry.reason, ")")}`)]),
    "",
    ...(letter.success ? contentLines(letter.data, entry.route) : [indented(stringify(entry.letter, { lineWidth: 0 }).trimEnd())]),
    ...(entry.decision !== undefined
      ? []
      : [
          "",
          ...fixLines(entry, letter.data),
          `Redrive: ${againText(entry, letter.data)}`,
          `Discard: troupe dead discard ${entry.id} --reason "..."`,
        ]),
  ].join("\n");
}

/** Route and principal, the failed work item with its input as JSON that can be copied, and what happened. */
function contentLines(letter: z.infer<typeof OfProcess>, route: string | undefined): readonly string[] {
  const { fault, original, stop, principal, traceId, path, attempts, history } = letter;
  const startedAtMs = history[0]?.atMs ?? 0;
  return [
    oneLine(`route ${route ?? "unknown"}${optional(", stop ", stop)}${optional(", by ", principal)}, trace ${traceId ?? "unknown"}`),
    ...(path.length === 0 ? [] : [oneLine(`path: ${path.join(" -> ")}`)]),
    `${original.kind === "undo" ? "the undo" : "the input"} of ${original.target?.agent ?? original.target?.route ?? "the task"}:`,
    indented(JSON.stringify(original.input, null, INDENT.length)),
    ...attempts.map((one) => oneLine(`attempt ${one.attempt} failed: ${one.fault.code}: ${one.fault.message}`)),
    ...causeLines(fault),
    ...leftLines(letter),
    ...(letter.spent === undefined ? [] : ["", ...spendingLines(letter.spent)]),
    ...(history.length === 0 ? [] : ["", STEP_HEAD, ...history.map((line) => stepText(line, startedAtMs))]),
  ];
}

/** What the handler threw in the last attempt, if anything. */
function causeLines(fault: FaultView | undefined): readonly string[] {
  return fault?.cause === undefined ? [] : ["what the handler threw:", indented(fault.cause)];
}

/** What stands after compensation, and what a redrive does about it. */
function leftLines({ left = [], stands = [] }: z.infer<typeof OfProcess>): readonly string[] {
  return [
    ...(stands.length === 0 ? [] : ["stands, as its tool has no undo:", ...stands.map(indented)]),
    ...(left.length === 0
      ? []
      : [
          "left standing, as its undo failed:",
          ...left.map(indented),
          "A redrive does this again, under new keys. Undo it by hand first, then redrive with --undone-by-hand.",
        ]),
  ];
}

/** How to get the input of the failed stop into a file, where the letter can be redriven with another input. */
function fixLines({ id, parent }: Letter, letter: z.infer<typeof OfProcess> | undefined): readonly string[] {
  if (letter?.original.kind !== "do" || parent !== undefined) return [];
  const what = letter.original.whole === true ? AS_IT_IS : CHANGES_STAY;
  const undone = undoneStops(letter.history);
  return [
    ...(undone.length === 0 ? [] : [`${undone.join(", ")}: undone, so the run begins there again. ${what}`]),
    `Fix:     troupe dead show ${id} --json | jq .letter.original.input > fixed.json, and edit it`,
  ];
}

/** The parent of a nested route decides for it; an invalid message has no route, so its redrive takes a whole task. */
function againText({ id, route, parent }: Letter, letter: z.infer<typeof OfProcess> | undefined): string {
  if (parent !== undefined) return `by the dead letter of its parent, process ${parent}`;
  if (route === undefined)
    return `troupe dead redrive ${id} --input @task.json   with { "route": ..., "input": ... }, the whole corrected task`;
  const byHand = (letter?.left ?? []).length > 0 ? " --undone-by-hand" : "";
  return `troupe dead redrive ${id}${byHand}${letter?.original.kind === "undo" ? "" : " [--input @fixed.json]"}`;
}

function optional(before: string, text: string | null | undefined, after = ""): string {
  return text === undefined || text === null ? "" : `${before}${text}${after}`;
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => INDENT + line)
    .join("\n");
}
