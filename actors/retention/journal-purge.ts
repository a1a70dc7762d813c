/**
 * @module The journal purge: removes the journal of an ended actor from the store. It writes a tombstone first, then
 * removes the rest, and the tombstone last.
 *
 * Owns: the order of steps, so that a host that dies between any two of them leaves a state from which the next one
 * continues. Does not own: whether an actor has ended (its machine decides and records that). Invariants:
 * B1 Nothing is removed before the tombstone is written.
 * B2 A value is removed before the record that refers to it.
 * B3 The tombstone is removed under its tag, so that a new actor with the same id is never touched.
 * B4 The last record is removed right before the tombstone.
 * Every step may be repeated, also by several hosts at once.
 */
import { Fault, type Json } from "../../runtime/faults.ts";
import { namedSettledRef } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { keptOf, refsIn } from "../../runtime/agent/kept.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import type { Value } from "../../runtime/value.ts";
import { headStoneOf, RECORD_VERSION, type Tombstone, tombstoneOf } from "../../runtime/record.ts";
import type { Address } from "../../runtime/protocol.ts";
import { keys } from "../engine/journal.ts";
import type { Clock, StateStore } from "../engine/ports.ts";

/** The content of a tombstone besides the counts of its journal. */
export interface TombstoneText {
  readonly outcome: string;
  readonly agents: readonly string[];
  /** Lists of actors of one work item each. Made only where the tombstone does not stand yet. */
  readonly works?: () => Promise<readonly Value[]>;
}

/** What is stored in place of an actor's record 1. */
export type PurgeState =
  | { readonly kind: "empty" }
  | { readonly kind: "alive" }
  | { readonly kind: "tombstone"; readonly tombstone: Tombstone; readonly tag: string };

/** Entries of a work item that are read at once. Most work items have settled once or twice. */
const SETTLED_COUNT = 4;
const TRIES_MAX = LIMITS.commitAttemptsMax;

/** Purges the journals of one system. All methods throw `store.unavailable` and the faults of an unreadable record. */
export class JournalPurge {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #system: string;

  constructor(store: StateStore, clock: Clock, system: string) {
    this.#store = store;
    this.#clock = clock;
    this.#system = system;
  }

  /** Reads what is stored under the actor's address. */
  async look(actor: Address): Promise<PurgeState> {
    const key = this.#record(actor, 1);
    const found = await this.#store.tagged(key);
    if (found === undefined) return { kind: "empty" };
    const tombstone = tombstoneOf(found.content, key);
    return tombstone === undefined ? { kind: "alive" } : { kind: "tombstone", tombstone, tag: found.tag };
  }

