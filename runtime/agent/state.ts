/**
 * @module State of an agent actor. Pure. Its events are in events.ts.
 *
 * An agent actor remembers a work item for as long as its process may send messages about it. Content that no replay can need is dropped
 * when the work item is done. Only open work items and the last settled ones are in the state (settled.ts).
 */
import { z } from "zod";
import { Grant, Spent } from "../budget.ts";
import { WireFault } from "../faults.ts";
import { Label } from "../label.ts";
import { Trace } from "../protocol.ts";
import { Ancestor, Result, SentBack, WaitFor } from "../protocol/bodies.ts";
import { Principal } from "../protocol/principal.ts";
import { WorkRelease } from "../release.ts";
import { WorkFacts } from "../summary.ts";
import { Value } from "../value.ts";
import { Reservation } from "./spending.ts";

/** Set if recorded after a failure: only executions of that attempt have to reach it again. */
export const OnlyIn = z.int().positive().optional();

/** Set if the call has, or may have, an effect that nothing reverts: its tool writes or sends, and has no undo. */
export const Stands = z.literal(true).optional();

/** Of the content. Absent: trusted. */
export const Labelled = Label.optional();

/** Position of a result among the results of its work item. The handler receives them in this order in each execution. */
const Order = z.int().nonnegative().optional();

/**
 * A call of a tool. `key` is its tool, the hash of its input and how often that input occurred before. Calls of tools with an undo, and
 * of tools whose end must not stay unknown, are recorded before they are made. Persisted: changing this needs a version bump.
 */
export const Call = z.strictObject({
  key: z.string(),
  tool: z.string(),
  /** The tool had an undo when the call began. */
  undo: z.boolean(),
  /** Recorded as begun, and its end is unknown. */
  open: z.boolean(),
  /** The input for the undo. Absent if the tool has no undo. */
  input: Value.optional(),
  output: Value.optional(),
  /** Of the output. Absent: trusted. */
  label: Labelled,
  order: Order,
  /** How often the call failed in an attempt of the work item and was to be made again. */
  tried: z.strictObject({ attempt: z.int().positive(), tries: z.int().positive() }).optional(),
  undone: z.literal(true).optional(),
  stands: Stands,
  /** Tool calls of the work item when this one had ended. */
  toolCalls: z.int().positive().optional(),
  onlyIn: OnlyIn,
});
export type Call = z.infer<typeof Call>;

const ModelTried = z.strictObject({ attempt: z.int().positive(), tries: z.int().positive(), againAtMs: z.int() });

/**
 * A call of a model. `key` is its model, the hash of its request and how often that occurred before. The request is not stored: the handler
 * builds it again. Persisted: changing this needs a version bump.
 */
export const ModelCall = z.strictObject({
  key: z.string(),
  model: z.string(),
  /** The first try in an attempt of the work item. */
  first: z.strictObject({ attempt: z.int().positive(), atMs: z.int() }),
  /** What the present try reserves. Absent: none is open. */
  open: Reservation.optional(),
  /** A {@link ModelReply}. */
  reply: Value.optional(),
  order: Order,
  /** How often the call failed in an attempt of the work item and was to be made again, and when. */
  tried: ModelTried.optional(),
  /** What the work item had spent when the call had ended. */
  spent: Spent.optional(),
  onlyIn: OnlyIn,
});
export type ModelCall = z.infer<typeof ModelCall>;

/** The recorded result of a step. Persisted: changing this needs a version bump. */
export const Step = z.strictObject({ name: z.string(), output: Value, order: Order, onlyIn: OnlyIn });
export type Step = z.infer<typeof Step>;

/** What a handler waits for, and its result. Persisted: changing this needs a version bump. */
export const Wait = z.strictObject({
  index: z.int().nonnegative(),
  /** Its kind, what it waits for, and how often the same wait occurred before. */
  key: z.string(),
  for: WaitFor,
  /** Of what is asked. Absent: trusted. */
  label: Labelled,
  result: Result.optional(),
  /** Of the result. Absent: trusted. */
  resultLabel: Labelled,
  /** Absent while the handler has not received the result. */
  order: Order,
  onlyIn: OnlyIn,
});
export type Wait = z.infer<typeof Wait>;

/**
 * A failed call, model call, step or wait. It is recorded before its handler receives the fault, so that each execution of that attempt
 * takes the same path as the first. A later attempt makes it again. Persisted: changing this needs a version bump.
 */
export const Failure = z.strictObject({
  kind: z.enum(["call", "model", "step", "wait"]),
  key: z.string(),
  attempt: z.int().positive(),
  fault: WireFault,
  /** Of the text of the fault. Absent: trusted. */
  label: Labelled,
  order: Order,
  /** What the work item had spent then. Absent: nothing. */
  spent: Spent.optional(),
});
export type Failure = z.infer<typeof Failure>;

