/**
 * @module Conditions of stops, in CEL (Common Expression Language). Pure.
 *
 * `matches()` is refused: in @marcbachmann/cel-js 8.0.0 it is a JavaScript RegExp that can run for ever and cannot be
 * replaced, and a condition may come from a planner.
 */
import { Environment } from "@marcbachmann/cel-js";
import { Fault, type Json } from "./faults.ts";
import type { Scope } from "./expression.ts";

const AST_NODES_MAX = 500;
const AST_DEPTH_MAX = 32;
const CONDITION_LENGTH_MAX = 2_000;
const CACHE_MAX = 512;

type Parsed = ReturnType<Environment["parse"]>;
const parsed = new Map<string, Parsed>();

function environment(names: readonly string[]): Environment {
  let made = new Environment({ limits: { maxAstNodes: AST_NODES_MAX, maxDepth: AST_DEPTH_MAX } });
  for (const name of names) made = made.registerVariable(name, "dyn");
  return made;
}

/** Checks a condition against the names of its scope. Throws `slip.condition` with what is wrong. */
export function checkCondition(text: string, names: readonly string[]): void {
  const result = parse(text, names).check();
  if (!result.valid)
    throw new Fault("slip.condition", `condition ${JSON.stringify(text)}: ${result.error?.message ?? "does not type-check"}`);
  if (result.type !== "bool" && result.type !== "dyn")
    throw new Fault("slip.condition", `condition ${JSON.stringify(text)} gives a value of type ${String(result.type)}, not true or false`);
}

/** Whether a condition holds. Throws `slip.condition` when it gives anything but true or false. */
export function holds(text: string, scope: Scope): boolean {
  const names = Object.keys(scope).sort();
  let result: unknown;
  try {
    result = evaluated(parse(text, names), scope);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      "slip.condition",
      `condition ${JSON.stringify(text)}: ${error instanceof Error ? error.message : "cannot be evaluated"}`,
    );
  }
  if (typeof result !== "boolean")
    throw new Fault("slip.condition", `condition ${JSON.stringify(text)} gave a ${typeof result}, not true or false`);
  return result;
}

/** cel-js tells a map by its property `constructor`, so an object that has one of its own is given as a Map when it fails. */
function evaluated(condition: Parsed, scope: Scope): unknown {
  try {
    return condition(scope);
  } catch (error) {
    const entries = Object.entries(scope);
    if (!entries.some(([, value]) => namesConstructor(value))) throw error;
    return condition(Object.fromEntries(entries.map(([name, value]) => [name, withMaps(value)])));
  }
}

function namesConstructor(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "constructor") || Object.values(value).some(namesConstructor);
}

function withMaps(value: Json): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withMaps);
  const entries = Object.entries(value).map(([key, item]) => [key, withMaps(item)] as const);
  return Object.hasOwn(value, "constructor") ? new Map(entries) : Object.fromEntries(entries);
}

/** Parsing is pure, so its results may be kept; the cache is bounded and forgets the oldest. */
function parse(text: string, names: readonly string[]): Parsed {
  const key = `${names.join(",")}|${text}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const made = parseNew(text, names);
  if (parsed.size >= CACHE_MAX) parsed.delete(parsed.keys().next().value ?? "");
  parsed.set(key, made);
  return made;
}

function parseNew(text: string, names: readonly string[]): Parsed {
  if (text.length > CONDITION_LENGTH_MAX)
    throw new Fault("slip.condition", `a condition is longer than ${CONDITION_LENGTH_MAX} characters`);
  let made: Parsed;
  try {
    made = environment(names).parse(text);
  } catch (error) {
    throw new Fault("slip.condition", `condition ${JSON.stringify(text)}: ${error instanceof Error ? error.message : "cannot be parsed"}`);
  }
  if (usesMatches(made.ast))
    throw new Fault(
      "slip.condition",
      `condition ${JSON.stringify(text)}: matches() is not available; use startsWith, endsWith, contains or ==`,
    );
  return made;
}

function usesMatches(node: unknown): boolean {
  if (typeof node !== "object" || node === null) return false;
  if (Array.isArray(node)) return node.some(usesMatches);
  const { op, args } = node as { readonly op?: unknown; readonly args?: unknown };
  if ((op === "rcall" || op === "call") && Array.isArray(args) && args[0] === "matches") return true;
  return usesMatches(args);
}
