/**
 * @module The state of a process manager. Pure.
 *
 * One process manager per task. The state contains unanswered work items in full and only one history entry for each finished one, so that
 * it stays small. Events are in events.ts; evolve.ts applies them.
 */
import { z } from "zod";
import { Grant } from "../budget.ts";
import { WireFault } from "../faults.ts";
import { Label } from "../label.ts";
import { Outcome, Trace } from "../protocol.ts";
import { Parent } from "../protocol/bodies.ts";
import { Principal } from "../protocol/principal.ts";
import { Value } from "../value.ts";
import { Account } from "./account.ts";
import { HeldBack, Pause, TreeOrder } from "./pausing.ts";
import { Edit } from "./edits.ts";
import { Act, PastRun } from "./runs.ts";
import { RunCounts } from "./run-counts.ts";
import { KeptSignal, KnownSignal, People, Wait } from "./wait.ts";
import { Asked, Check, LongList, Work } from "./work.ts";

/** The task as it was accepted. Persisted: changing this needs a version bump. */
export const Task = z.strictObject({
  route: z.string(),
  input: Value,
  /** Hash of route and input. A task with the same id and fingerprint is a repetition. */
  fingerprint: z.string(),
  slip: Value,
  principal: Principal,
  trace: Trace,
  acceptedAtMs: z.int(),
  deadlineAtMs: z.int(),
  bucket: z.string(),
  parent: Parent.optional(),
  /** The process of the task from outside, for a nested route. */
  root: z.string().optional(),
  /** Until then a parent may request the compensation of the whole process. */
  retainUntilMs: z.int().optional(),
  nesting: z.array(z.string()),
  /** Lifetime of a run, in milliseconds. */
  timeoutMs: z.int().positive(),
  /** The budget of the route, for one run. */
  budget: Grant.optional(),
  /** What the parent gave. */
  grant: Grant.optional(),
  /** Of the input. Absent: trusted. */
  label: Label.optional(),
});
export type Task = z.infer<typeof Task>;

/** The current stop. Persisted: changing this needs a version bump. */
export const Progress = z.strictObject({
  stop: z.string(),
  total: z.int().nonnegative(),
  /** Items or branches begun so far. */
  begun: z.int().nonnegative(),
  /** Only in a `forEach`: its items, and how many of them may be open at a time. */
  items: Value.optional(),
  longItems: LongList.optional(),
  concurrency: z.int().positive().optional(),
  /** Outputs and failures, except those that have left the state in `parts`. */
  outputs: z.record(z.string(), Value),
  failed: z.record(z.string(), WireFault),
  /** Finished items that have left the state (see `Part`), and their number. */
  parts: z.array(Value).optional(),
  sealed: z.int().positive().optional(),
  /** Only in a `forEach`: bytes of all outputs so far. */
  bytes: z.int().nonnegative().optional(),
  /** Only in a `forEach`: items whose outputs are kept from an earlier run, as ranges from and to an index. */
  pinned: z.array(z.tuple([z.int(), z.int()])).optional(),
  /** Keys of calls that were skipped because their condition did not hold. */
  skipped: z.array(z.string()).optional(),
});
export type Progress = z.infer<typeof Progress>;

/** One history entry, for people. At most LIMITS.historyMax are kept. Persisted: changing this needs a version bump. */
export const HistoryLine = z.strictObject({
  atMs: z.int(),
  what: z.string(),
  stop: z.string(),
  agent: z.string(),
  attempt: z.int(),
  code: z.string().optional(),
});
export type HistoryLine = z.infer<typeof HistoryLine>;

/** Why the process is being compensated, or has ended without a result. Persisted: changing this needs a version bump. */
export const Ending = z.strictObject({
  status: z.enum(["failed", "cancelled", "expired"]),
  fault: WireFault,
  stop: z.string(),
  /** The work item that failed. Its request is the original message of the dead letter. */
  work: Work.optional(),
});
export type Ending = z.infer<typeof Ending>;

