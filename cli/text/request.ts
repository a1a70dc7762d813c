/** @module Formats requests to people for a terminal: what is asked, why, by whom it may be decided, and the commands that decide. Pure. */
import type { RequestEntry, RequestView } from "../../client/index.ts";
import { usdText } from "../../runtime/budget.ts";
import { agoText, momentText } from "./duration.ts";
import { oneLine } from "./output.ts";
import { cut, paint, table } from "./table.ts";

const INDENT = "  ";

/** The whole text of a request. */
export function requestText(request: RequestView): string {
  const { id, open, atMs, processId, route, dueAtMs, input, evidence, hash } = request;
  return [
    oneLine(`${id}: ${open ? "open" : "decided"}, asked ${momentText(atMs)}${dueAtMs === undefined ? "" : `, due ${momentText(dueAtMs)}`}`),
    oneLine(`process ${processId}, route ${route ?? "unknown"}, for ${request.for}`),
    oneLine(`why: ${request.reason}`),
    oneLine(`rule: ${request.rule}`),
    oneLine(`who may decide: ${whoText(request)}`),
    ...untrustedLines(request),
    ...spentLines(request),
    ...(request.ended === undefined ? [] : [oneLine(`decided: ${decidedText(request)}`)]),
    "",
    `${oneLine(subjectText(request))}:`,
    indented(JSON.stringify(input, null, INDENT.length)),
    ...evidence.flatMap(({ origin, trusted, text }) => [oneLine(`from ${origin}${trusted ? "" : " (untrusted)"}:`), indented(text)]),
    "",
    `hash: ${hash}`,
    ...(open ? commandLines(request) : []),
  ].join("\n");
}

/** A listing of requests. */
export function requestsTable(entries: readonly RequestEntry[], nowMs: number): string {
  return table(
    ["request", "asked", "state", "who", "what"],
    entries.map((entry) => [
      entry.id,
      agoText(entry.atMs, nowMs),
      entry.open ? (entry.overdue ? { text: "overdue", colour: "red" } : { text: "open", colour: "yellow" }) : (entry.ended ?? "decided"),
      entry.open ? whoText(entry) : (entry.by ?? ""),
      entry.open ? entry.reason : (entry.why ?? entry.reason),
    ]),
  );
}

function whoText({ person, roles }: RequestEntry): string {
  const allowed = roles.length === 0 ? "whoever may decide" : roles.join(", ");
  return person === undefined ? allowed : `${person} (${allowed})`;
}

function decidedText({ ended, by, why, decidedAtMs }: RequestEntry): string {
  const when = decidedAtMs === undefined ? "" : `, ${momentText(decidedAtMs)}`;
  return `${ended ?? "decided"}${by === undefined ? "" : ` by ${by}`}${when}${why === undefined || why === "" ? "" : `: ${why}`}`;
}

function subjectText({ tool, agent, kind }: RequestView): string {
  if (tool !== undefined) return `${agent ?? "the process"} wants to call ${tool} with`;
  if (kind === "budget") return "the budget is used up; it needs";
  return kind === "validation" ? "the output that was not accepted" : `what ${agent ?? "the process"} asks`;
}

function untrustedLines({ label = [] }: RequestView): readonly string[] {
  return label.length === 0 ? [] : [paint({ text: `derived from untrusted text: ${label.join(", ")}`, colour: "yellow" })];
}

function spentLines({ spent }: RequestView): readonly string[] {
  if (spent === undefined) return [];
  const { tokens = 0, usd = 0, modelCalls = 0, toolCalls = 0 } = spent;
  return [`spent so far: ${tokens} tokens, ${usdText(usd)}, ${modelCalls} model calls, ${toolCalls} tool calls`];
}

/** The commands that decide. A question with a form of answer takes an answer, everything else a yes, an edited yes or a no. */
function commandLines({ id, outputSchema, kind, always, hash }: RequestView): readonly string[] {
  const yes =
    outputSchema === undefined
      ? [`Approve: troupe approve ${id}`, ...(kind === "budget" ? [] : [`Edit:    troupe edit ${id} @input.json`])]
      : [`Answer:  troupe answer ${id} @answer.json   with JSON that fits ${cut(JSON.stringify(outputSchema))}`];
  return [
    "",
    ...yes,
    `Deny:    troupe deny ${id} --reason "..."`,
    ...always.map(({ about, when }, index) => oneLine(`Always:  troupe approve ${id} --always ${index + 1}   ${about} (${when})`)),
    `In a script: add --hash ${hash}`,
  ];
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => INDENT + line)
    .join("\n");
}
