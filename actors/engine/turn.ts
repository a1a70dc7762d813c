/**
 * @module The turn engine: load, decide, commit; one turn at a time per actor. It calls only the store.
 *
 * Owns: the cache of actors between turns, the retry of a turn that lost its write, `turn-failed` records. Does not
 * own: effects (the host performs them after the answer), reminders (a hook is called before the write). Invariants:
 * T1 An event counts only after its record is committed.
 * T2 A decision that writes nothing counts only after the next key was found absent.
 * T3 After a lost or failed write no cached state is used again.
 * T4 No event counts or remains in a journal that was purged, or below the floor of one that was trimmed.
 * T5 A first record may wait for the next one. Only a run on this host follows from it meanwhile (waiting-records.ts).
 */
import { Fault, faultFrom, isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Decision, type DecisionContext, effectName, type Machine } from "../../runtime/machine.ts";
import { type JournalRecord, RECORD_VERSION, type TurnFailed, type Writer } from "../../runtime/record.ts";
import { ActorCache } from "./actor-cache.ts";
import { decide } from "./decide.ts";
import { insist } from "./insist.ts";
import { Journal, type Loaded } from "./journal.ts";
import { JournalTrim } from "./journal-trim.ts";
import { Loader } from "./loader.ts";
import { LruMap } from "./lru.ts";
import { KeyedMutex } from "./mutex.ts";
import type { Ports } from "./ports.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Salvage } from "./set-aside.ts";
import type { TurnHooks, TurnOptions, TurnResult, WriterIdentity } from "./turn-parts.ts";
import type { Values } from "./values.ts";
import { WaitingRecords } from "./waiting-records.ts";

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
  readonly #loader: Loader<S, I, E>;
  /** Present if the journals of these actors are trimmed. */
  readonly trims: JournalTrim | undefined;
  readonly #cache: ActorCache<S>;
  readonly #waiting: WaitingRecords<S, E>;
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
    /** These actors live long: what is old in their journals is removed. */
    readonly trims?: boolean;
    readonly quarantine?: Quarantine;
    /** Whether a broken actor begins anew by itself, with everything of it that can be read. */
    readonly rebuilds?: (actorId: string) => boolean;
  }) {
    this.type = parts.type;
    this.machine = parts.machine;
    this.#system = parts.system;
    this.#ports = parts.ports;
    this.#values = parts.values;
    this.#writer = parts.writer;
    this.#hooks = parts.hooks ?? {};
    const { type, machine, system, quarantine, rebuilds } = parts;
    this.#cache = new ActorCache(parts.ports.clock);
    this.#waiting = new WaitingRecords(parts.machine, parts.ports.clock);
    const { store, clock } = parts.ports;
    // A starting host loads all open processes, whose journals are short: what a store lost there shows in the first batch.
    this.#journal = new Journal(store, clock, machine, system, type, parts.trims === true);
    const writer = (): Writer => this.#nextWriter();
    this.#loader = new Loader({ journal: this.#journal, store, clock, machine, system, type, writer, quarantine, rebuilds });
    if (parts.trims === true) this.trims = new JournalTrim(store, system, type);
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
        const [startedMs, knownMs] = this.#cache.times(actorId);
        const found = (await this.#recall(actorId)) ?? (expectNew ? this.#journal.empty(actorId) : await this.#loader.load(actorId));
        expectNew = false;
        const result = await this.#tryOnce(actorId, input, options, this.#waiting.apply(actorId, found));
        if (result !== "stale" && !(this.#cache.isLate(knownMs) && (await this.#isOutdated(actorId, result)))) {
          this.#cache.knownAt(actorId, startedMs);
          return result;
        }
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

  /** Sets the broken journal of an actor aside, as {@link Loader.setAside}. */
  setAside(actorId: string, salvage: Salvage): Promise<Loaded<S>> {
    return this.#mutex.run(actorId, () => {
      this.#cache.delete(actorId);
      return this.#loader.setAside(actorId, salvage);
    });
  }

  /**
   * T4. The cached state is trusted for LIMITS.actorTrustMs. After that the engine reads the head, before the turn and after it, because
   * the next key of a purged or trimmed journal is absent too, and it may be trimmed in between.
   */
  async #recall(actorId: string): Promise<Loaded<S> | undefined> {
    const cached = this.#cache.get(actorId);
    if (cached?.waits === true && !this.#waiting.has(actorId)) {
      this.#cache.delete(actorId);
      return undefined;
    }
    if (cached === undefined || !this.#cache.isLate(this.#cache.times(actorId)[1])) return cached;
    const { sequence } = cached;
    if (sequence > 0 && !(await this.#journal.covers(actorId, sequence + 1))) {
      this.#cache.delete(actorId);
      return undefined;
    }
    return cached;
  }

  /**
   * T4. A host that was frozen within a turn for that long reads the head when it continues. If its record is below the floor, or the
   * next key that it found absent is, it decides again. It takes back what it wrote there.
   */
  async #isOutdated(actorId: string, { wrote, sequence }: TurnResult<S>): Promise<boolean> {
    if (sequence === (wrote ? 1 : 0)) return false;
    return wrote ? this.#journal.takeBack(actorId, sequence) : !(await this.#journal.covers(actorId, sequence + 1));
  }

  async #tryOnce(actorId: string, input: I, { inputId, mayWait }: TurnOptions, loaded: Loaded<S>): Promise<TurnResult<S> | "stale"> {
    const context = this.#context(actorId, loaded);
    const decided = decide(this.machine, loaded.state, input, context, this.#values);
    const decision = decided instanceof Promise ? await decided : decided;
    if ("failure" in decision) return this.#commitFailure(actorId, inputId, loaded, decision.failure);
    if (mayWait === true && this.#waiting.mayWait(decision, loaded)) return this.#wait(actorId, inputId, loaded, decision);
    if (decision.events.length === 0) {
      // An answer says nothing that is not recorded.
      if (loaded.waits === true) {
        await this.#writeWaiting(actorId, loaded);
        return "stale";
      }
      if (!(await this.#journal.isCurrent(actorId, loaded))) return "stale";
      this.#cache.set(actorId, loaded);
      return turned(loaded, loaded, decision, false);
    }
    const record = this.#record(actorId, loaded, inputId, decision.events, decision.effects.map(effectName));
    const next = this.#journal.advance(loaded, { ...record, events: decision.events }, 0);
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
    return turned(loaded, next, decision, true);
  }

  /** T5. */
  #wait(actorId: string, inputId: string, loaded: Loaded<S>, decision: Decision<E>): TurnResult<S> {
    const waiting = { inputId, events: decision.events, effects: decision.effects.map(effectName) };
    const next = this.#waiting.add(actorId, loaded, waiting);
    this.#cache.set(actorId, next);
    this.#ports.clock.after(LIMITS.firstRecordWaitMs, () => void this.#endWait(actorId));
    return turned(loaded, next, decision, false);
  }

  /** Writes a first record that still waits, by itself. Never throws. */
  async #endWait(actorId: string): Promise<void> {
    const write = (): Promise<void> => this.#mutex.run(actorId, () => this.#writeWaiting(actorId));
    if (this.#waiting.has(actorId)) await insist({ clock: this.#ports.clock, failed: () => {} }, write).catch(() => {});
  }

  /** Within the mutex. */
  async #writeWaiting(actorId: string, known?: Loaded<S>): Promise<void> {
    if (!this.#waiting.has(actorId)) return;
    try {
      const loaded = known ?? this.#waiting.apply(actorId, this.#cache.get(actorId) ?? this.#journal.empty(actorId));
      const waiting = this.#waiting.of(actorId, loaded);
      if (waiting === undefined) return;
      const record = this.#record(actorId, loaded, waiting.inputId, [], []);
      const outcome = await this.#journal.commit(actorId, record);
      if (outcome.kind === "committed")
        return await this.#committed(actorId, this.#journal.advance(loaded, { ...record, events: [] }, 0), outcome.bytes);
      // Written by another host, or by this one with a later record whose answer was lost. The next turn reads which.
      this.#waiting.remove(actorId);
      this.#cache.delete(actorId);
    } catch (error) {
      this.#cache.delete(actorId);
      // Its request is sent again, and recorded before the work item begins.
      if (!isFault(error) || !error.retryable) this.#waiting.remove(actorId);
      throw error;
    }
  }

  /** `next` is the actor after the record, whose bytes are known only now. */
  async #committed(actorId: string, next: Loaded<S>, bytes: number): Promise<void> {
    this.#waiting.remove(actorId);
    const kept = await this.#journal.snapshotIfDue(actorId, { ...next, bytesSince: next.bytesSince + bytes });
    this.#cache.set(actorId, kept.snapshot === next.snapshot ? kept : this.#trimmed(actorId, kept));
  }

  /** After a snapshot: trims the journal to an earlier one that is old enough. */
  #trimmed(actorId: string, kept: Loaded<S>): Loaded<S> {
    const { trimTo, snapshot } = kept;
    if (this.trims === undefined || trimTo === undefined || snapshot === undefined) return kept;
    if (trimTo === snapshot || this.#ports.clock.nowMs() - trimTo.atMs < LIMITS.trimAgeMs) return kept;
    this.trims.begin(actorId, trimTo);
    return { ...kept, trimTo: snapshot };
  }

  /** Records a small `turn-failed` for a turn that threw or would be too large, so that its input is not decided again forever. */
  async #commitFailure(actorId: string, inputId: string, loaded: Loaded<S>, error: unknown): Promise<TurnResult<S> | "stale"> {
    if (loaded.waits === true) {
      await this.#writeWaiting(actorId, loaded);
      return "stale";
    }
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
    const record = this.#record(actorId, loaded, inputId, [event], []);
    const outcome = await this.#journal.commit(actorId, record);
    if (outcome.kind === "lost") return "stale";
    await this.#committed(actorId, this.#journal.advance(loaded, record, 0), outcome.bytes);
    this.#failures.set(actorId, `${loaded.sequence + 1} ${inputId} ${fault.code}`);
    return { ...refused, sequence: loaded.sequence + 1, wrote: true };
  }

  /** The next record of an actor, with what waits for it. */
  #record(
    actorId: string,
    loaded: Loaded<S>,
    inputId: string,
    events: readonly (E | TurnFailed)[],
    effects: readonly string[],
  ): JournalRecord<E | TurnFailed> {
    const waiting = this.#waiting.of(actorId, loaded);
    return {
      v: RECORD_VERSION,
      sequence: loaded.sequence + 1,
      input: inputId,
      events: waiting === undefined ? events : [...waiting.events, ...events],
      effects: waiting === undefined ? effects : [...waiting.effects, ...effects],
      writer: this.#nextWriter(),
      previous: loaded.writer,
      atMs: this.#ports.clock.nowMs(),
    };
  }

  #nextWriter(): Writer {
    return { incarnation: this.#writer.incarnation, count: this.#writer.nextCount() };
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

  /** The current state in the store. */
  fresh(actorId: string): Promise<Loaded<S>> {
    return this.#mutex.run(actorId, async () => {
      await this.#writeWaiting(actorId);
      for (;;) {
        const [startedMs, knownMs] = this.#cache.times(actorId);
        const cached = await this.#recall(actorId);
        const isCurrent = cached !== undefined && (await this.#journal.isCurrent(actorId, cached));
        const loaded = isCurrent ? cached : await this.#loader.load(actorId);
        const { sequence, purged } = loaded;
        if (!this.#cache.isLate(knownMs) || purged === true || sequence === 0 || (await this.#journal.covers(actorId, sequence + 1))) {
          if (!isCurrent) this.#cache.set(actorId, loaded);
          this.#cache.knownAt(actorId, startedMs);
          return loaded;
        }
        this.#cache.delete(actorId);
      }
    });
  }

  /** The state that this host last knew, or undefined. Use it for hints only. */
  peek(actorId: string): S | undefined {
    return this.#cache.get(actorId)?.state;
  }

  forget(actorId: string): void {
    this.#cache.delete(actorId);
  }

  /** The actors of these whose journal ends with this record. Nothing is loaded. */
  endingAt(lasts: readonly { readonly id: string; readonly sequence: number }[]): Promise<ReadonlySet<string>> {
    return this.#journal.endingAt(lasts);
  }

  get busy(): number {
    return this.#mutex.size;
  }
}

function turned<S>(before: Loaded<S>, after: Loaded<S>, { effects, verdict }: Decision<unknown>, wrote: boolean): TurnResult<S> {
  const writer = before.writer?.incarnation;
  return { state: after.state, before: before.state, sequence: after.sequence, writer, effects, verdict, wrote };
}
