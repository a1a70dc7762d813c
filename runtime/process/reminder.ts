/** @module The reminder of a process, and its next due moment. Pure. */
import { LIMITS } from "../limits.ts";
import { retainUntilMs } from "./messages.ts";
import type { ProcessState } from "./state.ts";
import { nextMomentMs } from "./time.ts";

/** Period of the reminder of a process whose host has no lease, so that no other host would notice the death of its host. */
export const REMINDER_UNHELD_MS = 5 * LIMITS.reminderAfterMs;

/** The name of a run's reminder. Each run has its own, so that removing the reminder of an old run cannot remove that of a new one. */
export function reminderName(run: number): string {
  return `run-${run}`;
}

/** The run of a reminder's name. */
export function runOf(name: string): number {
  return Number(name.slice(reminderName(0).length - 1));
}

/** The next moment at which a tick decides something; undefined unless the process is open. Epoch, milliseconds. */
export function processDueMs(state: ProcessState, nowMs: number): number | undefined {
  if (state.phase !== "open" || state.task === undefined) return undefined;
  if (state.paused !== undefined) return state.paused.untilMs;
  return nextMomentMs(state, nowMs, state.ending === undefined ? state.task.deadlineAtMs : retainUntilMs(state));
}
