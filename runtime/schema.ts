/**
 * @module The schema gate: a value passes unchanged, or a fault says where it fails and what was expected. Pure.
 *
 * Nothing is coerced, stripped or filled in, and unknown keys are faults even if the schema is a plain `z.object`: the
 * value is parsed with zod, and the result must equal the value. `z.looseObject` and `z.catchall` still allow further
 * keys, because the author asks for them there. In a union of plain objects zod takes the first that matches, so order
 * them from the larger to the smaller, or use `z.discriminatedUnion` or `z.strictObject`.
 */
import { z } from "zod";
import { Fault, type FaultCode, type Json } from "./faults.ts";
import { LIMITS } from "./limits.ts";
import { type Key, placeText } from "./place.ts";

/** Maximum depth of a value; the same as in canonical.ts. */
const DEPTH_MAX_LEVELS = 256;
/**
 * Maximum number of JSON nodes. Each takes at least one byte, so a value with more nodes cannot fit. This also ends the walk of a cycle.
 */
const NODES_MAX = LIMITS.valueBytesMax;

/** The first problem of a value. The path is built backwards, from the place to the root. */
interface Problem {
  readonly path: Key[];
  readonly text: string;
  readonly expected: string;
}

/** The check at one boundary. */
export interface Gate {
  /**
   * Returns the value as JSON. A property whose value is `undefined` counts as absent, as in `JSON.stringify`. Throws the gate's fault
   * with details `path` (such as `items[0].price`, empty for the value itself) and `expected`.
   */
  check(value: unknown): Json;
}

/**
 * Creates the gate of a boundary. `what` names it in messages ("input of agent Planner"); `code` is the fault it throws. A schema with
 * asynchronous checks throws `definition.invalid` at its first use.
 */
export function gate(schema: z.ZodType, what: string, code: FaultCode): Gate {
  return { check: (value) => checkValue(schema, what, code, value) };
}

/** Returns a value as JSON, or throws `code`. For values without a schema, such as results of steps. */
export function requireJson(value: unknown, what: string, code: FaultCode): Json {
  const walk: Walk = { nodes: 0, absent: false };
  const problem = notJson(value, walk, 0);
  if (problem !== undefined) throw faultOf(problem, what, code);
  // The walk found only JSON nodes; at most, properties with the value undefined have to be removed.
  return walk.absent ? withoutAbsent(value as Json) : (value as Json);
}

function checkValue(schema: z.ZodType, what: string, code: FaultCode, value: unknown): Json {
  const json = requireJson(value, what, code);
  const fault = refusal(schema, what, code, json, json);
  if (fault === undefined) return json;
  // For a missing property that objects inherit, such as `constructor`, zod reads the inherited one. This copy inherits
  // nothing:
  const bare = refusal(schema, what, code, json, withoutPrototypes(json));
  if (bare === undefined) return json;
  // A check of the author may need the methods that a value without a prototype lacks.
  throw bare.cause === undefined ? bare : fault;
}

/** The fault of a value, judged by its schema on `copy`, which equals it. */
function refusal(schema: z.ZodType, what: string, code: FaultCode, json: Json, copy: Json): Fault | undefined {
  let parsed: z.ZodSafeParseResult<unknown>;
  try {
    parsed = schema.safeParse(copy);
  } catch (error) {
    return thrownBy(error, what, code);
  }
  const problem = parsed.success ? difference(json, parsed.data) : problemOf(parsed.error.issues, json);
  return problem === undefined ? undefined : faultOf(problem, what, code);
}

function withoutPrototypes(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(withoutPrototypes);
  const copies = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutPrototypes(item)]));
  return Object.assign(Object.create(null) as object, copies);
}

function thrownBy(error: unknown, what: string, code: FaultCode): Fault {
  if (error instanceof z.core.$ZodAsyncError)
    return new Fault("definition.invalid", `${what}: the schema has asynchronous checks, which are not supported; remove them`);
  const text = error instanceof Error ? error.message : "no error";
  return new Fault(
    code,
    `${what}: a check of the schema threw: ${text}`,
    { path: "", expected: "a value that the schema's checks can judge" },
    { cause: error },
  );
}

// ---- JSON or not ----------------------------------------------------------------------------------------------------

interface Walk {
  nodes: number;
  /** Whether a property has the value `undefined`. */
  absent: boolean;
}

