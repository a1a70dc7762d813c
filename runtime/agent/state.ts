/**
 * @module State and events of an agent actor. Pure.
 *
 * An agent actor remembers every work item for as long as its process may speak of it: that is its deduplication
 * window. Content that no replay can need any more is dropped when the work is done.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { Ancestor, Principal, Result, Trace, WaitFor } from "../protocol.ts";
import { Value } from "../value.ts";

/** Set where something was recorded behind a failure: only executions of that attempt have to come to it again. */
const OnlyIn = z.int().positive().optional();

/** Set where a call failed and nothing says how it ended, as it gave no answer in time. */
const Open = z.literal(true).optional();

/**
 * A call of a tool. `key` is its tool, the hash of its input and how often that input came before. Tools with an undo, and
 * those whose end must not stay unknown, are recorded before the call is made. Persisted: changing this needs a version bump.
 */
export const Call = z.strictObject({
  key: z.string(),
  tool: z.string(),
  /** The tool had an undo when the call began. */
  undo: z.boolean(),
  /** It was recorded as begun, and nothing says how it ended. */
  open: z.boolean(),
  /** What the undo is given. Absent where the tool has none. */
  input: Value.optional(),
  output: Value.optional(),
  /** How often the call failed in an attempt of the work and was to be made again. */
  tried: z.strictObject({ attempt: z.int().positive(), tries: z.int().positive() }).optional(),
  undone: z.literal(true).optional(),
  onlyIn: OnlyIn,
});
export type Call = z.infer<typeof Call>;

/** The recorded result of a step. Persisted: changing this needs a version bump. */
export const Step = z.strictObject({ name: z.string(), output: Value, onlyIn: OnlyIn });
export type Step = z.infer<typeof Step>;

/** Something that a handler waits for, and what came of it. Persisted: changing this needs a version bump. */
export const Wait = z.strictObject({
  index: z.int().nonnegative(),
  /** Its kind, what it waits for, and how often that came before. */
  key: z.string(),
  for: WaitFor,
  result: Result.optional(),
  onlyIn: OnlyIn,
});
export type Wait = z.infer<typeof Wait>;

/**
 * A call, step or wait that failed, recorded before its handler hears of it: every execution of that attempt goes the way
 * that the first one went. A further attempt makes it again. Persisted: changing this needs a version bump.
 */
export const Failure = z.strictObject({
  kind: z.enum(["call", "step", "wait"]),
  key: z.string(),
  attempt: z.int().positive(),
  fault: WireFault,
});
export type Failure = z.infer<typeof Failure>;

/** One work item as its actor remembers it. Persisted: changing this needs a version bump. */
export const AgentWork = z.strictObject({
  id: z.string(),
  processId: z.string(),
  agent: z.string(),
  version: z.int(),
  attempt: z.int().positive(),
  /** `ready`: waits for the actor. `parked`: waits for answers, and the actor is free. `tombstone`: undone before it came. */
  status: z.enum(["ready", "running", "parked", "done", "undone", "tombstone"]),
  mode: z.enum(["do", "undo"]),
  /** A handler was begun at least once, so an effect may have happened. */
  begun: z.boolean(),
  begunAtMs: z.int(),
  token: z.string(),
  holder: z.string(),
  takeovers: z.int().nonnegative(),
  input: Value,
  /** The work is remembered at least until then. */
  retainUntilMs: z.int(),
  principal: Principal,
  trace: Trace,
  hop: z.int(),
  ancestors: z.array(Ancestor),
  /** In the order of their beginnings. */
  calls: z.array(Call),
  steps: z.array(Step),
  waits: z.array(Wait),
  /** Absent when there is none. */
  failures: z.array(Failure).optional(),
  result: Result.optional(),
  /** The agent that did the work has an undo of its own. */
  undoes: z.literal(true).optional(),
  /** The work changed the state of its actor, and its undo did not change it again. */
  setState: z.literal(true).optional(),
  /** The agent's own undo has run. */
  agentUndid: z.literal(true).optional(),
  undo: z.strictObject({ undoId: z.string(), attempt: z.int(), result: Result.optional() }).optional(),
});
export type AgentWork = z.infer<typeof AgentWork>;

