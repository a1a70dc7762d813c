/**
 * @module The turn engine: load, decide, commit; one turn at a time per actor. It calls nobody but the store.
 *
 * Owns: the cache of actors between turns, the retry of a turn that lost its write, `turn-failed` records.
 * Does not own: effects (the host performs them after the answer), reminders (a hook is called before the write).
 * Invariants: T1 an event is believed only after its record is committed. T2 a decision that writes nothing is believed
 * only after the next key was found absent. T3 after a lost or failed write nothing cached is used again. T4 nothing is
 * believed or left standing in a journal that was purged.
 */
import { Fault, faultFrom, isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Decision, type DecisionContext, type Machine, MissingValues, type Verdict } from "../../runtime/machine.ts";
import type { Effect } from "../../runtime/protocol.ts";
import { type JournalRecord, RECORD_VERSION, type TurnFailed } from "../../runtime/record.ts";
import { Journal, type Loaded } from "./journal.ts";
import { LruMap } from "./lru.ts";
import { KeyedMutex } from "./mutex.ts";
import type { Ports } from "./ports.ts";
import type { Values } from "./values.ts";

/** Counts the writes of this host, over all actors; with the incarnation it names a writer for ever. */
export interface WriterIdentity {
  readonly incarnation: string;
  nextCount(): number;
}

/** What a turn gave. Its effects are ordered and not performed yet. */
export interface TurnResult<S> {
  readonly state: S;
  /** State before the turn. */
  readonly before: S;
  /** Sequence of the journal after the turn. */
  readonly sequence: number;
  readonly effects: readonly Effect[];
  readonly verdict: Verdict;
  /** A record was written. */
  readonly wrote: boolean;
  /** The decision threw, or its record was too large: nothing was decided. */
  readonly failed?: true;
}

/** What a host has to say in the midst of a turn. */
export interface TurnHooks<S> {
  /** Called with the state that a record is about to make true, before the record is written. May throw: then nothing is written. Undefined where nothing is to be waited for. */
  beforeCommit?(actorId: string, next: S, before: S): Promise<void> | undefined;
  /** Called when an actor was read from the store whose last record, of that sequence, another host wrote: what this host believed of it may be old. */
  foreign?(actorId: string, sequence: number): void;
}

/** What a turn is told beside its input. `inputId` stands in the record, for whoever reads the journal. */
export interface TurnOptions {
  readonly inputId: string;
  /** The actor is probably new: decide on an empty journal first and let the write find out. */
  readonly expectNew?: boolean;
}

/** An actor in memory, and when it was last found to be what the store has. */
interface Cached<S> {
  readonly loaded: Loaded<S>;
  readonly atMs: number;
}

/** A decision, or what it threw. */
type Decided<E> = Decision<E> | { readonly failure: unknown };

/** The turns of all actors of one type in one host. */
export class TurnEngine<S, I, E> {
  readonly type: string;
  readonly machine: Machine<S, I, E>;
  readonly #system: string;
  readonly #ports: Ports;
  readonly #values: Values;
  readonly #writer: WriterIdentity;
  readonly #hooks: TurnHooks<S>;
  readonly #journal: Journal<S, I, E>;
  readonly #cache = new LruMap<string, Cached<S>>(LIMITS.cachedActorsMax);
  /** The last failed turn of an actor: sequence of its record, input and code. */
  readonly #failures = new LruMap<string, string>(LIMITS.cachedActorsMax);
  readonly #mutex = new KeyedMutex(LIMITS.actorTurnsQueuedMax);

  constructor(parts: {
    readonly type: string;
    readonly machine: Machine<S, I, E>;
    readonly system: string;
    readonly ports: Ports;
    readonly values: Values;
    readonly writer: WriterIdentity;
    readonly hooks?: TurnHooks<S>;
  }) {
    this.type = parts.type;
    this.machine = parts.machine;
    this.#system = parts.system;
    this.#ports = parts.ports;
    this.#values = parts.values;
    this.#writer = parts.writer;
    this.#hooks = parts.hooks ?? {};
    this.#journal = new Journal(parts.ports.store, parts.ports.clock, parts.machine, parts.system, parts.type);
  }

