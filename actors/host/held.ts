/** @module What a host keeps in memory of a process that it holds. */
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Asks } from "./process-ticks.ts";
import type { SharedReminder } from "./shared-reminders.ts";

/** A process that this host holds. */
export interface Held {
  readonly id: string;
  run: number;
  /** Sequence of the last record that was seen here; 0 before record 1. */
  sequence: number;
  isOpen: boolean;
  isUnanswered: boolean;
  /** A tick decides something. */
  dueAtMs: number;
  /** Unanswered requests, or effects that were not performed, are tried again. */
  askAtMs: number;
  askMs: number;
  /** The pause after effects that could not be performed. */
  failedMs: number;
  asksAll: boolean;
  /** It is asked again now, or when its turn comes. */
  isAsking: boolean;
  /** The index entry is to name this host. */
  line: ProcessState | undefined;
  lineAtMs: number;
  /** The moment that the index entry names as the next one of a process that only waits; `NEVER`: it names none. */
  lineDueMs: number;
  /** Whether the index entry says that the process is paused. */
  linePaused: boolean;
  remindAtMs: number;
  /** The run that this host has prepared; 0: another host has, so there may be reminders of which this host does not know. */
  preparedRun: number;
  /** The index entry of the prepared run shows no process yet. */
  isReserved: boolean;
  /** This host has set a reminder for this run alone. */
  isReminded: boolean;
  /** The reminder that this host has set for this run, or is about to set. A ring elsewhere may have taken the run out, for a later one. */
  shared: SharedReminder | undefined;
  /** When its timer fires, which may be too early. */
  wakesAtMs: number;
  cancel: (() => void) | undefined;
}

/** No such moment. */
export const NEVER = Number.POSITIVE_INFINITY;

/** A process that is not known yet, and is looked at again at a moment. */
export function newHeld(id: string, askAtMs: number): Held {
  return {
    id,
    run: 0,
    sequence: 0,
    isOpen: false,
    // Until a turn shows otherwise: what is held and never looked at again would stay for ever.
    isUnanswered: true,
    dueAtMs: NEVER,
    askAtMs,
    askMs: LIMITS.askAgainMs,
    failedMs: LIMITS.askFailedMs,
    asksAll: false,
    isAsking: false,
    line: undefined,
    lineAtMs: NEVER,
    lineDueMs: NEVER,
    linePaused: false,
    remindAtMs: NEVER,
    preparedRun: 0,
    isReserved: false,
    isReminded: false,
    shared: undefined,
    wakesAtMs: NEVER,
    cancel: undefined,
  };
}

/** The next moment of a process that only waits until then, if that is far away; else `NEVER`. */
export function quietDueMs({ isOpen, isUnanswered, dueAtMs }: Held, nowMs: number): number {
  return isOpen && !isUnanswered && dueAtMs !== NEVER && dueAtMs - nowMs >= LIMITS.quietMsMin ? dueAtMs : NEVER;
}

/** Plans when the requests of a process are sent again, after effects of a turn were performed, or not. */
export function planAsk(held: Held, arePerformed: boolean, isVouched: boolean, nowMs: number): void {
  if (arePerformed) held.failedMs = LIMITS.askFailedMs;
  if (arePerformed && !held.isUnanswered) held.askAtMs = NEVER;
  else if (arePerformed && isVouched) {
    held.askMs = Math.min(2 * held.askMs, LIMITS.askAgainMsMax);
    held.askAtMs = nowMs + held.askMs;
  } else {
    held.askMs = LIMITS.askAgainMs;
    held.askAtMs = Math.min(held.askAtMs, nowMs + (arePerformed ? held.askMs : held.failedMs));
    if (!arePerformed) held.failedMs = Math.min(2 * held.failedMs, LIMITS.askAgainMs);
  }
}

/** Whether what the process asked last was not answered. */
export function isFailing({ failedMs }: Held): boolean {
  return failedMs > LIMITS.askFailedMs;
}

/** What a process asks again whose turn to ask has come. */
export function beginAsking(held: Held): Asks {
  const asks = held.asksAll ? "all" : "old";
  held.asksAll = false;
  return asks;
}

/** Plans what a look at a process has left: it failed, or what was to be asked meanwhile is still to be asked. */
export function planAgain(held: Held, isDone: boolean, nowMs: number): void {
  if (held.asksAll && held.askAtMs === NEVER) held.askAtMs = nowMs;
  else if (!isDone || (held.isUnanswered && held.askAtMs === NEVER))
    held.askAtMs = Math.min(held.askAtMs, nowMs + Math.max(held.askMs, LIMITS.askAgainMs));
}
