/** @module Formats requests to people for a terminal: what is asked, why, by whom it may be decided, and the commands that decide. Pure. */
import type { InboxEntry, RequestView } from "../../client/index.ts";
import { grantText, isNothingSpent, usedOf } from "../../runtime/budget.ts";
import { pathText } from "../../runtime/ids.ts";
import { agoText, momentText } from "./duration.ts";
import { oneLine } from "./output.ts";
import { cut, type Painted, paint, table } from "./table.ts";

type Cell = string | Painted;
type Action = RequestView["actions"][number];

const INDENT = "  ";

/** The whole text of a request. */
export function requestText(request: RequestView): string {
  const { id, state, askedAtMs, processId, route, stop, forSubject, input, evidence, hash } = request;
  const untilMs = isCutShort(request) ? request.processEndsAtMs : request.dueAtMs;
  return [
    oneLine(`${id}: ${state}, asked ${momentText(askedAtMs)}${untilMs === undefined ? "" : `, due ${momentText(untilMs)}`}`),
    oneLine(`process ${processId}, route ${route}${stop === "" ? "" : `, stop ${pathText(stop, request.item)}`}, for ${forSubject}`),
    oneLine(`why: ${request.reason}`),
    oneLine(`rule: ${request.rule}`),
    oneLine(`who may decide: ${whoText(request)}`),
    ...silenceLines(request),
    ...untrustedLines(request),
    ...spentLines(request),
    ...decidedLines(request),
    "",
    `${oneLine(subjectText(request))}:`,
    indented(JSON.stringify(input, null, INDENT.length)),
    ...evidence.flatMap(({ origin, trusted, text }) => [oneLine(`from ${origin}${trusted ? "" : " (untrusted)"}:`), indented(text)]),
    "",
    `hash: ${hash}`,
    ...(state === "open" ? commandLines(request) : []),
  ].join("\n");
}

/** A listing of requests. */
export function requestsTable(entries: readonly InboxEntry[], nowMs: number): string {
  return table(
    ["request", "asked", "state", "who", "what"],
    entries.map((entry) => [
      entry.id,
      agoText(entry.askedAtMs, nowMs),
      stateCell(entry),
      entry.state === "open" ? whoText(entry) : (entry.by ?? ""),
      entry.about,
    ]),
  );
}

/** Who is asked, for a process that waits. */
export function decidedBy(person: string | undefined): string {
  return person === undefined || person === "" ? "a person" : person;
}

function stateCell({ state, escalated }: InboxEntry): Cell {
  if (state !== "open") return state;
  return escalated > 0 ? { text: "escalated", colour: "red" } : { text: "open", colour: "yellow" };
}

function whoText({ person, roles }: Pick<InboxEntry, "person" | "roles">): string {
  const allowed = roles.length === 0 ? "any person who may decide" : roles.join(", ");
  return person === undefined ? allowed : `${person} (${allowed})`;
}

/** Whether the process ends before the deadline of an open request. */
function isCutShort({ dueAtMs = Number.POSITIVE_INFINITY, processEndsAtMs = Number.POSITIVE_INFINITY }: RequestView): boolean {
  return processEndsAtMs < dueAtMs;
}

function silenceLines(request: RequestView): readonly string[] {
  const { silence, dueAtMs, state } = request;
  if (state !== "open") return [];
  if (isCutShort(request)) return ["if no one decides in time: the task expires"];
  if (silence === undefined || dueAtMs === undefined) return [];
  if (silence === "deny") return ["if no one decides in time: it is denied"];
  if (silence === "fail") return ["if no one decides in time: it fails with person.expired"];
  return [oneLine(`if no one decides in time: ${JSON.stringify(silence.answer)}`)];
}

function untrustedLines({ label = [] }: RequestView): readonly string[] {
  return label.length === 0 ? [] : [paint({ text: `derived from untrusted text: ${label.join(", ")}`, colour: "yellow" })];
}

function spentLines({ spent }: RequestView): readonly string[] {
  return spent === undefined || isNothingSpent(spent) ? [] : [`spent so far: ${grantText(usedOf(spent))}`];
}

function decidedLines({ state, decided }: RequestView): readonly string[] {
  if (decided === undefined) return [];
  const { by, reason, atMs } = decided;
  return [oneLine(`${state}${by === undefined ? "" : ` by ${by}`}, ${momentText(atMs)}${reason === "" ? "" : `: ${reason}`}`)];
}

function subjectText({ tool, agent, kind }: RequestView): string {
  if (tool !== undefined) return `${agent ?? "the process"} wants to call ${tool} with`;
  if (kind === "budget") return "the budget is used up; it needs";
  return kind === "validation" ? "the output that was not accepted" : `what ${agent ?? "the route"} asks`;
}

/** The commands that decide. */
function commandLines({ id, actions, outputSchema, always = [], hash }: RequestView): readonly string[] {
  const lines: Readonly<Record<Action, string>> = {
    approve: `Approve: troupe approve ${id}`,
    edit: `Edit:    troupe edit ${id} @input.json`,
    answer: `Answer:  troupe answer ${id} @answer.json`,
    deny: `Deny:    troupe deny ${id} --reason "..."`,
  };
  return [
    "",
    ...actions.map((action) => lines[action]),
    ...(outputSchema === undefined ? [] : [cut(`The answer fits ${oneLine(JSON.stringify(outputSchema))}`)]),
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
