/**
 * @module What was entered in an index since the last look, by any host, read from the journals of its buckets.
 *
 * A look costs one small read for each bucket that it looks at: the newest ones each time, the older ones in turn.
 */
import { type Change, changeOf, type ChangeKind } from "../../runtime/change.ts";
import type { Listing } from "./listing.ts";

/** Buckets that each look reads: new entries stand in them. */
const NEWEST_BUCKETS = 3;
/** Older buckets that each look reads: in them, what has been open for long ends. */
const OLDER_BUCKETS = 8;

/** The news of one index. */
export class IndexNews {
  readonly #kind: ChangeKind;
  readonly #listing: Listing;
  /** The records of each bucket that were told. */
  readonly #told = new Map<string, number>();
  #isBegun = false;
  #turn = 0;

  constructor(kind: ChangeKind, listing: Listing) {
    this.#kind = kind;
    this.#listing = listing;
  }

  /** What changed since the last look; nothing at the first one. Throws `store.unavailable`. */
  async look(): Promise<readonly Change[]> {
    const buckets = (await this.#listing.buckets()).toReversed();
    for (const bucket of this.#told.keys()) if (!buckets.includes(bucket)) this.#told.delete(bucket);
    const older = buckets.slice(NEWEST_BUCKETS);
    const first = older.length === 0 ? 0 : (this.#turn * OLDER_BUCKETS) % older.length;
    this.#turn += 1;
    const isBegun = this.#isBegun;
    const changes = await Promise.all([
      // A new bucket since the last look is news from its first record on.
      ...buckets.slice(0, NEWEST_BUCKETS).map((bucket) => this.#of(bucket, isBegun ? 0 : undefined)),
      ...older.slice(first, first + OLDER_BUCKETS).map((bucket) => this.#of(bucket, undefined)),
    ]);
    this.#isBegun = true;
    return changes.flat();
  }

  async #of(bucket: string, unknown: number | undefined): Promise<readonly Change[]> {
    const sequence = await this.#listing.sequence(bucket);
    const told = this.#told.get(bucket) ?? unknown;
    const changes: Change[] = [];
    if (told !== undefined && told < sequence)
      for await (const event of this.#listing.eventsAfter(bucket, told)) {
        if (event.e === "entered") changes.push(...event.entries.map((entry) => changeOf(this.#kind, entry)));
        if (event.e === "removed") changes.push(...event.ids.map((id) => ({ kind: this.#kind, id, status: "removed" })));
      }
    this.#told.set(bucket, sequence);
    return changes;
  }
}
