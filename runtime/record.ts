/**
 * @module The journal record: one turn, one record, one atomic write. Pure.
 *
 * The sequence in the key is the fence: the write is insert-only, so of two owners one is refused. Each record names
 * the writer of its predecessor. That chain reveals a store that lost or changed records when they are read.
 */
import { z } from "zod";
import { Fault } from "./faults.ts";
import { Value } from "./value.ts";

/** Version of the records and snapshots that are written. Reading a higher one is `journal.newer`. */
export const RECORD_VERSION = 1;

/** The writer of a record: a host incarnation and its own count of writes. Unique forever. */
export const Writer = z.strictObject({ incarnation: z.string(), count: z.int().nonnegative() });
export type Writer = { readonly incarnation: string; readonly count: number };

const Frame = z.compile(
  z.strictObject({
    v: z.literal(RECORD_VERSION),
    sequence: z.int().positive(),
    /** Id of the input that the turn decided on. */
    input: z.string(),
    events: z.array(z.unknown()).min(1),
    /** Names of the effects that the turn ordered. The same pure function derives their content from the state again. */
    effects: z.array(z.string()),
    writer: Writer,
    /** Writer of the previous record; null for the first record. */
    previous: Writer.nullable(),
    atMs: z.int().nonnegative(),
  }),
);

/** One turn as it is stored. Persisted: changing this needs a version bump. */
export interface JournalRecord<E> {
  readonly v: 1;
  readonly sequence: number;
  readonly input: string;
  readonly events: readonly E[];
  readonly effects: readonly string[];
  readonly writer: Writer;
  readonly previous: Writer | null;
  readonly atMs: number;
}

/** A snapshot: the state after a sequence. Insert-only under keys of its own, numbered without gaps. */
const SnapshotFrame = z.strictObject({
  v: z.literal(RECORD_VERSION),
  number: z.int().positive(),
  sequence: z.int().positive(),
  writer: Writer,
  /** When it was taken. Epoch, milliseconds, of the host that took it. */
  atMs: z.int().nonnegative(),
  state: z.unknown(),
});
/** The state of an actor after `sequence`; snapshots count from 1. Persisted: changing this needs a version bump. */
export interface Snapshot<S> {
  readonly v: 1;
  readonly number: number;
  readonly sequence: number;
  /** Writer of the record at `sequence`. */
  readonly writer: Writer;
  readonly atMs: number;
  readonly state: S;
}

/**
 * The entry in place of record 1 of a living actor whose journal was trimmed. Of records and snapshots, those before `first` and
 * `snapshot` are removed or being removed, the oldest first. Persisted: changing this needs a version bump.
 */
export const HeadStone = z.strictObject({
  v: z.literal(RECORD_VERSION),
  headStone: z.literal(true),
  /** Sequence of the first record that is kept: the one at the snapshot. */
  first: z.int().positive(),
  /** Number of the first snapshot that is kept. */
  snapshot: z.int().positive(),
  /** Sequence of the first record, and number of the first snapshot, that this head stone allows to be removed. */
  from: z.int().positive(),
  fromSnapshot: z.int().positive(),
});
export type HeadStone = z.infer<typeof HeadStone>;

/** The content as a head stone, or undefined if it is none. Throws as {@link parseRecord} does. */
export function headStoneOf(content: unknown, key: string): HeadStone | undefined {
  if (typeof content !== "object" || content === null || (content as { readonly headStone?: unknown }).headStone !== true) return undefined;
  return parseFrame(HeadStone, content, key);
}

/**
 * The entry in place of record 1 of a purged actor: whose id this was, how it ended, and what is left to remove. While it exists nothing
 * of the actor comes back. Persisted: changing this needs a version bump.
 */
export const Tombstone = z.strictObject({
  v: z.literal(RECORD_VERSION),
  tombstone: z.literal(true),
  id: z.string(),
  /** The status of its outcome, or its last phase if it has none. */
  outcome: z.string(),
  /** Sequence of the first record after this one that may be left; absent: 2. */
  first: z.int().positive().optional(),
  /** Sequence of its last record, and number of its last snapshot. */
  last: z.int().positive(),
  snapshots: z.int().nonnegative(),
  /** Hashes of its own values that record 1 refers to. */
  refs: z.array(z.string()),
  /** Agents whose actors lived for this process alone, under its id, and go with it. */
  agents: z.array(z.string()),
  /** Lists of actors that did one work item each, as pairs of agent and actor id; they go with it too. Absent when there are none. */
  works: z.array(Value).optional(),
  /** The tombstone stands until then. Epoch, milliseconds, of the host that wrote it. */
  untilMs: z.int().nonnegative(),
});
export type Tombstone = z.infer<typeof Tombstone>;

