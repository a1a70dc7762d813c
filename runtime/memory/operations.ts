/**
 * @module What may be asked of a memory, and what it answers. Pure.
 *
 * Each operation is idempotent by the call that makes it. The content of a fact comes with the message that writes it, is stored before the
 * record, and stands in no record. An answer holds no content either: a reader loads the value of a fact.
 */
import { z } from "zod";
import { Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { JsonContent } from "../value.ts";
import { Fact, FactRef, GONE, TRUSTS } from "./fact.ts";

/** Who reads facts. Persisted: changing this needs a version bump. */
export const Reader = z.strictObject({ agent: z.string(), processId: z.string(), workId: z.string() });
/** Who reads facts. */
export type Reader = z.infer<typeof Reader>;

/** One version of a fact of this memory. */
export const VersionRef = z.strictObject({ id: z.string(), version: z.int().positive() });
/** One version of a fact of this memory. */
export type VersionRef = z.infer<typeof VersionRef>;

/** Versions of a fact: one, or all of them. */
export const AnyVersion = z.strictObject({ id: z.string(), version: z.int().positive().optional() });
/** Versions of a fact: one, or all of them. */
export type AnyVersion = { readonly id: string; readonly version?: number | undefined };

const Write = z.strictObject({
  op: z.literal("write"),
  /** The call that writes: the same call writes once. */
  call: z.string().min(1),
  key: z.string().max(LIMITS.factKeyLengthMax).optional(),
  kind: Fact.shape.kind,
  content: JsonContent,
  writer: Fact.shape.writer,
  source: Fact.shape.source,
  trust: z.enum(TRUSTS),
  label: Label.optional(),
  parents: z.array(FactRef).max(LIMITS.factParentsMax),
  validUntilMs: z.int().nonnegative().optional(),
  promoted: Fact.shape.promoted,
  /** Tokens of the content, for a conversation window. */
  tokens: z.int().nonnegative().optional(),
  /** Facts that the new one stands for from now on, such as the turns of a summary. */
  replaces: z.array(z.string()).max(LIMITS.factParentsMax).optional(),
  /** Of a source: refused when a later comparison has begun. */
  comparison: z.int().positive().optional(),
});

const Read = z.strictObject({
  op: z.literal("read"),
  /** Absent: an operator or a tool of the system looks, which is not a reader. */
  reader: Reader.optional(),
  /** Only these versions. A version that was replaced is given while it is kept. */
  refs: z.array(VersionRef).max(LIMITS.factsReadMax).optional(),
  key: z.string().optional(),
  /** Words to search for. */
  text: z.string().max(LIMITS.factTextCharsMax).optional(),
  sinceMs: z.int().nonnegative().optional(),
  kinds: z.array(Fact.shape.kind).optional(),
  limit: z.int().positive().max(LIMITS.factsReadMax).optional(),
  /** With a text: the newest facts follow those that were found. */
  fill: z.literal(true).optional(),
});

const Forget = z.strictObject({
  op: z.literal("forget"),
  ids: z.array(z.string()).min(1).max(LIMITS.factsLostMax),
  why: z.enum(GONE),
  by: z.string(),
  /** As for a write. */
  comparison: z.int().positive().optional(),
});

/** What was derived from facts of another memory goes with them. */
const Invalidate = z.strictObject({
  op: z.literal("invalidate"),
  memory: z.string(),
  from: z.array(AnyVersion).min(1).max(LIMITS.factsLostMax),
  by: z.string(),
});

const Promote = z.strictObject({ op: z.literal("promote"), id: z.string(), by: z.string(), reason: z.string() });

/** Another memory is about to hold a fact that was derived from these. Refused when one of them is gone. */
const Link = z.strictObject({ op: z.literal("link"), refs: z.array(VersionRef).max(LIMITS.factParentsMax), memory: z.string() });

/** Looks which of these versions are no longer the newest, without a reader. */
const Check = z.strictObject({ op: z.literal("check"), refs: z.array(VersionRef).max(LIMITS.factsReadMax) });

/** Versions of this memory that are gone, and another memory that holds facts derived from them. */
export const Telling = z.strictObject({ memory: z.string(), from: z.array(AnyVersion) });
/** Versions of this memory that are gone, and another memory that holds facts derived from them. */
export type Telling = z.infer<typeof Telling>;

/** The other memory has answered to the invalidation. */
const Told = Telling.extend({ op: z.literal("told") });

/** A comparison of a source with this memory begins. The earlier ones may no longer change anything. */
const Compare = z.strictObject({ op: z.literal("compare") });

/** What a comparison found. Persisted: changing this needs a version bump. */
export const Compared = z.strictObject({
  listed: z.int().nonnegative(),
  added: z.int().nonnegative(),
  changed: z.int().nonnegative(),
  vanished: z.int().nonnegative(),
  unread: z.int().nonnegative(),
});
/** What a comparison found. */
export type Compared = z.infer<typeof Compared>;

/** A comparison has ended: with what it found, or with a fault. */
const EndComparison = z.strictObject({
  op: z.literal("compared"),
  comparison: z.int().positive(),
  end: z.union([
    z.strictObject({ counts: Compared }),
    z.strictObject({ fault: z.strictObject({ code: z.string(), message: z.string() }) }),
  ]),
});

/** One operation of a memory. */
export const MemoryOp = z.discriminatedUnion("op", [Write, Read, Check, Forget, Invalidate, Promote, Link, Told, Compare, EndComparison]);
export type MemoryOp = z.infer<typeof MemoryOp>;
/** The operation of one kind, such as `MemoryOpOf<"write">`. */
export type MemoryOpOf<O extends MemoryOp["op"]> = Extract<MemoryOp, { readonly op: O }>;

/** Why facts were not given. */
export const Withheld = z.strictObject({
  /** Untrusted facts of other conversations. */
  untrusted: z.int().nonnegative(),
  /** Versions that are gone; of a check, those that the memory no longer names. */
  gone: z.int().nonnegative(),
});
/** Why facts were not given. */
export type Withheld = z.infer<typeof Withheld>;

/** Who read a fact that went, and when. Persisted: changing this needs a version bump. */
export const ReadRecord = Reader.extend({ atMs: z.int().nonnegative(), facts: z.array(VersionRef) });
/** Who read facts, and when. */
export type ReadRecord = z.infer<typeof ReadRecord>;

/** The answer to an operation, beside the receipt. */
export const MemoryAnswer = z.strictObject({
  /** Without content: the facts read, written or promoted, those that went, or those that a check found not to be the newest. */
  facts: z.array(Fact),
  withheld: Withheld,
  /** Other memories that hold facts derived from versions of this one that are gone, and are still to be told. */
  derivedIn: z.array(Telling),
  /** Who had read the facts that went. */
  readers: z.array(ReadRecord),
  /** Readers that the memory no longer names. */
  readersDropped: z.int().nonnegative(),
  /** Number of the comparison that has begun last. */
  comparison: z.int().positive().optional(),
});
export type MemoryAnswer = z.infer<typeof MemoryAnswer>;