/** One work item as its actor remembers it. Persisted: changing this needs a version bump. */
export const AgentWork = z.strictObject({
  id: z.string(),
  processId: z.string(),
  agent: z.string(),
  version: z.int(),
  attempt: z.int().positive(),
  /** `ready`: waits for the actor. `parked`: waits for answers, and the actor is free. `tombstone`: compensated before its request came. */
  status: z.enum(["ready", "running", "parked", "done", "undone", "tombstone"]),
  mode: z.enum(["do", "undo"]),
  /** A handler began at least once, so an effect may have happened. */
  begun: z.boolean(),
  begunAtMs: z.int(),
  token: z.string(),
  holder: z.string(),
  /** Hosts that died while they ran it or its undo, since it last recorded something. */
  takeovers: z.int().nonnegative(),
  input: Value,
  /** Of the input. Absent: trusted. */
  label: Labelled,
  /** Of the agent's state that its handler may have read, as its principal sees it. Absent: trusted. */
  stateLabel: Labelled,
  /** The work item is remembered at least until then. */
  retainUntilMs: z.int(),
  /** When its process made the first request; not before it if that request did not come first. Epoch, milliseconds. */
  askedAtMs: z.int(),
  /** How often the work item has settled: it was done or undone. Absent while it never has. */
  settled: z.int().positive().optional(),
  principal: Principal,
  trace: Trace,
  hop: z.int(),
  /** An earlier output that was sent back. */
  sentBack: SentBack.optional(),
  ancestors: z.array(Ancestor),
  /** Its contents may have to be forgotten: all of them are stored values in the scope of its process, and none stands in the journal. */
  stored: z.literal(true).optional(),
  /** Hashes of stored contents that are no longer named by what follows, so that they are found when the process is purged. */
  kept: z.array(z.string()).optional(),
  /** In the order in which they began. */
  calls: z.array(Call),
  /** In the order in which they began. Absent when there is none. */
  modelCalls: z.array(ModelCall).optional(),
  steps: z.array(Step),
  /** Among them answered ones, in the order of their answers. */
  waits: z.array(Wait),
  /** How many results its handler has received or will receive: the next {@link Order}. */
  results: z.int().nonnegative(),
  /** Absent when there is none. */
  failures: z.array(Failure).optional(),
  result: Result.optional(),
  /** Of the result. Absent: trusted. */
  resultLabel: Labelled,
  /** What it may spend in all its attempts, as the newest request says. Absent: no budget. */
  grant: Grant.optional(),
  /** The version of the prompt and the model that all its executions use. Absent: the agent has no model. */
  release: WorkRelease.optional(),
  /** A larger grant that its handler asked for in this attempt. */
  raised: Grant.optional(),
  /** What was spent in all attempts. Absent: nothing. */
  spent: Spent.optional(),
  /** What its process is told for its summary, of all attempts. Absent: nothing. */
  facts: WorkFacts.optional(),
  /** What had been spent when this attempt began. */
  spentBefore: Spent.optional(),
  /** Tools whose effect stands, or may stand, of calls that are not in `calls`. Absent when there is none. */
  stands: z.array(z.string()).optional(),
  /** The agent that did the work has an own undo. */
  undoes: z.literal(true).optional(),
  /** The work item changed the state of its actor, and its undo did not change it back. */
  setState: z.literal(true).optional(),
  /** The agent's own undo has run. */
  agentUndid: z.literal(true).optional(),
  undo: z
    .strictObject({
      undoId: z.string(),
      attempt: z.int(),
      result: Result.optional(),
      /** Its process was terminated: it is cancelled, and no undo begins. */
      dropped: z.literal(true).optional(),
    })
    .optional(),
});
export type AgentWork = z.infer<typeof AgentWork>;

/** State of one agent actor: work items by id, the running and the ready ones. Persisted: changing this needs a version bump. */
export const AgentState = z.strictObject({
  id: z.string(),
  /** What `ctx.setState` last committed; absent means the agent's initial state. */
  state: Value.optional(),
  /** Of the state. Absent: trusted. */
  label: Labelled,
  stateVersion: z.int().nonnegative(),
  works: z.record(z.string(), AgentWork),
  running: z.string().optional(),
  ready: z.array(z.string()),
  /** The latest `askedAtMs` of all work items that left the state when they had settled. Absent while none has. */
  settledUntilMs: z.int().optional(),
  /** Its process was purged. Never persisted: it is set when a tombstone is loaded. */
  purged: z.literal(true).optional(),
});
export type AgentState = z.infer<typeof AgentState>;

/** Calls whose undo has not run yet, in the order in which they began. */
export function callsToUndo(work: Pick<AgentWork, "calls">): Call[] {
  return work.calls.filter((call) => call.undo && call.undone !== true);
}

/** Whether the compensation of a work item has nothing to run. */
export function isHarmless(work: Pick<AgentWork, "calls" | "undoes" | "agentUndid">): boolean {
  return (work.undoes !== true || work.agentUndid === true) && callsToUndo(work).length === 0;
}

/** Tools whose effect stands, or may stand, when the work item is compensated. The agent's own undo answers for all of them. */
export function standingOf(work: Pick<AgentWork, "calls" | "stands" | "agentUndid">): string[] {
  if (work.agentUndid === true) return [];
  return [...new Set([...(work.stands ?? []), ...work.calls.filter(({ stands }) => stands === true).map(({ tool }) => tool)])];
}

/** The state of a new agent actor. All fields exist from the start: states with one hidden class are copied fastest. */
export function newAgent(id: string): AgentState {
  return { id, state: undefined, label: undefined, stateVersion: 0, works: {}, running: undefined, ready: [], settledUntilMs: undefined };
}
