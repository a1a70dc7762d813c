/**
 * @module The journal: loads an actor, commits a turn as one insert-only write, takes snapshots. Its keys are defined
 * only here.
 *
 * Owns: key names, the read-back after a refused or unanswered write, the check of the chain, snapshots. Does not own:
 * decisions, caching. Invariants:
 * J1 A record is written once under its sequence and never changed.
 * J2 An unanswered write counts only after it was read back.
 * J3 Snapshots are numbered without gaps and insert-only, and a later number never has an earlier sequence.
 * J4 A missing record with a later one behind it is a broken chain, except below the floor that the head stone names.
 */
import { jsonSize } from "../../runtime/canonical.ts";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Machine } from "../../runtime/machine.ts";
import {
  headStoneOf,
  isTurnFailed,
  type JournalRecord,
  parseRecord,
  requireChain,
  sameWriter,
  tombstoneOf,
  type TurnFailed,
  type Writer,
} from "../../runtime/record.ts";
import type { ValueRef } from "../../runtime/value.ts";
import { pause } from "./pause.ts";
import type { Clock, StateStore } from "./ports.ts";
import { type Snapshotted, Snapshots } from "./snapshots.ts";

/** An actor as it was loaded: its state and the position in its journal. */
export interface Loaded<S> extends Snapshotted<S> {
  /** When the last record was written, by the clock of its writer; 0 if that was not read. */
  readonly atMs: number;
  /** A tombstone stands in place of record 1. */
  readonly purged?: true;
  /** The state is that after a first record which waits to be written (waiting-records.ts). */
  readonly waits?: boolean;
}

/** Keys of an actor. Ids and types contain no `/`, so keys of two actors are always different. */
export const keys = {
  record: (system: string, type: string, id: string, sequence: number): string => `${system}/${type}/${id}/${sequence}`,
  snapshot: (system: string, type: string, id: string, number: number): string => `${system}/${type}/${id}/snapshot/${number}`,
  value: (system: string, { ref, scope }: ValueRef): string =>
    scope === undefined ? `${system}/value/${ref}` : `${system}/value/${scope}/${ref}`,
} as const;

/** Records that were read together: the next ones, and some further ahead. */
interface Batch {
  readonly batch: readonly string[];
  readonly ahead: readonly string[];
  readonly found: ReadonlyMap<string, Json>;
}

/** Where a journal begins: the first record that is kept, and the first snapshot, which an untrimmed journal may not have yet. */
interface Head {
  readonly first: number;
  readonly snapshot: number;
  readonly isTrimmed: boolean;
}

/** The journals of all actors of one type. It keeps nothing in memory: what was loaded is the caller's. */
export class Journal<S, I, E> {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #machine: Machine<S, I, E>;
  readonly #system: string;
  readonly #type: string;
  readonly #looksFar: boolean;
  readonly #snapshots: Snapshots<S>;

  /** `looksFar`: also the first read of an actor looks for records far behind the end. It costs reads at each load. */
  constructor(store: StateStore, clock: Clock, machine: Machine<S, I, E>, system: string, type: string, looksFar = true) {
    this.#looksFar = looksFar;
    this.#store = store;
    this.#clock = clock;
    this.#machine = machine;
    this.#system = system;
    this.#type = type;
    this.#snapshots = new Snapshots(store, clock, machine, (id, number) => keys.snapshot(system, type, id, number));
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
    // Most actors that are loaded are new, which one key shows.
    let head = await this.#head(id);
    for (;;) {
      if (head === "absent") return this.empty(id);
      if (head === "purged") return this.#purged(id);
      let wrong: unknown;
      try {
        const loaded = await this.#loadAll(id, head);
        // A purge and a trim remove records while others read, but only old ones.
        if (this.#clock.nowMs() - loaded.atMs < LIMITS.actorTrustMs || (await this.covers(id, loaded.sequence + 1))) return loaded;
      } catch (error) {
        if (!isFault(error) || !error.code.startsWith("journal.")) throw error;
        wrong = error;
      }
      const now = await this.#head(id);
      if (isSameHead(head, now)) throw wrong ?? new Fault("journal.broken-chain", `${id} has no snapshot at the floor of its journal`);
      head = now;
    }
  }

  async #loadAll(id: string, head: Head): Promise<Loaded<S>> {
    // Most journals are short and have no snapshot, which one read shows.
    const key = keys.snapshot(this.#system, this.#type, id, head.snapshot);
    const first = head.isTrimmed ? undefined : await this.#readBatch(id, 0, LIMITS.loadFirstRecords, [key]);
    const short = first === undefined || first.found.has(key) ? undefined : await this.#applyBatch(this.empty(id), first);
    if (short?.isEnd === true) return short.loaded;
    return this.#loadRest(id, short?.loaded ?? { ...this.empty(id), ...(await this.#snapshots.last(id, head.snapshot)) });
  }

  /** Applies all later records. */
  async #loadRest(id: string, from: Loaded<S>): Promise<Loaded<S>> {
    for (let loaded = from; ;) {
      const next = await this.#applyBatch(loaded, await this.#readBatch(id, loaded.sequence, LIMITS.loadBatchRecords));
      if (next.isEnd) return next.loaded;
      loaded = next.loaded;
    }
  }

