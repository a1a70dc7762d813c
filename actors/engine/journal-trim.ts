/**
 * @module Trims the journal of a living actor: removes records and snapshots below a snapshot that is old enough.
 *
 * Invariants:
 * R1 The head stone names the new floor before anything below it is removed. It is written under the tag of what it replaces.
 * R2 The snapshot, the record at it and everything later stay.
 * R3 Of what goes, the snapshots go first and then the records, the oldest first. So where the last one is absent, all are.
 * A host that believes its memory of an actor for longer than LIMITS.actorTrustMs reads the head (T4 in turn.ts). The snapshot is older
 * than LIMITS.trimAgeMs: no host believes a memory from before it. Every step may be repeated, also by several hosts at once.
 */
import { type HeadStone, headStoneOf, RECORD_VERSION, tombstoneOf } from "../../runtime/record.ts";
import { keys } from "./journal.ts";
import type { StateStore } from "./ports.ts";
import type { SnapshotMark } from "./snapshots.ts";

const REMOVED_AT_ONCE = 64;

/** Trims the journals of one actor type, one after the other. */
export class JournalTrim {
  readonly #store: StateStore;
  readonly #system: string;
  readonly #type: string;
  #last: Promise<void> = Promise.resolve();

  constructor(store: StateStore, system: string, type: string) {
    this.#store = store;
    this.#system = system;
    this.#type = type;
  }

  /** Trims a journal to a snapshot in the background. What fails is done with the next snapshot. */
  begin(id: string, to: SnapshotMark): void {
    this.#last = this.#last.then(() => this.trim(id, to)).catch(() => {});
  }

  /** Resolves when everything that was begun has ended. */
  idle(): Promise<void> {
    return this.#last;
  }

  /**
   * Trims a journal to a snapshot.
   * @throws `store.unavailable` and the faults of an unreadable head stone
   */
  async trim(id: string, to: SnapshotMark): Promise<void> {
    const key = this.#record(id, 1);
    const found = await this.#store.tagged(key);
    if (found === undefined || tombstoneOf(found.content, key) !== undefined) return;
    const stone = headStoneOf(found.content, key);
    // Record 1 is the head stone itself.
    const from = stone?.first ?? 2;
    if (to.sequence <= from) return;
    if (stone !== undefined && !(await this.#isDone(id, stone))) await this.#remove(id, stone);
    const next: HeadStone = {
      v: RECORD_VERSION,
      headStone: true,
      first: to.sequence,
      snapshot: to.number,
      from,
      fromSnapshot: stone?.snapshot ?? 1,
    };
    // If that is refused or its result is unknown, the next trim reads what stands.
    if (await this.#store.replace(key, JSON.stringify(next), found.tag)) await this.#remove(id, next);
  }

  async #isDone(id: string, { first }: HeadStone): Promise<boolean> {
    return (await this.#store.read([this.#record(id, first - 1)])).size === 0;
  }

  async #remove(id: string, { from, first, fromSnapshot, snapshot }: HeadStone): Promise<void> {
    await this.#removeAll(fromSnapshot, snapshot, (number) => keys.snapshot(this.#system, this.#type, id, number));
    await this.#removeAll(from, first, (sequence) => this.#record(id, sequence));
  }

  /** Removes the keys of the numbers from `from` to before `to`. */
  async #removeAll(from: number, to: number, keyOf: (number: number) => string): Promise<void> {
    for (let at = from; at < to; at += REMOVED_AT_ONCE)
      await this.#store.remove(Array.from({ length: Math.min(REMOVED_AT_ONCE, to - at) }, (_, index) => keyOf(at + index)));
  }

  #record(id: string, sequence: number): string {
    return keys.record(this.#system, this.#type, id, sequence);
  }
}
