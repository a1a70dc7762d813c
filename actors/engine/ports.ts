/**
 * @module The ports of the turn engine: what it needs from outside, and what may be requested of it.
 *
 * On Dapr they are implemented by the sidecar's HTTP API (actors/dapr/); in `runLocal` and in the simulator they are in
 * memory. The engine knows neither, so the same engine runs everywhere.
 */
import type { Json } from "../../runtime/faults.ts";
import type { ModelDelta, ModelReply, ModelRequest, ModelUsage } from "../../runtime/model/conversation.ts";
import type { DeltaAnswer, DeltaRequest } from "../../runtime/model/deltas.ts";
import type { Address, Message, Notification, TurnAnswer, WorkStatus } from "../../runtime/protocol.ts";

/** The result of an insert. `refused`: the key exists already. `unknown`: no conclusive answer; read the key back. */
export type InsertResult = "inserted" | "refused" | "unknown";

/** A content, and the tag of its version in the store (Dapr: ETag). */
export interface Tagged {
  readonly content: Json;
  readonly tag: string;
}

/**
 * A key-value store whose writes are insert-only (Dapr: `concurrency: first-write` without ETag, one key per request). Only the purge
 * and the trim replace and remove.
 */
export interface StateStore {
  /**
   * The contents of the keys that exist. Never served from a cache.
   * @throws `store.unavailable`
   */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>>;
  /**
   * Writes the JSON text unless the key is there.
   * @throws `store.full`, `store.read-only` when the store said so and nothing was written; nothing else
   */
  insert(key: string, text: string): Promise<InsertResult>;
  /** One content with its version; undefined when the key is not there. Throws `store.unavailable`. */
  tagged(key: string): Promise<Tagged | undefined>;
  /**
   * Replaces the version with that tag by the JSON text, or removes that version when there is no text. True: it was
   * done. False: it was not done, or the result is unknown; read the key back. Never throws. Redis also writes when the
   * key does not exist.
   */
  replace(key: string, text: string | undefined, tag: string): Promise<boolean>;
  /**
   * Removes keys with any content. A key that does not exist counts as removed.
   * @throws `store.unavailable` when the removal could not be confirmed
   */
  remove(keys: readonly string[]): Promise<void>;
}

/** Durable repeating reminders (Dapr actor reminders). Setting a reminder again replaces it. All methods throw `sidecar.unavailable`. */
export interface Reminders {
  /** `carried` comes back with each ring. */
  set(actor: Address, name: string, dueMs: number, periodMs: number, carried?: Json): Promise<void>;
  remove(actor: Address, name: string): Promise<void>;
}

/** Message delivery. It is not trusted: only a receipt proves that a message arrived. */
export interface Transport {
  /**
   * Sends a message through the broker. Resolves when the broker has taken it.
   * @throws `sidecar.unavailable`
   */
  publish(topic: string, message: Message): Promise<void>;
  /**
   * Sends a message directly to the actor, on any host.
   * @throws `sidecar.unavailable` when the answer is not a turn answer
   */
  deliver(message: Message): Promise<TurnAnswer>;
  /** Sends a heartbeat of running work to the actor, on any host. It is not journaled. Failures do not matter. */
  heartbeat(actor: Address, beat: Heartbeat): Promise<void>;
  /**
   * Sends pieces of replies to the host of a process, or reads them there. Not journaled. Absent: nothing is followed piece by piece.
   * @throws `sidecar.unavailable` when the answer does not say what was done
   */
  deltas?(process: Address, request: DeltaRequest): Promise<DeltaAnswer>;
  /** The actor's own description of its state. Throws coded faults. */
  inspect(actor: Address): Promise<Json>;
  /**
   * Makes an actor check its state now, on any host (actor method `nudge`). `run`: a reminder of that run of a process rings.
   * @throws `sidecar.unavailable` when the answer does not say what was found
   */
  nudge(actor: Address, run: number | undefined): Promise<Nudged>;
  /**
   * Publishes an event notification on the system's topic.
   * @throws `sidecar.unavailable`
   */
  notification(topic: string, id: string, data: Notification): Promise<void>;
}

/** Where the releases of prompts and models stand: it is read again and again. */
export interface ReleaseSource {
  readonly from: "code" | "file" | "configuration";
  /** For logs and screens: the path, or store and key. */
  readonly place: string;
  /** Throws any error if it cannot be read. */
  read(): Promise<string>;
  /** Throws an error that says what is wrong with the text. */
  parse(text: string): unknown;
}

