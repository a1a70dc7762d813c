/** @module The parameters of a BFCL tool as JSON Schema: the bed names types as Python does. */
import type { Json } from "../../runtime/faults.ts";
import type { JsonSchema } from "../../runtime/schema.ts";

const TYPES: Readonly<Record<string, string>> = { dict: "object", float: "number", tuple: "array", any: "any" };
/** Words of JSON Schema that limit a value. `default` and `description` do not. */
const KEPT = ["enum", "format", "maximum", "minimum", "required"];

/** Returns the schema, closed: keys that it does not name are not allowed. */
export function asJsonSchema(parameters: { readonly [key: string]: Json }): JsonSchema {
  const said = parameters["type"];
  const type = typeof said === "string" ? (TYPES[said] ?? said) : "any";
  const kept = KEPT.flatMap((word) => (parameters[word] === undefined ? [] : [[word, parameters[word]] as const]));
  const described = typeof parameters["description"] === "string" ? { description: parameters["description"] } : {};
  const own: JsonSchema = { ...(type === "any" ? {} : { type }), ...described, ...Object.fromEntries(kept) };
  const { properties, items } = parameters;
  if (type === "object") {
    const named = { ...unsaid(parameters["required"]), ...(isObject(properties) ? each(properties) : {}) };
    return { ...own, ...(isObject(properties) || Object.keys(named).length > 0 ? { properties: named, additionalProperties: false } : {}) };
  }
  return type === "array" && isObject(items) ? { ...own, items: asJsonSchema(items) } : own;
}

/** Properties that must be there and are not described: anything fits them. */
function unsaid(required: Json | undefined): JsonSchema {
  return Object.fromEntries(Array.isArray(required) ? (required as readonly Json[]).map((name) => [String(name), {}] as const) : []);
}

function each(properties: { readonly [key: string]: Json }): JsonSchema {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, isObject(value) ? asJsonSchema(value) : {}]));
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
