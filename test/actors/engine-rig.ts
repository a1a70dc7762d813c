/** @module A turn engine over a small counting machine, a store that fails on command, and a manual clock. */
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { type Decision, DecisionBuilder, type Machine, readOne } from "../../runtime/machine.ts";
import { eventSchemas } from "../../runtime/record.ts";
import { Value } from "../../runtime/value.ts";
import { Journal } from "../../actors/engine/journal.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { RandomSource, Clock, InsertResult, Ports, StateStore, Tagged, Transport } from "../../actors/engine/ports.ts";
import { TurnEngine } from "../../actors/engine/turn.ts";
import type { TurnHooks } from "../../actors/engine/turn-parts.ts";
import { Values } from "../../actors/engine/values.ts";

const SYSTEM = "sys";
const TYPE = "sys.Counter";

/** A clock that moves only when told to. */
export class HandClock implements Clock {
  #nowMs = 1_000_000;
  #next = 0;
  readonly #timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const id = this.#next;
    this.#next += 1;
    this.#timers.set(id, { atMs: this.#nowMs + delayMs, callback });
    return () => void this.#timers.delete(id);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Advances timer by timer, and lets everything that follows happen before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await flush();
    for (;;) {
      const next = [...this.#timers].filter(([, timer]) => timer.atMs <= end).sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
      if (next === undefined) break;
      this.#timers.delete(next[0]);
      this.#nowMs = Math.max(this.#nowMs, next[1].atMs);
      next[1].callback();
      await flush();
    }
    this.#nowMs = end;
  }
}

/** Lets every promise settle that can. */
export async function flush(rounds = 40): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A random source without randomness: tokens are counted. */
export function countedRandom(prefix: string): RandomSource {
  let count = 0;
  return {
    token: () => {
      count += 1;
      return `${prefix}-${count}`;
    },
    jitter01: () => 0,
  };
}

export const CounterState = z.strictObject({ id: z.string(), count: z.int(), ballast: z.string(), content: Value.optional() });
export type CounterState = z.infer<typeof CounterState>;
export const CounterEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("added"), by: z.int(), pad: z.string() }),
  z.strictObject({ e: z.literal("ballast"), text: z.string() }),
  z.strictObject({ e: z.literal("kept"), content: Value }),
]);
export type CounterEvent = z.infer<typeof CounterEvent>;
export type CounterInput =
  | { readonly kind: "add"; readonly by: number; readonly pad?: string }
  | { readonly kind: "look" }
  /** Adds, and orders a run; `also`: and the end of another. */
  | { readonly kind: "run"; readonly by: number; readonly also?: boolean }
  | { readonly kind: "throw" }
  | { readonly kind: "ballast"; readonly text: string }
  | { readonly kind: "keep"; readonly content: Json }
  | { readonly kind: "read" };

function evolve(state: CounterState, event: CounterEvent): CounterState {
  if (event.e === "added") return { ...state, count: state.count + event.by };
  return event.e === "ballast" ? { ...state, ballast: event.text } : { ...state, content: event.content };
}

const counterMachine: Machine<CounterState, CounterInput, CounterEvent> = {
  initial: (id) => ({ id, count: 0, ballast: "" }),
  purged: (id) => ({ id, count: -1, ballast: "" }),
  decide: (state, input, context): Decision<CounterEvent> => {
    const builder = new DecisionBuilder(state, evolve, context);
    if (state.count < 0) {
      builder.refuse({ code: "process.purged", message: "purged" });
      return builder.done();
    }
    if (input.kind === "add") builder.emit({ e: "added", by: input.by, pad: input.pad ?? "" });
    if (input.kind === "run") {
      builder.emit({ e: "added", by: input.by, pad: "" });
      builder.order({ kind: "run", workId: "w", token: "t" });
      if (input.also === true) builder.order({ kind: "stop", workId: "v", token: "s" });
    }
    if (input.kind === "ballast") builder.emit({ e: "ballast", text: input.text });
    if (input.kind === "keep") builder.emit({ e: "kept", content: builder.pack(input.content) });
    if (input.kind === "read" && state.content !== undefined)
      builder.emit({ e: "added", by: String(readOne(state.content, context)).length, pad: "" });
    if (input.kind === "throw") throw new TypeError("a defect");
    return builder.done();
  },
  evolve,
  outbox: () => [],
  nextDueMs: () => undefined,
  events: eventSchemas(CounterEvent),
  states: CounterState,
};

/** A store that shows every call to a test, which can delay writes. */
export class GatedStore implements StateStore {
  readonly inner: MemoryStore;
  readonly reads: (readonly string[])[] = [];
  readonly inserts: string[] = [];
  /** Called before each insert is made. */
  beforeInsert: (key: string) => Promise<void> = async () => {};
  /** Called after an insert was made, before its answer is given. */
  afterInsert: (key: string) => Promise<void> = async () => {};

  constructor(inner: MemoryStore) {
    this.inner = inner;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    this.reads.push(keys);
    return this.inner.read(keys);
  }

  async insert(key: string, text: string): Promise<InsertResult> {
    this.inserts.push(key);
    await this.beforeInsert(key);
    const result = await this.inner.insert(key, text);
    await this.afterInsert(key);
    return result;
  }

  tagged(key: string): Promise<Tagged | undefined> {
    return this.inner.tagged(key);
  }

  replace(key: string, text: string | undefined, tag: string): Promise<boolean> {
    return this.inner.replace(key, text, tag);
  }

  remove(keys: readonly string[]): Promise<void> {
    return this.inner.remove(keys);
  }
}

const unused = (): never => {
  throw new Error("no engine calls this");
};
const NO_ONE: Transport = { publish: unused, deliver: unused, heartbeat: unused, inspect: unused, nudge: unused, notification: unused };

export interface EngineHost {
  readonly engine: TurnEngine<CounterState, CounterInput, CounterEvent>;
  readonly store: GatedStore;
  readonly clock: HandClock;
  readonly values: Values;
  add(by: number, pad?: string): Promise<number>;
}

/** One host's engine over a store that others may share. */
export function engineHost(inner: MemoryStore, name: string, clock = new HandClock(), hooks: TurnHooks<CounterState> = {}): EngineHost {
  const store = new GatedStore(inner);
  const ports: Ports = { store, reminders: { set: unused, remove: unused }, transport: NO_ONE, clock, random: countedRandom(name) };
  const values = new Values(store, clock, SYSTEM);
  let count = 0;
  const writer = { incarnation: name, nextCount: () => (count += 1) };
  const engine = new TurnEngine({ type: TYPE, machine: counterMachine, system: SYSTEM, ports, values, writer, hooks, trims: true });
  const add = async (by: number, pad = ""): Promise<number> =>
    (await engine.turn("a", { kind: "add", by, pad }, { inputId: `add ${by}` })).state.count;
  return { engine, store, clock, values, add };
}

export function journalOver(store: StateStore, clock: Clock = new HandClock()): Journal<CounterState, CounterInput, CounterEvent> {
  return new Journal(store, clock, counterMachine, SYSTEM, TYPE);
}

export const recordKey = (sequence: number): string => `${SYSTEM}/${TYPE}/a/${sequence}`;
export const snapshotKey = (number: number): string => `${SYSTEM}/${TYPE}/a/snapshot/${number}`;

/** A store's JSON under a key. */
export async function contentOf(store: StateStore, key: string): Promise<Json | undefined> {
  return (await store.read([key])).get(key);
}
