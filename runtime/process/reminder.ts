/** @module The reminders of processes, what they carry, and the next due moment of a process. Pure. */
import { z } from "zod";
import type { Json } from "../faults.ts";
import { isId } from "../ids.ts";
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

/** More than any version lets share a reminder. */
const CARRIED_MAX = 1_024;

const RemindedRun = z.strictObject({ id: z.string().refine(isId, "an actor id"), run: z.int().nonnegative() });
/** A run of a process. */
export type RemindedRun = z.infer<typeof RemindedRun>;

/** What a reminder carries. Processes of one host share a reminder. */
export const ReminderContent = z.strictObject({
  /** When it was set first, by the clock of the host that set it. */
  atMs: z.number(),
  /** It rings each few seconds: the host that set it had no lease. */
  near: z.boolean(),
  /** The runs that it reminds of: those with which it was set first, or some of them. */
  runs: z.array(RemindedRun).max(CARRIED_MAX),
});
export type ReminderContent = z.infer<typeof ReminderContent>;

/** What a reminder of a process manager carries. One that carries nothing readable reminds of the run in its name, if it names one. */
export function reminderContent(actorId: string, name: string, carried: Json | undefined): ReminderContent {
  const read = ReminderContent.safeParse(carried);
  if (read.success) return read.data;
  const run = runOf(name);
  return { atMs: 0, near: false, runs: run === undefined ? [] : [{ id: actorId, run }] };
}

/** The place of a reminder in the order of all of them, which is the same on all hosts although their clocks differ. */
export interface ReminderRank {
  readonly atMs: number;
  /** The actor at which it rings, and its name. */
  readonly key: string;
}

/** Whether a reminder comes after another one in their order. */
export function isLater(one: ReminderRank, other: ReminderRank): boolean {
  return one.atMs > other.atMs || (one.atMs === other.atMs && one.key > other.key);
}

/** The run of a reminder's name; undefined if it names none. */
function runOf(name: string): number | undefined {
  const found = /^run-(\d{1,9})$/.exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The next moment at which a tick decides something; undefined unless the process is open. Epoch, milliseconds. */
export function processDueMs(state: ProcessState, nowMs: number): number | undefined {
  if (state.phase !== "open" || state.task === undefined) return undefined;
  if (state.paused !== undefined) return state.paused.untilMs;
  return nextMomentMs(state, nowMs, state.ending === undefined ? state.task.deadlineAtMs : retainUntilMs(state));
}