  /** One turn. Throws coded faults when nothing could be learned or recorded; a refusal is a result. */
  async turn(actorId: string, input: I, options: TurnOptions): Promise<TurnResult<S>> {
    await this.#mutex.enter(actorId);
    let expectNew = options.expectNew === true;
    try {
      for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
        const startedMs = this.#ports.clock.nowMs();
        const loaded = (await this.#recall(actorId)) ?? (expectNew ? this.#journal.empty(actorId) : await this.#load(actorId));
        expectNew = false;
        const result = await this.#tryOnce(actorId, input, options.inputId, loaded);
        if (result !== "stale" && !(this.#mayBePurged(result, startedMs) && (await this.#wroteAfterPurge(actorId, result)))) return result;
        this.#cache.delete(actorId);
      }
    } catch (error) {
      this.#cache.delete(actorId);
      throw error;
    } finally {
      this.#mutex.leave(actorId);
    }
    throw new Fault("journal.contended", `${this.type}/${actorId} lost ${LIMITS.commitAttemptsMax} writes in a row`);
  }

  async #load(actorId: string): Promise<Loaded<S>> {
    const loaded = await this.#journal.load(actorId);
    if (loaded.writer !== null && loaded.writer.incarnation !== this.#writer.incarnation) this.#hooks.foreign?.(actorId, loaded.sequence);
    return loaded;
  }

  /**
   * T4. What was in memory is believed for LIMITS.actorTrustMs; after that it is looked whether the actor was purged
   * meanwhile, because the next key of a journal that is gone is absent too.
   */
  async #recall(actorId: string): Promise<Loaded<S> | undefined> {
    const cached = this.#cache.get(actorId);
    if (cached === undefined || this.#ports.clock.nowMs() - cached.atMs < LIMITS.actorTrustMs) return cached?.loaded;
    if (cached.loaded.sequence > 0 && !(await this.#journal.stands(actorId))) {
      this.#cache.delete(actorId);
      return undefined;
    }
    this.#remember(actorId, cached.loaded);
    return cached.loaded;
  }

  #remember(actorId: string, loaded: Loaded<S>): void {
    if (loaded.purged !== true) this.#cache.set(actorId, { loaded, atMs: this.#ports.clock.nowMs() });
  }

  /** T4. A host that was stopped in mid-turn for longer than that looks, when it wakes, where its record has come to lie. */
  async #wroteAfterPurge(actorId: string, result: TurnResult<S>): Promise<boolean> {
    if (await this.#journal.stands(actorId)) return false;
    await this.#journal.retract(actorId, result.sequence);
    return true;
  }

  #mayBePurged(result: TurnResult<S>, startedMs: number): boolean {
    return result.wrote && result.sequence > 1 && this.#ports.clock.nowMs() - startedMs >= LIMITS.actorTrustMs;
  }

  async #tryOnce(actorId: string, input: I, inputId: string, loaded: Loaded<S>): Promise<TurnResult<S> | "stale"> {
    const context = this.#context(actorId, loaded);
    const decided = this.#decide(loaded.state, input, context);
    const decision = decided instanceof MissingValues ? await this.#decideOnLoaded(loaded.state, input, context, decided) : decided;
    if ("failure" in decision) return this.#commitFailure(actorId, inputId, loaded, decision.failure);
    if (decision.events.length === 0) {
      if (!(await this.#journal.isCurrent(actorId, loaded))) return "stale";
      this.#remember(actorId, loaded);
      return {
        state: loaded.state,
        before: loaded.state,
        sequence: loaded.sequence,
        effects: decision.effects,
        verdict: decision.verdict,
        wrote: false,
      };
    }
    const record = this.#record(loaded, inputId, decision.events, decision.effects.map(effectName));
    const next = this.#journal.advance(loaded, record, 0);
    const prepared = this.#hooks.beforeCommit?.(actorId, next.state, loaded.state);
    await Promise.all([prepared, this.#values.write(decision.stored)]);
    try {
      const outcome = await this.#journal.commit(actorId, record);
      if (outcome.kind === "lost") return "stale";
      await this.#committed(actorId, next, outcome.bytes);
    } catch (error) {
      if (isFault(error) && error.code === "record.too-large") return this.#commitFailure(actorId, inputId, loaded, error);
      throw error;
    }
    return {
      state: next.state,
      before: loaded.state,
      sequence: next.sequence,
      effects: decision.effects,
      verdict: decision.verdict,
      wrote: true,
    };
  }

  /** `next` is the actor after the record, whose bytes are known only now. */
  async #committed(actorId: string, next: Loaded<S>, bytes: number): Promise<void> {
    this.#remember(actorId, await this.#journal.snapshotIfDue(actorId, { ...next, bytesSince: next.bytesSince + bytes }));
  }

  /** A turn that threw, or would be too large, leaves a small record, so that its input is not decided for ever. */
  async #commitFailure(actorId: string, inputId: string, loaded: Loaded<S>, error: unknown): Promise<TurnResult<S> | "stale"> {
    const fault = faultFrom(error, "turn.failed");
    const refused = { state: loaded.state, before: loaded.state, effects: [], verdict: { kind: "refused", fault }, failed: true } as const;
    // The same input fails the same way until something else is recorded: once is enough, or every tick would add a record.
    const failure = `${loaded.sequence} ${inputId} ${fault.code}`;
    if (this.#failures.get(actorId) === failure)
      return (await this.#journal.isCurrent(actorId, loaded)) ? { ...refused, sequence: loaded.sequence, wrote: false } : "stale";
    const event: TurnFailed = { e: "turn-failed", input: inputId, code: fault.code, message: fault.message };
    const record = this.#record(loaded, inputId, [event], []);
    const outcome = await this.#journal.commit(actorId, record);
    if (outcome.kind === "lost") return "stale";
    await this.#committed(actorId, this.#journal.advance(loaded, record, 0), outcome.bytes);
    this.#failures.set(actorId, `${loaded.sequence + 1} ${inputId} ${fault.code}`);
    return { ...refused, sequence: loaded.sequence + 1, wrote: true };
  }

  #record(
    loaded: Loaded<S>,
    inputId: string,
    events: readonly (E | TurnFailed)[],
    effects: readonly string[],
  ): JournalRecord<E | TurnFailed> {
    const writer = { incarnation: this.#writer.incarnation, count: this.#writer.nextCount() };
    return {
      v: RECORD_VERSION,
      sequence: loaded.sequence + 1,
      input: inputId,
      events,
      effects,
      writer,
      previous: loaded.writer,
      atMs: this.#ports.clock.nowMs(),
    };
  }

  #context(actorId: string, { sequence }: Loaded<S>): DecisionContext {
    const { clock, random } = this.#ports;
    // Content stands under its hash: what is in memory already cannot differ from what would be loaded.
    return {
      system: this.#system,
      actorId,
      nowMs: clock.nowMs(),
      incarnation: this.#writer.incarnation,
      sequence: sequence + 1,
      jitter01: random.jitter01(),
      token: random.token(),
      values: this.#values.memory,
    };
  }

  /** What a decision throws is a defect, but for values that it asks for. */
  #decide(state: S, input: I, context: DecisionContext): Decided<E> | MissingValues {
    try {
      return this.machine.decide(state, input, context);
    } catch (error) {
      return error instanceof MissingValues ? error : { failure: error };
    }
  }

  /** Decides again, loading values as the decision asks for them. */
  async #decideOnLoaded(state: S, input: I, context: DecisionContext, asked: MissingValues): Promise<Decided<E>> {
    let { values } = context;
    let missing = asked;
    for (let load = 0; load < LIMITS.valueLoadsMax; load += 1) {
      values = overlay(await this.#values.load(missing.refs), values);
      const decided = this.#decide(state, input, { ...context, values });
      if (!(decided instanceof MissingValues)) return decided;
      missing = decided;
    }
    return { failure: new Fault("value.missing", `a decision asked for values more than ${LIMITS.valueLoadsMax} times`) };
  }

  /** The state as the store has it now. */
  fresh(actorId: string): Promise<Loaded<S>> {
    return this.#mutex.run(actorId, async () => {
      const cached = await this.#recall(actorId);
      if (cached !== undefined && (await this.#journal.isCurrent(actorId, cached))) return cached;
      const loaded = await this.#load(actorId);
      this.#remember(actorId, loaded);
      return loaded;
    });
  }

  /** The state as this host last knew it; undefined when it does not. Good for hints, never for the truth. */
  peek(actorId: string): S | undefined {
    return this.#cache.get(actorId)?.loaded.state;
  }

  forget(actorId: string): void {
    this.#cache.delete(actorId);
  }

  get busy(): number {
    return this.#mutex.size;
  }
}

function overlay(loaded: ReadonlyMap<string, Json>, below: DecisionContext["values"]): DecisionContext["values"] {
  return { has: (ref) => loaded.has(ref) || below.has(ref), get: (ref) => loaded.get(ref) ?? below.get(ref) };
}

/** What a record says of an effect; its content is made again from the state. */
function effectName(effect: Effect): string {
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