/** The content as a tombstone, or undefined if it is none. Throws as {@link parseRecord} does. */
export function tombstoneOf(content: unknown, key: string): Tombstone | undefined {
  if (typeof content !== "object" || content === null || (content as { readonly tombstone?: unknown }).tombstone !== true) return undefined;
  return parseFrame(Tombstone, content, key);
}

/** The event of a turn that threw or would have been too large, so that its input is not decided again forever. */
export const TurnFailed = z.strictObject({ e: z.literal("turn-failed"), input: z.string(), code: z.string(), message: z.string() });
export type TurnFailed = z.infer<typeof TurnFailed>;

/** Whether an event marks a failed turn; such an event changes no state. */
export function isTurnFailed(event: unknown): event is TurnFailed {
  return typeof event === "object" && event !== null && (event as { readonly e?: unknown }).e === "turn-failed";
}

/**
 * Parses a record; returns the content itself.
 * @throws `journal.newer` (retryable) or `journal.unreadable` with the key
 */
export function parseRecord<E>(content: unknown, key: string, events: EventSchemas<E>): JournalRecord<E | TurnFailed> {
  if (!z.validate(Frame, content)) parseFrame(Frame, content, key);
  // A record's schemas change nothing and accept no extra keys, so the content equals their result.
  const record = content as JournalRecord<E | TurnFailed>;
  record.events.forEach((event, index) => {
    if (fits(events, event)) return;
    if (isTurnFailed(event)) parsePart(TurnFailed, event, key, `events[${index}]`);
    else parsePart(events.any, event, key, `events[${index}]`);
  });
  return record;
}

function fits<E>(events: EventSchemas<E>, event: unknown): boolean {
  if (typeof event !== "object" || event === null) return false;
  const { e } = event as { readonly e?: unknown };
  const schema = typeof e === "string" ? events.byName(e) : undefined;
  return schema !== undefined && z.validate(schema, event);
}

/** The schemas of a machine's events. */
export interface EventSchemas<E> {
  /** The schema of all events. */
  readonly any: z.ZodType<E>;
  /** The schema of the events with a name. */
  byName(name: string): z.ZodType | undefined;
}

/**
 * The schemas of a machine's events, distinguished by their names `e`. Each schema is compiled when its first event is
 * read. Compiled together they would be one function of 16 KB of bytecode, which V8 optimizes again after each
 * deoptimization in any part.
 */
export function eventSchemas<
  Options extends readonly [z.ZodObject<{ readonly e: z.ZodLiteral<string> }>, ...z.ZodObject<{ readonly e: z.ZodLiteral<string> }>[]],
>(union: z.ZodDiscriminatedUnion<Options, "e">): EventSchemas<z.infer<z.ZodDiscriminatedUnion<Options, "e">>> {
  const schemas = new Map(union.options.map((option) => [option.shape.e.value, option]));
  const compiled = new Map<string, z.ZodType>();
  return {
    any: union,
    byName: (name) => {
      const known = compiled.get(name);
      const schema = schemas.get(name);
      if (known !== undefined || schema === undefined) return known;
      const made = z.compile(schema);
      compiled.set(name, made);
      return made;
    },
  };
}

/** Parses a snapshot, as {@link parseRecord} does. */
export function parseSnapshot<S>(content: unknown, key: string, states: z.ZodType<S>): Snapshot<S> {
  const frame = parseFrame(SnapshotFrame, content, key);
  return { ...frame, state: parsePart(states, frame.state, key, "state") };
}

function parseFrame<T>(schema: z.ZodType<T>, content: unknown, key: string): T {
  const version = typeof content === "object" && content !== null ? (content as { readonly v?: unknown }).v : undefined;
  if (typeof version === "number" && version > RECORD_VERSION) {
    throw new Fault("journal.newer", `${key} has version ${version}; this host reads versions up to ${RECORD_VERSION}`, { key, version });
  }
  return parsePart(schema, content, key, "record");
}

function parsePart<T>(schema: z.ZodType<T>, content: unknown, key: string, what: string): T {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Fault(
    "journal.unreadable",
    `${key}: ${what}${issue === undefined ? "" : ` at ${issue.path.join(".") || "top"}: ${issue.message}`}`,
    { key },
  );
}

/**
 * Checks that a record follows the previous one.
 * @throws `journal.broken-chain`
 */
export function requireChain(key: string, previous: Writer | null, found: Writer | null): void {
  if (sameWriter(previous, found)) return;
  throw new Fault(
    "journal.broken-chain",
    `${key} follows a record of ${writerText(found)}, but the previous record is of ${writerText(previous)}`,
    { key },
  );
}

/** Whether both are the same write of one host. Null, before the first record, equals only null. */
export function sameWriter(a: Writer | null, b: Writer | null): boolean {
  return a === b || (a !== null && b !== null && a.incarnation === b.incarnation && a.count === b.count);
}

function writerText(writer: Writer | null): string {
  return writer === null ? "no writer" : `${writer.incarnation}#${writer.count}`;
}
