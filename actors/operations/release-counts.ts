/**
 * @module Counts the ended processes of both versions of a release, from the index entries since it began.
 *
 * A bucket to which nothing can be added, and in which all processes have ended, is counted once and not read again.
 */
import { bucketBeginsAtMs, bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { addTallies, type Counted, NO_TALLIES, tally, type Tallies } from "../../runtime/releases/judge.ts";
import type { Clock } from "../engine/ports.ts";
import type { Listing } from "./listing.ts";

/** The counts of one release. */
export class ReleaseCounts {
  readonly hash: string;
  readonly #counted: Counted;
  readonly #listing: Listing;
  readonly #clock: Clock;
  readonly #closed = new Map<string, Tallies>();

  constructor(hash: string, counted: Counted, listing: Listing, clock: Clock) {
    this.hash = hash;
    this.#counted = counted;
    this.#listing = listing;
    this.#clock = clock;
  }

  /** Reads what is new. Throws `store.unavailable`. */
  async sum(): Promise<Tallies> {
    const nowMs = this.#clock.nowMs();
    const sinceMs = Math.max(this.#counted.sinceMs, nowMs - LIMITS.releaseCountedMs);
    const oldest = bucketOf(sinceMs, 0);
    for (const bucket of this.#closed.keys()) if (bucket < oldest) this.#closed.delete(bucket);
    let sum = NO_TALLIES;
    for (const known of this.#closed.values()) sum = addTallies(sum, known);
    const entries = await this.#listing.from(oldest, (bucket) => this.#closed.has(bucket));
    for (const [bucket, found] of entries) {
      const tallies = tally(found, { ...this.#counted, sinceMs });
      sum = addTallies(sum, tallies);
      // A bucket takes entries for its own slice of time, by the clocks of all hosts.
      const isOver = bucketBeginsAtMs(bucket) + 2 * LIMITS.indexBucketMs < nowMs;
      if (isOver && found.every(({ open }) => !open)) this.#closed.set(bucket, tallies);
    }
    return sum;
  }
}
