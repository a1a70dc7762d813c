/**
 * @module The vocabulary: addresses, messages, receipts, outcomes and effects. Read this file first.
 *
 * A message is a fact or a request between two actors, in the terms of Hohpe and Woolf: message id, correlation (the
 * process), return address (`from`), expiry. On a topic it is the data of a CloudEvent with the same id. An effect is
 * an order to the shell; effects form one closed union with one exhaustive performer.
 */
import { z } from "zod";
import { Grant, Spent, SpentBy } from "./budget.ts";
import { WireFault } from "./faults.ts";
import { DEFAULT_TENANT, isId } from "./ids.ts";
import { Label } from "./label.ts";
import { MemoryAnswer, MemoryOp } from "./memory/operations.ts";
import { PersonAsk, PersonDecision, REQUEST_KINDS, REQUEST_STATES, type RequestState } from "./people/request.ts";
import { RuleAct } from "./people/rule.ts";
import { Value } from "./value.ts";

const ActorId = z.string().refine(isId, "an actor id");
const EpochMs = z.int().nonnegative();

/** The address of an actor: its type (with the system's name) and its id. */
export const Address = z.strictObject({ type: z.string().min(1), id: ActorId });
export type Address = { readonly type: string; readonly id: string };

/** What may act beside a person: an agent of this or another system. */
export const PRINCIPAL_KINDS = ["agent", "peer"] as const;

/** The identity that a task acts for. It comes from the token or a signed claim, never from a body. */
export const Principal = z.strictObject({
  subject: z.string(),
  tenant: z.string(),
  permissions: z.array(z.string()),
  /** Roles as a person, which requests to people name. Absent: none. */
  roles: z.array(z.string()).optional(),
  /** Absent: a person. */
  kind: z.enum(PRINCIPAL_KINDS).optional(),
  /** The permissions that the submitter gave to this task: some of its own. Absent: it did not say, so all of them. */
  given: z.array(z.string()).optional(),
});
export type Principal = {
  readonly subject: string;
  readonly tenant: string;
  readonly permissions: readonly string[];
  readonly roles?: readonly string[] | undefined;
  readonly kind?: (typeof PRINCIPAL_KINDS)[number] | undefined;
  readonly given?: readonly string[] | undefined;
};

/** A principal as a message carries it. */
export function carried({ subject, tenant, permissions, roles, kind, given }: Principal): z.infer<typeof Principal> {
  return {
    subject,
    tenant,
    permissions: [...permissions],
    ...(roles === undefined ? {} : { roles: [...roles] }),
    ...(kind === undefined ? {} : { kind }),
    ...(given === undefined ? {} : { given: [...given] }),
  };
}

/** The principal of a request without an identity (no token configured). */
export const ANONYMOUS: Pick<Principal, "subject" | "tenant" | "permissions"> = {
  subject: "anonymous",
  tenant: DEFAULT_TENANT,
  permissions: [],
};

/** The principal of a request with the app's own token, which has no name. */
export const APP_TOKEN: Pick<Principal, "subject" | "tenant" | "permissions"> = {
  subject: "app-token",
  tenant: DEFAULT_TENANT,
  permissions: [],
};

/** W3C trace context: one trace per task, over every hop, retry and restart. */
export const Trace = z.strictObject({
  traceparent: z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  tracestate: z.string().optional(),
});
export type Trace = { readonly traceparent: string; readonly tracestate?: string | undefined };

/** The trace id within a trace context. */
export function traceId(trace: Trace): string {
  return trace.traceparent.slice(3, 35);
}

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

/** A task, sent to a process manager from outside or by a parent process. */
const TaskBody = z.strictObject({
  kind: z.literal("task"),
  route: z.string(),
  /** The slip that the task is pinned to, by reference. */
  slip: Value,
  input: Value,
  timeoutMs: z.int().positive(),
  parent: Parent.optional(),
  /** Until then the parent may request the compensation of the whole process. */
  retainUntilMs: EpochMs.optional(),
  /** Names of the routes above, outermost first. */
  nesting: z.array(z.string()),
  /** What the process may spend, from the budget of its parent. */
  grant: Grant.optional(),
  /** Of the input. Absent: trusted. */
  label: Label.optional(),
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
});

