/** @module Gates of JSON Schemas that came as data: of signals, of answers and edits of people. Pure. */
import { z } from "zod";
import { type FaultCode, isFault, type Json, type WireFault } from "./faults.ts";
import { type Gate, gate } from "./schema.ts";

/** Gates of parsed schemas, by what they check and the hash of the schema. The oldest is removed first. */
const gates = new Map<string, Gate>();
const GATES_MAX = 256;

/** A schema, and a text that is the same only for the same schema. */
export interface KnownSchema {
  readonly schema: Json;
  readonly hash: string;
}

/** The fault of a content that does not match a JSON Schema, which was checked when it was defined. `what` names the content. */
export function schemaMisfit({ schema, hash }: KnownSchema, what: string, code: FaultCode, content: Json): WireFault | undefined {
  const key = `${code} ${what} ${hash}`;
  const known = gates.get(key) ?? gate(zodOf(schema), what, code);
  if (!gates.has(key)) {
    if (gates.size >= GATES_MAX) gates.delete(gates.keys().next().value ?? "");
    gates.set(key, known);
  }
  try {
    known.check(content);
    return undefined;
  } catch (error) {
    if (!isFault(error)) throw error;
    return error.toWire();
  }
}

function zodOf(schema: Json): z.ZodType {
  try {
    return z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema);
  } catch {
    // An unreadable schema accepts every content here. The handler or the next stop checks it again.
    return z.unknown();
  }
}
