/**
 * @module The vocabulary: addresses, messages, receipts, outcomes and effects. Read this file first.
 *
 * A message is a fact or a request between two actors, in the terms of Hohpe and Woolf: message id, correlation (the
 * process), return address (`from`), expiry. On a topic it is the data of a CloudEvent with the same id. An effect is
 * an order to the shell; effects form one closed union with one exhaustive performer. The contents of messages are in
 * `protocol/bodies.ts`, whom they act for in `protocol/principal.ts`.
 */
import type { DigestNotification } from "./reports/digest.ts";
import { z } from "zod";
import { SpentBy } from "./budget.ts";
import { WireFault } from "./faults.ts";
import { isId } from "./ids.ts";
import { Label } from "./label.ts";
import { MemoryAnswer } from "./memory/operations.ts";
import { REQUEST_KINDS, REQUEST_STATES, type RequestState } from "./people/request.ts";
import { Body, EpochMs, type IndexEntry } from "./protocol/bodies.ts";
import { Principal } from "./protocol/principal.ts";
import { Value } from "./value.ts";

/** The address of an actor: its type (with the system's name) and its id. */
export const Address = z.strictObject({ type: z.string().min(1), id: z.string().refine(isId, "an actor id") });
export type Address = { readonly type: string; readonly id: string };

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
  | {
      readonly kind: "index";
      readonly index: Exclude<IndexName, "Memories" | "Releases">;
      readonly bucket: string;
      readonly entry: IndexEntry;
    }
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

/** The content of an event notification about a release. `atMs` is in milliseconds since the epoch. */
export interface ReleaseNotification {
  readonly agent: string;
  /** Hash of the release. */
  readonly release: string;
  readonly what: "stopped";
  readonly by: string;
  readonly why: string;
  readonly atMs: number;
}

/** The content of any event notification. */
export type Notification = NotificationData | RequestNotification | ReleaseNotification | DigestNotification;

/** Actor types of a system. Agents' types are built the same way, so an agent cannot have one of these names. */
export const RESERVED_TYPES = [
  "ProcessManager",
  "Directory",
  "DeadLetterQueue",
  "Audit",
  "Inbox",
  "Memories",
  "Memory",
  "Rules",
  "Releases",
] as const;

/** The indexes of a system: open and ended processes, dead letters, operator actions and checks, requests to people, memories, releases. */
export const INDEXES = ["Directory", "DeadLetterQueue", "Audit", "Inbox", "Memories", "Releases"] as const;
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
  digests: (system: string): string => `${system}.digests`,
  releases: (system: string): string => `${system}.releases`,
} as const;
