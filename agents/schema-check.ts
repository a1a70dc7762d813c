/**
 * @module Decides from JSON Schemas, before anything runs, whether a mapping can fit.
 *
 * Best effort in one direction: a reported problem is certain. If a schema leaves the question open (unions that disagree,
 * records, `unknown`, conditions on values), nothing is reported and the agent's gate decides at run time.
 */
import { suggestion } from "../runtime/condition/nearest.ts";
import { entryOf } from "../runtime/entries.ts";
import type { Expression } from "../runtime/expression.ts";
import type { Json } from "../runtime/faults.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import { isObject, resolveShape, type Shape, shapeIn, type Shapes } from "../runtime/shape.ts";

const COMPARE_DEPTH_MAX_LEVELS = 8;

/** The types of the values that can name an actor. */
const KEY_TYPES: readonly string[] = ["string", "number", "integer"];

/** What a path leads to: a shape, anything (`undefined`), or nothing for certain. */
type Step = Shape | undefined | { readonly nothing: string };

/** A shape that may also be null: the output of an optional or conditional stop. */
export function orNull(shape: Shape | undefined): Shape | undefined {
  return shape === undefined ? undefined : { node: { anyOf: [shape.node, { type: "null" }] }, root: shape.root };
}

/** A shape that is one of several: the output of an `any`. */
export function oneOf(shapes: readonly (Shape | undefined)[]): Shape | undefined {
  const known = shapes.filter((shape) => shape !== undefined);
  const [head] = known;
  if (head === undefined || known.length < shapes.length) return undefined;
  // References do not resolve in another document.
  const isOne = known.every((shape) => shape.root === head.root || !JSON.stringify(shape.node).includes('"$ref"'));
  return isOne ? { node: { anyOf: known.map(({ node }) => node) }, root: head.root } : undefined;
}

/** The shape of the output of a `forEach`: a list of the items' outputs. */
export function listOf(shape: Shape | undefined): Shape | undefined {
  return shape === undefined ? undefined : { node: { type: "array", items: shape.node }, root: shape.root };
}

/** What is wrong with an expression as a value of `target`; `undefined` if nothing is certainly wrong. */
export function misfit(expression: Expression, scope: Shapes, target: Shape | undefined): string | undefined {
  return fit(expression, scope, target, []);
}

/** The shape of an expression's value, if it is known. */
export function shapeOf(expression: Expression, scope: Shapes): Shape | undefined {
  if (!("from" in expression)) return undefined;
  const found = follow(expression.from, scope);
  return isNothing(found) ? undefined : found;
}

/** The shape of the items of a list. */
export function itemOf(shape: Shape | undefined): Shape | undefined {
  const found = member(shape, "0");
  return isNothing(found) ? undefined : found;
}

/** What is wrong with a path as the key of a contract, which must be a text or number; `undefined` if nothing is certainly wrong. */
export function keyMisfit(path: readonly string[], input: Shape): string | undefined {
  let current: Shape | undefined = input;
  for (const [index, part] of path.entries()) {
    if (index === 0) continue;
    const place = path.slice(0, index + 1).join(".");
    const known: readonly string[] = propertiesOf(current);
    const next = member(current, part);
    if (isNothing(next)) return `${place} does not exist${suggestion(part, known) || (known.length > 0 ? "; " : ": ") + next.nothing}`;
    if (known.includes(part) && !requiredOf(current).includes(part)) return `${place} is optional, so a task may lack it`;
    current = next;
  }
  const wrong = typesOf(current).find((type) => !KEY_TYPES.includes(type));
  return wrong === undefined ? undefined : `${path.join(".")} may be of type ${wrong}, but a key must be a text or a number`;
}

function fit(expression: Expression, scope: Shapes, target: Shape | undefined, at: readonly string[]): string | undefined {
  if ("from" in expression) return fromFit(expression.from, scope, target, at);
  if ("literal" in expression) return literalFit(expression.literal, target, at);
  if ("list" in expression) {
    return (
      kindFit("array", target, at) ?? first(expression.list.map((item, index) => memberFit(item, scope, target, [...at, String(index)])))
    );
  }
  return objectFit(expression.object, scope, target, at);
}

