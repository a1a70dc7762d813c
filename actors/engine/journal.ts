/**
 * @module The journal: loads an actor, commits a turn as one insert-only write, takes snapshots. Its keys are defined
 * only here.
 *
 * Owns: key names, the read-back after a refused or unanswered write, the check of the chain, snapshots. Does not own:
 * decisions, caching. Invariants:
 * J1 A record is written once under its sequence and never changed.
 * J2 An unanswered write counts only after it was read back.
 * J3 Snapshots are numbered without gaps and insert-only, and a later number never has an earlier sequence.
 */
import { jsonSize } from "../../runtime/canonical.ts";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Machine } from "../../runtime/machine.ts";
import {
  isTurnFailed,
  type JournalRecord,
  parseRecord,
  parseSnapshot,
  requireChain,
  sameWriter,
  type Snapshot,
  tombstoneOf,
  type TurnFailed,
  type Writer,
} from "../../runtime/record.ts";
import type { ValueRef } from "../../runtime/value.ts";
import { pause } from "./pause.ts";
import type { Clock, StateStore } from "./ports.ts";

/** An actor as it was loaded: its state and the position in its journal. */
export interface Loaded<S> {
  readonly state: S;
  /** Sequence of the last record; 0 without a record. */
  readonly sequence: number;
  readonly writer: Writer | null;
  readonly snapshotNumber: number;
  /** Bytes of records since the last snapshot. */
  readonly bytesSince: number;
  /** Bytes since the last snapshot at which the size of the state is measured next. Measuring costs as much as writing. */
  readonly measureAt: number;
  /** When the last record was written, by the clock of its writer; 0 if that was not read. */
  readonly atMs: number;
  /** A tombstone stands in place of record 1. */
  readonly purged?: true;
}

/** Keys of an actor. Ids and types contain no `/`, so keys of two actors are always different. */
export const keys = {
  record: (system: string, type: string, id: string, sequence: number): string => `${system}/${type}/${id}/${sequence}`,
  snapshot: (system: string, type: string, id: string, number: number): string => `${system}/${type}/${id}/snapshot/${number}`,
  value: (system: string, { ref, scope }: ValueRef): string =>
    scope === undefined ? `${system}/value/${ref}` : `${system}/value/${scope}/${ref}`,
} as const;

const SNAPSHOT_GALLOP_STEPS = 20;

/** The journals of all actors of one type. It keeps nothing in memory: what was loaded is the caller's. */
export class Journal<S, I, E> {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #machine: Machine<S, I, E>;
  readonly #system: string;
  readonly #type: string;

  constructor(store: StateStore, clock: Clock, machine: Machine<S, I, E>, system: string, type: string) {
    this.#store = store;
    this.#clock = clock;
    this.#machine = machine;
    this.#system = system;
    this.#type = type;
  }

  /** The state of an actor without a journal. A write based on it is refused if there is a journal. */
  empty(id: string): Loaded<S> {
    return {
      state: this.#machine.initial(id),
      sequence: 0,
      writer: null,
      snapshotNumber: 0,
      bytesSince: 0,
      measureAt: LIMITS.snapshotBytesMin,
      atMs: 0,
    };
  }

