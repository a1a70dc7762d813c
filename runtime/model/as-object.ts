/**
 * @module Functions take an object, and answers are objects: a schema of anything else is wrapped in an object with one key. Pure.
 */
import type { Json } from "../faults.ts";
import type { JsonSchema } from "../schema.ts";
import type { Checked } from "./rules.ts";

/** A schema of an object. `under`: the key that holds the value, if the value itself is no object. */
export interface ObjectForm {
  readonly schema: JsonSchema;
  readonly under: string | undefined;
}

/** Returns a schema of an object, wrapped under `key` if need be. */
export function objectForm(given: JsonSchema, key: string): ObjectForm {
  const { $schema: _dialect, ...schema } = given;
  if (schema["type"] === "object") return { schema, under: undefined };
  const { $defs, ...inner } = schema;
  const moved = moveRoot(inner, `#/properties/${key}`) as JsonSchema;
  const wrapped = { type: "object", properties: { [key]: moved }, required: [key], additionalProperties: false };
  return {
    schema: $defs === undefined ? wrapped : { ...wrapped, $defs: moveRoot($defs, `#/properties/${key}`) },
    under: key,
  };
}

/** Returns the value that the object holds. */
export function unwrapped(value: Json, under: string | undefined): Checked {
  if (under === undefined) return { value };
  const object =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, Json>>) : undefined;
  const keys = object === undefined ? [] : Object.keys(object);
  const inner = object !== undefined && Object.hasOwn(object, under) ? object[under] : undefined;
  if (inner === undefined || keys.length !== 1) return { violations: [`expected an object with the only key ${JSON.stringify(under)}`] };
  return { value: inner };
}

/** A reference to the root of the schema refers to its new place. */
function moveRoot(value: Json, root: string): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => moveRoot(item, root));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === "$ref" && item === "#" ? root : moveRoot(item, root)] as const),
  );
}