  #purged(id: string): Loaded<S> {
    return { ...this.empty(id), state: this.#machine.purged(id), purged: true };
  }

  /** Whether the actor has a tombstone. */
  async isPurged(id: string): Promise<boolean> {
    return (await this.#head(id)) === "purged";
  }

  /** Whether the journal stands and this sequence is not below its floor: only then it means something that its key is absent. */
  async covers(id: string, sequence: number): Promise<boolean> {
    const head = await this.#head(id);
    return typeof head === "object" && head.first <= sequence;
  }

  async #head(id: string): Promise<Head | "absent" | "purged"> {
    const key = this.#recordKey(id, 1);
    const content = (await this.#store.read([key])).get(key);
    if (content === undefined) return "absent";
    if (tombstoneOf(content, key) !== undefined) return "purged";
    const stone = headStoneOf(content, key);
    return stone === undefined
      ? { first: 1, snapshot: 1, isTrimmed: false }
      : { first: stone.first, snapshot: stone.snapshot, isTrimmed: true };
  }

  /**
   * Removes a record that this host wrote below the floor, or into a journal that had been purged. Whether it was there. If the store does
   * not answer, it throws, and tries again until it does: no one reads the record meanwhile.
   */
  async takeBack(id: string, sequence: number): Promise<boolean> {
    try {
      if (await this.covers(id, sequence)) return false;
      await this.#store.remove([this.#recordKey(id, sequence)]);
      return true;
    } catch (error) {
      this.#clock.after(LIMITS.takeBackAgainMs, () => void this.takeBack(id, sequence).catch(() => {}));
      throw error;
    }
  }

  /**
   * The events of an actor from a sequence on, checked as in {@link load}, to the current end, with the times of their records. Those of
   * trimmed records are left out.
   */
  async *events(id: string, from = 1): AsyncGenerator<{ readonly event: E; readonly atMs: number; readonly sequence: number }> {
    const head = await this.#head(id);
    // A journal that is being purged has no more events to give.
    if (typeof head === "string") return;
    const first = Math.max(from, head.first);
    let previous: Writer | null | undefined = first === 1 ? null : undefined;
    for (let at = first; ; at += LIMITS.loadBatchRecords) {
      const batch = this.#recordKeys(id, at, LIMITS.loadBatchRecords);
      const found = await this.#store.read(batch);
      for (const key of batch) {
        const content = found.get(key);
        if (content === undefined || tombstoneOf(content, key) !== undefined) return;
        const record = parseRecord(content, key, this.#machine.events);
        if (previous !== undefined) requireChain(key, previous, record.previous);
        previous = record.writer;
        for (const event of record.events) if (!isTurnFailed(event)) yield { event, atMs: record.atMs, sequence: record.sequence };
      }
    }
  }

  /** Whether a record is there. Below the floor, and of a journal that was purged, none is. */
  async hasRecord(id: string, sequence: number): Promise<boolean> {
    const key = this.#recordKey(id, sequence);
    return (await this.#store.read([key])).has(key);
  }

  /** The loaded state with every later record applied. One small read if there is none. Throws as {@link load} does. */
  async catchUp(id: string, loaded: Loaded<S>): Promise<Loaded<S>> {
    if (await this.isCurrent(id, loaded)) return loaded;
    return this.#loadRest(id, loaded);
  }

  /** Reads the records behind a sequence, and further ahead too: a record behind the end shows a gap (J4). */
  async #readBatch(id: string, sequence: number, count: number, also: readonly string[] = []): Promise<Batch> {
    const batch = this.#recordKeys(id, sequence + 1, count);
    const ahead: string[] = [];
    const isFar = sequence > 0 || this.#looksFar;
    for (let step: number = LIMITS.loadAheadMin; step <= LIMITS.loadAheadMax && isFar; step *= 2)
      ahead.push(this.#recordKey(id, sequence + count + step));
    return { batch, ahead, found: await this.#store.read([...batch, ...ahead, ...also]) };
  }

  async #applyBatch(from: Loaded<S>, { batch, ahead, found }: Batch): Promise<{ readonly loaded: Loaded<S>; readonly isEnd: boolean }> {
    let loaded = from;
    for (const key of batch) {
      const content = found.get(key);
      if (content === undefined) return { loaded, isEnd: !(await this.#hasLater(key, [...batch, ...ahead], found)) };
      loaded = this.#apply(key, loaded, content);
    }
    return { loaded, isEnd: false };
  }

  /**
   * Whether a record was written behind an absent one while both were read. Throws `journal.broken-chain` if the absent one is missing
   * for good.
   */
  async #hasLater(key: string, read: readonly string[], found: ReadonlyMap<string, Json>): Promise<boolean> {
    const later = read.slice(read.indexOf(key) + 1).find((one) => found.has(one));
    if (later === undefined) return false;
    if ((await this.#store.read([key])).has(key)) return true;
    throw new Fault("journal.broken-chain", `${key} is missing, but the later record ${later} exists`, { key });
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
    const { sequence, writer, atMs } = record;
    return { ...loaded, state, sequence, writer, bytesSince: loaded.bytesSince + bytes, atMs, waits: false };
  }

  /** Whether no record was written after the loaded one. A decision that writes nothing is valid only if this is true. */
  async isCurrent(id: string, loaded: Loaded<S>): Promise<boolean> {
    if (loaded.purged === true) return this.isPurged(id);
    return !(await this.hasRecord(id, loaded.sequence + 1));
  }

  /** The actors of these whose last record is this one, by one read of its keys and the next ones. */
  async endingAt(lasts: readonly { readonly id: string; readonly sequence: number }[]): Promise<ReadonlySet<string>> {
    const keys = lasts.map(({ id, sequence }) => ({ id, last: this.#recordKey(id, sequence), next: this.#recordKey(id, sequence + 1) }));
    const found = await this.#store.read(keys.flatMap(({ last, next }) => [last, next]));
    return new Set(keys.filter(({ last, next }) => found.has(last) && !found.has(next)).map(({ id }) => id));
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

  /** Takes a snapshot when the records since the last one are large compared with the state (J3). Never throws. */
  async snapshotIfDue(id: string, loaded: Loaded<S>): Promise<Loaded<S>> {
    return { ...loaded, ...(await this.#snapshots.takeIfDue(id, loaded)) };
  }

  #recordKey(id: string, sequence: number): string {
    return keys.record(this.#system, this.#type, id, sequence);
  }

  #recordKeys(id: string, from: number, count: number): string[] {
    return Array.from({ length: count }, (_, index) => this.#recordKey(id, from + index));
  }
}

function isSameHead(head: Head, now: Head | "absent" | "purged"): boolean {
  return typeof now === "object" && now.first === head.first && now.isTrimmed === head.isTrimmed;
}

function writerOf(content: Json): Writer | null {
  if (typeof content !== "object" || content === null || Array.isArray(content)) return null;
  const writer = (content as { readonly writer?: Json }).writer;
  if (typeof writer !== "object" || writer === null) return null;
  const { incarnation, count } = writer as { readonly incarnation?: Json; readonly count?: Json };
  return typeof incarnation === "string" && typeof count === "number" ? { incarnation, count } : null;
}