  /**
   * Loads an actor.
   * @throws `store.unavailable`, `journal.unreadable`, `journal.newer`, `journal.broken-chain`
   */
  async load(id: string): Promise<Loaded<S>> {
    const firstKey = this.#recordKey(id, 1);
    // Most actors that are loaded are new, which one key shows.
    const first = (await this.#store.read([firstKey])).get(firstKey);
    if (first === undefined) return this.empty(id);
    if (tombstoneOf(first, firstKey) !== undefined) return this.#purged(id);
    try {
      const loaded = await this.#loadAll(id);
      // A purge removes records while others read, the last ones first, but only from journals that have not changed for
      // long.
      if (this.#clock.nowMs() - loaded.atMs > LIMITS.actorTrustMs && (await this.isPurged(id))) return this.#purged(id);
      return loaded;
    } catch (error) {
      if (isFault(error) && error.code.startsWith("journal.") && (await this.isPurged(id))) return this.#purged(id);
      throw error;
    }
  }

  async #loadAll(id: string): Promise<Loaded<S>> {
    const snapshotKey = this.#snapshotKey(id, 1);
    const found = await this.#store.read([snapshotKey]);
    let loaded = found.has(snapshotKey) ? await this.#lastSnapshot(id) : this.empty(id);
    // Most journals are short. From a long one, later batches are larger.
    for (let count: number = LIMITS.loadFirstRecords; ; count = LIMITS.loadBatchRecords) {
      const next = await this.#loadBatch(id, loaded, count);
      if (next.sequence - loaded.sequence < count) return next;
      loaded = next;
    }
  }

  #purged(id: string): Loaded<S> {
    return { ...this.empty(id), state: this.#machine.purged(id), purged: true };
  }

  /** Whether the actor has a tombstone. */
  async isPurged(id: string): Promise<boolean> {
    const key = this.#recordKey(id, 1);
    return tombstoneOf((await this.#store.read([key])).get(key), key) !== undefined;
  }

  /** Whether the actor has a journal: record 1 exists and is not a tombstone. */
  async stands(id: string): Promise<boolean> {
    const key = this.#recordKey(id, 1);
    const first = (await this.#store.read([key])).get(key);
    return first !== undefined && tombstoneOf(first, key) === undefined;
  }

  /** Removes a record that this host wrote into a journal that had been purged in the meantime. */
  async retract(id: string, sequence: number): Promise<void> {
    await this.#store.remove([this.#recordKey(id, sequence)]);
  }

  /** The events of an actor from a sequence on, checked as in {@link load}, to the current end, with the times of their records. */
  async *events(id: string, from = 1): AsyncGenerator<{ readonly event: E; readonly atMs: number }> {
    let previous: Writer | null | undefined = from === 1 ? null : undefined;
    for (let at = from; ; at += LIMITS.loadBatchRecords) {
      const batch = this.#recordKeys(id, at, LIMITS.loadBatchRecords);
      const found = await this.#store.read(batch);
      for (const key of batch) {
        const content = found.get(key);
        // A journal that is being purged has no more events to give.
        if (content === undefined || tombstoneOf(content, key) !== undefined) return;
        const record = parseRecord(content, key, this.#machine.events);
        if (previous !== undefined) requireChain(key, previous, record.previous);
        previous = record.writer;
        for (const event of record.events) if (!isTurnFailed(event)) yield { event, atMs: record.atMs };
      }
    }
  }

  /** The loaded state with every later record applied. One small read if there is none. Throws as {@link load} does. */
  async catchUp(id: string, loaded: Loaded<S>): Promise<Loaded<S>> {
    let now = loaded;
    while (!(await this.isCurrent(id, now))) now = await this.#loadBatch(id, now, LIMITS.loadBatchRecords);
    return now;
  }

  async #loadBatch(id: string, from: Loaded<S>, count: number): Promise<Loaded<S>> {
    const batch = this.#recordKeys(id, from.sequence + 1, count);
    const found = await this.#store.read(batch);
    let loaded = from;
    for (const key of batch) {
      const content = found.get(key);
      if (content === undefined) return loaded;
      loaded = this.#apply(key, loaded, content);
    }
    return loaded;
  }

  #apply(key: string, loaded: Loaded<S>, content: Json): Loaded<S> {
    const record = parseRecord(content, key, this.#machine.events);
    if (record.sequence !== loaded.sequence + 1)
      throw new Fault("journal.broken-chain", `${key} holds the record with sequence ${record.sequence}`, { key });
    requireChain(key, loaded.writer, record.previous);
    return this.advance(loaded, record, jsonSize(content));
  }

  /** Applies a record to a loaded actor. */
  advance(loaded: Loaded<S>, record: JournalRecord<E | TurnFailed>, bytes: number): Loaded<S> {
    let state = loaded.state;
    for (const event of record.events) if (!isTurnFailed(event)) state = this.#machine.evolve(state, event);
    return { ...loaded, state, sequence: record.sequence, writer: record.writer, bytesSince: loaded.bytesSince + bytes, atMs: record.atMs };
  }

  /** Loads the last snapshot. Numbers have no gaps, so doubling and then halving finds it in few reads. */
  async #lastSnapshot(id: string): Promise<Loaded<S>> {
    const doubled = Array.from({ length: SNAPSHOT_GALLOP_STEPS }, (_, index) => 2 ** index);
    const found = await this.#store.read(doubled.map((number) => this.#snapshotKey(id, number)));
    let low = doubled.filter((number) => found.has(this.#snapshotKey(id, number))).at(-1) ?? 1;
    let high = low * 2;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const there = await this.#store.read([this.#snapshotKey(id, middle)]);
      if (there.size > 0) low = middle;
      else high = middle;
    }
    return this.#readSnapshot(id, low);
  }

  async #readSnapshot(id: string, number: number): Promise<Loaded<S>> {
    const key = this.#snapshotKey(id, number);
    const content = (await this.#store.read([key])).get(key);
    if (content === undefined) throw new Fault("journal.broken-chain", `${key} existed and is gone`, { key });
    const snapshot = parseSnapshot(content, key, this.#machine.states);
    return {
      state: snapshot.state,
      sequence: snapshot.sequence,
      writer: snapshot.writer,
      snapshotNumber: number,
      bytesSince: 0,
      measureAt: LIMITS.snapshotBytesMin,
      atMs: 0,
    };
  }

  /** Whether no record was written after the loaded one. A decision that writes nothing is valid only if this is true. */
  async isCurrent(id: string, loaded: Loaded<S>): Promise<boolean> {
    if (loaded.purged === true) return this.isPurged(id);
    const key = this.#recordKey(id, loaded.sequence + 1);
    return !(await this.#store.read([key])).has(key);
  }

  /**
   * Writes a record (J1, J2). `committed`: the record is stored and is ours. `lost`: another writer has the sequence.
   * @throws `store.unavailable` or `journal.contended` when neither is known, `store.full` or `store.read-only`; the caller must drop its
   * cached state.
   */
  async commit(
    id: string,
    record: JournalRecord<E | TurnFailed>,
  ): Promise<{ readonly kind: "committed"; readonly bytes: number } | { readonly kind: "lost" }> {
    const key = this.#recordKey(id, record.sequence);
    const text = JSON.stringify(record);
    const bytes = Buffer.byteLength(text);
    if (bytes > LIMITS.recordBytesMax)
      throw new Fault("record.too-large", `a record of ${bytes} bytes is larger than ${LIMITS.recordBytesMax}`, { bytes });
    for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
      if ((await this.#store.insert(key, text)) === "inserted") return { kind: "committed", bytes };
      const there = await this.#readBack(key, attempt);
      if (there === "unknown") continue;
      if (there !== undefined) return sameWriter(writerOf(there), record.writer) ? { kind: "committed", bytes } : { kind: "lost" };
    }
    throw new Fault("journal.contended", `${key} could not be written in ${LIMITS.commitAttemptsMax} attempts`, { key });
  }

  async #readBack(key: string, attempt: number): Promise<Json | undefined | "unknown"> {
    try {
      return (await this.#store.read([key])).get(key);
    } catch (error) {
      if (attempt === LIMITS.commitAttemptsMax) throw error;
      await pause(this.#clock, LIMITS.commitRetryMs * 2 ** attempt);
      return "unknown";
    }
  }

  /** Takes a snapshot when the records since the last one are large compared with the state. Never throws. */
  async snapshotIfDue(id: string, loaded: Loaded<S>): Promise<Loaded<S>> {
    if (loaded.bytesSince < loaded.measureAt) return loaded;
    const text = JSON.stringify(loaded.state);
    const dueAt = Math.max(LIMITS.snapshotBytesMin, LIMITS.snapshotRecordsToStateRatio * Buffer.byteLength(text));
    if (loaded.bytesSince < dueAt) return { ...loaded, measureAt: dueAt };
    return this.#snapshot(id, loaded);
  }

  /** Takes a snapshot (J3). If another host took the one with this number, adopts its number. Never throws. */
  async #snapshot(id: string, loaded: Loaded<S>): Promise<Loaded<S>> {
    if (loaded.writer === null) return loaded;
    const number = loaded.snapshotNumber + 1;
    const snapshot: Snapshot<S> = { v: 1, number, sequence: loaded.sequence, writer: loaded.writer, state: loaded.state };
    const result = await this.#store.insert(this.#snapshotKey(id, number), JSON.stringify(snapshot)).catch(() => "unknown" as const);
    if (result === "unknown") return loaded;
    return { ...loaded, snapshotNumber: number, bytesSince: 0, measureAt: LIMITS.snapshotBytesMin, atMs: 0 };
  }

  #recordKey(id: string, sequence: number): string {
    return keys.record(this.#system, this.#type, id, sequence);
  }

  #recordKeys(id: string, from: number, count: number): string[] {
    return Array.from({ length: count }, (_, index) => this.#recordKey(id, from + index));
  }

  #snapshotKey(id: string, number: number): string {
    return keys.snapshot(this.#system, this.#type, id, number);
  }
}

function writerOf(content: Json): Writer | null {
  if (typeof content !== "object" || content === null || Array.isArray(content)) return null;
  const writer = (content as { readonly writer?: Json }).writer;
  if (typeof writer !== "object" || writer === null) return null;
  const { incarnation, count } = writer as { readonly incarnation?: Json; readonly count?: Json };
  return typeof incarnation === "string" && typeof count === "number" ? { incarnation, count } : null;
}
