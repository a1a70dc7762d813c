/**
 * @module Types of the values in conditions, derived from JSON Schemas. Pure.
 */
import type { Json } from "../faults.ts";
import type { JsonSchema } from "../schema.ts";
import { isObject, resolveShape, type Shape, shapeIn } from "../shape.ts";
import type { Kind } from "./functions.ts";

const UNIONS_DEPTH_MAX = 16;

/** One kind of value. Items and properties are computed on demand, because schemas may be recursive. */
export type Option =
  | { readonly kind: "null" | "boolean" | "number" }
  /** `values`: the only possible ones, if known. */
  | { readonly kind: "string"; readonly values?: readonly string[] }
  | { readonly kind: "list"; readonly item: () => Type }
  | { readonly kind: "object"; readonly names: readonly string[]; readonly property: (name: string) => Property | undefined };

/** The possible kinds of a value, or `any`, which is not checked. */
export type Type = "any" | readonly Option[];

/** A property. `always` and `sometimes` come from a schema; `unknown` is a property of a record. */
export interface Property {
  readonly type: Type;
  readonly present: "always" | "sometimes" | "unknown";
}

/** The type of one kind. */
export const typeOf = (kind: "null" | "boolean" | "number" | "string"): Type => [{ kind }];

/** The union of several types. */
export function union(types: readonly Type[]): Type {
  const options: Option[] = [];
  for (const type of types) {
    if (type === "any") return "any";
    for (const option of type) if (!isKnown(options, option)) options.push(option);
  }
  return options;
}

function isKnown(options: readonly Option[], option: Option): boolean {
  if (option.kind === "list" || option.kind === "object" || option.kind === "string") return options.includes(option);
  return options.some(({ kind }) => kind === option.kind);
}

/** A type without null. */
export function withoutNull(type: Type): Type {
  return type === "any" ? type : type.filter(({ kind }) => kind !== "null");
}

/** The kinds of a type, each once. */
export function kindsOf(type: readonly Option[]): readonly Kind[] {
  return [...new Set(type.map(({ kind }) => kind))];
}

/** Returns the type that a schema describes. Open schemas, and keywords that this function does not read, give `any`. */
export function typeOfShape(shape: Shape | undefined, depth = 0): Type {
  const found = resolveShape(shape);
  if (found === undefined || depth > UNIONS_DEPTH_MAX) return "any";
  const { node, root } = found;
  if (Array.isArray(node["allOf"])) return "any";
  const options = node["anyOf"] ?? node["oneOf"];
  if (Array.isArray(options)) return union((options as readonly Json[]).map((option) => typeOfShape(shapeIn(option, root), depth + 1)));
  if (node["const"] !== undefined) return union([typeOfValue(node["const"])]);
  if (Array.isArray(node["enum"])) return union((node["enum"] as readonly Json[]).map(typeOfValue));
  const types: readonly Json[] = Array.isArray(node["type"]) ? (node["type"] as readonly Json[]) : [node["type"] ?? null];
  return union(types.map((type) => typeOfKind(type, node, root)));
}

function typeOfValue(value: Json): Type {
  if (typeof value === "string") return [{ kind: "string", values: [value] }];
  if (value === null) return typeOf("null");
  return typeof value === "number" || typeof value === "boolean" ? typeOf(typeof value === "number" ? "number" : "boolean") : "any";
}

function typeOfKind(type: Json, node: JsonSchema, root: JsonSchema): Type {
  switch (type) {
    case "null":
    case "boolean":
    case "number":
    case "string":
      return typeOf(type);
    case "integer":
      return typeOf("number");
    case "array":
      return [{ kind: "list", item: () => itemType(node, root) }];
    case "object":
      return [objectType(node, root)];
    default:
      return "any";
  }
}

function itemType(node: JsonSchema, root: JsonSchema): Type {
  const fixed = Array.isArray(node["prefixItems"]) ? (node["prefixItems"] as readonly Json[]) : [];
  const rest = node["items"] === false ? [] : [typeOfShape(shapeIn(node["items"], root))];
  return union([...fixed.map((item) => typeOfShape(shapeIn(item, root))), ...rest]);
}

function objectType(node: JsonSchema, root: JsonSchema): Option {
  const properties = isObject(node["properties"]) ? node["properties"] : {};
  const required: readonly Json[] = Array.isArray(node["required"]) ? (node["required"] as readonly Json[]) : [];
  const isOpen = node["additionalProperties"] !== false || isObject(node["patternProperties"]);
  const others = (): Property => ({ type: typeOfShape(shapeIn(node["additionalProperties"], root)), present: "unknown" });
  return {
    kind: "object",
    names: Object.keys(properties),
    property: (name) => {
      if (!Object.hasOwn(properties, name)) return isOpen ? others() : undefined;
      return { type: typeOfShape(shapeIn(properties[name], root)), present: required.includes(name) ? "always" : "sometimes" };
    },
  };
}
