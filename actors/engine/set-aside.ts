/**
 * @module Sets a broken journal aside: the actor goes on from a new snapshot, behind everything that any host may still write to the old
 * journal.
 *
 * Invariants:
 * A1 Every key from the break up to one behind the last record exists before the snapshot is written: what is missing is filled with
 *    blockers. So no host that still remembers the broken journal appends to it: its write is refused, and it loads the actor.
 * A2 The snapshot is of the last blocker's sequence. A load begins there and reads nothing of what is broken. Nothing is removed.
 */
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Machine } from "../../runtime/machine.ts";
import {
  headStoneOf,
  isTurnFailed,
  type JournalRecord,
  parseRecord,
  sameWriter,
  type TurnFailed,
  type Writer,
} from "../../runtime/record.ts";
import { isBroken } from "./quarantine.ts";
import type { Clock, StateStore } from "./ports.ts";
import { Snapshots, type Snapshotted } from "./snapshots.ts";
import { keys } from "./journal.ts";

/** What becomes the state: `prefix`: of the records up to the break. `all`: of every record that can be read. */
export type Salvage = "prefix" | "all";

/** The journals of one actor type, and who writes. */
export interface SetAsideParts<S, I, E> {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly machine: Machine<S, I, E>;
  readonly system: string;
  readonly type: string;
}

interface Scanned<S> {
  readonly state: S;
  /** Sequence of the last record. */
  readonly last: number;
  readonly missing: readonly number[];
}

/** Sets one broken journal aside. */
export class SetAside<S, I, E> {
  readonly #parts: SetAsideParts<S, I, E>;
  readonly #id: string;
  readonly #snapshots: Snapshots<S>;

  constructor(parts: SetAsideParts<S, I, E>, id: string) {
    this.#parts = parts;
    this.#id = id;
    const { store, clock, machine, system, type } = parts;
    this.#snapshots = new Snapshots(store, clock, machine, (actorId, number) => keys.snapshot(system, type, actorId, number));
  }

  /**
   * Begins the actor anew.
   * @throws `store.unavailable`; `journal.contended` when others write to the journal all the time
   */
  async run(writer: Writer, salvage: Salvage): Promise<void> {
    for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
      const first = await this.#firstSnapshot();
      const base = await this.#base(first);
      const { state, last, missing } = await this.#scan(base, salvage);
      if (!(await this.#block([...missing, last + 1], writer))) continue;
      const number = (await this.#snapshots.lastNumber(this.#id, first)) + 1;
      if (await this.#snapshots.insert(this.#id, { v: 1, number, sequence: last + 1, writer, atMs: this.#parts.clock.nowMs(), state }))
        return;
    }
    throw new Fault("journal.contended", `${this.#parts.type}/${this.#id} could not be set aside while others write to it`);
  }

  async #firstSnapshot(): Promise<number> {
    const key = this.#record(1);
    const content = (await this.#parts.store.read([key])).get(key);
    return headStoneOf(content, key)?.snapshot ?? 1;
  }

  /** The last snapshot that can be read, or the beginning. */
  async #base(first: number): Promise<Pick<Snapshotted<S>, "state" | "sequence" | "writer">> {
    const last = await this.#snapshots.lastNumber(this.#id, first);
    for (let number = last; number >= first; number -= 1) {
      try {
        return await this.#snapshots.read(this.#id, number);
      } catch (error) {
        if (!isBroken(error)) throw error;
      }
    }
    return { state: this.#parts.machine.initial(this.#id), sequence: 0, writer: null };
  }

  /** Reads all records from a snapshot on, over every gap that is not longer than what a load looks ahead. */
  async #scan(base: Pick<Snapshotted<S>, "state" | "sequence" | "writer">, salvage: Salvage): Promise<Scanned<S>> {
    let { state } = base;
    let previous = base.writer;
    let last = base.sequence;
    let isWhole = true;
    const missing: number[] = [];
    for (let at = base.sequence + 1; at <= last + 2 * LIMITS.loadAheadMax; at += LIMITS.loadBatchRecords) {
      const batch = Array.from({ length: LIMITS.loadBatchRecords }, (_, index) => at + index);
      const found = await this.#parts.store.read(batch.map((sequence) => this.#record(sequence)));
      for (const sequence of batch) {
        const content = found.get(this.#record(sequence));
        if (content === undefined) {
          missing.push(sequence);
          isWhole = false;
          continue;
        }
        last = sequence;
        const record = this.#parse(content, sequence);
        isWhole &&= record !== undefined && sameWriter(record.previous, previous);
        if (record === undefined || (salvage === "prefix" && !isWhole)) continue;
        previous = record.writer;
        for (const event of record.events) if (!isTurnFailed(event)) state = this.#parts.machine.evolve(state, event);
      }
    }
    return { state, last, missing: missing.filter((sequence) => sequence < last) };
  }

  #parse(content: Json, sequence: number): JournalRecord<E | TurnFailed> | undefined {
    try {
      return parseRecord(content, this.#record(sequence), this.#parts.machine.events);
    } catch (error) {
      if (!isBroken(error)) throw error;
      return undefined;
    }
  }

  /** Fills keys (A1). False: another one wrote one of them meanwhile. */
  async #block(sequences: readonly number[], writer: Writer): Promise<boolean> {
    const text = JSON.stringify({ v: 1, setAside: true, writer });
    for (const sequence of sequences) {
      const key = this.#record(sequence);
      if ((await this.#parts.store.insert(key, text)) === "inserted") continue;
      const there = (await this.#parts.store.read([key])).get(key);
      if (there === undefined || JSON.stringify(there) !== text) return false;
    }
    return true;
  }

  #record(sequence: number): string {
    return keys.record(this.#parts.system, this.#parts.type, this.#id, sequence);
  }
}
