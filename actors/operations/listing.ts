/**
 * @module Pages of an index, newest first, read from the journals of its buckets.
 *
 * The journal of a bucket is authoritative on every host, so a listing calls no actor. Buckets are cached. Before a
 * cached bucket is used, one small read checks for a next record, since old buckets rarely change.
 */
import { Fault } from "../../runtime/faults.ts";
import {
  entriesOf,
  entryIn,
  INDEX_ROOT,
  type IndexEvent,
  type IndexInput,
  indexMachine,
  type IndexState,
  nextBucket,
} from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { actorType, type IndexEntry, type IndexName } from "../../runtime/protocol.ts";
import { Journal, type Loaded } from "../engine/journal.ts";
import { LruMap } from "../engine/lru.ts";
import type { Ports } from "../engine/ports.ts";

/** A page of entries. It may be shorter than the limit or empty and still have a cursor: then there is more to search. */
export interface EntryPage {
  readonly entries: readonly IndexEntry[];
  readonly cursor?: string;
}

interface Listed {
  readonly loaded: Loaded<IndexState>;
  /** Newest first. */
  readonly sorted: readonly IndexEntry[];
}

/** A position in an index: after this entry of this bucket. */
interface Place {
  readonly bucket: string;
  readonly atMs: number;
  readonly id: string;
}

interface Found {
  readonly bucket: string;
  readonly entry: IndexEntry;
}

const CURSOR = /^(\d{1,20}\.\d{1,20})\/(\d{1,15})\/(.*)$/;
/** Maximum number of buckets read in parallel. The first is read alone, then twice as many each time. */
const AT_ONCE_MAX = 16;

/** The listing of one index. Throws `store.unavailable` and the faults of an unreadable journal. */
export class Listing {
  readonly #journal: Journal<IndexState, IndexInput, IndexEvent>;
  readonly #known = new LruMap<string, Listed>(LIMITS.listedBucketsMax);

  constructor(ports: Pick<Ports, "store" | "clock">, system: string, index: IndexName) {
    this.#journal = new Journal(ports.store, ports.clock, indexMachine, system, actorType(system, index));
  }

  /**
   * A page of the entries that match, newest first, from a cursor on.
   * @throws `body.invalid` for a cursor that this system did not return
   */
  async page(wanted: (entry: IndexEntry) => boolean, cursor: string | undefined, limit: number): Promise<EntryPage> {
    const from = cursor === undefined ? undefined : placeOf(cursor);
    const buckets = (await this.#buckets()).filter((bucket) => from === undefined || bucket <= from.bucket).toReversed();
    const looked = buckets.slice(0, LIMITS.pageBucketsMax);
    const found: Found[] = [];
    for (
      let next = 0, atOnce = 1;
      next < looked.length && found.length <= limit;
      next += atOnce, atOnce = Math.min(2 * atOnce, AT_ONCE_MAX)
    ) {
      const group = looked.slice(next, next + atOnce);
      const read = await Promise.all(group.map((bucket) => this.#read(bucket)));
      for (const [index, bucket] of group.entries())
        found.push(...pick(read[index]?.sorted ?? [], bucket, from, wanted, limit + 1 - found.length));
    }
    const page = found.slice(0, limit);
    const entries = page.map(({ entry }) => entry);
    if (found.length > limit) return { entries, cursor: cursorOf(page.at(-1)) };
    const last = looked.at(-1);
    return last === undefined || looked.length === buckets.length ? { entries } : { entries, cursor: `${last}/0/` };
  }

  /** One entry of a bucket, or of the buckets that continue it after it was full. */
  async find(bucket: string, id: string): Promise<IndexEntry | undefined> {
    let at = bucket;
    for (let part = 0; part < LIMITS.indexPartsMax; part += 1) {
      const { state } = (await this.#read(at)).loaded;
      const entry = entryIn(state, id);
      if (entry !== undefined || state.size < LIMITS.indexBucketEntriesMax) return entry;
      at = nextBucket(at);
    }
    return undefined;
  }

  /** The buckets named by the index's root, oldest first. */
  async #buckets(): Promise<readonly string[]> {
    return (await this.#read(INDEX_ROOT)).sorted
      .filter((entry) => entry.open)
      .map((entry) => entry.id)
      .sort();
  }

  async #read(bucket: string): Promise<Listed> {
    const known = this.#known.get(bucket);
    const loaded = known === undefined ? await this.#journal.load(bucket) : await this.#journal.catchUp(bucket, known.loaded);
    if (known !== undefined && loaded === known.loaded) return known;
    const listed = { loaded, sorted: entriesOf(loaded.state).sort(newestFirst) };
    this.#known.set(bucket, listed);
    return listed;
  }
}

/** When the subject of the entry began. Closing it later must not move it to another page. */
function momentOf(entry: IndexEntry): number {
  const accepted = entry.facts["acceptedAtMs"];
  return typeof accepted === "number" ? accepted : entry.atMs;
}

function newestFirst(a: IndexEntry, b: IndexEntry): number {
  return momentOf(b) - momentOf(a) || (a.id < b.id ? -1 : 1);
}

function isAfter(entry: IndexEntry, place: Place): boolean {
  const moment = momentOf(entry);
  return moment < place.atMs || (moment === place.atMs && entry.id > place.id);
}

function pick(
  sorted: readonly IndexEntry[],
  bucket: string,
  from: Place | undefined,
  wanted: (entry: IndexEntry) => boolean,
  max: number,
): Found[] {
  const found: Found[] = [];
  for (const entry of sorted) {
    if (found.length >= max) break;
    if ((from?.bucket === bucket && !isAfter(entry, from)) || !wanted(entry)) continue;
    found.push({ bucket, entry });
  }
  return found;
}

function cursorOf(last: Found | undefined): string {
  return last === undefined ? "" : `${last.bucket}/${momentOf(last.entry)}/${last.entry.id}`;
}

function placeOf(cursor: string): Place {
  const [, bucket, atMs, id] = CURSOR.exec(cursor) ?? [];
  if (bucket === undefined || atMs === undefined || id === undefined)
    throw new Fault("body.invalid", "the cursor was not returned by this system; start again without one", { path: "cursor" });
  return { bucket, atMs: Number(atMs), id };
}
