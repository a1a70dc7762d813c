/**
 * @module The gate of a JSON Schema that comes from outside, such as that of a tool of an MCP server.
 *
 * Such a schema is hostile until proven otherwise: it is bounded, refers to nothing outside, is not asynchronous, and each check has a
 * time limit, because a pattern or a recursive choice can take for ever.
 */
import vm from "node:vm";
import type { ErrorObject, Options, ValidateFunction } from "ajv";
import { Ajv } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { canonicalJson } from "../runtime/canonical.ts";
import { Fault, type FaultCode, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { type Key, placeText } from "../runtime/place.ts";
import { type Gate, type JsonSchema, requireJson } from "../runtime/schema.ts";

/** Nothing is coerced, filled in or removed. Keywords and formats that are not known are ignored, as JSON Schema says. */
const OPTIONS: Options = {
  strict: false,
  logger: false,
  code: { regExp: Object.assign(pattern, { code: "pattern" }) },
};

/** Schemas of other programs are not always valid in Unicode mode, such as `[\w-.]`. */
function pattern(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch {
    return new RegExp(source, flags.replace("u", ""));
  }
}

/**
 * The gate of a JSON Schema: drafts 6, 7, 2019-09 and 2020-12, by its `$schema`; 2020-12 without one. Values pass unchanged.
 * `what` and `code` are as for `gate`. @throws `mcp.schema`
 */
export function jsonSchemaGate(schema: JsonSchema, what: string, code: FaultCode): Gate {
  const validate = compiled(schema, what);
  return {
    check: (value) => {
      const json = requireJson(value, what, code);
      const errors = checked(validate, json);
      if (errors === undefined) return json;
      const { path, text, expected } = problemOf(errors, json);
      const place = placeText(path);
      throw new Fault(code, `${what}${place === "" ? "" : ` at ${place}`}: ${text}`, { path: place, expected });
    },
  };
}

function compiled(schema: JsonSchema, what: string): ValidateFunction {
  const refuse = (text: string): Fault => new Fault("mcp.schema", `${what}: ${text}`);
  if (canonicalJson(schema).length > LIMITS.mcpToolBytesMax) throw refuse(`the schema has more than ${LIMITS.mcpToolBytesMax} characters`);
  if (holdsAsync(schema)) throw refuse("the schema is asynchronous ($async)");
  const ajv = engineOf(schema);
  if (ajv === undefined) throw refuse("the dialect of its $schema is not supported; known are drafts 6, 7, 2019-09 and 2020-12");
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : "the schema cannot be used");
  } finally {
    ajv.removeSchema(schema);
  }
}

