/**
 * @module Parses a condition in CEL (Common Expression Language) into a small closed tree. Pure.
 *
 * @marcbachmann/cel-js parses. Constructs that the tree does not have (bytes, unsigned integers, `matches`, times) are
 * rejected here, so the check and the evaluation handle each kind of node.
 */
import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { Fault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { FUNCTIONS, MACROS, type Macro } from "./functions.ts";
import { suggestion } from "./nearest.ts";

/** Operators with two operands that are both always evaluated. */
export type Sign = "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" | "in";

/** A part of a condition. `text` is its source. */
export type Node = { readonly text: string } & (
  | { readonly op: "literal"; readonly value: null | boolean | number | string }
  | { readonly op: "name"; readonly name: string }
  | Get
  | { readonly op: "index"; readonly of: Node; readonly index: Node }
  | { readonly op: "has"; readonly of: Node & Get }
  | { readonly op: "call"; readonly name: string; readonly args: readonly Node[] }
  | Each
  | { readonly op: "list"; readonly items: readonly Node[] }
  | { readonly op: "object"; readonly entries: readonly (readonly [string, Node])[] }
  | { readonly op: "choose"; readonly condition: Node; readonly yes: Node; readonly no: Node }
  | { readonly op: "and" | "or"; readonly left: Node; readonly right: Node }
  | { readonly op: "not" | "minus"; readonly of: Node }
  | { readonly op: "binary"; readonly sign: Sign; readonly left: Node; readonly right: Node }
);

/** A property of a value. */
export interface Get {
  readonly op: "get";
  readonly of: Node;
  readonly key: string;
}

/** A macro over a list. `test` is absent in `map` with two arguments; `give` is present only in `map`. */
export interface Each {
  readonly op: "each";
  readonly macro: Macro;
  readonly over: Node;
  readonly variable: string;
  readonly test?: Node;
  readonly give?: Node;
}

const environment = new Environment({ limits: { maxAstNodes: LIMITS.conditionNodesMax, maxDepth: LIMITS.conditionDepthMax } });
const parsed = new Map<string, Node>();

/** Parses a condition. Throws `slip.condition` with what is wrong. Parsing is pure, so recent results are cached. */
export function parseCondition(text: string): Node {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const made = parseNew(text);
  if (parsed.size >= LIMITS.conditionsCachedMax) parsed.delete(parsed.keys().next().value ?? "");
  parsed.set(text, made);
  return made;
}

/** The fault of a whole condition, with what is wrong. */
export function conditionFault(text: string, problem: string): Fault {
  return new Fault("slip.condition", `condition ${JSON.stringify(text)}: ${problem}`);
}

function parseNew(text: string): Node {
  if (text.length > LIMITS.conditionLengthMax)
    throw new Fault("slip.condition", `a condition is longer than ${LIMITS.conditionLengthMax} characters`);
  let ast: ASTNode;
  try {
    ast = environment.parse(text).ast;
  } catch (error) {
    throw conditionFault(text, error instanceof Error ? error.message : "the condition cannot be parsed");
  }
  return nodeOf(ast);
}

function refuse(ast: ASTNode, problem: string): never {
  throw conditionFault(ast.input, problem);
}

function nodeOf(ast: ASTNode): Node {
  const text = ast.input.slice(ast.start, ast.end);
  switch (ast.op) {
    case "value":
      return { text, op: "literal", value: literalOf(ast, ast.args) };
    case "id":
      return { text, op: "name", name: ast.args };
    case ".":
      return { text, op: "get", of: nodeOf(ast.args[0]), key: ast.args[1] };
    case "[]":
      return access(text, nodeOf(ast.args[0]), nodeOf(ast.args[1]));
    case "call":
      return ast.args[0] === "has" ? has(ast, text, ast.args[1]) : call(ast, text, ast.args[0], ast.args[1].map(nodeOf), "function");
    case "rcall":
      return method(ast, text, ast.args[0], ast.args[1], ast.args[2]);
    case "list":
      return { text, op: "list", items: ast.args.map(nodeOf) };
    case "map":
      return { text, op: "object", entries: ast.args.map(([key, value]) => [keyOf(key), nodeOf(value)] as const) };
    case "?:":
      return { text, op: "choose", condition: nodeOf(ast.args[0]), yes: nodeOf(ast.args[1]), no: nodeOf(ast.args[2]) };
    case "&&":
    case "||":
      return { text, op: ast.op === "&&" ? "and" : "or", left: nodeOf(ast.args[0]), right: nodeOf(ast.args[1]) };
    case "!_":
    case "-_":
      return { text, op: ast.op === "!_" ? "not" : "minus", of: nodeOf(ast.args) };
    case ".?":
    case "[?]":
      return refuse(ast, `${text} uses optional access; use has()`);
    default:
      return { text, op: "binary", sign: ast.op, left: nodeOf(ast.args[0]), right: nodeOf(ast.args[1]) };
  }
}

function access(text: string, of: Node, index: Node): Node {
  return index.op === "literal" && typeof index.value === "string"
    ? { text, op: "get", of, key: index.value }
    : { text, op: "index", of, index };
}

/** JSON has one kind of number, so CEL integers become JSON numbers. */
function literalOf(ast: ASTNode, value: unknown): null | boolean | number | string {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "number") return value;
  if (typeof value !== "bigint") return refuse(ast, "bytes and unsigned integers are not available, as JSON has none");
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : refuse(ast, `${String(value)} is too large for a JSON number`);
}