function fromFit(path: readonly string[], scope: Shapes, target: Shape | undefined, at: readonly string[]): string | undefined {
  const found = follow(path, scope);
  if (isNothing(found)) return found.nothing;
  return shapesFit(path, found, target, at, 0);
}

/** Compares what is read with what is wanted, key by key if both are objects. Recursive schemas stop at a depth limit. */
function shapesFit(
  path: readonly string[],
  source: Shape | undefined,
  target: Shape | undefined,
  at: readonly string[],
  depth: number,
): string | undefined {
  const given = typeOf(source);
  const wanted = typeOf(target);
  if (given === undefined || wanted === undefined || depth > COMPARE_DEPTH_MAX_LEVELS) return undefined;
  if (!compatible(given, wanted)) return `${path.join(".")} is of type ${given}, but ${place(at)} must be of type ${wanted}`;
  const inside = (part: string): string | undefined => {
    const from = member(source, part);
    const to = member(target, part);
    if (isNothing(from)) return `${path.join(".")} has no ${JSON.stringify(part)}, which ${place(at)} must have`;
    if (isNothing(to)) return `${path.join(".")} has ${JSON.stringify(part)}, which ${place(at)} must not have`;
    return shapesFit([...path, part], from, to, [...at, part], depth + 1);
  };
  // Only keys that always exist, or are always required, can be wrong for certain.
  return first([...new Set([...requiredOf(target), ...requiredOf(source)])].map(inside));
}

function requiredOf(shape: Shape | undefined): readonly string[] {
  const required = resolveShape(shape)?.node["required"];
  return Array.isArray(required) ? (required as readonly Json[]).filter((key) => typeof key === "string") : [];
}

function literalFit(literal: Json, target: Shape | undefined, at: readonly string[]): string | undefined {
  if (isObject(literal))
    return objectFit(Object.fromEntries(Object.entries(literal).map(([key, item]) => [key, { literal: item }])), {}, target, at);
  const given = Array.isArray(literal) ? "array" : literal === null ? "null" : typeof literal;
  const wrong = kindFit(given, target, at);
  if (wrong !== undefined) return wrong;
  const constant = resolveShape(target)?.node["const"];
  if (constant !== undefined && !isObject(constant) && !Array.isArray(constant) && constant !== literal) {
    return `${place(at)} must be ${JSON.stringify(constant)}, not ${JSON.stringify(literal)}`;
  }
  return undefined;
}

function objectFit(
  entries: Readonly<Record<string, Expression>>,
  scope: Shapes,
  target: Shape | undefined,
  at: readonly string[],
): string | undefined {
  const wrong =
    kindFit("object", target, at) ?? first(Object.entries(entries).map(([key, item]) => memberFit(item, scope, target, [...at, key])));
  if (wrong !== undefined) return wrong;
  if (typeOf(target) !== "object") return undefined;
  const missing = requiredOf(target).find((key) => !Object.hasOwn(entries, key));
  return missing === undefined ? undefined : `${place([...at, missing])} is missing`;
}

function memberFit(item: Expression, scope: Shapes, target: Shape | undefined, at: readonly string[]): string | undefined {
  const wanted = member(target, at.at(-1) ?? "");
  if (isNothing(wanted)) return `${place(at)} is not expected: ${wanted.nothing}`;
  return fit(item, scope, wanted, at);
}

function kindFit(given: string, target: Shape | undefined, at: readonly string[]): string | undefined {
  const wanted = typeOf(target);
  if (wanted === undefined || compatible(given, wanted)) return undefined;
  return `${place(at)} is of type ${given}, but must be of type ${wanted}`;
}

/** A number may happen to be an integer; an integer is always a number. */
function compatible(given: string, wanted: string): boolean {
  const plain = (type: string): string => (type === "integer" ? "number" : type);
  return plain(given) === plain(wanted);
}

// ---- following paths ------------------------------------------------------------------------------------------------

