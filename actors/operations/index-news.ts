/**
 * @module What was entered in an index since the last look, by any host, read from the journals of its buckets.
 *
 * A look costs one small read for each bucket that it looks at: the newest ones each time, the older ones in turn. What a listing has read
 * of an older bucket is where its news begin, because that is what screens show.
 */
import { type Change, changeOf, type ChangeKind } from "../../runtime/change.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import type { Listing } from "./listing.ts";

/** Buckets that each look reads: new entries stand in them. */
const NEWEST_BUCKETS = 3;
/** Older buckets that each look reads: in them, what has been open for long ends. */
const OLDER_BUCKETS = 8;

/** What news are read from. */
type NewsListing = Pick<Listing, "buckets" | "sequence" | "knownSequence" | "eventsAfter">;

/** Ids in reserve are no processes: their entries have no route, also when they are given up. */
function isTold(kind: ChangeKind, { facts }: IndexEntry): boolean {
  return kind !== "process" || typeof facts["route"] === "string";
}

/** The news of one index. */
export class IndexNews {
  readonly #kind: ChangeKind;
  readonly #listing: NewsListing;
  /** The records of each bucket that were told. */
  readonly #told = new Map<string, number>();
  #isBegun = false;
  /** The first of the older buckets that the next look reads. */
  #next = 0;

  constructor(kind: ChangeKind, listing: NewsListing) {
    this.#kind = kind;
    this.#listing = listing;
  }

  /**
   * What changed since the last look; nothing at the first one. A bucket that cannot be read is looked at again.
   * @throws `store.unavailable`
   */
  async look(): Promise<readonly Change[]> {
    const buckets = (await this.#listing.buckets()).toReversed();
    const present = new Set(buckets);
    for (const bucket of this.#told.keys()) if (!present.has(bucket)) this.#told.delete(bucket);
    const isBegun = this.#isBegun;
    this.#isBegun = true;
    const looked = await Promise.allSettled([
      // A new bucket since the last look is news from its first record on.
      ...buckets.slice(0, NEWEST_BUCKETS).map((bucket) => this.#of(bucket, isBegun ? 0 : undefined)),
      ...this.#inTurn(buckets.slice(NEWEST_BUCKETS)).map((bucket) => this.#of(bucket, undefined)),
    ]);
    return looked.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  }

  /** The older buckets whose turn it is; from the last one the turn goes on with the first. */
  #inTurn(older: readonly string[]): readonly string[] {
    if (older.length <= OLDER_BUCKETS) return older;
    const first = this.#next % older.length;
    this.#next = first + OLDER_BUCKETS;
    return [...older, ...older].slice(first, first + OLDER_BUCKETS);
  }

  async #of(bucket: string, unknown: number | undefined): Promise<readonly Change[]> {
    const told = this.#told.get(bucket) ?? unknown ?? this.#listing.knownSequence(bucket);
    if (told === undefined) {
      this.#told.set(bucket, await this.#listing.sequence(bucket));
      return [];
    }
    const changes: Change[] = [];
    let last = told;
    for await (const { event, sequence } of this.#listing.eventsAfter(bucket, told)) {
      last = sequence;
      if (event.e === "entered")
        changes.push(...event.entries.filter((entry) => isTold(this.#kind, entry)).map((entry) => changeOf(this.#kind, entry)));
      if (event.e === "removed") changes.push(...event.ids.map((id) => ({ kind: this.#kind, id, status: "removed" })));
    }
    // Records that a listing has read and that are gone were trimmed.
    this.#told.set(bucket, last === told ? Math.max(told, this.#listing.knownSequence(bucket) ?? 0) : last);
    return changes;
  }
}
