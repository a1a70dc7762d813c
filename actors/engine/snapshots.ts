/**
 * @module The snapshots of the actors of one type: insert-only, numbered without gaps, so that the last one is found in few reads.
 */
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Machine } from "../../runtime/machine.ts";
import { parseSnapshot, type Snapshot, type Writer } from "../../runtime/record.ts";
import type { Clock, StateStore } from "./ports.ts";

/** A snapshot that a journal has, and when it was taken. */
export interface SnapshotMark {
  readonly number: number;
  readonly sequence: number;
  readonly atMs: number;
}

/** What a loaded actor has of its snapshots. */
export interface Snapshotted<S> {
  readonly state: S;
  /** Sequence of the last record; 0 without a record. */
  readonly sequence: number;
  readonly writer: Writer | null;
  readonly snapshotNumber: number;
  /** The last snapshot, and the one to which the journal is trimmed next, as far as this host took or read them. */
  readonly snapshot?: SnapshotMark;
  readonly trimTo?: SnapshotMark;
  /** Bytes of records since the last snapshot. */
  readonly bytesSince: number;
  /** Bytes since the last snapshot at which the size of the state is measured next. Measuring costs as much as writing. */
  readonly measureAt: number;
}

const GALLOP_STEPS = 20;

/** Finds, reads and takes snapshots. */
export class Snapshots<S> {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #states: Machine<S, never, never>["states"];
  readonly #keyOf: (id: string, number: number) => string;

  constructor(
    store: StateStore,
    clock: Clock,
    { states }: Pick<Machine<S, never, never>, "states">,
    keyOf: (id: string, number: number) => string,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#states = states;
    this.#keyOf = keyOf;
  }

  /** Whether the snapshot with this number exists. */
  async has(id: string, number: number): Promise<boolean> {
    return (await this.#store.read([this.#keyOf(id, number)])).size > 0;
  }

  /**
   * The last snapshot from a number on. Numbers have no gaps, so doubling and then halving finds it in few reads.
   * @throws `journal.broken-chain` if there is none, and the faults of an unreadable one
   */
  async last(id: string, first: number): Promise<Snapshotted<S>> {
    return this.read(id, await this.lastNumber(id, first, first));
  }

  /** The number of the last snapshot from `first` on, or `none`. */
  async lastNumber(id: string, first: number, none = first - 1): Promise<number> {
    const doubled = Array.from({ length: GALLOP_STEPS }, (_, index) => first - 1 + 2 ** index);
    const found = await this.#store.read(doubled.map((number) => this.#keyOf(id, number)));
    const lowest = doubled.filter((number) => found.has(this.#keyOf(id, number))).at(-1);
    if (lowest === undefined) return none;
    let low = lowest;
    let high = 2 * low - first + 1;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (await this.has(id, middle)) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Reads one snapshot. Throws `journal.broken-chain` if it is missing, and the faults of an unreadable one. */
  async read(id: string, number: number): Promise<Snapshotted<S>> {
    const key = this.#keyOf(id, number);
    const content = (await this.#store.read([key])).get(key);
    if (content === undefined) throw new Fault("journal.broken-chain", `${key} existed and is gone`, { key });
    const { state, sequence, writer, atMs } = parseSnapshot(content, key, this.#states);
    const mark = { number, sequence, atMs };
    return {
      state,
      sequence,
      writer,
      snapshotNumber: number,
      snapshot: mark,
      trimTo: mark,
      bytesSince: 0,
      measureAt: LIMITS.snapshotBytesMin,
    };
  }

  /** Writes a snapshot. Whether it was written; if that is unknown, it is read back. */
  async insert(id: string, snapshot: Snapshot<S>): Promise<boolean> {
    const [key, text] = [this.#keyOf(id, snapshot.number), JSON.stringify(snapshot)];
    if ((await this.#store.insert(key, text)) === "inserted") return true;
    return JSON.stringify((await this.#store.read([key])).get(key)) === text;
  }

  /** Takes a snapshot when the records since the last one are large compared with the state. Never throws. */
  async takeIfDue(id: string, loaded: Snapshotted<S>): Promise<Partial<Snapshotted<S>>> {
    if (loaded.bytesSince < loaded.measureAt) return {};
    const text = JSON.stringify(loaded.state);
    const dueAt = Math.max(LIMITS.snapshotBytesMin, LIMITS.snapshotRecordsToStateRatio * Buffer.byteLength(text));
    return loaded.bytesSince < dueAt ? { measureAt: dueAt } : this.#take(id, loaded);
  }

  /** If another host took the one with this number, its number is adopted. */
  async #take(id: string, { state, sequence, writer, snapshotNumber, trimTo }: Snapshotted<S>): Promise<Partial<Snapshotted<S>>> {
    if (writer === null) return {};
    const mark = { number: snapshotNumber + 1, sequence, atMs: this.#clock.nowMs() };
    const snapshot: Snapshot<S> = { v: 1, ...mark, writer, state };
    const result = await this.#store.insert(this.#keyOf(id, mark.number), JSON.stringify(snapshot)).catch(() => "unknown" as const);
    if (result === "unknown") return {};
    const next = { snapshotNumber: mark.number, bytesSince: 0, measureAt: LIMITS.snapshotBytesMin };
    // Another host's snapshot may be of another sequence.
    return result === "refused" ? next : { ...next, snapshot: mark, trimTo: trimTo ?? mark };
  }
}