const DIALECTS: readonly (readonly [RegExp, () => Ajv])[] = [
  [/\/draft-07\/schema#?$/, () => new Ajv(OPTIONS)],
  [/\/draft-06\/schema#?$/, () => new Ajv(OPTIONS).addMetaSchema(DRAFT_6)],
  [/\/draft\/2019-09\/schema#?$/, () => new Ajv2019(OPTIONS)],
  [/\/draft\/2020-12\/schema#?$/, () => new Ajv2020(OPTIONS)],
];
const NEWEST = "https://json-schema.org/draft/2020-12/schema";
/** Draft 6 is a part of draft 7. */
const DRAFT_6 = { $id: "http://json-schema.org/draft-06/schema", $ref: "http://json-schema.org/draft-07/schema#" };

const engines = new Map<RegExp, Ajv>();

/** A schema that gives itself names has an engine of its own, because others could refer to these names. */
function engineOf(schema: JsonSchema): Ajv | undefined {
  const { $schema = NEWEST } = schema;
  const found = DIALECTS.find(([form]) => typeof $schema === "string" && form.test($schema));
  if (found === undefined) return undefined;
  const [form, make] = found;
  const shared = !NAMES.test(canonicalJson(schema));
  const engine = (shared ? engines.get(form) : undefined) ?? addFormats.default(make());
  if (shared) engines.set(form, engine);
  return engine;
}

const NAMES = /"(\$id|\$anchor|\$dynamicAnchor|\$recursiveAnchor)":/;

/** The validator of such a schema returns a promise, which is no answer. */
function holdsAsync(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => key === "$async" || holdsAsync(item));
}

// ---- checking within a time -----------------------------------------------------------------------------------------

const guarded: { run?: () => void } = {};
const GUARD = vm.createContext(guarded);
const RUN = new vm.Script("run()");
const TIME_OUT = "ERR_SCRIPT_EXECUTION_TIMEOUT";

/** Undefined: the value fits. */
function checked(validate: ValidateFunction, value: Json): readonly ErrorObject[] | undefined {
  let fits = false;
  const run = (): void => {
    fits = validate(value) === true;
  };
  try {
    // A process that was frozen in the middle of a check deserves a second one.
    if (!ends(run) && !ends(run)) return problem(`the check took more than ${LIMITS.jsonSchemaCheckMs} ms`);
  } catch (error) {
    return problem(`the check failed: ${error instanceof Error ? error.message : "no error"}`);
  }
  return fits ? undefined : (validate.errors ?? []);
}

/** Whether the action ends within the time. */
function ends(action: () => void): boolean {
  guarded.run = action;
  try {
    RUN.runInContext(GUARD, { timeout: LIMITS.jsonSchemaCheckMs });
    return true;
  } catch (error) {
    // The error is one of the context, so it is no instance of this one's Error.
    if (typeof error === "object" && error !== null && "code" in error && error.code === TIME_OUT) return false;
    throw error;
  } finally {
    delete guarded.run;
  }
}

function problem(message: string): readonly ErrorObject[] {
  return [{ keyword: "", instancePath: "", schemaPath: "", params: {}, message }];
}

// ---- messages -------------------------------------------------------------------------------------------------------

interface Problem {
  readonly path: readonly Key[];
  readonly text: string;
  readonly expected: string;
}

/** The most informative error: in a choice, that of the alternative that matched furthest. */
function problemOf(errors: readonly ErrorObject[], value: Json): Problem {
  const deepest = errors.toSorted((a, b) => depthOf(b) - depthOf(a))[0];
  if (deepest === undefined) return { path: [], text: "does not fit", expected: "a value that fits the schema" };
  const path = keysOf(deepest.instancePath, value);
  const alternatives = errors.filter((error) => error.instancePath === deepest.instancePath && !CHOICES.has(error.keyword));
  if (alternatives.length > 1) {
    const each = alternatives.map(textOf).map(({ key, expected }) => (key === undefined ? expected : `${expected} at ${placeText([key])}`));
    const expected = [...new Set(each)].join(" or ");
    return { path, text: `expected ${expected}`, expected };
  }
  const { key, ...text } = textOf(alternatives[0] ?? deepest);
  return { path: key === undefined ? path : [...path, key], ...text };
}

const CHOICES = new Set(["anyOf", "oneOf", "if"]);

function depthOf(error: ErrorObject): number {
  return error.instancePath.split("/").length;
}

function textOf({ keyword, params, message = "does not fit" }: ErrorObject): {
  readonly text: string;
  readonly expected: string;
  readonly key?: string;
} {
  const facts = params as Readonly<Record<string, unknown>>;
  const unknown = facts["additionalProperty"] ?? facts["unevaluatedProperty"];
  if (unknown !== undefined) return { key: String(unknown), text: "unknown key", expected: "only the keys of the schema" };
  const missing = facts["missingProperty"];
  if (missing !== undefined && keyword === "required") return { key: String(missing), text: "missing", expected: "a value" };
  const allowed = facts["allowedValues"] ?? (keyword === "const" ? [facts["allowedValue"]] : undefined);
  if (Array.isArray(allowed)) {
    const expected = allowed.map((item) => JSON.stringify(item)).join(", ");
    return expectation(allowed.length === 1 ? expected : `one of ${expected}`);
  }
  if (keyword === "type") return expectation([facts["type"]].flat().join(" or "));
  return { text: message, expected: message.replace(/^must (?:be |have )?/, "") };
}

function expectation(expected: string): { readonly text: string; readonly expected: string } {
  return { text: `expected ${expected}`, expected };
}

/** A JSON Pointer as keys; those of lists are numbers. */
function keysOf(pointer: string, value: Json): readonly Key[] {
  let current: unknown = value;
  return pointer
    .split("/")
    .slice(1)
    .map((part) => {
      const text = part.replaceAll("~1", "/").replaceAll("~0", "~");
      const key = Array.isArray(current) ? Number(text) : text;
      current = typeof current === "object" && current !== null ? (current as Readonly<Record<Key, unknown>>)[key] : undefined;
      return key;
    });
}
