/**
 * @module The state of a process manager. Pure.
 *
 * One process manager per task. The state holds what is unanswered in full and what is finished in a line each, so that
 * a thousand stops later it has grown by what happened and no more. Events are in events.ts, how they change it in evolve.ts.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { Outcome, Parent, Principal, Trace } from "../protocol.ts";
import { Value } from "../value.ts";
import { Act, PastRun, Replaced } from "./runs.ts";
import { KeptSignal, KnownSignal, Wait } from "./wait.ts";
import { Asked, Work } from "./work.ts";

/** The task as it was accepted. Persisted: changing this needs a version bump. */
export const Task = z.strictObject({
  route: z.string(),
  input: Value,
  /** Hash of route and input: what makes a repeated task the same. */
  fingerprint: z.string(),
  slip: Value,
  principal: Principal,
  trace: Trace,
  acceptedAtMs: z.int(),
  deadlineAtMs: z.int(),
  bucket: z.string(),
  parent: Parent.optional(),
  /** Until then a parent may ask for the compensation of the whole process. */
  retainUntilMs: z.int().optional(),
  nesting: z.array(z.string()),
  /** Lifetime of a run, in milliseconds. */
  timeoutMs: z.int().positive(),
});
export type Task = z.infer<typeof Task>;

/** The stop in work. Persisted: changing this needs a version bump. */
export const Progress = z.strictObject({
  stop: z.string(),
  total: z.int().nonnegative(),
  /** Items or branches begun so far. */
  begun: z.int().nonnegative(),
  items: Value.optional(),
  outputs: z.record(z.string(), Value),
  failed: z.record(z.string(), WireFault),
  /** Keys of calls whose condition did not hold. */
  skipped: z.array(z.string()).optional(),
});
export type Progress = z.infer<typeof Progress>;

/** One thing that happened, for people. At most LIMITS.historyMax are kept. Persisted: changing this needs a version bump. */
export const HistoryLine = z.strictObject({
  atMs: z.int(),
  what: z.string(),
  stop: z.string(),
  agent: z.string(),
  attempt: z.int(),
  code: z.string().optional(),
});
export type HistoryLine = z.infer<typeof HistoryLine>;

/** Why the process no longer goes forward. Persisted: changing this needs a version bump. */
export const Ending = z.strictObject({
  status: z.enum(["failed", "cancelled", "expired"]),
  fault: WireFault,
  stop: z.string(),
  /** The work that failed, as it stood: the original message of the dead letter. */
  work: Work.optional(),
});
export type Ending = z.infer<typeof Ending>;

/** The state of one process. A new run begins it anew, but for what runtime/process/runs.ts keeps. Persisted: changing this needs a version bump. */
export const ProcessState = z.strictObject({
  id: z.string(),
  /** `void`: a reminder found nothing; a task may still come. `refused`: undone before it was ever asked. `purged`: what is left is being taken away. */
  phase: z.enum(["new", "void", "refused", "open", "ended", "purged"]),
  run: z.int().nonnegative(),
  task: Task.optional(),
  cursor: z.int().nonnegative(),
  progress: Progress.optional(),
  outputs: z.record(z.string(), Value),
  works: z.record(z.string(), Work),
  /** Timers and signals that are waited for, in the order in which the waits began. */
  waits: z.record(z.string(), Wait).optional(),
  /** Signals that nothing has waited for yet, oldest first. At most LIMITS.signalsKeptMax. */
  signals: z.array(KeptSignal).optional(),
  /** Signals that were taken, oldest first. At most LIMITS.signalIdsMax are kept. */
  signalIds: z.array(KnownSignal).optional(),
  asked: z.array(Asked),
  /** Works of `asked` whose compensation is due now (losers, optional failures, or everything while ending). */
  undoing: z.array(z.string()),
  /** Work items that may still run although nothing waits for them any more; they may hold actors that others wait for. */
  stopping: z.array(z.string()).optional(),
  /** Stateful agents without a key that were asked, in any run: their actors of this process are not new any more. */
  met: z.array(z.string()).optional(),
  order: z.int().nonnegative(),
  hops: z.int().nonnegative(),
  /** Stops that were passed although an optional call of theirs failed: the outcome is partial. */
  lacking: z.array(z.string()).optional(),
  ending: Ending.optional(),
  /** The work of a stop that failed for good most recently, as it stood: a dead letter's original message. */
  failedWork: Work.optional(),
  undoFault: WireFault.optional(),
  /** Agents that do not answer compensations: those of others do not wait for them. */
  aside: z.array(z.string()).optional(),
  /** What compensation could not undo, in all works of this run. */
  left: z.array(z.string()).optional(),
  /** Effects of calls without an undo that stand after compensation, in all works of this run. */
  stands: z.array(z.string()).optional(),
  /** The state of an agent stands as a compensated work item had set it. */
  stateStands: z.literal(true).optional(),
  history: z.array(HistoryLine),
  /** Lines that have left `history`, so that a line keeps its number. */
  historyGone: z.int().positive().optional(),
  outcome: Outcome.optional(),
  /** A parent asked for the compensation of this whole process, under these ids. */
  undo: z.strictObject({ undoId: z.string(), workId: z.string(), attempt: z.int(), done: z.boolean() }).optional(),
  /** `refused`: until then its task may come. */
  refuseUntilMs: z.int().optional(),
  /** Earlier runs, oldest first. */
  runs: z.array(PastRun).optional(),
  /** What people did, oldest first. */
  acts: z.array(Act).optional(),
  /** Runs up to this one can no longer be: a reminder rang for one that had no record, or a letter was discarded. */
  voidedRun: z.int().positive().optional(),
  /** Works that were due for compensation before the process turned round: losers, and optional calls that failed. */
  leftovers: z.array(z.string()).optional(),
  /** `path#item` of counted works whose effect was undone, so that their output does not stand for a next run. */
  torn: z.array(z.string()).optional(),
  /** What was finished of the stop in work when the process turned round. */
  kept: z.strictObject({ stop: z.string(), outputs: z.record(z.string(), Value) }).optional(),
  /** What of the first stop of this run is finished already. */
  pins: z.record(z.string(), Value).optional(),
  replaced: Replaced.optional(),
});
export type ProcessState = z.infer<typeof ProcessState>;

/** A process manager that was never asked. What most processes come to have is there from the beginning: states of one shape are copied fastest. */
export function newProcess(id: string): ProcessState {
  return {
    id,
    phase: "new",
    run: 0,
    task: undefined,
    cursor: 0,
    progress: undefined,
    outputs: {},
    works: {},
    waits: undefined,
    asked: [],
    undoing: [],
    stopping: undefined,
    met: undefined,
    order: 0,
    hops: 0,
    lacking: undefined,
    ending: undefined,
    failedWork: undefined,
    history: [],
    outcome: undefined,
    acts: undefined,
    leftovers: undefined,
    torn: undefined,
    kept: undefined,
  };
}