/** What a nudge found: the phase of a process, and its bucket in the index. */
export interface Nudged {
  readonly phase: string;
  readonly bucket?: string | undefined;
  /** The run is known to need no reminder: it has ended and its last effects are performed, or the process is in another run. */
  readonly isOver?: boolean | undefined;
}

/** A sign of life of one running work item, under the token of its run, and what its host knows of it. */
export interface Heartbeat extends WorkStatus {
  readonly workId: string;
  readonly token: string;
}

/**
 * The leases of the hosts of a system: a count for each host incarnation, which its host increases while it lives, and the list of the
 * incarnations. All methods throw `store.unavailable`.
 */
export interface Leases {
  /** Writes the lease of this host. */
  renew(incarnation: string, count: number): Promise<void>;
  /** The counts of the leases that exist. */
  read(incarnations: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The listed incarnations. */
  members(): Promise<readonly string[]>;
  /** Adds incarnations to the list, and removes incarnations with their leases. */
  change(added: readonly string[], removed: readonly string[]): Promise<void>;
}

/** Time as a port, so that a test or a simulation can control it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels. A callback must not throw. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Randomness as a port, so that a simulation can fix it. */
export interface RandomSource {
  /** A new unique token. */
  token(): string;
  /** Uniform in [0, 1). */
  jitter01(): number;
}

/** One attempt of a model call, as the gateway receives it. */
export interface ModelAttempt {
  /** Name of the model in the system. */
  readonly model: string;
  readonly request: ModelRequest;
  /** Tokens that the attempt reserves: of the input, estimated. */
  readonly inputTokensMax: number;
  /** Constant over attempts of the call. Sent to the provider, which may use it. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /**
   * Called when the attempt has its slot, right before the request is sent. If it rejects, nothing is sent, and the attempt ends with that
   * fault.
   */
  readonly ready?: (() => Promise<void>) | undefined;
  /** Higher goes first where calls wait for a slot. @default 0 */
  readonly priority?: number | undefined;
  /** Receives the pieces of a streamed reply. `restarted`: what came before is void. */
  readonly onDelta?: ((delta: ModelDelta) => void) | undefined;
}

/** The models of a system: chooses an endpoint, keeps its limits, makes one attempt. Never retries. */
export interface Models {
  /** Cost bound of an attempt in millionths of a US dollar, over all endpoints of the model. Undefined: a price is unknown. */
  costMicrosMax(model: string, inputTokens: number, outputTokens: number): number | undefined;
  /** Cost of a reply in millionths of a US dollar. Undefined: the price is unknown. */
  costMicros(endpoint: string, usage: ModelUsage): number | undefined;
  /** The provider of an endpoint, or of the first endpoint of a model, as OpenTelemetry names it, for traces and metrics. */
  providerOf?(name: string): string | undefined;
  /**
   * Makes one attempt.
   * @throws faults `model.*`; a retryable one may carry `retryAfterMs`. Details `sent: false`: nothing was sent, so nothing was bought.
   */
  attempt(attempt: ModelAttempt): Promise<ModelReply>;
}

/** Everything that a host uses of the outside world. */
export interface Ports {
  readonly store: StateStore;
  readonly reminders: Reminders;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Absent: the leases are in the store. */
  readonly leases?: Leases | undefined;
  /** Absent: the system has no models. */
  readonly models?: Models | undefined;
}

/** What may be requested of the actors of one host. All methods throw only coded faults. */
export interface ActorHost {
  /** The actor types that this host serves. */
  readonly types: readonly string[];
  /** Runs one turn. A refusal is an answer, not an error. */
  receive(message: Message): Promise<TurnAnswer>;
  /** A reminder fired. Cheap when nothing is due, since missed ticks are delivered one by one. */
  tick(actor: Address, name: string, carried?: Json): Promise<void>;
  /** Makes an actor check its state now. `run`: a reminder of that run of a process rings. */
  nudge(actor: Address, run: number | undefined): Promise<Nudged>;
  /** A heartbeat of work that another host runs. */
  heartbeat(actor: Address, beat: Heartbeat): void;
  /** Pieces of replies of a process that is here. */
  deltas?(process: Address, request: DeltaRequest): DeltaAnswer;
  /** The actor's state, read from the journal. */
  inspect(actor: Address): Promise<Json>;
  /** The sidecar deactivates the actor. Idempotent; an unknown actor is not an error. */
  deactivate(actor: Address): void;
}