function notJson(value: unknown, walk: Walk, depth: number): Problem | undefined {
  walk.nodes += 1;
  if (walk.nodes > NODES_MAX || depth > DEPTH_MAX_LEVELS) {
    return {
      path: [],
      text: "too large, too deep or a cycle",
      expected: `a tree of at most ${NODES_MAX} nodes and ${DEPTH_MAX_LEVELS} levels`,
    };
  }
  if (value === null || typeof value === "boolean") return undefined;
  if (typeof value === "string") return value.isWellFormed() ? undefined : halfPair();
  if (typeof value === "number") return Number.isFinite(value) ? undefined : jsonExpected(String(value));
  if (typeof value !== "object") return jsonExpected(kindOf(value));
  return Array.isArray(value) ? notJsonList(value, walk, depth) : notJsonObject(value, walk, depth);
}

function notJsonList(list: readonly unknown[], walk: Walk, depth: number): Problem | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const problem = notJson(list[index], walk, depth + 1);
    if (problem !== undefined) return under(index, problem);
  }
  return undefined;
}

function notJsonObject(value: object, walk: Walk, depth: number): Problem | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return jsonExpected(kindOf(value));
  const object = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(object)) {
    const item = object[key];
    if (item === undefined) {
      walk.absent = true;
      continue;
    }
    const problem = key.isWellFormed() ? notJson(item, walk, depth + 1) : halfPair();
    if (problem !== undefined) return under(key, problem);
  }
  return undefined;
}

/** Stores replace half of a surrogate pair by another character, so the value would come back changed. */
function halfPair(): Problem {
  return { path: [], text: "a text contains half of a surrogate pair, which is not a character", expected: "a text of whole characters" };
}

function jsonExpected(found: string): Problem {
  return { path: [], text: `expected a JSON value, found ${found}`, expected: "a JSON value" };
}

function withoutAbsent(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(withoutAbsent);
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, withoutAbsent(item)]])));
}

/** `Array.isArray` does not narrow readonly lists. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

// ---- what the schema would change -----------------------------------------------------------------------------------

/** The first place where the schema's result differs from the value. Equal references are not compared again: they are JSON. */
function difference(value: Json, result: unknown): Problem | undefined {
  if (value === result) return undefined;
  if (typeof value !== "object" || value === null || typeof result !== "object" || result === null) return changed();
  if (isList(value)) return Array.isArray(result) ? listDifference(value, result) : changed();
  return Array.isArray(result) ? changed() : objectDifference(value, result);
}

function listDifference(value: readonly Json[], result: readonly unknown[]): Problem | undefined {
  if (value.length !== result.length) return changed();
  for (const [index, item] of value.entries()) {
    const problem = difference(item, result[index]);
    if (problem !== undefined) return under(index, problem);
  }
  return undefined;
}

function objectDifference(value: { readonly [key: string]: Json }, result: object): Problem | undefined {
  const made = result as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(made, key)) return { path: [key], text: "unknown key", expected: "only the keys of the schema" };
    const problem = difference(value[key] ?? null, made[key]);
    if (problem !== undefined) return under(key, problem);
  }
  for (const key of Object.keys(made)) {
    if (made[key] !== undefined && !Object.hasOwn(value, key)) {
      return { path: [key], text: "missing; the schema has a default, but defaults are not filled in", expected: "a value" };
    }
  }
  return undefined;
}

function changed(): Problem {
  return { path: [], text: "would be changed by the schema", expected: "a value that the schema does not change" };
}

function under(key: Key, problem: Problem): Problem {
  problem.path.push(key);
  return problem;
}

// ---- messages -------------------------------------------------------------------------------------------------------

function faultOf(problem: Problem, what: string, code: FaultCode): Fault {
  const path = placeText(problem.path.toReversed());
  return new Fault(code, `${what}${path === "" ? "" : ` at ${path}`}: ${problem.text}`, { path, expected: problem.expected });
}

type Issue = z.core.$ZodIssue;

/** One violation of a schema: where, what is wrong there, and what was expected. */
export interface Violation {
  readonly path: string;
  readonly text: string;
  readonly expected: string;
}

/** A zod issue about a value as one short violation. */
export function violationOf(issue: Issue, value: Json): Violation {
  const { path, text, expected } = problemOf([issue], value);
  return { path: placeText(path.toReversed()), text, expected };
}

