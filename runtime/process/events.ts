/**
 * @module The events of a process manager, as its journal records them. Pure.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { CompensationReport, Outcome, Result, WORK_STATES } from "../protocol.ts";
import { Value } from "../value.ts";
import { Act, Reopened } from "./runs.ts";
import { Ending, Task } from "./state.ts";
import { KeptSignal, Wait } from "./wait.ts";
import { Work } from "./work.ts";

/** How a timer or the wait for a signal ends. */
const WaitResult = z.union([z.strictObject({ output: Value }), z.strictObject({ fault: WireFault })]);
/** How a timer or the wait for a signal ends. */
export type WaitResult = z.infer<typeof WaitResult>;

/** An event of a process. Persisted: changing this needs a version bump. */
export const ProcessEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("voided") }),
  z.strictObject({ e: z.literal("refused-for-ever"), undoId: z.string(), workId: z.string(), attempt: z.int(), retainUntilMs: z.int() }),
  z.strictObject({ e: z.literal("accepted"), run: z.int().positive(), task: Task }),
  z.strictObject({ e: z.literal("stop-begun"), stop: z.string(), total: z.int().nonnegative(), items: Value.optional() }),
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
  z.strictObject({ e: z.literal("asked-again"), workId: z.string(), attempt: z.int(), atMs: z.int(), dueAtMs: z.int() }),
  z.strictObject({ e: z.literal("answered"), workId: z.string(), output: Value, atMs: z.int() }),
  z.strictObject({ e: z.literal("handed-off"), workId: z.string(), to: z.string(), atMs: z.int() }),
  z.strictObject({ e: z.literal("failed"), workId: z.string(), fault: WireFault, atMs: z.int(), tolerated: z.boolean() }),
  /** A receipt reported the state of an attempt. `dueAtMs`: the new time of its timeout, if that changed. */
  z.strictObject({
    e: z.literal("told"),
    workId: z.string(),
    state: z.enum(WORK_STATES),
    atMs: z.int(),
    dueAtMs: z.int().optional(),
  }),
  /** A handler's wait failed without having begun, and the handler got the fault as its answer. */
  z.strictObject({ e: z.literal("wait-answered"), workId: z.string(), index: z.int(), result: Result, atMs: z.int() }),
  z.strictObject({ e: z.literal("wait-begun"), wait: Wait }),
  z.strictObject({
    e: z.literal("wait-ended"),
    waitId: z.string(),
    result: WaitResult,
    /** The signal that ended the wait. */
    signalId: z.string().optional(),
    atMs: z.int(),
    tolerated: z.boolean(),
  }),
  z.strictObject({ e: z.literal("signal-kept"), signal: KeptSignal }),
  /** A kept signal did not match the schema of the wait that began. */
  z.strictObject({ e: z.literal("signal-dropped"), signalId: z.string(), name: z.string(), fault: WireFault, atMs: z.int() }),
  z.strictObject({ e: z.literal("stop-done"), stop: z.string(), outputs: z.record(z.string(), Value), atMs: z.int() }),
  z.strictObject({ e: z.literal("undo-due"), workIds: z.array(z.string()) }),
  z.strictObject({ e: z.literal("undone"), workId: z.string(), atMs: z.int(), report: CompensationReport }),
  z.strictObject({
    e: z.literal("undo-failed"),
    workId: z.string(),
    fault: WireFault,
    atMs: z.int(),
    /** What was not undone, if the compensation ended and could not undo everything. */
    report: CompensationReport.optional(),
  }),
  /** An agent does not answer compensations. The compensations of other agents no longer wait for its own. */
  z.strictObject({ e: z.literal("set-aside"), agent: z.string() }),
  z.strictObject({ e: z.literal("ending"), ending: Ending, atMs: z.int() }),
  z.strictObject({ e: z.literal("ended"), outcome: Outcome }),
  z.strictObject({ e: z.literal("undo-requested"), undoId: z.string(), workId: z.string(), attempt: z.int() }),
  z.strictObject({ e: z.literal("undo-finished") }),
  z.strictObject({ e: z.literal("purged") }),
  z.strictObject({ e: z.literal("acted"), act: Act }),
  z.strictObject({ e: z.literal("run-voided"), run: z.int().positive() }),
  Reopened,
]);
export type ProcessEvent = z.infer<typeof ProcessEvent>;
