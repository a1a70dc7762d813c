/**
 * @module The index actors: Directory (processes), DeadLetterQueue (dead letters), Audit (operator actions). Pure.
 *
 * An index is a list of buckets. Each bucket is an actor of its own that can be dropped as a whole; the actor `root`
 * lists the buckets. The journal of a process is authoritative: an index entry only serves listings and the search for
 * open processes.
 */
import { z } from "zod";
import { entryOf, withEntries, withEntry, withoutEntry } from "./entries.ts";
import { assertNever, wireFault } from "./faults.ts";
import { LIMITS } from "./limits.ts";
import { type Decision, type DecisionContext, DecisionBuilder, type Machine } from "./machine.ts";
import { isReserved } from "./process-filter.ts";
import { eventSchemas } from "./record.ts";
import type { Message } from "./protocol.ts";
import { IndexEntry } from "./protocol/bodies.ts";

/**
 * The state of a bucket or root. Persisted: changing this needs a version bump. `shards` divide the entries by the
 * hashes of their ids, so that a new entry copies one shard and not the bucket. A shard is a list, since ids come from
 * outside and are unsafe as property names. `size` of a bucket counts all entries that were ever added, so that a full
 * bucket stays full; `size` of the root counts the present ones. `dropped`: its entries are removed, and it takes no
 * more.
 */
export const IndexState = z.strictObject({
  id: z.string(),
  size: z.int().nonnegative(),
  shards: z.record(z.string(), z.array(IndexEntry)),
  dropped: z.literal(true).optional(),
});
export type IndexState = z.infer<typeof IndexState>;

const SHARDS = 64;
const PART_DIGITS = 4;

function shardOf(id: string): string {
  let hash = 0;
  for (let index = 0; index < id.length; index += 1) hash = (hash * 31 + id.charCodeAt(index)) % 0x7fff_ffff;
  return String(hash % SHARDS);
}

/** One entry of a bucket. */
export function entryIn(state: IndexState, id: string): IndexEntry | undefined {
  return entryOf(state.shards, shardOf(id))?.find((entry) => entry.id === id);
}

/** All entries of a bucket, without an order. */
export function entriesOf(state: IndexState): IndexEntry[] {
  return Object.values(state.shards).flat();
}

/** The events of a bucket. Persisted: changing this needs a version bump. */
export const IndexEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("entered"), entries: z.array(IndexEntry) }),
  z.strictObject({ e: z.literal("removed"), ids: z.array(z.string()) }),
  z.strictObject({ e: z.literal("dropped") }),
]);
export type IndexEvent = z.infer<typeof IndexEvent>;

/** The inputs of a bucket. Messages without entries are refused with `message.invalid`. */
export type IndexInput =
  | { readonly kind: "message"; readonly message: Message }
  /** The subjects of the entries were purged. `drop`: the bucket takes no more entries if it has none left. */
  | { readonly kind: "remove"; readonly ids: readonly string[]; readonly drop: boolean };

/** The actor that lists the buckets of an index. */
export const INDEX_ROOT = "root";

/** The machine of a bucket or root. It orders no effects: the sender retries until it has the receipt. */
export const indexMachine: Machine<IndexState, IndexInput, IndexEvent> = {
  initial: (id) => ({ id, size: 0, shards: {} }),
  purged: (id) => ({ id, size: 0, shards: {}, dropped: true }),
  decide: decideIndex,
  evolve: evolveIndex,
  outbox: () => [],
  nextDueMs: () => undefined,
  events: eventSchemas(IndexEvent),
  states: z.compile(IndexState),
};

function decideIndex(state: IndexState, input: IndexInput, context: DecisionContext): Decision<IndexEvent> {
  const builder = new DecisionBuilder(state, evolveIndex, context);
  if (input.kind === "remove") {
    const ids = input.ids.filter((id) => entryIn(state, id) !== undefined);
    if (ids.length > 0) builder.emit({ e: "removed", ids });
    // A bucket that never existed, or whose journal another host has just purged, is not created again only to be
    // dropped.
    if (input.drop && state.dropped !== true && state.size > 0 && isEmpty(builder.state)) builder.emit({ e: "dropped" });
    return builder.done();
  }
  const { message } = input;
  const { body } = message;
  if (state.dropped === true) {
    builder.refuse(wireFault("process.purged", `the content of bucket ${state.id} was purged`));
    return builder.done();
  }
  // An old entry must not come back into a bucket from which it was removed.
  if (message.expiresAtMs <= context.nowMs) {
    builder.refuse(wireFault("message.expired", `${message.id} expired`));
    return builder.done();
  }
  if (body.kind !== "entries") {
    builder.refuse(wireFault("message.invalid", `an index does not accept messages of kind ${body.kind}`));
    return builder.done();
  }
  const news = newsOf(state, body.entries);
  const added = news.filter((entry) => entryIn(state, entry.id) === undefined).length;
  const max = state.id === INDEX_ROOT ? LIMITS.indexBucketsMax : LIMITS.indexBucketEntriesMax;
  if (added > 0 && state.size + added > max)
    builder.refuse(wireFault("index.full", `bucket ${state.id} is full: it has room for ${max} entries`));
  else if (news.length > 0) builder.emit({ e: "entered", entries: news });
  return builder.done();
}

