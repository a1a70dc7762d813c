/**
 * @module The turn engine: load, decide, commit; one turn at a time per actor. It calls only the store.
 *
 * Owns: the cache of actors between turns, the retry of a turn that lost its write, `turn-failed` records. Does not
 * own: effects (the host performs them after the answer), reminders (a hook is called before the write). Invariants:
 * T1 An event counts only after its record is committed.
 * T2 A decision that writes nothing counts only after the next key was found absent.
 * T3 After a lost or failed write no cached state is used again.
 * T4 No event counts or remains in a journal that was purged.
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

/** Counts the writes of this host over all actors. With the incarnation, the count identifies a writer forever. */
export interface WriterIdentity {
  readonly incarnation: string;
  nextCount(): number;
}

/** The result of a turn. Its effects are ordered but not yet performed. */
export interface TurnResult<S> {
  readonly state: S;
  /** The state before the turn. */
  readonly before: S;
  /** Sequence of the journal after the turn. */
  readonly sequence: number;
  /** The host that wrote the last record before the turn; undefined without a record. */
  readonly writer: string | undefined;
  readonly effects: readonly Effect[];
  readonly verdict: Verdict;
  /** Whether a record was written. */
  readonly wrote: boolean;
  /** The decision threw, or its record was too large. Nothing was decided. */
  readonly failed?: true;
}

/** The host's hooks into a turn. */
export interface TurnHooks<S> {
  /**
   * Called before a record is written, with the state that the record leads to. If it throws, nothing is written. Returns undefined if
   * there is nothing to wait for.
   */
  beforeCommit?(actorId: string, next: S, before: S): Promise<void> | undefined;
}

/** Options of a turn beside its input. The record contains `inputId`, for readers of the journal. */
export interface TurnOptions {
  readonly inputId: string;
  /** The actor is probably new: decide on an empty journal first; the write is refused if it is not. */
  readonly expectNew?: boolean;
}

/** A cached actor, and when it was last confirmed to match the store. */
interface Cached<S> {
  readonly loaded: Loaded<S>;
  readonly atMs: number;
}

/** A decision, or the error that it threw. */
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
  /** The last failed turn of each actor: sequence of its record, input and code. */
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

  /**
   * Runs one turn. A refusal is a result.
   * @throws coded faults when nothing could be decided or recorded
   */
  async turn(actorId: string, input: I, options: TurnOptions): Promise<TurnResult<S>> {
    await this.#mutex.enter(actorId);
    let expectNew = options.expectNew === true;
    try {
      for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
        const startedMs = this.#ports.clock.nowMs();
        const loaded = (await this.#recall(actorId)) ?? (expectNew ? this.#journal.empty(actorId) : await this.#journal.load(actorId));
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

  /**
   * T4. The cached state is trusted for LIMITS.actorTrustMs. After that the engine checks whether the actor was purged, because the next
   * key of a purged journal is absent too.
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

  /**
   * T4. A host that was frozen within a turn for longer than that checks, when it continues, whether its record was written into a purged
   * journal.
   */
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
        writer: loaded.writer?.incarnation,
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
      writer: loaded.writer?.incarnation,
      effects: decision.effects,
      verdict: decision.verdict,
      wrote: true,
    };
  }

  /** `next` is the actor after the record, whose bytes are known only now. */
  async #committed(actorId: string, next: Loaded<S>, bytes: number): Promise<void> {
    this.#remember(actorId, await this.#journal.snapshotIfDue(actorId, { ...next, bytesSince: next.bytesSince + bytes }));
  }

  /** Records a small `turn-failed` for a turn that threw or would be too large, so that its input is not decided again forever. */
  async #commitFailure(actorId: string, inputId: string, loaded: Loaded<S>, error: unknown): Promise<TurnResult<S> | "stale"> {
    const fault = faultFrom(error, "turn.failed");
    const writer = loaded.writer?.incarnation;
    const refused = {
      state: loaded.state,
      before: loaded.state,
      writer,
      effects: [],
      verdict: { kind: "refused", fault },
      failed: true,
    } as const;
    // The same input fails the same way until something else is recorded. One record is enough; otherwise every tick
    // would add one.
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
    // Content is stored under its hash, so cached content cannot differ from what would be loaded.
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

  /** Decides. A thrown error is a defect, except a request for values that are not loaded. */
  #decide(state: S, input: I, context: DecisionContext): Decided<E> | MissingValues {
    try {
      return this.machine.decide(state, input, context);
    } catch (error) {
      return error instanceof MissingValues ? error : { failure: error };
    }
  }

  /** Decides again after loading the values that the decision requested. */
  async #decideOnLoaded(state: S, input: I, context: DecisionContext, asked: MissingValues): Promise<Decided<E>> {
    let { values } = context;
    let missing = asked;
    for (let load = 0; load < LIMITS.valueLoadsMax; load += 1) {
      values = overlay(await this.#values.load(missing.refs), values);
      const decided = this.#decide(state, input, { ...context, values });
      if (!(decided instanceof MissingValues)) return decided;
      missing = decided;
    }
    return { failure: new Fault("value.missing", `a decision requested values more than ${LIMITS.valueLoadsMax} times`) };
  }

  /** The current state in the store. */
  fresh(actorId: string): Promise<Loaded<S>> {
    return this.#mutex.run(actorId, async () => {
      const cached = await this.#recall(actorId);
      if (cached !== undefined && (await this.#journal.isCurrent(actorId, cached))) return cached;
      const loaded = await this.#journal.load(actorId);
      this.#remember(actorId, loaded);
      return loaded;
    });
  }

  /** The state that this host last knew, or undefined. Use it for hints only. */
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

/** What a record keeps of an effect. The content is derived again from the state. */
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
