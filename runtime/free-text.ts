/**
 * @module Whether a value of a JSON Schema can hold free text: a string that nothing restricts, in which a stranger may write anything.
 * Pure.
 *
 * A schema that says nothing about a value allows free text. Names of properties are text too.
 */
import type { Json } from "./faults.ts";
import type { JsonSchema } from "./schema.ts";
import { isObject, resolveShape, type Shape, shapeIn, shapeOfSchema } from "./shape.ts";

/** What makes a string one of a known set, or of a known form. */
const RESTRICTED = ["enum", "const", "pattern"];
/** Formats that leave no room for words; others do, such as an address of a page or of mail. */
const FORMATS: readonly Json[] = ["date", "time", "date-time", "duration", "uuid", "ipv4", "ipv6"];
const PARTS = ["anyOf", "oneOf", "allOf"];
/** Types without text. */
const WITHOUT_TEXT: readonly Json[] = ["number", "integer", "boolean", "null"];

/** Whether a value of the schema can hold free text. */
export function holdsFreeText(schema: JsonSchema): boolean {
  return isFree(shapeOfSchema(schema), new Set());
}

function isFree(shape: Shape | undefined, seen: Set<JsonSchema>): boolean {
  const found = resolveShape(shape);
  if (found === undefined) return true;
  const { node } = found;
  // What a recursive schema repeats is judged where it stands first.
  if (seen.has(node)) return false;
  seen.add(node);
  if ("format" in node) return !FORMATS.includes(node["format"] ?? null);
  if (RESTRICTED.some((word) => word in node)) return false;
  const inner = (part: Json | undefined): boolean => (part === false ? false : isFree(shapeIn(part, found.root), seen));
  const parts = PARTS.flatMap((word) => listOf(node[word]));
  if (parts.length > 0) return parts.some(inner);
  const types = typesOf(node);
  return types.length === 0 || types.some((type) => isFreeType(type, node, inner));
}

function isFreeType(type: Json, node: JsonSchema, inner: (part: Json | undefined) => boolean): boolean {
  if (type === "array")
    return [...listOf(node["prefixItems"]), ...("items" in node || !("prefixItems" in node) ? [node["items"]] : [])].some(inner);
  if (type === "object") return isFreeObject(node, inner);
  return !WITHOUT_TEXT.includes(type);
}

function isFreeObject(node: JsonSchema, inner: (part: Json | undefined) => boolean): boolean {
  const { properties, patternProperties, additionalProperties: others, propertyNames: names } = node;
  const known = [properties, patternProperties].filter(isObject).flatMap((one) => Object.values(one));
  return known.some(inner) || (others !== false && (names === undefined || inner(names) || inner(others)));
}

function typesOf(node: JsonSchema): readonly Json[] {
  const type = node["type"];
  return Array.isArray(type) ? type : type === undefined ? [] : [type];
}

function listOf(part: Json | undefined): readonly Json[] {
  return Array.isArray(part) ? part : [];
}