/** The answer to a handler's ask. */
const AnswerBody = z.strictObject({
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
const ResultBody = z.strictObject({
  kind: z.literal("result"),
  workId: z.string(),
  attempt: z.int().positive(),
  result: Result,
  /** What the work item, or the one that was undone, spent in all attempts. An agent with a grant tells also that it spent nothing. */
  spent: Spent.optional(),
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
const WaitBody = z.strictObject({
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
  AnswerBody,
  ResultBody,
  WaitBody,
  SignalBody,
  CancelBody,
  DecisionBody,
  DecideBody,
  RuleBody,
  EntriesBody,
  MemoryBody,
]);
export type Body = z.infer<typeof Body>;
/** The body of one kind, such as `BodyOf<"task">`. */
export type BodyOf<K extends Body["kind"]> = Extract<Body, { kind: K }>;

/** A message between actors. Persisted in brokers: changing this needs a version bump. */
export const Message = z.compile(
  z.strictObject({
    v: z.literal(1),
    id: z.string().min(1),
    to: Address,
    /** Return address: the process or actor that waits for the receipt and the answer. */
    from: z.string(),
    /** Correlation identifier: the process that the message belongs to. */
    processId: z.string(),
    createdAtMs: EpochMs,
    /** After this time the message is refused and never executed. */
    expiresAtMs: EpochMs,
    hop: z.int().nonnegative(),
    principal: Principal,
    trace: Trace,
    body: Body,
  }),
);
export type Message = Omit<z.infer<typeof Message>, "body"> & { readonly body: Body };

/**
 * The only proof of delivery: the receiver's own answer, with the sequence of its journal. An HTTP status or a broker's acknowledgement
 * proves nothing (dapr 1.18.2 pkg/channel/http/http_channel.go can answer 200 without a delivery).
 */
const Receipt = z.strictObject({ messageId: z.string(), sequence: z.int().nonnegative() });
type Receipt = { readonly messageId: string; readonly sequence: number };

/** Whether work is in a queue (of its actor or for a slot), its handler is executing, or it waits for an answer. */
export const WORK_STATES = ["queued", "running", "waiting"] as const;

/** The status of a work item in its receipt. `runningMs`: how long its handler has been executing in this attempt, if known. */
export const WorkStatus = z.strictObject({ state: z.enum(WORK_STATES), runningMs: z.int().nonnegative().optional() });
/** The status of a work item in its receipt. */
export type WorkStatus = z.infer<typeof WorkStatus>;

/**
 * What became of a signal. `taken`: it ended a wait. `kept`: nothing waits for it yet. `dropped`: it was kept, and did not fit its
 * wait.
 */
export const SIGNAL_STATES = ["taken", "kept", "dropped"] as const;

/** The status of a signal in its receipt. `waitsFor`: of a kept one, the names of the signals that are waited for. */
export const SignalStatus = z.strictObject({ state: z.enum(SIGNAL_STATES), waitsFor: z.array(z.string()).optional() });
/** The status of a signal in its receipt. */
export type SignalStatus = z.infer<typeof SignalStatus>;

/** What became of a request to people, in the receipt of a decision. */
export const RequestStatus = z.strictObject({ state: z.enum(REQUEST_STATES), by: z.string().optional(), atMs: EpochMs });
/** What became of a request to people. */
export type RequestStatus = z.infer<typeof RequestStatus>;

/** The answer of a turn: its receipt, or why nothing was recorded. */
export const TurnAnswer = z.union([
  z.strictObject({
    receipt: Receipt,
    traceId: z.string().optional(),
    run: z.int().positive().optional(),
    work: WorkStatus.optional(),
    signal: SignalStatus.optional(),
    request: RequestStatus.optional(),
    /** Of a redrive: calls that do not see its edited input, as they read what it replaces. */
    notReached: z.array(z.string()).optional(),
    /** Of an operation of a memory. */
    memory: MemoryAnswer.optional(),
  }),
  z.strictObject({ refused: WireFault }),
]);
export type TurnAnswer =
  | {
      readonly receipt: Receipt;
      readonly traceId?: string | undefined;
      readonly run?: number | undefined;
      readonly work?: WorkStatus | undefined;
      readonly signal?: SignalStatus | undefined;
      readonly request?: RequestStatus | undefined;
      readonly notReached?: readonly string[] | undefined;
      readonly memory?: MemoryAnswer | undefined;
    }
  | { readonly refused: WireFault };

/**
 * The outcomes of a run. `partial`: the end was reached, but an optional call failed. `expired`: the deadline came first. Persisted:
 * changing this needs a version bump.
 */
export const OUTCOMES = ["completed", "partial", "failed", "cancelled", "expired"] as const;
/** One of {@link OUTCOMES}. */
export type OutcomeStatus = (typeof OUTCOMES)[number];

/** How a process ended. Exactly one per run. Persisted: changing this needs a version bump. */
export const Outcome = z.strictObject({
  status: z.enum(OUTCOMES),
  output: Value.optional(),
  fault: WireFault.optional(),
  /** Present if a dead letter exists. */
  deadLetter: Value.optional(),
  /** What the run spent, by agent or nested route. Absent: nothing. */
  spent: SpentBy.optional(),
  /** Of the output. Absent: trusted. */
  label: Label.optional(),
  atMs: EpochMs,
});
export type Outcome = {
  readonly status: OutcomeStatus;
  readonly output?: Value | undefined;
  readonly fault?: WireFault | undefined;
  readonly deadLetter?: Value | undefined;
  readonly spent?: SpentBy | undefined;
  readonly label?: string[] | undefined;
  readonly atMs: number;
};

/** Effects owed to others, performed again until they are answered. An outbox consists of them. */
export type OwedEffect =
  /** Deliver a message. With a topic the first delivery goes through the broker, further ones straight to the actor. */
  /** `probe`: what its receipt says is wanted, so it is sent straight to the actor, also where an earlier receipt is known. */
  | { readonly kind: "send"; readonly message: Message; readonly topic?: string; readonly probe?: true }
  /** Enter a closed process in the index, a dead letter in its queue, an operator action in the audit. */
  | { readonly kind: "index"; readonly index: Exclude<IndexName, "Memories">; readonly bucket: string; readonly entry: IndexEntry }
  /** Best-effort event notification; the journal is authoritative. */
  | { readonly kind: "notify"; readonly topic: "results" | "deadletters"; readonly id: string; readonly data: NotificationData }
  | { readonly kind: "notify"; readonly topic: "requests"; readonly id: string; readonly data: RequestNotification };

/** Effects for the host that holds the actor now. */
export type HostEffect =
  /** Executes a handler outside the turn. */
  | { readonly kind: "run"; readonly workId: string; readonly token: string }
  /** Cancels a running handler. */
  | { readonly kind: "stop"; readonly workId: string; readonly token: string }
  /** Watches for the heartbeats of another host's work; without any, reports `lost`. */
  | { readonly kind: "watch"; readonly workId: string; readonly token: string };

/** Orders to the shell: one closed union with one exhaustive performer. */
export type Effect = OwedEffect | HostEffect;

/** The content of an event notification about a run that ended, without input and output. `atMs` is in milliseconds since the epoch. */
export interface NotificationData {
  readonly processId: string;
  readonly route: string;
  readonly run: number;
  readonly status: OutcomeStatus;
  readonly traceId: string;
  readonly atMs: number;
}

/** The content of an event notification about a request to people, without what is asked. `atMs` is in milliseconds since the epoch. */
export interface RequestNotification {
  readonly requestId: string;
  readonly what: "asked" | "reminded" | "escalated" | "decided" | "expired" | "closed";
  readonly state: RequestState;
  readonly processId: string;
  readonly route: string;
  readonly run: number;
  readonly kind: (typeof REQUEST_KINDS)[number];
  readonly person?: string | undefined;
  /** Who may decide now; empty: all who may decide. */
  readonly roles: readonly string[];
  readonly tenant?: string | undefined;
  /** Its deadline. */
  readonly dueAtMs?: number | undefined;
  readonly traceId: string;
  readonly atMs: number;
}

/** Actor types of a system. Agents' types are built the same way, so an agent cannot have one of these names. */
export const RESERVED_TYPES = ["ProcessManager", "Directory", "DeadLetterQueue", "Audit", "Inbox", "Memories", "Memory", "Rules"] as const;

/** The indexes of a system: open and ended processes, dead letters, operator actions and checks, requests to people, and memories. */
export const INDEXES = ["Directory", "DeadLetterQueue", "Audit", "Inbox", "Memories"] as const;
/** One of {@link INDEXES}. */
export type IndexName = (typeof INDEXES)[number];

/** The actor type of an agent, or of one of {@link RESERVED_TYPES}, in a system. */
export function actorType(system: string, name: string): string {
  return `${system}.${name}`;
}

/** Topics of a system. */
export const topics = {
  tasks: (system: string): string => `${system}.tasks`,
  signals: (system: string): string => `${system}.signals`,
  decisions: (system: string): string => `${system}.decisions`,
  agent: (system: string, agent: string): string => `${system}.agent.${agent}`,
  manager: (system: string): string => `${system}.manager`,
  results: (system: string): string => `${system}.results`,
  deadletters: (system: string): string => `${system}.deadletters`,
  requests: (system: string): string => `${system}.requests`,
} as const;