/** The most informative issue: in a union, that of the option that matched furthest. */
function problemOf(issues: readonly Issue[], value: Json): Problem {
  const deepest = issues[0];
  if (deepest === undefined) return changed();
  if (deepest.code === "invalid_union") {
    const best = deepest.errors
      .map((errors) => errors[0])
      .filter((issue) => issue !== undefined)
      .sort((a, b) => b.path.length - a.path.length)[0];
    if (best !== undefined && best.path.length > 0) return problemOf([{ ...best, path: [...deepest.path, ...best.path] }], value);
  }
  const path = deepest.path.map((key) => (typeof key === "symbol" ? String(key) : key));
  if (deepest.code === "unrecognized_keys") path.push(deepest.keys[0] ?? "");
  return { path: path.reverse(), ...textOf(deepest, valueAt(value, deepest.path)) };
}

/** What zod puts before the part of its message that says what is expected. */
const PREFIX = /^(Too small|Too big|Invalid input): /;

function textOf(issue: Issue, found: unknown): { readonly text: string; readonly expected: string } {
  if (issue.code === "unrecognized_keys") return { text: "unknown key", expected: "only the keys of the schema" };
  if (issue.code === "too_big" && issue.origin === "int")
    return { text: "an integer above 2^53 - 1 is not exact in JSON; send it as a string", expected: "a safe integer" };
  const expected = expectationOf(issue);
  if (expected === undefined) {
    const text = issue.message.replace(PREFIX, "");
    return { text, expected: text.replace(/^expected /, "") };
  }
  return { text: `expected ${expected}, found ${kindOf(found)}`, expected };
}

function expectationOf(issue: Issue): string | undefined {
  if (issue.code === "invalid_type") return issue.expected;
  if (issue.code === "invalid_value")
    return issue.values.length === 1
      ? JSON.stringify(issue.values[0])
      : `one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
  if (issue.code === "invalid_union") {
    const heads = issue.errors.flatMap((errors) => (errors[0] === undefined ? [] : [expectationOf(errors[0]) ?? errors[0].message]));
    return heads.length === 0 ? "one of the schema's alternatives" : heads.join(" or ");
  }
  return undefined;
}

function valueAt(value: Json, path: readonly PropertyKey[]): unknown {
  let current: unknown = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return current;
}

/** The kind of a value, never its content: inputs may be secret, and messages are published. */
function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value !== "object") return `a ${typeof value}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return "an object";
  const maker: unknown = (value as { readonly constructor?: unknown }).constructor;
  return `an instance of ${typeof maker === "function" && maker.name !== "" ? maker.name : "a class"}`;
}

// ---- JSON Schema ----------------------------------------------------------------------------------------------------

/** A JSON Schema of draft 2020-12. */
export type JsonSchema = { readonly [key: string]: Json };

/**
 * The JSON Schema of what passes the gate, for documents, OpenAPI and models.
 * @throws `definition.invalid` for a schema that JSON Schema cannot express or that changes values: dates, big integers, custom checks,
 * transforms, codecs
 */
export function jsonSchemaOf(schema: z.ZodType, what: string): JsonSchema {
  if (!isSchema(schema)) throw new Fault("definition.invalid", `${what} ${isSchemaOf3(schema) ? OF_ZOD_3 : OF_ZOD_4}`);
  let made: unknown;
  try {
    made = z.toJSONSchema(schema, { io: "output", override: (context) => refuseUnsayable(context.zodSchema) });
  } catch (error) {
    const text = error instanceof Error ? error.message : "it cannot be written as JSON Schema";
    throw new Fault("definition.invalid", `${what}: ${text}; use a schema of plain JSON values, such as z.iso.datetime() for a date`);
  }
  // zod leaves hidden functions on its result; the round trip keeps only JSON.
  return JSON.parse(JSON.stringify(made)) as JsonSchema;
}

const OF_ZOD_4 = "must be a zod schema, such as z.object({ name: z.string() })";
const OF_ZOD_3 = "is a schema of zod 3; zod 4 is needed: npm install zod@4";

function isSchemaOf3(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && "_def" in schema && "safeParse" in schema;
}

/** Not by class: a program may hold another copy of zod 4. */
function isSchema(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && "_zod" in schema;
}

/**
 * Refuses schemas that JSON Schema cannot express. zod writes the output side of a codec or a preprocessing step, but a value that
 * changes never passes the gate. Neither does one with a property `__proto__`, which zod drops.
 */
function refuseUnsayable(schema: z.core.$ZodTypes): void {
  const definition = schema._zod.def;
  if (definition.type === "object" && Object.hasOwn(definition.shape, "__proto__")) throw new Error("a property cannot be named __proto__");
  if (definition.type !== "pipe") return;
  if ("transform" in definition || definition.in._zod.def.type === "transform") throw new Error("a codec or preprocess changes values");
}
