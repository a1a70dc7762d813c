/**
 * @module The contents of messages, by kind: tasks, work items and what comes back of them, waits, and what people and operators send.
 */
import { z } from "zod";
import { Grant, Spent } from "../budget.ts";
import { WireFault } from "../faults.ts";
import { isId } from "../ids.ts";
import { Label } from "../label.ts";
import { MemoryOp } from "../memory/operations.ts";
import { PersonAsk, PersonDecision } from "../people/request.ts";
import { RuleAct } from "../people/rule.ts";
import { WorkFacts } from "../summary.ts";
import { Value } from "../value.ts";

const ActorId = z.string().refine(isId, "an actor id");
/** Milliseconds since the epoch, in messages. */
export const EpochMs = z.int().nonnegative();

/** An agent on a path of waits: the asking agents, oldest first. */
export const Ancestor = z.strictObject({ agent: z.string(), id: ActorId });
export type Ancestor = { readonly agent: string; readonly id: string };

/** How a work item ended, reported by the agent or process that did it. */
export const Result = z.union([
  z.strictObject({ output: Value }),
  z.strictObject({ fault: WireFault }),
  z.strictObject({ handOff: z.strictObject({ agent: z.string(), input: Value }) }),
]);
export type Result =
  { readonly output: Value } | { readonly fault: WireFault } | { readonly handOff: { readonly agent: string; readonly input: Value } };

/** The process that waits for a nested route, and its work item. */
export const Parent = z.strictObject({ processId: ActorId, workId: z.string() });
export type Parent = { readonly processId: string; readonly workId: string };

/** The newest order of a process to its nested routes: to pause, or to go on. Its sequence is that of the record that has it. */
export const TreeOrder = z.strictObject({ sequence: z.int().positive(), paused: z.boolean(), by: z.string(), reason: z.string() });
export type TreeOrder = z.infer<typeof TreeOrder>;

/** A task, sent to a process manager from outside or by a parent process. */
const TaskBody = z.strictObject({
  kind: z.literal("task"),
  route: z.string(),
  /** The slip that the task is pinned to, by reference. */
  slip: Value,
  input: Value,
  timeoutMs: z.int().positive(),
  parent: Parent.optional(),
  /** The process of the task from outside, for a nested route. */
  root: ActorId.optional(),
  /** Until then the parent may request the compensation of the whole process. */
  retainUntilMs: EpochMs.optional(),
  /** Names of the routes above, outermost first. */
  nesting: z.array(z.string()),
  /** What the process may spend, from the budget of its parent. */
  grant: Grant.optional(),
  /** Of the input. Absent: trusted. */
  label: Label.optional(),
  tree: TreeOrder.optional(),
});

/** An output that a validator did not accept, with its reasons. `round` counts from 1. */
export const SentBack = z.strictObject({ round: z.int().positive(), reasons: z.array(z.string()), output: Value });
export type SentBack = z.infer<typeof SentBack>;

/** A work item for an agent: a stop, or an ask of another agent's handler. */
const WorkBody = z.strictObject({
  kind: z.literal("work"),
  workId: z.string(),
  attempt: z.int().positive(),
  agent: z.string(),
  version: z.int().positive(),
  input: Value,
  /** Until then the process may request compensation, so the agent must remember the work item. */
  retainUntilMs: EpochMs,
  ancestors: z.array(Ancestor),
  /** The process of the task from outside, if it is another one. */
  root: ActorId.optional(),
  /** First request to a per-process actor; any host may activate it. */
  first: z.boolean().optional(),
  /** What the work item may spend. Absent: no budget. */
  grant: Grant.optional(),
  /** Of the input. Absent: trusted. */
  label: Label.optional(),
  /** An earlier output of the stop that its validator did not accept. */
  sentBack: SentBack.optional(),
});

/** Requests the compensation of a work item, to an agent or to a child process. */
const UndoBody = z.strictObject({
  kind: z.literal("undo"),
  /** The work item to undo. */
  workId: z.string(),
  undoId: z.string(),
  attempt: z.int().positive(),
  agent: z.string(),
  retainUntilMs: EpochMs,
  tree: TreeOrder.optional(),
});

/** Tells an agent that the process of a work item was terminated: its handler is cancelled, and nothing is undone. */
const DropBody = z.strictObject({ kind: z.literal("drop"), workId: z.string(), agent: z.string(), retainUntilMs: EpochMs });

/** The answer to a handler's ask. */
export const AnswerBody = z.strictObject({
  kind: z.literal("answer"),
  workId: z.string(),
  index: z.int().nonnegative(),
  result: Result,
  /** Of the result. Absent: trusted. */
  label: Label.optional(),
});

/**
 * How the compensation of a work item ended, as the output of its result. `undone`: undos that ran, of its
 * calls and of its agent. `left`: what could
 * not be undone, such as the call of a tool that the system no longer has. `stands`: tools without an undo whose effect stands, or may
 * stand. `stateStands`: the work changed its agent's state, and nothing changed it back.
 */
export const CompensationReport = z.strictObject({
  undone: z.int().nonnegative(),
  left: z.array(z.string()),
  stands: z.array(z.string()),
  stateStands: z.boolean(),
});
/** How the compensation of a work item ended. */
export type CompensationReport = z.infer<typeof CompensationReport>;

