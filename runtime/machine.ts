/**
 * @module The interface of all actors: a pure state machine over a journal.
 *
 * `decide(state, input, context) -> decision`, `evolve(state, event) -> state`. Events are facts in the past tense;
 * effects are orders. The shell does exactly: load, decide, commit, perform. The same machines run on Dapr, in
 * `runLocal` and in a simulation.
 */
import type { z } from "zod";
import type { Json, WireFault } from "./faults.ts";
import type { Effect } from "./protocol.ts";
import type { EventSchemas } from "./record.ts";
import { type PackedValue, packValue, readValue, type StoredValue, type Value, type ValueRef } from "./value.ts";

/** Everything that a decision may use besides its state and its input. */
export interface DecisionContext {
  readonly system: string;
  readonly actorId: string;
  /** Milliseconds since the epoch on the deciding host. Never compared with another host's time. */
  readonly nowMs: number;
  /** The deciding host's incarnation, new at every start. */
  readonly incarnation: string;
  /** Sequence that a record of this decision gets. */
  readonly sequence: number;
  /** Uniform in [0, 1). */
  readonly jitter01: number;
  /** A unique token for this decision. */
  readonly token: string;
  /** Contents by hash, as far as they are loaded; {@link readAll} throws {@link MissingValues} for the others. */
  readonly values: Pick<ReadonlyMap<string, Json>, "get" | "has">;
}

/** The answer of a turn to its caller, besides the receipt. */
export type Verdict = { readonly kind: "received" } | { readonly kind: "refused"; readonly fault: WireFault };

/** The result of `decide`. Its events are facts, and its effects orders, only once its record is written. */
export interface Decision<E> {
  readonly events: readonly E[];
  /** Effects that this decision orders for the first time, or again to answer a duplicate. */
  readonly effects: readonly Effect[];
  /** Content that must be stored before the record. */
  readonly stored: readonly StoredValue[];
  readonly verdict: Verdict;
}

/** An actor as pure functions over its state `S`, its inputs `I` and its events `E`. */
export interface Machine<S, I, E> {
  initial(actorId: string): S;
  /** The state of an actor that has a tombstone. It decides only refusals and receipts. */
  purged(actorId: string): S;
  /** Pure. Throws only {@link MissingValues} and defects. */
  decide(state: S, input: I, context: DecisionContext): Decision<E>;
  evolve(state: S, event: E): S;
  /** Every effect that is not answered yet, derived from the state alone. */
  outbox(state: S, context: DecisionContext): readonly Effect[];
  /** The next moment at which a tick would decide something; undefined when only messages can. Epoch ms. */
  nextDueMs(state: S, nowMs: number): number | undefined;
  readonly events: EventSchemas<E>;
  readonly states: z.ZodType<S>;
}

/**
 * What a decision may look up in the store beside values: content that is stored under a name instead of its hash, or whether a process has
 * a journal. Its content is null if it is absent.
 */
export type LookUp = (ValueRef & { readonly optional: true }) | { readonly ref: string; readonly process: string };

/** Looks up whether a process has a journal: null before its first record and after its purge. */
export function processLookUp(process: string): LookUp {
  return { ref: `process ${process}`, process };
}

/** Thrown by a decision that needs values that are not loaded; the shell loads them and decides again. */
export class MissingValues extends Error {
  readonly refs: readonly (ValueRef | LookUp)[];
  constructor(refs: readonly (ValueRef | LookUp)[]) {
    super(`values to load: ${refs.map(({ ref }) => ref).join(", ")}`);
    this.refs = refs;
  }
}

/** The contents of values. Requests all missing ones at once. */
export function readAll(values: readonly Value[], context: DecisionContext): Json[] {
  const missing = values.flatMap((value) => ("ref" in value && !context.values.has(value.ref) ? [value] : []));
  if (missing.length > 0) throw new MissingValues([...new Map(missing.map((value) => [value.ref, value])).values()]);
  return values.map((value) => readValue(value, (ref) => context.values.get(ref) ?? null));
}

/** The content of one value. */
export function readOne(value: Value, context: DecisionContext): Json {
  if ("json" in value) return value.json;
  if (!context.values.has(value.ref)) throw new MissingValues([value]);
  return context.values.get(value.ref) ?? null;
}

/** The contents of what may be absent. Requests all missing ones at once. */
export function lookUpAll(asked: readonly LookUp[], context: DecisionContext): Json[] {
  const missing = asked.filter(({ ref }) => !context.values.has(ref));
  if (missing.length > 0) throw new MissingValues(missing);
  return asked.map(({ ref }) => context.values.get(ref) ?? null);
}

/**
 * Builds one decision. It owns the state as it changes with each event, so that later parts of the decision see what earlier parts
 * decided. It is local to one call of `decide`.
 */
export class DecisionBuilder<S, E> {
  readonly #evolve: (state: S, event: E) => S;
  readonly #events: E[] = [];
  readonly #effects: Effect[] = [];
  readonly #stored: StoredValue[] = [];
  /** Contents packed by this decision. They are not stored yet, but later parts of the decision may read them. */
  #packed: Map<string, Json> | undefined;
  #verdict: Verdict = { kind: "received" };
  state: S;
  /** Steps that conditions have taken in this decision. */
  conditionSteps = 0;
  readonly context: DecisionContext;

  constructor(state: S, evolve: (state: S, event: E) => S, context: DecisionContext) {
    this.state = state;
    this.#evolve = evolve;
    const { values } = context;
    this.context = {
      ...context,
      values: { has: (ref) => this.#packed?.has(ref) === true || values.has(ref), get: (ref) => this.#packed?.get(ref) ?? values.get(ref) },
    };
  }

  emit(event: E): void {
    this.#events.push(event);
    this.state = this.#evolve(this.state, event);
  }

  order(effect: Effect): void {
    this.#effects.push(effect);
  }

  refuse(fault: WireFault): void {
    this.#verdict = { kind: "refused", fault };
  }

  /** Packs content as a value of this decision. The scope defaults to the deciding actor's own. */
  pack(content: Json, scope: string = this.context.actorId): Value {
    return this.#keepPacked(content, packValue(content, scope));
  }

  /** Packs content as a value that is stored, also if it is small, so that no record holds it. */
  packStored(content: Json, scope: string): Value {
    return this.#keepPacked(content, packValue(content, scope, 0));
  }

  #keepPacked(content: Json, packed: PackedValue): Value {
    if (packed.stored !== undefined) {
      this.#stored.push(packed.stored);
      this.#packed ??= new Map();
      this.#packed.set(packed.stored.ref, content);
    }
    return packed.value;
  }

  /** Stores content as text under a name. The same name must always have the same content, so that writing it again changes nothing. */
  keep(named: StoredValue): void {
    this.#stored.push(named);
  }

  done(): Decision<E> {
    return { events: this.#events, effects: this.#effects, stored: this.#stored, verdict: this.#verdict };
  }
}

/** What a record keeps of an effect. The content is derived again from the state. */
export function effectName(effect: Effect): string {
  switch (effect.kind) {
    case "send":
      return `send ${effect.message.id}`;
    case "index":
      return `index ${effect.index} ${effect.entry.id}`;
    case "notify":
      return `notification ${effect.topic} ${effect.id}`;
    default:
      return `${effect.kind} ${effect.workId} ${effect.token}`;
  }
}
