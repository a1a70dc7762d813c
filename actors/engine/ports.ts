/**
 * @module What the turn engine needs of the world, and what the world may ask of it.
 *
 * On Dapr these are a sidecar's HTTP API (actors/dapr/); in `runLocal` and in the simulator they are in memory. The
 * engine knows neither, so the same engine runs everywhere.
 */
import type { Json } from "../../runtime/faults.ts";
import type { Address, Message, NotificationData, TurnAnswer, WorkStatus } from "../../runtime/protocol.ts";

/** How an insert went. `refused`: the key was there. `unknown`: no answer, or one that says nothing; read the key back. */
export type InsertResult = "inserted" | "refused" | "unknown";

/** A content, and the mark of its version in the store (Dapr: ETag). */
export interface Tagged {
  readonly content: Json;
  readonly tag: string;
}

/**
 * A key-value store whose only write of something new is insert-only (Dapr: `concurrency: first-write` without ETag, one
 * key a request). The purge alone replaces and removes.
 */
export interface StateStore {
  /** The contents of the keys that are there. Throws `store.unavailable`. Never served from a cache. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>>;
  /**
   * Writes the JSON text unless the key is there. Never throws. `content` is what the text says and never changes: a store
   * in memory may keep it, and spares its readers the parsing.
   */
  insert(key: string, text: string, content?: Json): Promise<InsertResult>;
  /** One content with its version; undefined when the key is not there. Throws `store.unavailable`. */
  tagged(key: string): Promise<Tagged | undefined>;
  /**
   * Puts the JSON text in the place of the version with that tag, or removes that version when there is no text. True: it
   * was done. False: it was not, or nobody knows; look at the key. Never throws. Redis writes it also where nothing is.
   */
  replace(key: string, text: string | undefined, tag: string): Promise<boolean>;
  /** Removes keys, whatever they hold; what is not there is removed. Throws `store.unavailable` when that cannot be made sure. */
  remove(keys: readonly string[]): Promise<void>;
}

/** Durable repeating reminders (Dapr actor reminders). Setting one again replaces it. All throw `sidecar.unavailable`. */
export interface Reminders {
  set(actor: Address, name: string, dueMs: number, periodMs: number): Promise<void>;
  remove(actor: Address, name: string): Promise<void>;
}

/** Delivery. Nothing here is trusted: only a receipt counts. */
export interface Transport {
  /** Through the broker. Resolves when the broker took it. Throws `sidecar.unavailable`. */
  publish(topic: string, message: Message): Promise<void>;
  /** Straight to the actor, wherever placement has it. An answer that is no turn answer is thrown as `sidecar.unavailable`. */
  deliver(message: Message): Promise<TurnAnswer>;
  /** A sign of life of running work, unjournaled, to wherever the actor is. Failures do not matter. */
  heartbeat(actor: Address, beat: Heartbeat): Promise<void>;
  /** What an actor shows of itself. Throws coded faults. */
  inspect(actor: Address): Promise<Json>;
  /** Has an actor look at its state now and set its reminder again, wherever placement has it (actor method `nudge`, no body). */
  nudge(actor: Address): Promise<void>;
  /** Tells the world on the system's topic. Throws `sidecar.unavailable`. */
  notification(topic: string, id: string, data: NotificationData): Promise<void>;
}

/** A sign of life of one running work item, under the token of its run, and what its host knows of it. */
export interface Heartbeat extends WorkStatus {
  readonly workId: string;
  readonly token: string;
}

/** Time, so that a test or a simulation can drive it. */
export interface Clock {
  /** Epoch, milliseconds. */
  nowMs(): number;
  /** Calls back once after `delayMs`; the result cancels. A callback must not throw. */
  after(delayMs: number, callback: () => void): () => void;
}

/** RandomSource, so that a simulation can fix it. */
export interface RandomSource {
  /** A new unique token. */
  token(): string;
  /** Uniform in [0, 1). */
  jitter01(): number;
}

/** Everything that a host has of the outside world. */
export interface Ports {
  readonly store: StateStore;
  readonly reminders: Reminders;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** What the world may ask of the actors of one host. Nothing here throws but coded faults. */
export interface ActorHost {
  /** The actor types that this host serves. */
  readonly types: readonly string[];
  /** One turn. A refusal is an answer, not an error. */
  receive(message: Message): Promise<TurnAnswer>;
  /** A reminder rang. Cheap when nothing is due: missed ticks come one by one. */
  tick(actor: Address, name: string): Promise<void>;
  /** As a tick, and the reminder is set again even if this host believes that it is set. */
  nudge(actor: Address): Promise<void>;
  /** A sign of life of work that another host runs. */
  heartbeat(actor: Address, beat: Heartbeat): void;
  /** What the actor shows of itself, read from the journal. */
  inspect(actor: Address): Promise<Json>;
  /** The sidecar lets the actor go. Idempotent; unknown actors are no error. */
  deactivate(actor: Address): void;
}
