/**
 * @module JSON values from a JSON Schema, by a random source: such that fit it, and such that nearly do.
 *
 * It covers what zod writes and what MCP servers commonly send. A keyword that it does not know is ignored, so a value for an exotic schema
 * may not fit.
 */
import { entryOf } from "../../runtime/entries.ts";
import type { Json } from "../../runtime/faults.ts";
import type { JsonSchema } from "../../runtime/schema.ts";
import type { Random } from "./random.ts";

type JsonObject = { readonly [key: string]: Json };

/** What values are made from. */
export interface ValueSource {
  readonly random: Random;
  /** Texts that were read somewhere; a value may repeat one where a text is wanted. */
  readonly texts?: readonly string[] | undefined;
  readonly numbers?: readonly number[] | undefined;
}

const DEPTH_MAX = 6;
const ITEMS_MAX = 3;
const TEXT_LENGTH_MAX = 12;
const NUMBER_MAX = 1_000;
const READ_SHARE = 0.6;
const OPTIONAL_SHARE = 0.5;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Texts of the formats that zod names. */
const FORMATS: Readonly<Record<string, string>> = {
  email: "someone@example.org",
  uri: "https://example.org/a",
  url: "https://example.org/a",
  uuid: "0b7c1c1e-3f5d-4a52-9a2e-2f9f5c0f1f11",
  guid: "0b7c1c1e-3f5d-4a52-9a2e-2f9f5c0f1f11",
  "date-time": "2027-01-05T00:00:00Z",
  date: "2027-01-05",
  time: "10:00:00",
  duration: "PT1H",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
};

/** Tried in turn where a text has to match a pattern. */
const PATTERN_TEXTS = ["a", "1", "a1", "A1", "abc", "ABC", "12345", "abc-1", ...Object.values(FORMATS)];

/** A value that fits the schema. */
export function valueOf(schema: JsonSchema, source: ValueSource): Json {
  return make(schema, source, { root: schema, depth: 0 });
}

interface Where {
  readonly root: JsonSchema;
  readonly depth: number;
}

function make(schema: Json | undefined, source: ValueSource, where: Where): Json {
  if (!isObject(schema)) return null;
  const { random } = source;
  const deeper: Where = { root: where.root, depth: where.depth + 1 };
  if (schema["const"] !== undefined) return schema["const"];
  if (isList(schema["enum"]) && schema["enum"].length > 0) return random.pick(schema["enum"]);
  if (typeof schema["$ref"] === "string") return make(referred(where.root, schema["$ref"]), source, deeper);
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (isList(choices) && choices.length > 0) return make(chosen(choices, random, where.depth), source, deeper);
  if (isList(schema["allOf"])) return makeAll(schema, schema["allOf"], source, deeper);
  return makeType(schema, source, deeper);
}

function makeType(schema: JsonObject, source: ValueSource, where: Where): Json {
  const { random } = source;
  const type = isList(schema["type"]) ? random.pick(schema["type"]) : schema["type"];
  switch (type ?? (schema["properties"] === undefined ? undefined : "object")) {
    case "object":
      return makeObject(schema, source, where);
    case "array":
      return makeList(schema, source, where);
    case "string":
      return makeText(schema, source);
    case "integer":
      return makeNumber(schema, source, true);
    case "number":
      return makeNumber(schema, source, false);
    case "boolean":
      return random.chance(OPTIONAL_SHARE);
    default:
      return null;
  }
}

/** Deep down the last choice is taken, which ends most recursive schemas. */
function chosen(choices: readonly Json[], random: Random, depth: number): Json {
  return depth >= DEPTH_MAX ? (choices.at(-1) ?? null) : random.pick(choices);
}

function makeAll(schema: JsonObject, parts: readonly Json[], source: ValueSource, where: Where): Json {
  const { allOf: _parts, ...own } = schema;
  const made = [own, ...parts].map((part) => make(part, source, where));
  return made.every(isObject) ? (Object.assign({}, ...made) as Json) : (made.find((part) => part !== null) ?? null);
}

function makeObject(schema: JsonObject, source: ValueSource, where: Where): Json {
  const { random } = source;
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = isList(schema["required"]) ? schema["required"] : [];
  const made: [string, Json][] = [];
  for (const [name, property] of Object.entries(properties)) {
    const isWanted = required.includes(name) || (where.depth < DEPTH_MAX && random.chance(OPTIONAL_SHARE));
    if (isWanted) made.push([name, make(property, source, where)]);
  }
  const more = schema["additionalProperties"];
  if (Object.keys(properties).length === 0 && isObject(more) && where.depth < DEPTH_MAX) {
    const names = schema["propertyNames"];
    for (let count = random.int(0, ITEMS_MAX); count > 0; count -= 1) {
      const name = isObject(names) ? make(names, source, where) : word(random);
      if (typeof name === "string") made.push([name, make(more, source, where)]);
    }
  }
  return Object.fromEntries(made);
}

