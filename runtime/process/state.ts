/**
 * @module The state of a process manager. Pure.
 *
 * There is one process manager per task. The state holds unanswered requests completely, and of finished ones only the output and a history
 * entry, so that it stays small over many stops. The events are in events.ts, and how they change the state in evolve.ts.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { Outcome, Parent, Principal, Trace } from "../protocol.ts";
import { Value } from "../value.ts";
import { Act, PastRun, Replaced } from "./runs.ts";
import { KeptSignal, Wait } from "./wait.ts";
import { Asked, Work } from "./work.ts";

/** The task as it was accepted. Persisted: changing this needs a version bump. */
export const Task = z.strictObject({
  route: z.string(),
  input: Value,
  /** Hash of route and input. A repeated task is the same task if its fingerprint is the same. */
  fingerprint: z.string(),
  slip: Value,
  principal: Principal,
  trace: Trace,
  acceptedAtMs: z.int(),
  deadlineAtMs: z.int(),
  bucket: z.string(),
  parent: Parent.optional(),
  /** Until this time a parent may request the compensation of the whole process. */
  retainUntilMs: z.int().optional(),
  nesting: z.array(z.string()),
  /** Lifetime of a run, in milliseconds. */
  timeoutMs: z.int().positive(),
});
export type Task = z.infer<typeof Task>;

/** The current stop. Persisted: changing this needs a version bump. */
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

/** One history entry, for people to read. At most LIMITS.historyMax are kept. Persisted: changing this needs a version bump. */
export const HistoryLine = z.strictObject({
  atMs: z.int(),
  what: z.string(),
  stop: z.string(),
  agent: z.string(),
  attempt: z.int(),
  code: z.string().optional(),
});
export type HistoryLine = z.infer<typeof HistoryLine>;

/** Why the process stopped advancing and compensates. Persisted: changing this needs a version bump. */
export const Ending = z.strictObject({
  status: z.enum(["failed", "cancelled", "expired"]),
  fault: WireFault,
  stop: z.string(),
  /** The work item that failed, at the moment of its failure. It is the original message of the dead letter. */
  work: Work.optional(),
});
export type Ending = z.infer<typeof Ending>;

/**
 * The state of one process. A new run starts from an initial state, except for what runs.ts keeps. Persisted: changing this needs a version
 * bump.
 */
export const ProcessState = z.strictObject({
  id: z.string(),
  /**
   * `void`: a reminder fired before a task arrived; a task may still arrive. `refused`: the parent requested compensation before the task
   * arrived. `purged`: the journal is being removed.
   */
  phase: z.enum(["new", "void", "refused", "open", "ended", "purged"]),
  run: z.int().nonnegative(),
  task: Task.optional(),
  cursor: z.int().nonnegative(),
  progress: Progress.optional(),
  outputs: z.record(z.string(), Value),
  works: z.record(z.string(), Work),
  /** Open waits for timers and signals, in the order in which they began. */
  waits: z.record(z.string(), Wait).optional(),
  /** Signals that arrived before a wait for them, oldest first. At most LIMITS.signalsKeptMax. */
  signals: z.array(KeptSignal).optional(),
  /** Ids of accepted signals, oldest first. At most LIMITS.signalIdsMax are kept. */
  signalIds: z.array(z.string()).optional(),
  /** Work items that were requested and are not known to be undone. */
  asked: z.array(Asked),
  /** Work items of `asked` that are due for compensation: losers of an `any`, failed optional calls, or all of them while ending. */
  undoing: z.array(z.string()),
  /** Work items that may still run although the process no longer waits for them. They may occupy actors that other requests need. */
  stopping: z.array(z.string()).optional(),
  /** Stateful agents without a key that were called in any run. Their actor of this process may already exist. */
  met: z.array(z.string()).optional(),
  order: z.int().nonnegative(),
  hops: z.int().nonnegative(),
  /** Finished stops of which an optional call failed. The outcome is then `partial`. */
  lacking: z.array(z.string()).optional(),
  ending: Ending.optional(),
  /** The work item of a stop that failed last, after its retries. It becomes the original message of a dead letter. */
  failedWork: Work.optional(),
  undoFault: WireFault.optional(),
  /** Agents that do not answer compensations. The compensations of other agents do not wait for theirs. */
  aside: z.array(z.string()).optional(),
  /** What compensation could not undo, in all work items of this run. */
  left: z.array(z.string()).optional(),
  /** The state of an agent still contains what a compensated work item set. */
  stateStands: z.literal(true).optional(),
  history: z.array(HistoryLine),
  /** Number of entries removed from `history`, so that the remaining entries keep their numbers. */
  historyGone: z.int().positive().optional(),
  outcome: Outcome.optional(),
  /** The request of a parent to compensate this whole process. */
  undo: z.strictObject({ undoId: z.string(), workId: z.string(), attempt: z.int(), done: z.boolean() }).optional(),
  /** Phase `refused`: until this time its task may still arrive. */
  refuseUntilMs: z.int().optional(),
  /** Earlier runs, oldest first. */
  runs: z.array(PastRun).optional(),
  /** Operator actions, oldest first. */
  acts: z.array(Act).optional(),
  /** Runs up to this number can no longer start: a reminder fired for one without a record, or the dead letter was discarded. */
  voidedRun: z.int().positive().optional(),
  /** Work items that were due for compensation before the ending began: losers of an `any`, and failed optional calls. */
  leftovers: z.array(z.string()).optional(),
  /** `path#item` of finished work items whose effect was undone, so that a next run must not pin their output. */
  torn: z.array(z.string()).optional(),
  /** Outputs of the current stop that were finished when the ending began. */
  kept: z.strictObject({ stop: z.string(), outputs: z.record(z.string(), Value) }).optional(),
  /** Outputs that an earlier run finished in the first stop of this run. */
  pins: z.record(z.string(), Value).optional(),
  /** The edited input of a redrive. */
  replaced: Replaced.optional(),
});
export type ProcessState = z.infer<typeof ProcessState>;

/**
 * The initial state. Fields that most processes need exist from the start, because the engine copies objects fastest if all have the same
 * shape.
 */
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
