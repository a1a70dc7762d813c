/**
 * @module Checks a value against a JSON Schema as far as a form can help: kinds, required keys, bounds, lengths, patterns, choices. The
 * system checks the whole and is the judge. Pure.
 */
import type { Json } from "../../../runtime/faults.ts";
import { isList, isObject, isSame, pathText, type JsonObject, type Path } from "./json.ts";
import { bound, numberAt, resolved, type Schema } from "./schema-field.ts";

/** What is wrong at a place. */
export interface Problem {
  readonly path: string;
  readonly text: string;
}

/** Levels that are checked; below, the system alone does it. */
const LEVELS_MAX = 32;

/** What is wrong with a value, at most one problem for each place. Empty: nothing that this page can see. */
export function problemsOf(value: Json | undefined, schema: Schema, root: Schema = schema): readonly Problem[] {
  return check({ value, schema, root, path: [] });
}

interface Place {
  readonly value: Json | undefined;
  readonly schema: Schema;
  readonly root: Schema;
  readonly path: Path;
}

function check(place: Place): readonly Problem[] {
  const { value, root, path } = place;
  if (path.length > LEVELS_MAX) return [];
  const schema = resolved(place.schema, root);
  if (value === undefined) return [problem(path, "is needed")];
  if (schema["const"] !== undefined && !isSame(schema["const"], value))
    return [problem(path, `must be ${JSON.stringify(schema["const"])}`)];
  const options = schema["enum"];
  if (isList(options) && !options.some((option) => isSame(option, value)))
    return [problem(path, `must be one of ${options.map((option) => JSON.stringify(option)).join(", ")}`)];
  const variants = [schema["anyOf"], schema["oneOf"]].find(isList);
  if (variants !== undefined) return ofVariants(variants.filter(isObject), place);
  const kind = schema["type"];
  if (typeof kind === "string" && !isOfKind(value, kind)) return [problem(path, KINDS[kind] ?? `must be of the type ${kind}`)];
  if (typeof value === "string") return ofText(value, schema, path);
  if (typeof value === "number") return ofNumber(value, schema, path);
  if (isList(value)) return ofList(value, schema, place);
  return isObject(value) ? ofObject(value, schema, place) : [];
}

const KINDS: Readonly<Record<string, string>> = {
  string: "must be a text",
  number: "must be a number",
  integer: "must be a whole number",
  boolean: "must be yes or no",
  object: "must be an object",
  array: "must be a list",
  null: "must be null",
};

function isOfKind(value: Json, kind: string): boolean {
  switch (kind) {
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "object":
      return isObject(value);
    case "array":
      return isList(value);
    case "null":
      return value === null;
    default:
      return typeof value === kind;
  }
}

function problem(path: Path, text: string): Problem {
  return { path: pathText(path), text };
}

/** The problems of the possibility that comes closest. */
function ofVariants(variants: readonly Schema[], { value, root, path }: Place): readonly Problem[] {
  const found = variants.map((schema) => check({ value, schema, root, path }));
  if (found.length === 0 || found.some((problems) => problems.length === 0)) return [];
  const deepest = found.filter((problems) => problems.every((one) => one.path !== pathText(path)));
  return (deepest.length === 0 ? found : deepest).toSorted((a, b) => a.length - b.length)[0] ?? [];
}

function ofText(value: string, schema: Schema, path: Path): readonly Problem[] {
  const { length } = [...value];
  const min = numberAt(schema, "minLength") ?? 0;
  const max = numberAt(schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  if (length < min) return [problem(path, min === 1 ? "must not be empty" : `must have at least ${min} characters`)];
  if (length > max) return [problem(path, `must have at most ${max} characters`)];
  return fits(value, schema["pattern"]) ? [] : [problem(path, formatText(schema))];
}

function formatText(schema: Schema): string {
  return typeof schema["format"] === "string" ? `must be in the format ${schema["format"]}` : `must fit ${String(schema["pattern"])}`;
}

/** A pattern that this browser cannot read fits: the system judges. */
function fits(value: string, pattern: Json | undefined): boolean {
  if (typeof pattern !== "string") return true;
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

function ofNumber(value: number, schema: Schema, path: Path): readonly Problem[] {
  const [min, max] = [bound(schema, "minimum"), bound(schema, "maximum")];
  const [above, below] = [numberAt(schema, "exclusiveMinimum"), numberAt(schema, "exclusiveMaximum")];
  if (min !== undefined && value < min) return [problem(path, `must be at least ${min}`)];
  if (max !== undefined && value > max) return [problem(path, `must be at most ${max}`)];
  if (above !== undefined && value <= above) return [problem(path, `must be more than ${above}`)];
  return below !== undefined && value >= below ? [problem(path, `must be less than ${below}`)] : [];
}

function ofList(value: readonly Json[], schema: Schema, { root, path }: Place): readonly Problem[] {
  const min = numberAt(schema, "minItems") ?? 0;
  const max = numberAt(schema, "maxItems") ?? Number.POSITIVE_INFINITY;
  if (value.length < min) return [problem(path, `must have at least ${min} ${min === 1 ? "item" : "items"}`)];
  if (value.length > max) return [problem(path, `must have at most ${max} items`)];
  const prefix = isList(schema["prefixItems"]) ? schema["prefixItems"] : [];
  return value.flatMap((item, index) => {
    const of = prefix[index] ?? schema["items"];
    return isObject(of) ? check({ value: item, schema: of, root, path: [...path, index] }) : [];
  });
}

function ofObject(value: JsonObject, schema: Schema, { root, path }: Place): readonly Problem[] {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = isList(schema["required"]) ? schema["required"].map(String) : [];
  const others = schema["additionalProperties"];
  const missing = required.filter((key) => !Object.hasOwn(value, key)).map((key) => problem([...path, key], "is needed"));
  const wrong = Object.entries(value).flatMap(([key, item]) => {
    const of = Object.hasOwn(properties, key) ? properties[key] : others;
    if (of === false) return [problem([...path, key], "is not known")];
    return isObject(of) ? check({ value: item, schema: of, root, path: [...path, key] }) : [];
  });
  return [...missing, ...wrong];
}
