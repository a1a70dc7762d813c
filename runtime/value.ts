/**
 * @module Values: JSON content, inline if small, by hash if large. Pure.
 *
 * A large value is stored once in its scope, under its hash, before the record that refers to it (the Claim Check of Hohpe and Woolf,
 * Enterprise Integration Patterns).
 */
import { z } from "zod";
import { canonicalJson, hashText, textBytes } from "./canonical.ts";
import { Fault, type Json } from "./faults.ts";
import { LIMITS } from "./limits.ts";

/** Content from `JSON.parse` is JSON already; only its presence is checked. */
export const JsonContent = z.custom<Json>((value) => value !== undefined, "expected a JSON value");

/** A value, inline or by reference. Persisted: changing this needs a version bump. */
export const Value = z.union([
  z.strictObject({ json: JsonContent }),
  z.strictObject({
    ref: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: z.int().nonnegative(),
    scope: z
      .string()
      .regex(/^[A-Za-z0-9_.~-]+$/)
      .optional(),
  }),
]);
export type Value = { readonly json: Json } | ({ readonly bytes: number } & ValueRef);

/**
 * Where a value is stored: under its hash, within a scope. The scope decides with what the value is purged: the process that it belongs
 * to, or {@link keyedScope}. A value without a scope is shared by all processes and stays (slips).
 */
export interface ValueRef {
  readonly ref: string;
  readonly scope?: string | undefined;
}

/** The scope of the values that a keyed agent's actor keeps for itself. No process has such an id. */
export function keyedScope(agent: string, actorId: string): string {
  return `${agent}~${actorId}`;
}

/** The scope of the contents of one memory's facts. No agent has such a name. */
export function memoryScope(memoryId: string): string {
  return `${MEMORY_SCOPE}${memoryId}`;
}

const MEMORY_SCOPE = "Memory~";

/** Whether a value is the content of a fact: it may be forgotten at any time, so no host keeps it. */
export function isOfMemory({ scope }: ValueRef): boolean {
  return scope?.startsWith(MEMORY_SCOPE) === true;
}

/**
 * Returns the content of a reference.
 * @throws `value.missing` when it was not loaded
 */
export type ReadValue = (ref: string) => Json;

/** Content to be stored under its hash before a record refers to it. */
export interface StoredValue extends ValueRef {
  readonly text: string;
}

/** A value, and the content that must be stored before anything refers to it. */
export interface PackedValue {
  readonly value: Value;
  /** Present if the content is too large to be inline. */
  readonly stored?: StoredValue;
}

/**
 * Packs content as a value.
 * @throws `value.too-large`; `schema.output` for content that is not JSON
 */
export function packValue(content: Json, scope?: string, inlineBytesMax: number = LIMITS.valueInlineBytesMax): PackedValue {
  const { text, bytes } = requireValue(content);
  if (bytes <= inlineBytesMax) return { value: { json: content } };
  const ref = hashText(text);
  const at: ValueRef = scope === undefined ? { ref } : { ref, scope };
  return { value: { ...at, bytes }, stored: { ...at, text } };
}

/** The canonical text of content that may become a value. Throws as {@link packValue} does. */
export function requireValue(content: Json): { readonly text: string; readonly bytes: number } {
  const text = textOf(content);
  const bytes = textBytes(text);
  if (bytes > LIMITS.valueBytesMax)
    throw new Fault("value.too-large", `a value of ${bytes} bytes is too large; the limit is ${LIMITS.valueBytesMax} bytes`, { bytes });
  return { text, bytes };
}

function textOf(content: Json): string {
  try {
    return canonicalJson(content);
  } catch (error) {
    throw new Fault("schema.output", error instanceof Error ? error.message : "a value is not JSON");
  }
}

/** The content of a value. */
export function readValue(value: Value, read: ReadValue): Json {
  return "json" in value ? value.json : read(value.ref);
}

/** The hash of a value's content, inline or not. */
export function valueHash(value: Value): string {
  return "json" in value ? hashText(canonicalJson(value.json)) : value.ref;
}
