/**
 * @module The recording proxy: a mapping function runs once, when the route is defined, and what it reads is recorded as data.
 *
 * The source is parsed first (see mapping-source.ts), so the function only reads properties and builds objects and lists. The run
 * gives the values: paths for what it reads from the argument, literals for constants around the mapping.
 * The proxy rejects any other operation that it sees, such as a constant's getter that works on a read value.
 * `a?.b` is recorded as `a.b`: if the path leads to nothing, the key that holds it is left out.
 */
import type { Expression } from "../runtime/expression.ts";
import { isFault, type Json } from "../runtime/faults.ts";
import { invalid } from "./definition.ts";
import { checkSource } from "./mapping-source.ts";

const DEPTH_MAX_LEVELS = 64;

/** The paths that proxies stand for. */
const recorded = new WeakMap<object, readonly string[]>();

/**
 * Records a mapping over a scope, `({ task, plan }) => ...`, in which exactly `names` are known.
 * @throws `definition.invalid`
 */
export function recordScope(mapping: (scope: never) => unknown, names: readonly string[], where: string): Expression {
  return run(mapping, scopeOf(where, names), where);
}

/** Records a mapping over one value, `(query) => query.customer`. The expression knows the value as `name`. */
export function recordArgument(mapping: (argument: never) => unknown, name: string, where: string): Expression {
  return run(mapping, valueOf(where, [name]), where);
}

function run(mapping: (argument: never) => unknown, argument: unknown, where: string): Expression {
  if (typeof mapping !== "function") throw invalid(where, "a mapping must be a function, such as ({ task }) => task");
  checkSource(mapping, where);
  let result: unknown;
  try {
    // The proxy stands for a value of the mapping's argument type; the mapping can do nothing else with it.
    result = mapping(argument as never);
  } catch (error) {
    if (isFault(error)) throw error;
    throw invalid(
      where,
      `the mapping threw ${error instanceof Error ? `${error.name}: ${error.message}` : "a value that is not an Error"}`,
    );
  }
  return expressionOf(result, where, [], 0);
}

// ---- the proxies ----------------------------------------------------------------------------------------------------

function scopeOf(where: string, names: readonly string[]): object {
  const refuse = (what: string) => (): never => {
    throw invalid(where, `${what}; name what you need: ({ ${names.join(", ")} }) => ...`);
  };
  const scope: object = new Proxy(
    {},
    {
      ...refusals(refuse, "the scope"),
      get: (_target, key) => {
        if (typeof key === "string" && names.includes(key)) return valueOf(where, [key]);
        throw invalid(where, `the scope has no ${JSON.stringify(String(key))}; at this stop it has ${names.join(", ")}`);
      },
    },
  );
  recorded.set(scope, []);
  return scope;
}

/** The target is a function so that calls are trapped. It is an arrow, because an arrow has no fixed properties that restrict traps. */
function valueOf(where: string, path: readonly string[]): object {
  const place = path.join(".");
  const refuse = (what: string) => (): never => {
    throw invalid(where, `${what}; a mapping may only read properties and build objects and lists`);
  };
  const proxy: object = new Proxy(() => undefined, {
    ...refusals(refuse, place),
    get: (_target, key) => {
      if (typeof key === "string") return valueOf(where, [...path, key]);
      return refuse(symbolUse(key, place))();
    },
    apply: refuse(`${place}() was called`),
  });
  recorded.set(proxy, path);
  return proxy;
}

function symbolUse(key: symbol, place: string): string {
  if (key === Symbol.toPrimitive) return `${place} was used in arithmetic, a template or a comparison`;
  if (key === Symbol.iterator || key === Symbol.asyncIterator) return `${place} was spread or iterated`;
  return `${place}[${String(key)}] was read`;
}

function refusals(refuse: (what: string) => () => never, place: string): ProxyHandler<object> {
  return {
    ownKeys: refuse(`${place} was spread or its keys were listed`),
    getOwnPropertyDescriptor: refuse(`a property of ${place} was examined`),
    has: refuse(`"in" was used on ${place}`),
    set: refuse(`a property of ${place} was written`),
    defineProperty: refuse(`a property of ${place} was defined`),
    deleteProperty: refuse(`a property of ${place} was deleted`),
    getPrototypeOf: refuse(`the class of ${place} was read`),
    setPrototypeOf: refuse(`the class of ${place} was changed`),
    isExtensible: refuse(`${place} was examined`),
    preventExtensions: refuse(`${place} was frozen`),
  };
}

// ---- from the result to an expression -------------------------------------------------------------------------------

function expressionOf(value: unknown, where: string, at: readonly string[], depth: number): Expression {
  if (depth > DEPTH_MAX_LEVELS) throw invalid(where, `the mapping's result is deeper than ${DEPTH_MAX_LEVELS} levels`);
  if (value === null || typeof value === "string" || typeof value === "boolean") return { literal: value };
  if (typeof value === "number" && Number.isFinite(value)) return { literal: value };
  const known = typeof value === "function" || typeof value === "object" ? recorded.get(value) : undefined;
  if (known !== undefined) return fromRecorded(known, where);
  if (Array.isArray(value)) return listOf(value, where, at, depth);
  if (typeof value === "object" && isPlain(value)) return objectOf(value, where, at, depth);
  throw invalid(where, `${placeText(at)} is ${nameOf(value)}; a mapping may only give JSON values and values that it read`);
}

function fromRecorded(path: readonly string[], where: string): Expression {
  if (path.length === 0) throw invalid(where, "the mapping gives the whole scope; give one of its names");
  return { from: path };
}

function listOf(list: readonly unknown[], where: string, at: readonly string[], depth: number): Expression {
  const items = Array.from(list, (item, index) => expressionOf(item, where, [...at, String(index)], depth + 1));
  const literals = items.map(literalIn);
  return literals.every((item) => item !== undefined) ? { literal: literals } : { list: items };
}

function objectOf(value: object, where: string, at: readonly string[], depth: number): Expression {
  if (Object.getOwnPropertySymbols(value).length > 0) throw invalid(where, `${placeText(at)} has a symbol as a key`);
  const items = Object.entries(value).map(([key, item]) => [key, expressionOf(item, where, [...at, key], depth + 1)] as const);
  const literals: (readonly [string, Json])[] = [];
  for (const [key, item] of items) {
    const literal = literalIn(item);
    if (literal !== undefined) literals.push([key, literal]);
  }
  // Constants have one form, so that equal mappings have equal hashes.
  return literals.length === items.length ? { literal: Object.fromEntries(literals) } : { object: Object.fromEntries(items) };
}

function literalIn(expression: Expression): Json | undefined {
  return "literal" in expression ? expression.literal : undefined;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function placeText(at: readonly string[]): string {
  return at.length === 0 ? "the mapping's result" : `the mapping's result at ${at.join(".")}`;
}

function nameOf(value: unknown): string {
  if (value === undefined) return "undefined; leave out the key, or give null";
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  return `an instance of ${value.constructor.name}`;
}