/** The state of one process. A new run keeps only what `reopen` in runs.ts copies. Persisted: changing this needs a version bump. */
export const ProcessState = z.strictObject({
  id: z.string(),
  /**
   * `void`: a reminder fired before the task arrived, which may still come. `refused`: undone before its task arrived. `purged`: its keys
   * are being deleted.
   */
  phase: z.enum(["new", "void", "refused", "open", "ended", "purged"]),
  run: z.int().nonnegative(),
  task: Task.optional(),
  cursor: z.int().nonnegative(),
  progress: Progress.optional(),
  outputs: z.record(z.string(), Value),
  /** Outputs of `forEach` stops that are too large for one value. */
  lists: z.record(z.string(), LongList).optional(),
  /** Labels of outputs, by their names; in the current stop by their paths. Absent: all are trusted. */
  labels: z.record(z.string(), Label).optional(),
  works: z.record(z.string(), Work),
  /** Waits for timers, signals and people, oldest first. */
  waits: z.record(z.string(), Wait).optional(),
  /** Outputs of the current stop that are judged or were sent back, by `path#item`. */
  checks: z.record(z.string(), Check).optional(),
  /** Absent before the first request to people. */
  people: People.optional(),
  /** Signals without a wait, oldest first. At most LIMITS.signalsKeptMax. */
  signals: z.array(KeptSignal).optional(),
  /** Signals that ended a wait or were dropped, oldest first. At most LIMITS.signalIdsMax are kept. */
  signalIds: z.array(KnownSignal).optional(),
  /** Requested work items that are not known to be undone. */
  asked: z.array(Asked),
  /** Parts with further such work items, oldest first, each with the highest `order` in it. */
  sealed: z.array(z.strictObject({ part: Value, order: z.int().positive() })).optional(),
  /** Work items of `asked` whose compensation is due: losers, optional failures, or all of them while the process ends. */
  undoing: z.array(z.string()),
  /** Work items that may still run but are no longer waited for. They may occupy actors that other work items need. */
  stopping: z.array(z.string()).optional(),
  /** Stateful agents without a key that had a work item in any run. Their actors for this process may have a journal. */
  met: z.array(z.string()).optional(),
  order: z.int().nonnegative(),
  hops: z.int().nonnegative(),
  /** Finished stops in which an optional call failed. If there are any, the outcome is partial. */
  lacking: z.array(z.string()).optional(),
  ending: Ending.optional(),
  /** The work item of a stop that most recently failed for good. Its request is the original message of a dead letter. */
  failedWork: Work.optional(),
  undoFault: WireFault.optional(),
  /** Agents that do not answer compensations. Those of other agents do not wait for them. */
  aside: z.array(z.string()).optional(),
  /** What compensation could not undo, in all work items of this run. */
  left: z.array(z.string()).optional(),
  /** Effects of calls without an undo that stand after compensation, in all works of this run. */
  stands: z.array(z.string()).optional(),
  /** The state of an agent still contains what a compensated work item set. */
  stateStands: z.literal(true).optional(),
  history: z.array(HistoryLine),
  /** Number of entries that were removed from `history`, so that an entry keeps its number. */
  historyGone: z.int().positive().optional(),
  outcome: Outcome.optional(),
  /** The parent requested the compensation of this whole process, with these ids. */
  undo: z.strictObject({ undoId: z.string(), workId: z.string(), attempt: z.int(), done: z.boolean() }).optional(),
  /** In phase `refused`: until then its task may arrive. */
  refuseUntilMs: z.int().optional(),
  /** Earlier runs, oldest first. */
  runs: z.array(PastRun).optional(),
  /** Operator actions, oldest first. */
  acts: z.array(Act).optional(),
  /** Runs up to this number are void: a reminder fired for a run without a record, or a dead letter was discarded. */
  voidedRun: z.int().positive().optional(),
  /** Work items that were due for compensation before the process began to end: losers, and optional calls that failed. */
  leftovers: z.array(z.string()).optional(),
  /** `path#item` of work items that were undone and whose outputs a next run must therefore not use. */
  torn: z.array(z.string()).optional(),
  /** The outputs of the current stop when the process began to end. */
  kept: z.strictObject({ stop: z.string(), outputs: z.record(z.string(), Value), parts: z.array(Value).optional() }).optional(),
  /** Finished branches or items of the first stop of this run that are kept from an earlier run. Outputs are in the state or in parts. */
  pins: z
    .strictObject({ keys: z.array(z.string()), outputs: z.record(z.string(), Value), parts: z.array(Value).optional(), bytes: z.int() })
    .optional(),
  /** Inputs that people changed in redrives, oldest first. At most LIMITS.editsKeptMax. */
  edits: z.array(Edit).optional(),
  /** Absent while nothing was given or spent. */
  account: Account.optional(),
  /** Absent: it is not paused. */
  paused: Pause.optional(),
  /** For how long this run was paused in earlier pauses, and when the last of them ended. Absent: it never was. */
  heldMs: z.int().positive().optional(),
  resumedAtMs: z.int().optional(),
  /** What arrived in a pause and is not taken yet, oldest first. At most LIMITS.heldBackMax. */
  heldBack: z.array(HeldBack).optional(),
  /** The newest order to its nested routes. Absent: there was none. */
  tree: TreeOrder.optional(),
  /** Sequence of the newest order of its parent that it has taken. */
  treeTaken: z.int().positive().optional(),
  /** It was terminated: work items whose handlers are cancelled. */
  dropped: z.array(Asked).optional(),
  /** What this run has counted for its summary. Absent: nothing. */
  counts: RunCounts.optional(),
});
export type ProcessState = z.infer<typeof ProcessState>;

/** The empty state. It has the properties that most processes need later, because states of one shape are copied fastest. */
export function newProcess(id: string): ProcessState {
  return {
    id,
    phase: "new",
    run: 0,
    task: undefined,
    cursor: 0,
    progress: undefined,
    outputs: {},
    labels: undefined,
    works: {},
    waits: undefined,
    people: undefined,
    checks: undefined,
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
    account: undefined,
    counts: undefined,
    paused: undefined,
  };
}
