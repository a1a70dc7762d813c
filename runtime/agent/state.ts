/**
 * @module State and events of an agent actor, and how one becomes the other. Pure.
 *
 * An agent actor remembers every piece of work for as long as its process may speak of it: that is its deduplication
 * window. Content that no replay can need any more is dropped when work is done.
 */
import { z } from "zod";
import { entryOf, withEntry } from "../entries.ts";
import { assertNever, WireFault } from "../faults.ts";
import { Ancestor, Principal, Result, Trace } from "../protocol.ts";
import { Value } from "../value.ts";

/** Something a handler did that is recorded once. Matched by kind, name, occurrence of that name and input hash. Persisted: changing this needs a version bump. */
export const Entry = z.strictObject({
  kind: z.enum(["step", "undo"]),
  name: z.string(),
  occurrence: z.int().nonnegative(),
  input: z.string(),
  output: Value,
  /** The step has an undo. */
  undoable: z.boolean(),
});
export type Entry = z.infer<typeof Entry>;

/** Whether two records are of one call, whatever its input: by kind, name and occurrence of that name. */
export function isSameCall(one: RecordedCall, other: RecordedCall): boolean {
  return one.kind === other.kind && one.name === other.name && one.occurrence === other.occurrence;
}

interface RecordedCall {
  readonly kind: string;
  readonly name: string;
  readonly occurrence: number;
}

/** A question of the handler to another agent. Matched like an {@link Entry}. Persisted: changing this needs a version bump. */
export const Ask = z.strictObject({
  index: z.int().nonnegative(),
  agent: z.string(),
  occurrence: z.int().nonnegative(),
  input: Value,
  inputHash: z.string(),
  result: Result.optional(),
});
export type Ask = z.infer<typeof Ask>;

/**
 * A step or ask that failed, recorded before its handler hears of it: whoever runs the handler of that attempt again, also to
 * undo it, goes the way that it went. A further attempt does the call again. Persisted: changing this needs a version bump.
 */
export const Failure = z.strictObject({
  kind: z.enum(["step", "ask"]),
  name: z.string(),
  occurrence: z.int().nonnegative(),
  input: z.string(),
  attempt: z.int().positive(),
  fault: WireFault,
  /** The step has an undo: its effect may have happened. */
  undoable: z.boolean(),
});
export type Failure = z.infer<typeof Failure>;

/** One piece of work as its actor remembers it. Persisted: changing this needs a version bump. */
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
  entries: z.array(Entry),
  asks: z.array(Ask),
  /** Absent when there is none. */
  failures: z.array(Failure).optional(),
  /** How the attempts before this one ended. Absent when there was none that did. */
  faults: z.array(WireFault).optional(),
  result: Result.optional(),
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
  z.strictObject({ e: z.literal("recorded"), workId: z.string(), entry: Entry }),
  z.strictObject({ e: z.literal("failed"), workId: z.string(), failure: Failure }),
  z.strictObject({ e: z.literal("parked"), workId: z.string(), ask: Ask }),
  z.strictObject({ e: z.literal("ask-answered"), workId: z.string(), index: z.int(), result: Result }),
  z.strictObject({ e: z.literal("work-done"), workId: z.string(), result: Result, state: Value.optional() }),
  z.strictObject({ e: z.literal("undo-asked"), workId: z.string(), undoId: z.string(), attempt: z.int() }),
  z.strictObject({ e: z.literal("undo-done"), workId: z.string(), result: Result }),
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

/** An agent actor that was never asked. What comes and goes has its place from the beginning: states of one shape are copied fastest. */
export function newAgent(id: string): AgentState {
  return { id, state: undefined, stateVersion: 0, works: {}, running: undefined, ready: [] };
}

const NOTHING = { json: null } as const;
const UNDONE: Result = { output: NOTHING };

/** The state after an event. */
export function evolveAgent(state: AgentState, event: AgentEvent): AgentState {
  switch (event.e) {
    case "work-accepted":
      return {
        ...state,
        works: withEntry<AgentWork>(state.works, event.work.id, {
          ...event.work,
          failures: undefined,
          faults: undefined,
          result: undefined,
          undo: undefined,
        }),
        ready: [...state.ready, event.work.id],
      };
    case "attempt-asked":
      return patch(state, event.workId, (work) => ({ ...work, attempt: event.attempt, token: "", takeovers: 0, faults: faultsOf(work) }));
    case "readied":
      return ready(state, event.workId, event.first);
    case "begun":
      return begin(state, event);
    case "taken-over":
      return patch(state, event.workId, (work) => ({ ...work, token: event.token, holder: event.holder, takeovers: work.takeovers + 1 }));
    case "recorded":
      return patch(state, event.workId, (work) => ({ ...work, entries: [...work.entries, event.entry] }));
    case "failed":
      return patch(state, event.workId, (work) => ({ ...work, failures: [...(work.failures ?? []), event.failure] }));
    case "parked":
      return free(
        patch(state, event.workId, (work) => ({
          ...work,
          status: "parked",
          asks: [...work.asks.filter((ask) => ask.index !== event.ask.index), event.ask],
        })),
        event.workId,
      );
    case "ask-answered":
      return patch(state, event.workId, (work) => ({
        ...work,
        asks: work.asks.map((ask) => (ask.index === event.index ? { ...ask, result: event.result } : ask)),
      }));
    case "work-done":
      return workDone(state, event);
    case "undo-asked":
      return patch(state, event.workId, (work) => ({ ...work, mode: "undo", undo: { undoId: event.undoId, attempt: event.attempt } }));
    case "undo-done":
      return undoDone(state, event);
    case "tombstoned":
      return writeTombstone(state, event);
    case "forgotten": {
      const gone = new Set(event.workIds);
      return { ...state, works: Object.fromEntries(Object.entries(state.works).filter(([id]) => !gone.has(id))) };
    }
    default:
      return assertNever(event);
  }
}