  /**
   * Puts the tombstone in the place of record 1 (B1). Gives the one that stands; undefined where there is no journal. `scope`: of
   * the values that go with the actor.
   */
  async writeTombstone(actor: Address, ended: TombstoneText, scope: string = actor.id): Promise<Tombstone | undefined> {
    const key = this.#record(actor, 1);
    for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
      const found = await this.#store.tagged(key);
      if (found === undefined) return undefined;
      const known = tombstoneOf(found.content, key);
      if (known !== undefined) return known;
      const stone = headStoneOf(found.content, key);
      const last = await this.#last(stone?.first ?? 1, (number) => this.#record(actor, number));
      const snapshots = await this.#last(stone?.snapshot ?? 1, (number) => this.#snapshot(actor, number));
      const works = (await ended.works?.()) ?? [];
      const tombstone: Tombstone = {
        v: RECORD_VERSION,
        tombstone: true,
        id: actor.id,
        outcome: ended.outcome,
        ...(stone === undefined ? {} : { first: stone.from }),
        last,
        snapshots,
        refs: refsIn(found.content, scope),
        agents: [...ended.agents],
        ...(works.length === 0 ? {} : { works: [...works] }),
        untilMs: this.#clock.nowMs() + LIMITS.tombstoneMs,
      };
      await this.#store.replace(key, JSON.stringify(tombstone), found.tag);
    }
    throw new Fault("store.unavailable", `${key} could not be replaced in ${TRIES_MAX} attempts`);
  }

  /**
   * Removes values, snapshots and records, the last ones first (B2). The very last record stays with the tombstone: it still refuses the
   * write of a host that had loaded the actor before that record was written (B4).
   */
  async clear(actor: Address, tombstone: Tombstone, scope: string = actor.id): Promise<void> {
    const snapshots = Array.from({ length: tombstone.snapshots }, (_, index) => this.#snapshot(actor, index + 1));
    if (snapshots.length > 0) await this.#store.remove(snapshots);
    // A record that a host wrote after the count, frozen within its turn, comes right after it.
    const least = tombstone.first ?? 2;
    for (let from = tombstone.last + LIMITS.loadBatchRecords; from >= least; from -= LIMITS.loadBatchRecords) {
      const first = Math.max(least, from - LIMITS.loadBatchRecords + 1);
      const batch = Array.from({ length: from - first + 1 }, (_, index) => this.#record(actor, first + index));
      const found = await this.#store.read(batch);
      if (found.size === 0) continue;
      await this.#forget(
        scope,
        [...found.values()].flatMap((content) => refsIn(content, scope)),
      );
      const last = this.#record(actor, tombstone.last);
      await this.#store.remove([...found.keys()].filter((one) => one !== last));
    }
    await this.#forget(scope, tombstone.refs);
  }

  /** What every record of an actor says, in their order. A journal that was purged has no more. */
  async *records(actor: Address): AsyncGenerator<Json> {
    for (let from = 0; ; from += LIMITS.loadBatchRecords) {
      const batch = Array.from({ length: LIMITS.loadBatchRecords }, (_, index) => this.#record(actor, from + index + 1));
      const found = await this.#store.read(batch);
      for (const key of batch) {
        const content = found.get(key);
        if (content === undefined) return;
        yield content;
      }
    }
  }

  async #forget(scope: string, refs: readonly string[]): Promise<void> {
    if (refs.length > 0) await this.#store.remove([...new Set(refs)].map((ref) => keys.value(this.#system, { ref, scope })));
  }

  /** Removes values of one scope. */
  async forgetValues(scope: string, content: Json): Promise<void> {
    await this.#forget(scope, refsIn(content, scope));
  }

  /**
   * Removes the entries of settled work items of a process, the first one of each first: an actor counts from there, so it never takes an
   * older one for the last. After a removal that was killed the numbers have a gap. What the entries name of the process goes before them.
   */
  async forgetSettled(scope: string, names: readonly string[], processId: string): Promise<void> {
    for (let at = 0; at < names.length; at += LIMITS.sweepConcurrency)
      await this.#forgetSome(scope, names.slice(at, at + LIMITS.sweepConcurrency), processId);
  }

  /** Removes what work items of a process have stored in its scope. */
  async forgetKept(processId: string, works: readonly AgentWork[]): Promise<void> {
    await this.#forget(processId, works.flatMap(keptOf));
  }

  async #forgetSome(scope: string, names: readonly string[], processId: string): Promise<void> {
    for (let first = 1; ; first += SETTLED_COUNT) {
      const found: string[][] = [];
      for (let count = first; count < first + SETTLED_COUNT; count += 1)
        found.push(names.map((name) => keys.value(this.#system, { ref: namedSettledRef(name, count), scope })));
      const there = await this.#store.read(found.flat());
      if (there.size === 0) return;
      await this.#forget(
        processId,
        [...there.values()].flatMap((entry) => [...keptIn(entry), ...refsIn(entry, processId)]),
      );
      for (const level of found) {
        const some = level.filter((key) => there.has(key));
        if (some.length > 0) await this.#store.remove(some);
      }
    }
  }

  /** Removes the last record and then the tombstone, if it is still the version that was read (B3). */
  async level(actor: Address, tombstone: Extract<PurgeState, { kind: "tombstone" }>): Promise<void> {
    const key = this.#record(actor, 1);
    if (tombstone.tombstone.last > 1) await this.#store.remove([this.#record(actor, tombstone.tombstone.last)]);
    if (await this.#store.replace(key, undefined, tombstone.tag)) return;
    const now = await this.#store.tagged(key);
    if (now !== undefined && now.tag === tombstone.tag && tombstoneOf(now.content, key) !== undefined)
      throw new Fault("store.unavailable", `${key} could not be removed`);
  }

  /** The last number of keys that are numbered from `first` without gaps; the one before `first` if there is none. */
  async #last(first: number, keyOf: (number: number) => string): Promise<number> {
    for (let from = first; ; from += LIMITS.loadBatchRecords) {
      const batch = Array.from({ length: LIMITS.loadBatchRecords }, (_, index) => keyOf(from + index));
      const found = await this.#store.read(batch);
      const gap = batch.findIndex((key) => !found.has(key));
      if (gap >= 0) return from + gap - 1;
    }
  }

  #record(actor: Address, sequence: number): string {
    return keys.record(this.#system, actor.type, actor.id, sequence);
  }

  #snapshot(actor: Address, number: number): string {
    return keys.snapshot(this.#system, actor.type, actor.id, number);
  }
}

/** The hashes that the entry of a settled work item lists. */
function keptIn(entry: Json): readonly string[] {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return [];
  const { kept } = entry as { readonly kept?: Json };
  return Array.isArray(kept) ? kept.filter((ref) => typeof ref === "string") : [];
}
