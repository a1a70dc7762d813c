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
import { actorType, type IndexName } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { Journal, type Loaded } from "../engine/journal.ts";
import { LruMap } from "../engine/lru.ts";
import type { Clock, Ports } from "../engine/ports.ts";
import { isBroken } from "../engine/quarantine.ts";
import type { Host } from "../host/host.ts";

/** A page of entries. It may be shorter than the limit or empty and still have a cursor: then there is more to search. */
export interface EntryPage {
  readonly entries: readonly IndexEntry[];
  readonly cursor?: string;
  /** Buckets that are broken: their entries are missing. */
  readonly broken?: readonly string[];
}

interface Listed {
  /** When the bucket was last known to be read to its end. */
  readonly atMs: number;
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
/** Newest buckets that a sum always looks at. */
const NEWEST_BUCKETS = 3;
/** Maximum number of buckets read in parallel. The first is read alone, then twice as many each time. */
const AT_ONCE_MAX = 16;

/** The listing of one index. Throws `store.unavailable` and the faults of an unreadable journal. */
export class Listing {
  readonly #journal: Journal<IndexState, IndexInput, IndexEvent>;
  readonly #known = new LruMap<string, Listed>(LIMITS.listedBucketsMax, LIMITS.listedEntriesMax);

  readonly #type: string;
  readonly #host: Pick<Host, "indexEngine" | "quarantine">;
  readonly #index: IndexName;
  readonly #clock: Clock;

  constructor(ports: Pick<Ports, "store" | "clock">, system: string, index: IndexName, host: Pick<Host, "indexEngine" | "quarantine">) {
    this.#type = actorType(system, index);
    this.#journal = new Journal(ports.store, ports.clock, indexMachine, system, this.#type);
    this.#host = host;
    this.#index = index;
    this.#clock = ports.clock;
  }