function keyOf(ast: ASTNode): string {
  return ast.op === "value" && typeof ast.args === "string" ? ast.args : refuse(ast, "an object key must be a text in quotes");
}

function has(ast: ASTNode, text: string, args: readonly ASTNode[]): Node {
  const of = args.length === 1 && args[0] !== undefined ? nodeOf(args[0]) : undefined;
  return of?.op === "get" ? { text, op: "has", of } : refuse(ast, `${text}: has() takes a property, such as has(task.note)`);
}

function method(ast: ASTNode, text: string, name: string, receiver: ASTNode, args: readonly ASTNode[]): Node {
  const macro = MACROS.find((item) => item === name);
  if (macro === undefined) return call(ast, text, name, [nodeOf(receiver), ...args.map(nodeOf)], "method");
  const [variable, ...rest] = args;
  const wanted = macro === "map" ? [1, 2] : [1];
  const last = rest.at(-1);
  if (variable?.op !== "id" || last === undefined || !wanted.includes(rest.length))
    return refuse(
      ast,
      `${text}: write ${macro}(x, ...) with a name for the item and ${macro === "map" ? "its new value" : "a condition on it"}`,
    );
  const head = { text, op: "each", macro, over: nodeOf(receiver), variable: variable.args } as const;
  if (macro !== "map") return { ...head, test: nodeOf(last) };
  return { ...head, ...(rest.length === 2 && rest[0] !== undefined ? { test: nodeOf(rest[0]) } : {}), give: nodeOf(last) };
}

function call(ast: ASTNode, text: string, name: string, args: readonly Node[], form: "function" | "method"): Node {
  if (name === "matches") return refuse(ast, "matches() is not available; use startsWith, endsWith, contains or ==");
  const known = FUNCTIONS.get(name);
  const names = [...FUNCTIONS].filter(([, { forms }]) => forms.includes(form)).map(([key]) => key);
  if (known === undefined || !known.forms.includes(form)) {
    const others = form === "method" ? [...names, ...MACROS] : [...names, "has"];
    return refuse(ast, `unknown ${form} ${name}()${suggestion(name, others)}; known: ${others.join(", ")}`);
  }
  const { takes, needs = takes.length } = known;
  if (args.length < needs || args.length > takes.length) {
    const own = form === "method" ? 1 : 0;
    return refuse(ast, `${text}: ${name}() takes ${needs === takes.length ? "" : `${needs - own} to `}${takes.length - own} arguments`);
  }
  return { text, op: "call", name, args };
}
