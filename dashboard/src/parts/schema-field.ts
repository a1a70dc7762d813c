/**
 * @module What a form shows for a JSON Schema: one field for one place, its parts on demand, so that a recursive schema needs no end. What
 * no field fits is edited as JSON. Pure.
 */
import type { Json } from "../../../runtime/faults.ts";
import { isList, isObject, isSame, type JsonObject } from "./json.ts";

/** A JSON Schema. */
export type Schema = JsonObject;

/** One entry of a group. */
export interface Entry {
  readonly key: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** One possibility of a choice between schemas. */
export interface Variant {
  readonly title: string;
  readonly schema: Schema;
}

/** How a place of a form is edited. */
export type Field =
  | { readonly kind: "text"; readonly format: string | undefined; readonly isLong: boolean; readonly lengthMax: number | undefined }
  | { readonly kind: "number"; readonly isWhole: boolean; readonly min: number | undefined; readonly max: number | undefined }
  | { readonly kind: "yes-no" }
  | { readonly kind: "constant"; readonly value: Json }
  | { readonly kind: "choice"; readonly options: readonly Json[] }
  | { readonly kind: "group"; readonly entries: readonly Entry[] }
  | { readonly kind: "list"; readonly item: Schema; readonly itemsMin: number; readonly itemsMax: number | undefined }
  | { readonly kind: "variants"; readonly variants: readonly Variant[] }
  | { readonly kind: "json" };

/** Texts that may be longer than this get several lines. */
const SHORT_TEXT_CHARS_MAX = 120;
/** Steps of references that are followed; a longer way is a ring. */
const REFERENCES_MAX = 32;
/** Levels of groups that an initial value fills. */
const INITIAL_LEVELS_MAX = 8;
/** Bounds that zod writes for every whole number: they are no bounds. */
const SAFE_MAX = Number.MAX_SAFE_INTEGER;

/** A schema without references at its top. `root` holds what they name; a reference that leads nowhere takes everything. */
export function resolved(schema: Schema, root: Schema): Schema {
  let at = schema;
  for (let steps = 0; typeof at["$ref"] === "string"; steps += 1) {
    const { $ref, ...beside } = at;
    const target = steps < REFERENCES_MAX ? pointed(root, String($ref)) : undefined;
    if (target === undefined) return beside;
    at = { ...target, ...beside };
  }
  return at;
}

function pointed(root: Schema, reference: string): Schema | undefined {
  if (!reference.startsWith("#")) return undefined;
  let at: Json | undefined = root;
  for (const part of reference
    .slice(1)
    .split("/")
    .filter((text) => text !== "")) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return isObject(at) ? at : undefined;
}

/** The field for a schema. */
export function fieldOf(given: Schema, root: Schema): Field {
  const schema = resolved(given, root);
  if (schema["const"] !== undefined) return { kind: "constant", value: schema["const"] };
  if (isList(schema["enum"])) return { kind: "choice", options: schema["enum"] };
  const variants = [schema["anyOf"], schema["oneOf"]].find(isList);
  if (variants !== undefined) return variantsOf(variants.filter(isObject), root);
  switch (schema["type"]) {
    case "string":
      return textOf(schema);
    case "integer":
    case "number":
      return { kind: "number", isWhole: schema["type"] === "integer", min: bound(schema, "minimum"), max: bound(schema, "maximum") };
    case "boolean":
      return { kind: "yes-no" };
    case "null":
      return { kind: "constant", value: null };
    case "array":
      return listOf(schema);
    case "object":
      return groupOf(schema);
    default:
      return { kind: "json" };
  }
}

function textOf(schema: Schema): Field {
  const lengthMax = numberAt(schema, "maxLength");
  const format = typeof schema["format"] === "string" ? schema["format"] : undefined;
  const isLong = format === undefined && schema["pattern"] === undefined && (lengthMax ?? 0) > SHORT_TEXT_CHARS_MAX;
  return { kind: "text", format, isLong, lengthMax };
}

function listOf(schema: Schema): Field {
  const { items } = schema;
  if (!isObject(items) || schema["prefixItems"] !== undefined) return { kind: "json" };
  return { kind: "list", item: items, itemsMin: numberAt(schema, "minItems") ?? 0, itemsMax: numberAt(schema, "maxItems") };
}

/** An object with named properties. One with free keys is edited as JSON. */
function groupOf(schema: Schema): Field {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = isList(schema["required"]) ? schema["required"] : [];
  const isOpen = isObject(schema["additionalProperties"]) && Object.keys(schema["additionalProperties"]).length > 0;
  const entries = Object.entries(properties).flatMap(([key, entry]) =>
    isObject(entry) ? [{ key, schema: entry, required: required.includes(key) }] : [],
  );
  return entries.length === 0 || isOpen ? { kind: "json" } : { kind: "group", entries };
}

/** Constants alone are a choice; otherwise each possibility is shown under its title. */
function variantsOf(schemas: readonly Schema[], root: Schema): Field {
  const parts = schemas.map((schema) => ({ schema, field: fieldOf(schema, root) }));
  const constants = parts.flatMap(({ field }) => (field.kind === "constant" ? [field.value] : []));
  if (constants.length === parts.length) return { kind: "choice", options: constants };
  if (parts.length === 1 && parts[0] !== undefined) return parts[0].field;
  return {
    kind: "variants",
    variants: parts.map(({ schema, field }) => ({ title: titleOf(resolved(schema, root), field, root), schema })),
  };
}

/** What tells a possibility from the others: its title, the constant that marks it, or what kind it is. */
function titleOf(schema: Schema, field: Field, root: Schema): string {
  if (typeof schema["title"] === "string") return schema["title"];
  switch (field.kind) {
    case "constant":
      return field.value === null ? "none" : String(JSON.stringify(field.value));
    case "group": {
      const marks = field.entries.flatMap(({ key, schema: entry }) => {
        const inner = fieldOf(entry, root);
        return inner.kind === "constant" ? [`${key}: ${String(inner.value)}`] : [];
      });
      return marks[0] ?? field.entries.map(({ key }) => key).join(", ");
    }
    case "yes-no":
      return "yes or no";
    default:
      return field.kind;
  }
}

/** The index of the possibility that a value has: the one that it fits best. 0 if there is no value. */
export function variantOf(value: Json | undefined, variants: readonly Variant[], root: Schema): number {
  const scores = variants.map(({ schema }) => scoreOf(value, schema, root));
  return Math.max(0, scores.indexOf(Math.max(...scores)));
}

function scoreOf(value: Json | undefined, schema: Schema, root: Schema): number {
  const field = fieldOf(schema, root);
  switch (field.kind) {
    case "constant":
      return isSame(value, field.value) ? 3 : -1;
    case "choice":
      return field.options.some((option) => isSame(option, value)) ? 3 : -1;
    case "text":
      return typeof value === "string" ? 1 : -1;
    case "number":
      return typeof value === "number" ? 1 : -1;
    case "yes-no":
      return typeof value === "boolean" ? 1 : -1;
    case "list":
      return isList(value) ? 1 : -1;
    case "group":
      return isObject(value) ? groupScore(value, field.entries, root) : -1;
    default:
      return 0;
  }
}

function groupScore(value: JsonObject, entries: readonly Entry[], root: Schema): number {
  return entries.reduce((score, { key, schema, required }) => {
    if (!Object.hasOwn(value, key)) return required ? score - 1 : score;
    return score + scoreOf(value[key], schema, root);
  }, 1);
}

/** What a form begins with: defaults, constants and empty groups. What a person must fill in is absent, texts are empty. */
export function initialOf(given: Schema, root: Schema, level = 0): Json | undefined {
  const schema = resolved(given, root);
  if (schema["default"] !== undefined) return schema["default"];
  const field = fieldOf(schema, root);
  switch (field.kind) {
    case "constant":
      return field.value;
    case "text":
      return "";
    case "list":
      return [];
    case "group":
      if (level >= INITIAL_LEVELS_MAX) return undefined;
      return Object.fromEntries(
        field.entries.flatMap(({ key, schema: entry, required }) => {
          const value = required ? initialOf(entry, root, level + 1) : resolved(entry, root)["default"];
          return value === undefined ? [] : [[key, value]];
        }),
      );
    case "variants":
      return field.variants[0] === undefined ? undefined : initialOf(field.variants[0].schema, root, level + 1);
    default:
      return undefined;
  }
}

/** A number under a keyword. */
export function numberAt(schema: Schema, keyword: string): number | undefined {
  const value = schema[keyword];
  return typeof value === "number" ? value : undefined;
}

/** A bound of a number, if it says more than that the number is one. */
export function bound(schema: Schema, keyword: "minimum" | "maximum"): number | undefined {
  const value = numberAt(schema, keyword);
  return value === undefined || Math.abs(value) >= SAFE_MAX ? undefined : value;
}

/** What a schema says about its value, for the reader of the form. */
export function aboutOf(given: Schema, root: Schema): string | undefined {
  const about = resolved(given, root)["description"];
  return typeof about === "string" ? about : undefined;
}