/** Reports how a work item, or its compensation, ended. The output of a compensation is a {@link CompensationReport}. */
export const ResultBody = z.strictObject({
  kind: z.literal("result"),
  workId: z.string(),
  attempt: z.int().positive(),
  result: Result,
  /** What the work item, or the one that was undone, spent in all attempts. An agent with a grant tells also that it spent nothing. */
  spent: Spent.optional(),
  /** What its agent counted of the work item, in all attempts. Absent: nothing. */
  facts: WorkFacts.optional(),
  /** Of the output, or of the input of a hand-off. Absent: trusted. */
  label: Label.optional(),
});

/** What a handler waits for; the process manager owns the wait. */
export const WaitFor = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("agent"), agent: z.string(), input: Value }),
  z.strictObject({ kind: z.literal("timer"), ms: z.int().nonnegative() }),
  /** An outside signal of that name to the process. `schema` is the JSON Schema of its payload. */
  z.strictObject({ kind: z.literal("signal"), name: z.string().min(1), schema: Value, timeoutMs: z.int().positive().optional() }),
  /** A larger grant. `need`: the whole grant with which the next call would fit. The answer's output is the whole new {@link Grant}. */
  z.strictObject({ kind: z.literal("budget"), need: Grant }),
  /** A decision of a person on a call. The answer's output is a `Verdict`. A question to a person is a wait of kind `agent`. */
  z.strictObject({ kind: z.literal("person"), ask: PersonAsk }),
]);
export type WaitFor = z.infer<typeof WaitFor>;

/** A handler waits, and requests that the process manager owns the wait. Answered by an `answer` with the same index. */
export const WaitBody = z.strictObject({
  kind: z.literal("wait"),
  workId: z.string(),
  index: z.int().nonnegative(),
  for: WaitFor,
  /** Of the input. Absent: trusted. */
  label: Label.optional(),
});

/** A signal from outside to a process. The same `signalId` is the same signal. */
const SignalBody = z.strictObject({ kind: z.literal("signal"), name: z.string().min(1), signalId: z.string().min(1), payload: Value });

/** Cancels a process. */
const CancelBody = z.strictObject({ kind: z.literal("cancel"), reason: z.string() });

/** Pauses a process. `tree`: its nested routes too. */
const PauseBody = z.strictObject({ kind: z.literal("pause"), reason: z.string(), tree: z.boolean() });

/** Ends a pause. `tree`: also those of its nested routes. */
const ResumeBody = z.strictObject({ kind: z.literal("resume"), reason: z.string(), tree: z.boolean() });

/** Ends a process and its nested routes without compensation. `child`: it comes from the parent process, on behalf of an operator. */
const TerminateBody = z.strictObject({
  kind: z.literal("terminate"),
  reason: z.string(),
  child: z.strictObject({ workId: z.string(), by: z.string(), retainUntilMs: EpochMs }).optional(),
});

/** A person's decision on the dead letter of a run. The message's principal identifies the person. */
const DecisionBody = z.strictObject({
  kind: z.literal("decision"),
  what: z.enum(["redrive", "discard"]),
  run: z.int().positive(),
  /** The same id is the same decision. */
  decisionId: z.string().min(1),
  reason: z.string(),
  /** Replaces the input of the work item that failed, or of the task if none did. */
  input: Value.optional(),
  /** Of a redrive: what compensation had to leave was undone by hand. */
  undoneByHand: z.boolean().optional(),
});

/** A person's decision on a request. The message's principal identifies the person. */
const DecideBody = z.strictObject({
  kind: z.literal("decide"),
  requestId: z.string().min(1),
  /** The hash of what was shown. */
  hash: z.string(),
  /** The same id is the same decision. */
  decisionId: z.string().min(1),
  decision: PersonDecision,
});

/** Makes, uses or revokes a standing rule of a tenant. */
const RuleBody = z.strictObject({ kind: z.literal("rule"), act: RuleAct });

/** Entries for an index actor: the directory of processes, the dead letter queue or the audit. */
export const IndexEntry = z.strictObject({
  id: z.string(),
  open: z.boolean(),
  atMs: EpochMs,
  /** Facts for a listing. JSON texts only. */
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  content: Value.optional(),
});
export type IndexEntry = z.infer<typeof IndexEntry>;
/** Adds entries to an index in one write. */
const EntriesBody = z.strictObject({ kind: z.literal("entries"), entries: z.array(IndexEntry).min(1) });

/** An operation of a memory. It is sent straight to the actor, never through a broker, because it may hold the content of a fact. */
const MemoryBody = z.strictObject({ kind: z.literal("memory"), op: MemoryOp });

/** The content of a message, by `kind`. Persisted in brokers: changing this needs a version bump. */
export const Body = z.discriminatedUnion("kind", [
  TaskBody,
  WorkBody,
  UndoBody,
  DropBody,
  AnswerBody,
  ResultBody,
  WaitBody,
  SignalBody,
  CancelBody,
  PauseBody,
  ResumeBody,
  TerminateBody,
  DecisionBody,
  DecideBody,
  RuleBody,
  EntriesBody,
  MemoryBody,
]);
export type Body = z.infer<typeof Body>;
/** The body of one kind, such as `BodyOf<"task">`. */
export type BodyOf<K extends Body["kind"]> = Extract<Body, { kind: K }>;
