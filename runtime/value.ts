/**
 * @module Values: JSON content inline where it is small, by hash where it is large. Pure.
 *
 * A large value stands once in the store, under its hash, and is written before the record that refers to it
 * (the Claim Check of Hohpe and Woolf, Enterprise Integration Patterns).
 */
import { z } from "zod";
import { canonicalJson, hashText, textBytes } from "./canonical.ts";
import { Fault, type Json } from "./faults.ts";
import { LIMITS } from "./limits.ts";

/** Content that came out of `JSON.parse` is JSON already; only its presence is checked. */
export const JsonContent = z.custom<Json>((value) => value !== undefined, "a JSON value is expected");

/** Persisted: changing this needs a version bump. */
export const Value = z.union([
  z.strictObject({ json: JsonContent }),
  z.strictObject({ ref: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().nonnegative() }),
]);
export type Value = { readonly json: Json } | { readonly ref: string; readonly bytes: number };

/** Gives the content of a reference. Throws `value.missing` when it was not loaded. */
export type ReadValue = (ref: string) => Json;

/** Content to be stored under its hash before a record refers to it. */
export interface StoredValue {
  readonly ref: string;
  readonly text: string;
}

/** A value, and what must be in the store before anything refers to it. */
export interface PackedValue {
  readonly value: Value;
  /** Present when the content is too large to stand inline. */
  readonly stored?: StoredValue;
}

/** Turns content into a value. Throws `value.too-large`, and `schema.output` on what is not JSON. */
export function packValue(content: Json, inlineBytesMax: number = LIMITS.valueInlineBytesMax): PackedValue {
  const text = textOf(content);
  const bytes = textBytes(text);
  if (bytes > LIMITS.valueBytesMax) throw new Fault("value.too-large", `a value of ${bytes} bytes is larger than ${LIMITS.valueBytesMax} bytes`, { bytes });
  if (bytes <= inlineBytesMax) return { value: { json: content } };
  const ref = hashText(text);
  return { value: { ref, bytes }, stored: { ref, text } };
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

/** The hash of a value's content, whether it stands inline or not. */
export function valueHash(value: Value): string {
  return "json" in value ? hashText(canonicalJson(value.json)) : value.ref;
}