function follow(path: readonly string[], scope: Shapes): Step {
  let current: Shape | undefined = entryOf(scope, path[0] ?? "");
  for (const [index, part] of path.entries()) {
    if (index === 0) continue;
    const next = member(current, part);
    if (isNothing(next)) return { nothing: `${path.slice(0, index + 1).join(".")} does not exist: ${next.nothing}` };
    current = next;
  }
  return current;
}

function member(shape: Shape | undefined, part: string): Step {
  const found = resolveShape(shape);
  if (found === undefined) return undefined;
  const { node, root } = found;
  const options = node["anyOf"] ?? node["oneOf"];
  if (Array.isArray(options)) return memberOfAny(options as readonly Json[], part, root);
  if (Array.isArray(node["allOf"])) return undefined;
  switch (node["type"]) {
    case "object":
      return memberOfObject(node, part, root);
    case "array":
      return memberOfList(node, part, root);
    case "string":
    case "number":
    case "integer":
    case "boolean":
    case "null":
      return { nothing: `a value of type ${node["type"]} has no ${JSON.stringify(part)}` };
    default:
      return undefined;
  }
}

/** Nothing for certain only if no option has the key; a shape only if exactly one option has it. */
function memberOfAny(options: readonly Json[], part: string, root: JsonSchema): Step {
  const found = options.map((option) => (isObject(option) ? member({ node: option, root }, part) : undefined));
  const some = found.filter((step) => !isNothing(step));
  if (some.length === 0 && found[0] !== undefined) return found[0];
  return some.length === 1 ? some[0] : undefined;
}

function memberOfObject(node: JsonSchema, part: string, root: JsonSchema): Step {
  const properties = node["properties"];
  if (isObject(properties) && Object.hasOwn(properties, part)) return shapeIn(entryOf(properties, part), root);
  if (isObject(node["patternProperties"])) return undefined;
  const rest = node["additionalProperties"];
  if (rest !== false) return shapeIn(rest, root);
  const known = isObject(properties) ? Object.keys(properties) : [];
  return { nothing: `known are ${known.length === 0 ? "no keys" : known.join(", ")}` };
}

function memberOfList(node: JsonSchema, part: string, root: JsonSchema): Step {
  if (part === "length") return { node: { type: "integer" }, root };
  if (!/^\d+$/.test(part)) return { nothing: `a list has no ${JSON.stringify(part)}` };
  const fixed = node["prefixItems"];
  const index = Number(part);
  if (Array.isArray(fixed) && index < fixed.length) return shapeIn(fixed[index] as Json, root);
  if (node["items"] === false) return { nothing: `the list has only ${Array.isArray(fixed) ? fixed.length : 0} items` };
  return shapeIn(node["items"], root);
}

/** The type of a shape, if it has exactly one. */
function typeOf(shape: Shape | undefined): string | undefined {
  const type = resolveShape(shape)?.node["type"];
  return typeof type === "string" ? type : undefined;
}

/** The types that a shape may have, as far as they are known. */
function typesOf(shape: Shape | undefined): readonly string[] {
  const found = resolveShape(shape);
  const options = found?.node["anyOf"] ?? found?.node["oneOf"];
  // The members of a union are one level: deeper unions are judged when a task comes.
  const shapes =
    found !== undefined && Array.isArray(options) ? (options as readonly Json[]).map((node) => shapeIn(node, found.root)) : [found];
  return shapes.flatMap((one) => {
    const type = resolveShape(one)?.node["type"];
    return (Array.isArray(type) ? (type as readonly Json[]) : [type]).filter((name) => typeof name === "string");
  });
}

function propertiesOf(shape: Shape | undefined): readonly string[] {
  const properties = resolveShape(shape)?.node["properties"];
  return isObject(properties) ? Object.keys(properties) : [];
}

function isNothing(step: Step): step is { readonly nothing: string } {
  return step !== undefined && "nothing" in step;
}

function first(texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined);
}

function place(at: readonly string[]): string {
  return at.length === 0 ? "the value" : at.join(".");
}