function makeList(schema: JsonObject, source: ValueSource, where: Where): Json {
  const first = isList(schema["prefixItems"]) ? schema["prefixItems"].map((item) => make(item, source, where)) : [];
  const least = numberOf(schema["minItems"]) ?? 0;
  const most = numberOf(schema["maxItems"]) ?? Math.max(least, ITEMS_MAX);
  const items = schema["items"];
  if (!isObject(items)) return first;
  const count = where.depth >= DEPTH_MAX ? least : source.random.int(least, Math.max(least, Math.min(most, least + ITEMS_MAX)));
  return [...first, ...Array.from({ length: Math.max(0, count - first.length) }, () => make(items, source, where))];
}

function makeText(schema: JsonObject, { random, texts = [] }: ValueSource): string {
  const format = typeof schema["format"] === "string" ? entryOf(FORMATS, schema["format"]) : undefined;
  if (format !== undefined) return format;
  const least = numberOf(schema["minLength"]) ?? 0;
  const most = numberOf(schema["maxLength"]) ?? Math.max(least, TEXT_LENGTH_MAX);
  const pattern = typeof schema["pattern"] === "string" ? new RegExp(schema["pattern"], "u") : undefined;
  const fits = (text: string): boolean => text.length >= least && text.length <= most && pattern?.test(text) !== false;
  const read = texts.filter(fits);
  if (read.length > 0 && random.chance(READ_SHARE)) return random.pick(read);
  if (pattern !== undefined) return PATTERN_TEXTS.find(fits) ?? "";
  return word(random).padEnd(least, "x").slice(0, most);
}

function makeNumber(schema: JsonObject, { random, numbers = [] }: ValueSource, isInt: boolean): number {
  const step = numberOf(schema["multipleOf"]) ?? 1;
  const above = numberOf(schema["exclusiveMinimum"]);
  const below = numberOf(schema["exclusiveMaximum"]);
  const low = above === undefined ? (numberOf(schema["minimum"]) ?? Math.min(0, (below ?? 1) - step)) : above + step;
  const most = below === undefined ? (numberOf(schema["maximum"]) ?? Math.max(0, low) + NUMBER_MAX) : below - step;
  // Numbers without a bound that says something begin at 0.
  const least = low < -NUMBER_MAX && most >= 0 ? 0 : low;
  const fits = (number: number): boolean =>
    number >= least && number <= most && (!isInt || Number.isInteger(number)) && number % step === 0;
  const read = numbers.filter(fits);
  if (read.length > 0 && random.chance(READ_SHARE)) return random.pick(read);
  const first = Math.ceil(least / step);
  return step * random.int(first, Math.max(first, Math.floor(Math.min(most, least + NUMBER_MAX) / step)));
}

/** A value that does not fit the schema, in one of the ways in which models miss one. */
export function wrongValueOf(schema: JsonSchema, source: ValueSource): Json {
  const { random } = source;
  const value = valueOf(schema, source);
  if (!isObject(value)) return random.pick(differing(value));
  const names = Object.keys(value);
  const name = names.length === 0 ? undefined : random.pick(names);
  const { [name ?? ""]: old = null, ...rest } = value;
  const required = isList(schema["required"]) ? schema["required"] : [];
  const ways: readonly (() => Json)[] = [
    () => ({ ...value, [`${name ?? "x"}_`]: old }),
    ...(name === undefined ? [] : [() => ({ ...rest, [name]: random.pick(differing(old)) })]),
    ...(name !== undefined && required.includes(name) ? [() => rest] : []),
    () => [value],
    () => JSON.stringify(value),
  ];
  return random.pick(ways)();
}

/** Values of another type. */
function differing(value: Json): readonly Json[] {
  if (typeof value === "number") return [String(value), { value }, [value]];
  if (typeof value === "string") return [{ text: value }, [value], 0];
  if (typeof value === "boolean") return [String(value), { value }, 0];
  return value === null ? ["null", { value }] : [JSON.stringify(value), 0];
}

function word(random: Random): string {
  return Array.from({ length: random.int(3, TEXT_LENGTH_MAX / 2) }, () => random.pick([...LETTERS])).join("");
}

function referred(root: JsonSchema, ref: string): Json | undefined {
  const parts = ref.replace(/^#\/?/, "").split("/");
  return parts.reduce<Json | undefined>((at, part) => (part === "" ? at : isObject(at) ? at[part] : undefined), root);
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
