/** @module Formats the progress of a process for people: a line for each event, and the outcome. Pure. */
import { stringify } from "yaml";
import type { HistoryLine } from "../../client/index.ts";
import { oneLine } from "./output.ts";
import { fixOf } from "./problem.ts";

const SECOND_MS = 1_000;
const SECONDS_DIGITS = 3;
const COLUMNS = { time: 9, stop: 10, agent: 14 } as const;
const INDENT = "  ";

/** How a process ended. */
export interface Ended {
  readonly status: string;
  /** When, in epoch milliseconds: one of the two. */
  readonly atMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  readonly output?: unknown;
  readonly fault?: { readonly code: string; readonly message: string; readonly fix?: string | undefined } | undefined;
}

/** The head of the table that {@link stepText} fills. */
export const STEP_HEAD = row("seconds", "stop", "agent", "what happened");

/** A history event as a table row. Times are seconds since the task was accepted. */
export function stepText(line: HistoryLine, acceptedAtMs: number): string {
  const again = line.attempt > 1 ? `, attempt ${line.attempt}` : "";
  const code = line.code === undefined ? "" : ` (${line.code})`;
  return row(
    `${secondsText(line.atMs - acceptedAtMs)}`,
    oneLine(line.stop),
    line.agent === "" ? "(process)" : oneLine(line.agent),
    oneLine(`${line.what}${again}${code}`),
  );
}

/** What stands before the first line of a reply that is being received, and before its further lines. */
export function replyHead({ stop, agent }: { readonly stop: string; readonly agent: string }): string {
  return `${row("", oneLine(stop), oneLine(agent), "")}> `;
}
export const REPLY_MARGIN = `${row("", "", "", "")}> `;

/** The outcome of a process, with its status in the last line. */
export function outcomeText(outcome: Ended, acceptedAtMs: number, traceId: string | undefined, run = 1): string {
  const seconds = `${secondsText((outcome.atMs ?? outcome.endedAtMs ?? acceptedAtMs) - acceptedAtMs)} s`;
  // The time between two runs was a wait for a decision, so it is not a duration of the process.
  const took = run === 1 ? `${outcome.status} in ${seconds}` : `${outcome.status} in run ${run}, ${seconds} after it was accepted`;
  if (outcome.fault === undefined) return [...(outcome.output === undefined ? [] : [indented(outcome.output), ""]), took].join("\n");
  return [
    oneLine(`${outcome.fault.code}: ${outcome.fault.message}`),
    oneLine(`What to do: ${fixOf(outcome.fault)}`),
    ...(outcome.status === "failed"
      ? ["A dead letter keeps message, fault, attempts and history:", "`troupe dead list` of a running system shows it."]
      : []),
    `Trace: ${traceId ?? "unknown"}`,
    "",
    took,
  ].join("\n");
}

/** Whether the process ended well: completed or partial. */
export function succeeded(outcome: Ended): boolean {
  return outcome.status === "completed" || outcome.status === "partial";
}

function indented(output: unknown): string {
  const text = typeof output === "object" ? stringify(output, { lineWidth: 0 }).trimEnd() : String(output);
  return text
    .split("\n")
    .map((line) => INDENT + line)
    .join("\n");
}

function secondsText(ms: number): string {
  return (ms / SECOND_MS).toFixed(SECONDS_DIGITS);
}

function row(time: string, stop: string, agent: string, what: string): string {
  return `${time.padStart(COLUMNS.time)}  ${stop.padEnd(COLUMNS.stop)}${agent.padEnd(COLUMNS.agent)}${what}`;
}
