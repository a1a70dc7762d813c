/** @module Formats a process for people: head, stops with inputs and outputs, path, outcome. Pure. */
import type { Json } from "../../runtime/faults.ts";
import { pathText } from "../../runtime/ids.ts";
import { momentText } from "./duration.ts";
import { callTexts } from "./calls.ts";
import { oneLine } from "./output.ts";
import { decidedBy } from "./request.ts";
import { outcomeText, STEP_HEAD, stepText } from "./progress.ts";
import { budgetLines } from "./spending.ts";
import { cut, paint, statusCell, table } from "./table.ts";
import type { HistoryLine, ProcessView, WorkView } from "../../client/index.ts";

const SECOND_MS = 1_000;
const SECONDS_DIGITS = 3;
/** Requests of one agent in a row that the path names one by one. */
const REPEATS_SHOWN_MAX = 3;
const CONTENT_INDENT = "    ";

/** What is shown of a process. */
export interface Shown {
  readonly process: ProcessView;
  readonly stops: readonly WorkView[];
  /** Whether inputs and outputs are printed whole, not cut at the edge of the terminal. */
  readonly isFull: boolean;
  /** The history events to print. */
  readonly history: readonly HistoryLine[] | undefined;
}

/** The whole text. */
export function processText({ process, stops, isFull, history }: Shown): string {
  const { acceptedAtMs, outcome } = process;
  return [
    headText(process),
    ...(stops.length === 0 ? [] : ["", stopsText(stops, acceptedAtMs, isFull), "", pathLine(stops)]),
    ...waitLines(process),
    ...decisionLines(process),
    ...budgetLines(process.budget),
    ...(history === undefined ? [] : ["", STEP_HEAD, ...history.map((line) => stepText(line, acceptedAtMs))]),
    ...(outcome === undefined ? [] : ["", outcomeText(outcome, acceptedAtMs, process.traceId, process.run)]),
  ].join("\n");
}

/** The agents in the order of their requests; many requests of one agent in a row are counted. */
function pathLine(stops: readonly WorkView[]): string {
  const runs: { readonly agent: string; count: number }[] = [];
  for (const { agent, kind } of stops) {
    const last = runs.at(-1);
    if (kind === "undo") continue;
    if (last?.agent === agent) last.count += 1;
    else runs.push({ agent, count: 1 });
  }
  const text = ({ agent, count }: (typeof runs)[number]): string =>
    count > REPEATS_SHOWN_MAX ? `${agent} (${count} times)` : Array.from({ length: count }, () => agent).join(" -> ");
  return `path: ${runs.map(text).join(" -> ")}`;
}

function headText(process: ProcessView): string {
  const status = process.outcome?.status ?? process.phase;
  const { items } = process;
  const many = items === undefined ? "" : ` (${items.ended} of ${items.total} items have ended)`;
  const at = process.outcome === undefined && process.stop !== undefined ? ` at stop ${process.stop}${many}` : "";
  const deadlineAtMs = process.outcome === undefined ? process.deadlineAtMs : undefined;
  return [
    `${process.id}: ${paint(statusCell(status))}${at}`,
    `route ${process.route}, run ${process.run}, trace ${process.traceId}`,
    `accepted ${momentText(process.acceptedAtMs)}${deadlineAtMs === undefined ? "" : `, deadline ${momentText(deadlineAtMs)}`}`,
  ].join("\n");
}

/** The stops with inputs and outputs, in the order of their requests. */
function stopsText(stops: readonly WorkView[], acceptedAtMs: number, isFull: boolean): string {
  const rows = stops.map((stop) => [
    pathText(stop.stop, stop.item),
    stop.agent,
    stateText(stop),
    String(stop.attempts),
    seconds(stop.askedAtMs - acceptedAtMs),
    stop.endedAtMs === undefined ? "" : seconds(stop.endedAtMs - stop.askedAtMs),
  ]);
  const [head = "", ...lines] = table(["stop", "agent", "state", "tries", "at (s)", "took (s)"], rows).split("\n");
  return [head, ...lines.flatMap((line, index) => [line, ...contentLines(stops[index], isFull)])].join("\n");
}

/** What is waited for now, by stops and by handlers. */
function waitLines({ waits = [], deadlineAtMs, outcome }: ProcessView): readonly string[] {
  if (waits.length === 0 || outcome !== undefined) return [];
  const rows = waits.map(({ stop, item, agent, kind, name, request, dueAtMs = deadlineAtMs }) => {
    const until = momentText(Math.min(dueAtMs, deadlineAtMs));
    const next = request === undefined ? "" : `: troupe inbox ${request}`;
    return [pathText(stop, item), agent ?? "(process)", `${WAITS[kind](name ?? "")} until ${until}${next}`];
  });
  return ["", table(["stop", "agent", "open wait"], rows)];
}

/** How the requests to people have ended that the process remembers. */
function decisionLines({ requests = [] }: ProcessView): readonly string[] {
  const rows = requests.flatMap(({ stop, item, id, state, decided }) =>
    decided === undefined ? [] : [[pathText(stop, item), id, state, decided.by ?? "", decided.reason]],
  );
  return rows.length === 0 ? [] : ["", table(["stop", "request", "ended", "by", "why"], rows)];
}

const WAITS = {
  timer: () => "sleeps",
  signal: (name: string) => `waits for signal ${name}`,
  budget: () => "waits for a larger grant of its parent",
  person: (name: string) => `waits for ${decidedBy(name)}`,
} as const;

function stateText(stop: WorkView): string {
  const state = stop.kind === "do" ? stop.state : `${stop.state} (${stop.kind})`;
  return stop.fault === undefined ? state : `${state} ${stop.fault.code}`;
}

function contentLines(stop: WorkView | undefined, isFull: boolean): readonly string[] {
  if (stop === undefined) return [];
  const line = (name: string, value: Json | undefined): readonly string[] =>
    value === undefined || value === null ? [] : [contentText(`${CONTENT_INDENT}${name} ${JSON.stringify(value)}`, isFull)];
  return [
    ...line("in ", stop.input),
    ...callTexts(stop.calls).map((text) => contentText(`${CONTENT_INDENT}${text}`, isFull)),
    ...line("out", stop.output),
    ...(stop.fault === undefined ? [] : [contentText(`${CONTENT_INDENT}${oneLine(stop.fault.message)}`, isFull)]),
  ];
}

function contentText(text: string, isFull: boolean): string {
  return isFull ? text : cut(text);
}

function seconds(ms: number): string {
  return (ms / SECOND_MS).toFixed(SECONDS_DIGITS);
}
