/**
 * @module An environment without Dapr: store, reminders, delivery and time in memory, for `runLocal` and for fast
 * tests.
 *
 * Time is real while a handler works and jumps to the next timer when nothing runs. A backoff of a minute costs
 * nothing, and a handler that really waits takes its real time.
 */
import { Fault, type Json } from "../../runtime/faults.ts";
import type { Address, Message, TurnAnswer } from "../../runtime/protocol.ts";
import { MemoryStore } from "./store.ts";
import type {
  ActorHost,
  Reminders,
  RandomSource,
  Clock,
  Heartbeat,
  Models,
  Nudged,
  Ports,
  StateStore,
  Transport,
} from "../engine/ports.ts";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock whose idle time can be skipped. */
export class SkippingClock implements Clock {
  readonly #timers = new Map<number, Timer>();
  readonly #startedAt = performance.now();
  readonly #originMs: number;
  #skippedMs = 0;
  #next = 0;

  /** `originMs`: the epoch time at which the clock starts. */
  constructor(originMs: number) {
    this.#originMs = originMs;
  }

  nowMs(): number {
    return Math.floor(this.#originMs + this.#skippedMs + performance.now() - this.#startedAt);
  }

  after(delayMs: number, callback: () => void): () => void {
    const id = this.#next;
    this.#next += 1;
    this.#timers.set(id, { atMs: this.nowMs() + delayMs, callback });
    return () => void this.#timers.delete(id);
  }

  /** Calls the callbacks that are due; returns whether there were any. */
  fireDue(): boolean {
    const nowMs = this.nowMs();
    const due = [...this.#timers].filter(([, timer]) => timer.atMs <= nowMs).sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0]);
    for (const [id, timer] of due) if (this.#timers.delete(id)) timer.callback();
    return due.length > 0;
  }

  /** Jumps to the next timer. False when there is none. */
  leap(): boolean {
    const next = Math.min(...[...this.#timers.values()].map((timer) => timer.atMs));
    if (!Number.isFinite(next)) return false;
    this.#skippedMs += Math.max(0, next - this.nowMs());
    return true;
  }
}

/** Reminders that fire until this world ends. */
class LocalReminders implements Reminders {
  readonly #clock: Clock;
  readonly #ring: ActorHost["tick"];
  readonly #set = new Map<string, () => void>();

  constructor(clock: Clock, ring: ActorHost["tick"]) {
    this.#clock = clock;
    this.#ring = ring;
  }

  async set(actor: Address, name: string, dueMs: number, periodMs: number, carried?: Json): Promise<void> {
    const key = `${actor.type}/${actor.id}/${name}`;
    this.#set.get(key)?.();
    const arm = (delayMs: number): void => {
      const cancel = this.#clock.after(delayMs, () => {
        arm(periodMs);
        this.#ring(actor, name, carried).catch(() => {});
      });
      this.#set.set(key, cancel);
    };
    arm(dueMs);
  }

  async remove(actor: Address, name: string): Promise<void> {
    const key = `${actor.type}/${actor.id}/${name}`;
    this.#set.get(key)?.();
    this.#set.delete(key);
  }
}

/** Delivers to the one host of this world, each message in its own turn of the event loop. */
class LocalTransport implements Transport {
  readonly deltas?: NonNullable<Transport["deltas"]>;
  readonly #host: () => ActorHost;
  #inFlight = 0;

  constructor(host: () => ActorHost, withDeltas: boolean) {
    this.#host = host;
    if (withDeltas) this.deltas = async (process, request) => host().deltas?.(process, structuredClone(request)) ?? { followed: false };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  async #track<T>(action: () => Promise<T>): Promise<T> {
    this.#inFlight += 1;
    try {
      // A message crosses a boundary: sender and receiver share no object.
      return await action();
    } finally {
      this.#inFlight -= 1;
    }
  }

  async publish(_topic: string, message: Message): Promise<void> {
    const copy = structuredClone(message);
    void this.#track(() => this.#host().receive(copy)).catch(() => {});
  }

  deliver(message: Message): Promise<TurnAnswer> {
    return this.#track(() => this.#host().receive(structuredClone(message)));
  }

  async heartbeat(actor: Address, beat: Heartbeat): Promise<void> {
    this.#host().heartbeat(actor, beat);
  }

  inspect(actor: Address): Promise<Json> {
    return this.#track(() => this.#host().inspect(actor));
  }

  nudge(actor: Address, run: number | undefined): Promise<Nudged> {
    return this.#track(() => this.#host().nudge(actor, run));
  }

  async notification(): Promise<void> {}
}

/** The parts of a local world. */
export interface LocalWorldOptions {
  readonly clock?: Clock;
  readonly store?: StateStore;
  readonly random: RandomSource;
  readonly models?: Models | undefined;
  /** Whether processes can be followed piece by piece. It needs timers, so that time is never idle. @default false */
  readonly withDeltas?: boolean;
}

/** Ports for one host in memory. Call {@link LocalWorld.attach} with the host before anything is sent. */
export class LocalWorld {
  readonly ports: Ports;
  readonly #transport: LocalTransport;
  #host: ActorHost | undefined;
  #ringing = 0;

  constructor(options: LocalWorldOptions & { readonly clock: Clock }) {
    this.#transport = new LocalTransport(() => this.#requireHost(), options.withDeltas === true);
    const ring: ActorHost["tick"] = async (actor, name, carried) => {
      this.#ringing += 1;
      try {
        await this.#requireHost().tick(actor, name, carried);
      } finally {
        this.#ringing -= 1;
      }
    };
    this.ports = {
      store: options.store ?? new MemoryStore(),
      reminders: new LocalReminders(options.clock, ring),
      transport: this.#transport,
      clock: options.clock,
      random: options.random,
      models: options.models,
    };
  }

  attach(host: ActorHost): void {
    this.#host = host;
  }

  /** Whether deliveries or reminders are in flight. */
  get busy(): boolean {
    return this.#transport.inFlight > 0 || this.#ringing > 0;
  }

  #requireHost(): ActorHost {
    if (this.#host === undefined) throw new Fault("sidecar.unavailable", "this world has no host yet: call attach first");
    return this.#host;
  }
}