  /**
   * A page of the entries that match, newest first, from a cursor on; with `oldest`, down to this bucket.
   * @throws `body.invalid` for a cursor that this system did not return
   */
  async page(wanted: (entry: IndexEntry) => boolean, cursor: string | undefined, limit: number, oldest = ""): Promise<EntryPage> {
    const from = cursor === undefined ? undefined : placeOf(cursor);
    const buckets = (await this.buckets())
      .filter((bucket) => bucket >= oldest && (from === undefined || bucket <= from.bucket))
      .toReversed();
    const looked = buckets.slice(0, LIMITS.pageBucketsMax);
    const found: Found[] = [];
    const broken: string[] = [];
    for (
      let next = 0, atOnce = 1;
      next < looked.length && found.length <= limit;
      next += atOnce, atOnce = Math.min(2 * atOnce, AT_ONCE_MAX)
    ) {
      const group = looked.slice(next, next + atOnce);
      const read = await Promise.all(group.map((bucket) => this.#read(bucket)));
      broken.push(...group.filter((_bucket, index) => read[index] === undefined));
      for (const [index, bucket] of group.entries())
        found.push(...pick(read[index]?.sorted ?? [], bucket, from, wanted, limit + 1 - found.length));
    }
    const page = found.slice(0, limit);
    const entries = page.map(({ entry }) => entry);
    const answer = { entries, ...(broken.length === 0 ? {} : { broken }) };
    if (found.length > limit) return { ...answer, cursor: cursorOf(page.at(-1)) };
    const last = looked.at(-1);
    return last === undefined || looked.length === buckets.length ? answer : { ...answer, cursor: `${last}/0/` };
  }

  /** One entry of a bucket, or of the buckets that continue it after it was full, or because it is broken. */
  async find(bucket: string, id: string): Promise<IndexEntry | undefined> {
    let at = bucket;
    for (let part = 0; part < LIMITS.indexPartsMax; part += 1) {
      const state = (await this.#read(at))?.loaded.state;
      const entry = state === undefined ? undefined : entryIn(state, id);
      if (entry !== undefined || (state !== undefined && state.size < LIMITS.indexBucketEntriesMax)) return entry;
      at = nextBucket(at);
    }
    return undefined;
  }

  /** The buckets named by the index's root, oldest first. */
  async buckets(): Promise<readonly string[]> {
    const { state } = await this.#host.indexEngine(this.#index).fresh(INDEX_ROOT);
    return entriesOf(state)
      .filter((entry) => entry.open)
      .map((entry) => entry.id)
      .sort();
  }

  /**
   * The entries of each bucket from `oldest` on, but for those that are known. Broken buckets are left out. Apart from the newest ones,
   * what was read within `youngMs` is not looked at again.
   */
  async from(
    oldest: string,
    isKnown: (bucket: string) => boolean = () => false,
    youngMs = 0,
  ): Promise<ReadonlyMap<string, readonly IndexEntry[]>> {
    const all = (await this.buckets()).filter((bucket) => bucket >= oldest && !isKnown(bucket));
    const found = new Map<string, readonly IndexEntry[]>();
    const youngFromMs = this.#clock.nowMs() - youngMs;
    const buckets = all.filter((bucket, index) => {
      const known = index < all.length - NEWEST_BUCKETS ? this.#known.get(bucket) : undefined;
      if (known === undefined || known.atMs <= youngFromMs) return true;
      found.set(bucket, known.sorted);
      return false;
    });
    for (let next = 0; next < buckets.length; next += AT_ONCE_MAX) {
      const group = buckets.slice(next, next + AT_ONCE_MAX);
      const read = await Promise.all(group.map((bucket) => this.#read(bucket)));
      for (const [index, bucket] of group.entries()) found.set(bucket, read[index]?.sorted ?? []);
    }
    return found;
  }

  /** How many records the journal of a bucket has. 0: none, or it is broken. */
  async sequence(bucket: string): Promise<number> {
    return (await this.#read(bucket))?.loaded.sequence ?? 0;
  }

  /** How many of these records this listing has read; undefined: it keeps nothing of the bucket. */
  knownSequence(bucket: string): number | undefined {
    return this.#known.get(bucket)?.loaded.sequence;
  }

  /** The events of a bucket behind a record. One small read if there are none. */
  async *eventsAfter(bucket: string, sequence: number): AsyncGenerator<{ readonly event: IndexEvent; readonly sequence: number }> {
    if (await this.#journal.hasRecord(bucket, sequence + 1)) yield* this.#journal.events(bucket, sequence + 1);
  }

  /** The entries of each bucket, the newest bucket first, down to `oldest`. Broken buckets are left out. */
  async *newest(oldest: string): AsyncGenerator<readonly IndexEntry[]> {
    const buckets = (await this.buckets()).filter((bucket) => bucket >= oldest).toReversed();
    for (let next = 0; next < buckets.length; next += AT_ONCE_MAX) {
      const read = await Promise.all(buckets.slice(next, next + AT_ONCE_MAX).map((bucket) => this.#read(bucket)));
      for (const listed of read) if (listed !== undefined) yield listed.sorted;
    }
  }

  /** Every broken bucket is noted in the quarantine of this host. */
  async findBroken(): Promise<void> {
    for (const bucket of await this.buckets()) await this.#read(bucket);
  }

  /** The content of a bucket; undefined if it is broken. */
  async #read(bucket: string): Promise<Listed | undefined> {
    const actor = { type: this.#type, id: bucket };
    try {
      const listed = await this.#readOne(bucket);
      this.#host.quarantine.clear(actor);
      return listed;
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#host.quarantine.note(actor, error);
      return undefined;
    }
  }

  async #readOne(bucket: string): Promise<Listed> {
    const atMs = this.#clock.nowMs();
    const known = this.#known.get(bucket);
    // After that time the next record may be trimmed.
    const isTrusted = known !== undefined && atMs - known.atMs < LIMITS.actorTrustMs;
    const loaded = isTrusted ? await this.#journal.catchUp(bucket, known.loaded) : await this.#journal.load(bucket);
    const sorted = loaded === known?.loaded ? known.sorted : entriesOf(loaded.state).sort(newestFirst);
    const listed = { atMs, loaded, sorted };
    this.#known.set(bucket, listed, 1 + sorted.length);
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
