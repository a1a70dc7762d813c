/**
 * @module The events of a process manager, as its journal contains them. Pure.
 */
import { z } from "zod";
import { Grant, Spent } from "../budget.ts";
import { WireFault } from "../faults.ts";
import { Label } from "../label.ts";
import { Outcome, WORK_STATES } from "../protocol.ts";
import { CompensationReport, Result } from "../protocol/bodies.ts";
import { WorkFacts } from "../summary.ts";
import { Value } from "../value.ts";
import { HeldBack, Paused, Resumed, Terminated, TreeOrder } from "./pausing.ts";
import { Act, Reopened } from "./runs.ts";
import { Ending, Task } from "./state.ts";
import { EndedRequest, KeptSignal, REQUEST_STEPS, Wait, WaitResult } from "./wait.ts";
import { Asked, LongList, Work } from "./work.ts";

/** Of the content of the event. Absent: trusted. */
const Labelled = Label.optional();

/** What its agent counted of the work item. Absent: nothing. */
const Facts = WorkFacts.optional();

/** Events of a process. Persisted: changing this needs a version bump. */
export const ProcessEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("voided") }),
  z.strictObject({ e: z.literal("refused-for-ever"), undoId: z.string(), workId: z.string(), attempt: z.int(), retainUntilMs: z.int() }),
  z.strictObject({ e: z.literal("accepted"), run: z.int().positive(), task: Task }),
  z.strictObject({
    e: z.literal("stop-begun"),
    stop: z.string(),
    total: z.int().nonnegative(),
    items: Value.optional(),
    longItems: LongList.optional(),
    concurrency: z.int().positive().optional(),
  }),
  z.strictObject({ e: z.literal("asked"), work: Work }),
  z.strictObject({ e: z.literal("skipped"), stop: z.string(), key: z.string() }),
  z.strictObject({
    e: z.literal("attempt-failed"),
    workId: z.string(),
    attempt: z.int(),
    fault: WireFault,
    atMs: z.int(),
    againAtMs: z.int(),
  }),
  z.strictObject({
    e: z.literal("asked-again"),
    workId: z.string(),
    attempt: z.int(),
    atMs: z.int(),
    dueAtMs: z.int(),
    /** The grant of the attempt: what the work item may spend in all. */
    grant: Grant.optional(),
  }),
  /** A work item told all that it has spent so far. Absent: nothing. `ends`: it spends no more, so the rest of its grant comes back. */
  z.strictObject({ e: z.literal("spent"), workId: z.string(), by: z.string(), spent: Spent.optional(), ends: z.boolean() }),
  /** A work item got a larger grant: what it may spend in all. */
  z.strictObject({ e: z.literal("granted"), workId: z.string(), grant: Grant }),
  /** A nested route requested a larger grant of its parent, and got an answer. `grant`: the whole new one; absent: none. */
  z.strictObject({ e: z.literal("more-requested"), index: z.int().nonnegative(), need: Grant, atMs: z.int() }),
  /** A person has raised the budget of the run, or refused to. */
  z.strictObject({ e: z.literal("budget-raised"), by: z.string(), more: Grant }),
  z.strictObject({ e: z.literal("budget-refused"), by: z.string() }),
  z.strictObject({ e: z.literal("more-answered"), index: z.int().nonnegative(), grant: Grant.optional() }),
  /** `judged`: the output counts only when its validator has accepted it. */
  z.strictObject({
    e: z.literal("answered"),
    workId: z.string(),
    output: Value,
    atMs: z.int(),
    label: Labelled,
    judged: z.literal(true).optional(),
    facts: Facts,
  }),
  /** An output was not accepted: its work items are compensated, and the call is made again with the reasons. */
  z.strictObject({
    e: z.literal("sent-back"),
    stop: z.string(),
    item: z.int(),
    reasons: z.array(z.string()),
    atMs: z.int(),
    /** Of the reasons. */
    label: Labelled,
  }),
  /** The judgement of an output: the output that counts, or the fault of the call. */
  z.strictObject({
    e: z.literal("judged"),
    stop: z.string(),
    item: z.int(),
    result: WaitResult,
    atMs: z.int(),
    tolerated: z.boolean(),
    label: Labelled,
  }),
  z.strictObject({ e: z.literal("handed-off"), workId: z.string(), to: z.string(), atMs: z.int(), facts: Facts }),
  z.strictObject({
    e: z.literal("failed"),
    workId: z.string(),
    fault: WireFault,
    atMs: z.int(),
    tolerated: z.boolean(),
    /** Its agent told what it spent, so the rest of its grant comes back. */
    told: z.literal(true).optional(),
    label: Labelled,
    facts: Facts,
  }),
  /** The state of an attempt, from a receipt. `dueAtMs`: when the attempt times out, if that has changed. */
  z.strictObject({
    e: z.literal("told"),
    workId: z.string(),
    state: z.enum(WORK_STATES),
    atMs: z.int(),
    dueAtMs: z.int().optional(),
  }),
  /** A wait of a handler was answered without having begun. */
  z.strictObject({ e: z.literal("wait-answered"), workId: z.string(), index: z.int(), result: Result, atMs: z.int() }),
  z.strictObject({ e: z.literal("wait-begun"), wait: Wait }),
  z.strictObject({
    e: z.literal("wait-ended"),
    waitId: z.string(),
    result: WaitResult,
    /** The signal that ended it. */
    signalId: z.string().optional(),
    /** How a request to people ended. */
    request: EndedRequest.omit({ run: true, wait: true, atMs: true }).optional(),
    /** Its output counts only when its validator has accepted it. */
    judged: z.literal(true).optional(),
    atMs: z.int(),
    tolerated: z.boolean(),
    label: Labelled,
  }),
  /** People were reminded of a request, or further ones may decide. Both count from the start. */
  z.strictObject({
    e: z.literal("people-told"),
    waitId: z.string(),
    reminded: z.int().nonnegative(),
    escalated: z.int().nonnegative(),
    step: z.enum(REQUEST_STEPS).exclude(["asked"]),
    dueAtMs: z.int().optional(),
    atMs: z.int(),
  }),
  z.strictObject({ e: z.literal("signal-kept"), signal: KeptSignal }),
  /** The payload of a kept signal does not match the schema of a wait that began for it. */
  z.strictObject({ e: z.literal("signal-dropped"), signalId: z.string(), name: z.string(), fault: WireFault, atMs: z.int() }),
  /** Finished items of the current `forEach` leave the state. `order`: the highest of their work items, if there are any. */
  z.strictObject({ e: z.literal("sealed"), part: Value, order: z.int().positive().optional() }),
  /** The work items of the last part return to the state, because they are compensated next. */
  z.strictObject({ e: z.literal("unsealed"), asked: z.array(Asked) }),
  z.strictObject({
    e: z.literal("stop-done"),
    stop: z.string(),
    outputs: z.record(z.string(), Value),
    list: LongList.optional(),
    /** Labels of its outputs by name. Absent: all are trusted. */
    labels: z.record(z.string(), Label).optional(),
    atMs: z.int(),
  }),
  z.strictObject({ e: z.literal("undo-due"), workIds: z.array(z.string()), atMs: z.int() }),
  z.strictObject({
    e: z.literal("undone"),
    workId: z.string(),
    atMs: z.int(),
    report: CompensationReport,
    /** What the undone work item had used. It may not have answered. */
    version: z.string().optional(),
  }),
  z.strictObject({
    e: z.literal("undo-failed"),
    workId: z.string(),
    fault: WireFault,
    atMs: z.int(),
    /** Present if the compensation ended and could not undo everything. */
    report: CompensationReport.optional(),
  }),
  /** An agent does not answer compensations. Those of other agents no longer wait for it. */
  z.strictObject({ e: z.literal("set-aside"), agent: z.string() }),
  z.strictObject({ e: z.literal("ending"), ending: Ending, atMs: z.int() }),
  z.strictObject({ e: z.literal("ended"), outcome: Outcome }),
  z.strictObject({ e: z.literal("undo-requested"), undoId: z.string(), workId: z.string(), attempt: z.int() }),
  z.strictObject({ e: z.literal("undo-finished") }),
  z.strictObject({ e: z.literal("purged") }),
  z.strictObject({ e: z.literal("acted"), act: Act }),
  z.strictObject({ e: z.literal("run-voided"), run: z.int().positive() }),
  Reopened,
  Paused,
  Resumed,
  /** The newest order of the process to its nested routes. */
  z.strictObject({ e: z.literal("tree-ordered"), order: TreeOrder }),
  /** An order of its parent was taken; older ones are ignored. */
  z.strictObject({ e: z.literal("tree-taken"), sequence: z.int().positive() }),
  /** An answer that arrived while the process is paused. */
  z.strictObject({ e: z.literal("held-back"), what: HeldBack, atMs: z.int() }),
  /** The oldest of those answers are taken now. */
  z.strictObject({ e: z.literal("taken-back"), count: z.int().positive() }),
  Terminated,
]);
export type ProcessEvent = z.infer<typeof ProcessEvent>;
