/** @module What a person sees of a process: a line for each thing that happened, and the result. Pure. */
import { stringify } from "yaml";
import type { Json } from "../../runtime/faults.ts";
import type { HistoryLine } from "../client/http.ts";
import { fixOf } from "./problem.ts";

const SECOND_MS = 1_000;
const SECONDS_DIGITS = 3;
const COLUMNS = { time: 9, stop: 10, agent: 14 } as const;
const INDENT = "  ";

/** How a process ended, whoever shows it. */
export interface Ended {
  readonly status: string;
  /** When, in epoch milliseconds: one of the two. */
  readonly atMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  readonly output?: Json | undefined;
  readonly fault?: { readonly code: string; readonly message: string; readonly fix?: string | undefined } | undefined;
}

/** The head of the table that {@link stepText} fills. */
export const STEP_HEAD = row("seconds", "stop", "agent", "what happened");

/** A line of history as a row; times count from the task's acceptance. */
export function stepText(line: HistoryLine, acceptedAtMs: number): string {
  const again = line.attempt > 1 ? `, attempt ${line.attempt}` : "";
  const code = line.code === undefined ? "" : ` (${line.code})`;
  return row(
    `${secondsText(line.atMs - acceptedAtMs)}`,
    line.stop,
    line.agent === "" ? "(process)" : line.agent,
    `${line.what}${again}${code}`,
  );
}

/**
 * The lines that came since an earlier look. A history keeps its newest lines only, so what was the first line may be
 * gone; then the longest overlap of the old end with the new beginning tells what is new.
 */
export function newLines(before: readonly HistoryLine[], after: readonly HistoryLine[]): readonly HistoryLine[] {
  const known = before.map((line) => JSON.stringify(line));
  const now = after.map((line) => JSON.stringify(line));
  for (let gone = 0; gone < known.length; gone += 1) {
    const kept = known.slice(gone);
    if (kept.every((text, index) => text === now[index])) return after.slice(kept.length);
  }
  return after;
}

/** The result of a process, its status last. */
export function outcomeText(outcome: Ended, acceptedAtMs: number, traceId: string | undefined, run = 1): string {
  const seconds = `${secondsText((outcome.atMs ?? outcome.endedAtMs ?? acceptedAtMs) - acceptedAtMs)} s`;
  // Between two runs somebody decided: that is not how long it took.
  const took = run === 1 ? `${outcome.status} in ${seconds}` : `${outcome.status} in run ${run}, ${seconds} after it was accepted`;
  if (outcome.fault === undefined) return [...(outcome.output === undefined ? [] : [indented(outcome.output), ""]), took].join("\n");
  return [
    `${outcome.fault.code}: ${outcome.fault.message}`,
    `What to do: ${fixOf(outcome.fault)}`,
    ...(outcome.status === "failed"
      ? ["A dead letter keeps message, fault, attempts and history:", "`troupe dead list` of a running system shows it."]
      : []),
    `Trace: ${traceId ?? "unknown"}`,
    "",
    took,
  ].join("\n");
}

/** Whether the process did what it was for. */
export function succeeded(outcome: Ended): boolean {
  return outcome.status === "completed" || outcome.status === "partial";
}

function indented(output: Json): string {
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
