/**
 * @module Whether a JSON Schema qualifies for the strict mode of structured outputs. Pure.
 *
 * Strict mode takes objects that list all their properties as required and allow no others, and a subset of the keywords. A request with
 * another schema would be refused, so it is sent without strict mode, and the gate checks the answer as always.
 */
import type { JsonSchema } from "../schema.ts";
import { recordOf } from "./chat-faults.ts";

const KEYWORDS: ReadonlySet<string> = new Set([
  ...["$schema", "$defs", "$ref", "definitions", "title", "description", "type", "enum", "const", "properties", "required"],
  ...["additionalProperties", "items", "anyOf", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  ...["multipleOf", "minItems", "maxItems", "id", "$id"],
]);
const FORMATS: ReadonlySet<string> = new Set(["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]);
const DEPTH_MAX_LEVELS = 10;
const PROPERTIES_MAX = 5_000;

/** Whether the schema qualifies. Its root must be an object. */
export function isStrict(schema: JsonSchema): boolean {
  const root = recordOf(schema);
  const count = { properties: 0 };
  return root !== undefined && root["type"] === "object" && fits(root, 1, count) && count.properties <= PROPERTIES_MAX;
}

function fits(schema: unknown, depth: number, count: { properties: number }): boolean {
  const node = recordOf(schema);
  if (node === undefined || depth > DEPTH_MAX_LEVELS) return false;
  if (Object.keys(node).some((key) => !KEYWORDS.has(key))) return false;
  if (typeof node["format"] === "string" && !FORMATS.has(node["format"])) return false;
  if (isObjectNode(node) && !closed(node)) return false;
  const properties = Object.values(recordOf(node["properties"]) ?? {});
  count.properties += properties.length;
  const definitions = [node["$defs"], node["definitions"]].flatMap((one) => Object.values(recordOf(one) ?? {}));
  const parts = [...properties, ...list(node["anyOf"]), ...("items" in node ? [node["items"]] : [])];
  return parts.every((part) => fits(part, depth + 1, count)) && definitions.every((part) => fits(part, depth, count));
}

function isObjectNode(node: Readonly<Record<string, unknown>>): boolean {
  return node["type"] === "object" || "properties" in node || (Array.isArray(node["type"]) && node["type"].includes("object"));
}

/** All properties are required, and there are no others. */
function closed(node: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(recordOf(node["properties"]) ?? {});
  const required = list(node["required"]);
  return node["additionalProperties"] === false && names.length > 0 && names.every((name) => required.includes(name));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
