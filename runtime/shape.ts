/**
 * @module Shapes: a part of a JSON Schema together with the document that its references point into. Pure.
 */
import { entryOf } from "./entries.ts";
import type { Json } from "./faults.ts";
import type { JsonSchema } from "./schema.ts";

const REFERENCES_MAX = 32;

/** A schema and the document that its references point into. `undefined`: the value is not known. */
export interface Shape {
  readonly node: JsonSchema;
  readonly root: JsonSchema;
}

/** The shape of each name of a scope; `undefined`: the value is not known. */
export type Shapes = Readonly<Record<string, Shape | undefined>>;

/** Returns the shape of a whole document: its references point into itself. */
export function shapeOfSchema(schema: JsonSchema): Shape {
  return { node: schema, root: schema };
}

/** Returns a part of a document as a shape, or undefined if it is not a schema. */
export function shapeIn(node: Json | undefined, root: JsonSchema): Shape | undefined {
  return isObject(node) ? { node, root } : undefined;
}

/** Follows references inside the document. */
export function resolveShape(shape: Shape | undefined): Shape | undefined {
  let current = shape;
  for (let count = 0; current !== undefined && count < REFERENCES_MAX; count += 1) {
    const reference = current.node["$ref"];
    if (typeof reference !== "string") return current;
    current = shapeIn(pointed(reference, current.root), current.root);
  }
  return undefined;
}

function pointed(reference: string, root: JsonSchema): Json | undefined {
  if (!reference.startsWith("#")) return undefined;
  let current: Json | undefined = root;
  for (const part of reference.split("/").slice(1)) {
    if (!isObject(current)) return undefined;
    current = entryOf(current, part.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return current;
}

/** Whether a JSON value is an object, and not a list or null. */
export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
