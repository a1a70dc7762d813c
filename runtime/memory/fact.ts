/**
 * @module Facts: what agents remember, with provenance. Pure.
 *
 * The content of a fact is a value of its memory, never in a record, so that it can be forgotten. Trust is the minimum over the derivation.
 */
import { z } from "zod";
import { hashJson } from "../canonical.ts";
import { Label } from "../label.ts";
import { Value } from "../value.ts";

/** Who vouches for a fact, highest first: the task's principal or a person, a tool or source, a model, or none of them. */
export const TRUSTS = ["principal", "tool", "model", "untrusted"] as const;
/** One of {@link TRUSTS}. */
export type Trust = (typeof TRUSTS)[number];

/** The lower of two trusts. */
export function lowerTrust(left: Trust, right: Trust): Trust {
  return TRUSTS.indexOf(left) >= TRUSTS.indexOf(right) ? left : right;
}

/** A fact in another place: its memory and its id there. */
export const FactRef = z.strictObject({ memory: z.string(), id: z.string(), version: z.int().positive() });
export type FactRef = z.infer<typeof FactRef>;

/** What a record holds of the key of a fact, which may say as much as its content. Each memory has its own. */
export function keyHashOf(memory: string, key: string): string {
  return hashJson([memory, key]);
}

/** Why a fact is gone: it was forgotten, expired, changed or vanished in its source, was replaced by a newer version, or a parent went. */
export const GONE = ["forgotten", "expired", "changed", "vanished", "replaced", "derived"] as const;

/** A fact without its content. Persisted: changing this needs a version bump. */
export const Fact = z.strictObject({
  id: z.string(),
  /** Facts with the same key are versions of one fact; the newest counts. The key itself stands with the content. */
  keyHash: z.string().optional(),
  version: z.int().positive(),
  /** `turn`: what one work item of a conversation was asked and answered. `summary`: stands for turns and earlier summaries. */
  kind: z.enum(["fact", "turn", "summary", "document"]),
  /** Always stored, in the scope of the memory. Absent: it is gone. */
  content: Value.optional(),
  writer: z.strictObject({ agent: z.string(), processId: z.string(), workId: z.string(), subject: z.string() }),
  /** Where its content comes from: a document of a source, with the hash that it had. */
  source: z.strictObject({ name: z.string(), id: z.string(), hash: z.string() }).optional(),
  trust: z.enum(TRUSTS),
  label: Label.optional(),
  /** From which it was derived, directly, or through versions that are no longer named. A later version stands for the earlier ones too. */
  parents: z.array(FactRef),
  atMs: z.int().nonnegative(),
  validUntilMs: z.int().nonnegative().optional(),
  /** Tokens of the content, of a turn or summary. */
  tokens: z.int().nonnegative().optional(),
  /** A person or a rule lets other conversations read it although it is untrusted. */
  promoted: z.strictObject({ by: z.string(), atMs: z.int(), reason: z.string() }).optional(),
  gone: z.strictObject({ why: z.enum(GONE), atMs: z.int(), by: z.string() }).optional(),
});
export type Fact = z.infer<typeof Fact>;