/** What changes is written out where it changes: merging one object into another costs several times as much. */
function patch(state: AgentState, id: string, change: (work: AgentWork) => AgentWork): AgentState {
  const work = entryOf(state.works, id);
  return work === undefined ? state : { ...state, works: withEntry(state.works, id, change(work)) };
}

/** The actor is free again when the running work no longer runs. */
function free(state: AgentState, id: string): AgentState {
  return { ...state, running: state.running === id ? undefined : state.running, ready: state.ready.filter((one) => one !== id) };
}

function ready(state: AgentState, id: string, first: boolean): AgentState {
  const next = free(
    patch(state, id, (work) => ({ ...work, status: "ready" })),
    id,
  );
  return { ...next, ready: first ? [id, ...next.ready] : [...next.ready, id] };
}

function begin(state: AgentState, event: Extract<AgentEvent, { e: "begun" }>): AgentState {
  const work = entryOf(state.works, event.workId);
  const begunAtMs = work?.begun === true ? work.begunAtMs : event.atMs;
  const next = patch(state, event.workId, (known) => ({
    ...known,
    status: "running",
    begun: true,
    begunAtMs,
    token: event.token,
    holder: event.holder,
  }));
  return { ...next, running: event.workId, ready: next.ready.filter((one) => one !== event.workId) };
}

function faultsOf({ result, faults }: AgentWork): AgentWork["faults"] {
  return result !== undefined && "fault" in result ? [...(faults ?? []), result.fault] : faults;
}

/** Whether an undo would find anything: a step with an undo that was done, or that failed and may have had its effect. */
export function mayUndo(work: AgentWork): boolean {
  return work.entries.some((entry) => entry.undoable) || work.failures?.some((failure) => failure.undoable) === true;
}

/** A success without undoable steps needs neither input nor records again; a fault may be retried, and keeps them. */
function workDone(state: AgentState, event: Extract<AgentEvent, { e: "work-done" }>): AgentState {
  const work = entryOf(state.works, event.workId);
  if (work === undefined) return state;
  const settled = !("fault" in event.result) && !mayUndo(work);
  const next = free(
    patch(state, event.workId, (known) => ({ ...(settled ? slim(known) : known), status: "done", result: event.result })),
    event.workId,
  );
  return event.state === undefined ? next : { ...next, state: event.state, stateVersion: state.stateVersion + 1 };
}

function undoDone(state: AgentState, event: Extract<AgentEvent, { e: "undo-done" }>): AgentState {
  const work = entryOf(state.works, event.workId);
  if (work?.undo === undefined) return state;
  const undo = { ...work.undo, result: event.result };
  const change = (known: AgentWork): AgentWork =>
    "fault" in event.result ? { ...known, status: "done", undo } : { ...slim(known), result: UNDONE, status: "undone", undo };
  return free(patch(state, event.workId, change), event.workId);
}

/** Without what no replay can need any more. */
function slim(work: AgentWork): AgentWork {
  return { ...work, input: NOTHING, entries: [], asks: [], failures: undefined, faults: undefined, ancestors: [] };
}

/** The tombstone that refuses the work if it arrives later. */
function writeTombstone(state: AgentState, event: Extract<AgentEvent, { e: "tombstoned" }>): AgentState {
  const { workId, undoId, attempt, processId, agent, retainUntilMs, principal, trace, hop } = event;
  const work: AgentWork = {
    id: workId,
    processId,
    agent,
    version: 1,
    attempt: 1,
    status: "tombstone",
    mode: "undo",
    begun: false,
    begunAtMs: 0,
    token: "",
    holder: "",
    takeovers: 0,
    input: NOTHING,
    retainUntilMs,
    principal,
    trace,
    hop,
    ancestors: [],
    entries: [],
    asks: [],
    undo: { undoId, attempt, result: UNDONE },
  };
  return free({ ...state, works: withEntry(state.works, workId, work) }, workId);
}