/** The entries that change something, the last one of each id. What was written late may stand behind what is newer. */
function newsOf(state: IndexState, entries: readonly IndexEntry[]): IndexEntry[] {
  const news = new Map<string, IndexEntry>();
  for (const entry of entries) {
    const known = news.get(entry.id) ?? entryIn(state, entry.id);
    if (isNews(known, entry)) news.set(entry.id, withOthers(known, entry));
  }
  return [...news.values()];
}

/**
 * Whether an entry replaces the known one. An older entry does not: a late "open" must not reopen a closed one. The run
 * decides which is older, and within a run the end comes last. Of two hosts that hold a run, the one that took it over at
 * the later record is news, and at the same record the other one. Times are not compared, since they come from the clocks of several hosts.
 */
function isNews(known: IndexEntry | undefined, entry: IndexEntry): boolean {
  if (known === undefined) return true;
  const age = ageOf(entry) - ageOf(known);
  if (age !== 0 || !entry.open) return age > 0;
  const at = numberOf(entry.facts["at"]);
  const later = at - numberOf(known.facts["at"]);
  const { host } = entry.facts;
  if (later === 0 && isReserved(known) && !isReserved(entry)) return true;
  return later > 0 || (later === 0 && typeof host === "string" && !hostsOf(known).includes(host));
}

/** Two hosts that prepare the same run do not know of each other, and either of them may record it. So the entry names both. */
function withOthers(known: IndexEntry | undefined, entry: IndexEntry): IndexEntry {
  const isBoth = known !== undefined && ageOf(known) === ageOf(entry) && numberOf(known.facts["at"]) === numberOf(entry.facts["at"]);
  const others = isBoth ? hostsOf(known).filter((host) => host !== entry.facts["host"]) : [];
  return others.length === 0 ? entry : { ...entry, facts: { ...entry.facts, others: others.join(" ") } };
}

/** The hosts with which a run stands. Usually one. */
export function hostsOf({ facts }: IndexEntry): readonly string[] {
  const others = typeof facts["others"] === "string" ? facts["others"].split(" ") : [];
  return typeof facts["host"] === "string" ? [facts["host"], ...others] : others;
}

/** The age of an entry in runs. `voided`: the entry was also opened for later runs, which were never created. */
function ageOf({ open, facts }: IndexEntry): number {
  const run = Math.max(numberOf(facts["run"]), numberOf(facts["voided"]));
  return 2 * run + (open ? 0 : 1);
}

function numberOf(fact: unknown): number {
  return typeof fact === "number" ? fact : 0;
}

function evolveIndex(state: IndexState, event: IndexEvent): IndexState {
  switch (event.e) {
    case "entered":
      return enterAll(state, event.entries);
    case "removed":
      return event.ids.reduce(remove, state);
    case "dropped":
      return { ...state, dropped: true };
    default:
      return assertNever(event);
  }
}

function remove(state: IndexState, id: string): IndexState {
  const shard = shardOf(id);
  const rest = (entryOf(state.shards, shard) ?? []).filter((entry) => entry.id !== id);
  const size = state.id === INDEX_ROOT ? state.size - 1 : state.size;
  return { ...state, size, shards: rest.length === 0 ? withoutEntry(state.shards, shard) : withEntry(state.shards, shard, rest) };
}

function isEmpty(state: IndexState): boolean {
  return Object.keys(state.shards).length === 0;
}

function enterAll(state: IndexState, entries: readonly IndexEntry[]): IndexState {
  const changed = new Map<string, IndexEntry[]>();
  let { size } = state;
  for (const entry of entries) {
    const shard = shardOf(entry.id);
    const known = changed.get(shard) ?? entryOf(state.shards, shard) ?? [];
    const others = known.filter((one) => one.id !== entry.id);
    if (others.length === known.length) size += 1;
    changed.set(shard, [...others, entry]);
  }
  return { ...state, size, shards: withEntries(state.shards, changed) };
}

/** How the entry of a dead letter names its decision. */
export const DECIDED = { redrive: "redriven", discard: "discarded" } as const;

/** An operator action. */
export interface AuditedAct {
  /** The same action has the same id. */
  readonly id: string;
  readonly atMs: number;
  /** Subject of the principal. */
  readonly who: string;
  readonly what: string;
  /** What was changed: the id of a process or dead letter, or the system. */
  readonly target: string;
  readonly why: string;
  /** What the target is, where its id alone does not say it. */
  readonly kind?: string | undefined;
}

/** The audit entry of an operator action, in the bucket of its time. */
export function auditEntry({ id, atMs, who, what, target, why, kind }: AuditedAct): IndexEntry {
  return { id, open: false, atMs, facts: { who, what, target, why, ...(kind === undefined ? {} : { kind }) } };
}

/** The bucket that follows a full one. */
export function nextBucket(bucket: string): string {
  const [slice = "", part = "0"] = bucket.split(".");
  return `${slice}.${String(Number(part) + 1).padStart(PART_DIGITS, "0")}`;
}

/** When the time slice of a bucket begins. Milliseconds since the epoch. */
export function bucketBeginsAtMs(bucket: string): number {
  return Number.parseInt(bucket, 10) * LIMITS.indexBucketMs;
}

/** The bucket of a time. `part` increases when a bucket of the same slice is full. Bucket names sort by time. */
export function bucketOf(atMs: number, part: number): string {
  const slice = Math.floor(atMs / LIMITS.indexBucketMs);
  return `${String(slice).padStart(9, "0")}.${String(part).padStart(PART_DIGITS, "0")}`;
}