/** The state of one agent actor: works by their ids, which one runs, and which wait, in order. Persisted: changing this needs a version bump. */
export const AgentState = z.strictObject({
  id: z.string(),
  /** What `ctx.setState` last committed; absent means the agent's initial state. */
  state: Value.optional(),
  stateVersion: z.int().nonnegative(),
  works: z.record(z.string(), AgentWork),
  running: z.string().optional(),
  ready: z.array(z.string()),
  /** Its process was purged. Never persisted: it is what a tombstone is read as. */
  purged: z.literal(true).optional(),
});
export type AgentState = z.infer<typeof AgentState>;

/** Facts of an agent actor. Persisted: changing this needs a version bump. */
export const AgentEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("work-accepted"), work: AgentWork }),
  z.strictObject({ e: z.literal("attempt-asked"), workId: z.string(), attempt: z.int() }),
  z.strictObject({ e: z.literal("readied"), workId: z.string(), first: z.boolean() }),
  z.strictObject({ e: z.literal("begun"), workId: z.string(), token: z.string(), holder: z.string(), atMs: z.int() }),
  z.strictObject({ e: z.literal("taken-over"), workId: z.string(), token: z.string(), holder: z.string() }),
  z.strictObject({
    e: z.literal("call-begun"),
    workId: z.string(),
    key: z.string(),
    tool: z.string(),
    undo: z.boolean(),
    input: Value.optional(),
    onlyIn: OnlyIn,
  }),
  /** A call failed and is made again after a pause, by the tool's own policy. */
  z.strictObject({
    e: z.literal("call-tried"),
    workId: z.string(),
    key: z.string(),
    tool: z.string(),
    attempt: z.int(),
    tries: z.int(),
    fault: WireFault,
    open: Open,
    onlyIn: OnlyIn,
  }),
  /** A call ended: with an output, or with the fault that it has in this attempt. */
  z.strictObject({
    e: z.literal("call-ended"),
    workId: z.string(),
    key: z.string(),
    tool: z.string(),
    attempt: z.int(),
    output: Value.optional(),
    fault: WireFault.optional(),
    open: Open,
    onlyIn: OnlyIn,
  }),
  z.strictObject({ e: z.literal("call-undone"), workId: z.string(), key: z.string() }),
  z.strictObject({ e: z.literal("step-done"), workId: z.string(), step: Step }),
  z.strictObject({ e: z.literal("failed"), workId: z.string(), failure: Failure }),
  z.strictObject({ e: z.literal("parked"), workId: z.string(), wait: Wait }),
  z.strictObject({ e: z.literal("wait-answered"), workId: z.string(), index: z.int(), result: Result }),
  z.strictObject({
    e: z.literal("work-done"),
    workId: z.string(),
    result: Result,
    state: Value.optional(),
    undoes: z.literal(true).optional(),
  }),
  z.strictObject({ e: z.literal("undo-asked"), workId: z.string(), undoId: z.string(), attempt: z.int() }),
  z.strictObject({
    e: z.literal("undo-done"),
    workId: z.string(),
    result: Result,
    state: Value.optional(),
    agentUndid: z.literal(true).optional(),
  }),
  z.strictObject({
    e: z.literal("tombstoned"),
    workId: z.string(),
    undoId: z.string(),
    attempt: z.int(),
    processId: z.string(),
    agent: z.string(),
    retainUntilMs: z.int(),
    principal: Principal,
    trace: Trace,
    hop: z.int(),
  }),
  z.strictObject({ e: z.literal("forgotten"), workIds: z.array(z.string()) }),
]);
export type AgentEvent = z.infer<typeof AgentEvent>;

/** Calls whose undo is still to run, in the order of their beginnings. */
export function callsToUndo(work: Pick<AgentWork, "calls">): Call[] {
  return work.calls.filter((call) => call.undo && call.undone !== true);
}

/** An agent actor that was never asked. What comes and goes has its place from the beginning: states of one shape are copied fastest. */
export function newAgent(id: string): AgentState {
  return { id, state: undefined, stateVersion: 0, works: {}, running: undefined, ready: [] };
}
