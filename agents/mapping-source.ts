/**
 * @module Parses the source of a mapping function. A mapping may read properties and build objects and lists, and do nothing else.
 *
 * A mapping runs once, over a recording proxy. A choice (`task.vip ? "a" : "b"`) would therefore be made once, for all tasks.
 * The proxy cannot see such a choice; the source shows it. Values still come from the run: constants around the mapping are literals.
 */
import { type AnyNode, type ArrowFunctionExpression, type FunctionExpression, parse } from "acorn";
import { LIMITS } from "../runtime/limits.ts";
import { invalid } from "./definition.ts";

const SNIPPET_LENGTH_MAX = 60;
const RULE = "a mapping may only read properties and build objects and lists";
const CHOOSE = "for a choice, give stops a `when` or add a stop that decides";
const COMPUTE = "compute it in a separate stop, or as a constant outside the mapping";
const NAME = "name the properties one by one";

/** Counters that coverage tools (istanbul) insert into functions. They do not change the mapping's result. */
const COUNTER = /^\(?cov_\w+(\(\))?(\.\w+|\[\d+\])+\+\+\)?$/;

type MappingFunction = ArrowFunctionExpression | FunctionExpression;

/** One mapping during its check. */
interface Source {
  readonly where: string;
  readonly text: string;
  readonly parameters: Set<string>;
}

/** Throws `definition.invalid`, naming the construct and what to do, if a mapping does more than read and build. */
export function checkSource(mapping: (argument: never) => unknown, where: string): void {
  const text = Function.prototype.toString.call(mapping);
  if (text.length > LIMITS.mappingLengthMax)
    throw invalid(where, `the source of the mapping has ${text.length} characters, at most ${LIMITS.mappingLengthMax}; ${COMPUTE}`);
  const { made, source } = functionIn(text, where);
  if (made.async) refuse(source, made, "is asynchronous", "fetch the value in a separate stop");
  if (made.generator) refuse(source, made, "is a generator", COMPUTE);
  checkParameters(source, made);
  checkBody(source, made);
}

/** The function as a value, or as a method whose source is only valid inside a class. */
function functionIn(text: string, where: string): { readonly made: MappingFunction; readonly source: Source } {
  for (const [before, after] of [
    ["(", ")"],
    ["(class {", "})"],
  ] as const) {
    const source: Source = { where, text: `${before}${text}\n${after}`, parameters: new Set(["arguments"]) };
    const made = functionOf(source.text);
    if (made !== undefined) return { made, source };
  }
  const isHidden = /\{\s*\[native code\]\s*\}\s*$/.test(text);
  const what = isHidden ? "its source is hidden, as of a bound or built-in function" : "its source cannot be parsed as a function";
  throw invalid(where, `${what}; write the mapping as an arrow function in place, such as ({ task }) => ({ to: task.city })`);
}

function functionOf(text: string): MappingFunction | undefined {
  const [statement] = programOf(text);
  const made = statement?.type === "ExpressionStatement" ? statement.expression : undefined;
  if (made?.type === "ArrowFunctionExpression" || made?.type === "FunctionExpression") return made;
  const member = made?.type === "ClassExpression" ? made.body.body[0] : undefined;
  return member?.type === "MethodDefinition" && member.kind === "method" ? member.value : undefined;
}

function programOf(text: string): readonly AnyNode[] {
  try {
    return parse(text, { ecmaVersion: "latest" }).body;
  } catch (error) {
    // A source that is nested too deep exceeds the parser's stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return [];
    throw error;
  }
}

function refuse(source: Source, node: AnyNode, what: string, instead: string): never {
  const whole = snippet(source, node);
  const shown = whole.length > SNIPPET_LENGTH_MAX ? `${whole.slice(0, SNIPPET_LENGTH_MAX)}...` : whole;
  throw invalid(source.where, `the mapping ${what}: ${shown}; ${RULE}; ${instead}`);
}

function snippet(source: Source, node: AnyNode): string {
  return source.text.slice(node.start, node.end).replace(/\s+/g, " ");
}

// ---- parameters and body --------------------------------------------------------------------------------------------

function checkParameters(source: Source, made: MappingFunction): void {
  const [first, second] = made.params;
  if (second !== undefined) refuse(source, second, "has a second parameter", "read the value from the first");
  if (first !== undefined) checkPattern(source, first);
}

function checkPattern(source: Source, pattern: AnyNode): void {
  switch (pattern.type) {
    case "Identifier":
      source.parameters.add(pattern.name);
      return;
    case "ObjectPattern":
      for (const property of pattern.properties) {
        if (property.type === "RestElement") refuse(source, property, "takes the rest", NAME);
        if (property.computed) checkKey(source, property.key);
        checkPattern(source, property.value);
      }
      return;
    case "AssignmentPattern":
      return refuse(source, pattern, "has a default value", `it would never be used; ${CHOOSE}`);
    case "RestElement":
      return refuse(source, pattern, "takes the rest", NAME);
    default:
      return refuse(source, pattern, "destructures a list", "read items by their number, such as task.legs[0]");
  }
}

function checkBody(source: Source, { body }: MappingFunction): void {
  if (body.type !== "BlockStatement") return check(source, body);
  const statements = body.body.filter((statement) => !isDirective(statement) && !isCounter(source, statement));
  const other = statements.find((statement) => statement.type !== "ReturnStatement") ?? statements[1];
  if (other !== undefined)
    refuse(
      source,
      other,
      `has ${STATEMENTS.get(other.type) ?? "a statement"}`,
      "return the result directly, and compile for ES2018 or later",
    );
  const [returned] = statements;
  if (returned?.type !== "ReturnStatement" || returned.argument == null)
    throw invalid(source.where, "the mapping returns nothing; return what the stop takes");
  check(source, returned.argument);
}

const STATEMENTS: ReadonlyMap<string, string> = new Map([
  ["IfStatement", "an if"],
  ["SwitchStatement", "a switch"],
  ["VariableDeclaration", "a variable"],
  ["ThrowStatement", "a throw"],
  ["TryStatement", "a try"],
]);

function isDirective(statement: AnyNode): boolean {
  return statement.type === "ExpressionStatement" && typeof statement.directive === "string";
}

function isCounter(source: Source, node: AnyNode): boolean {
  return COUNTER.test(snippet(source, node).replace(/;$/, "").replaceAll(" ", ""));
}

// ---- expressions ----------------------------------------------------------------------------------------------------

/** Checks an expression; a kind of expression that is not named here is rejected. */
function check(source: Source, node: AnyNode): void {
  switch (node.type) {
    case "Identifier":
      return;
    case "Literal":
      return node.regex == null ? undefined : refuse(source, node, "has a regular expression", COMPUTE);
    case "TemplateLiteral":
      return node.expressions.length === 0 ? undefined : refuse(source, node, "uses a template", COMPUTE);
    case "ChainExpression":
      return check(source, node.expression);
    case "MemberExpression":
      if (node.computed) checkKey(source, node.property);
      return check(source, node.object);
    case "ArrayExpression":
      for (const item of node.elements) {
        if (item === null) refuse(source, node, "leaves out an item", "write null");
        check(source, item);
      }
      return;
    case "ObjectExpression":
      for (const property of node.properties) checkProperty(source, property);
      return;
    case "UnaryExpression":
      return checkUnary(source, node);
    case "SequenceExpression":
      for (const item of node.expressions.slice(0, -1))
        if (!isCounter(source, item)) refuse(source, node, "uses the comma operator", COMPUTE);
      return check(source, node.expressions.at(-1) ?? node);
    default:
      return refuseOther(source, node);
  }
}

function checkProperty(source: Source, property: AnyNode): void {
  if (property.type !== "Property") return refuse(source, property, "uses spread", NAME);
  if (property.kind !== "init" || property.method) return refuse(source, property, "builds an object with a method", COMPUTE);
  if (property.computed) checkKey(source, property.key);
  else if (!property.shorthand && isNamed(property.key, "__proto__")) refuse(source, property, "sets a prototype", "choose another name");
  check(source, property.value);
}

function isNamed(key: AnyNode, name: string): boolean {
  return key.type === "Identifier" ? key.name === name : key.type === "Literal" && key.value === name;
}

/** A key must be known when the route is defined, from a literal or a constant: a task's values cannot choose it. */
function checkKey(source: Source, key: AnyNode): void {
  check(source, key);
  let root = key;
  while (root.type === "MemberExpression" || root.type === "ChainExpression")
    root = root.type === "ChainExpression" ? root.expression : root.object;
  const isFixed = root.type === "Literal" || root.type === "TemplateLiteral" || root.type === "UnaryExpression";
  if (isFixed || (root.type === "Identifier" && !source.parameters.has(root.name))) return;
  refuse(source, key, "computes a key", COMPUTE);
}

/** Numbers may have signs, and minifiers write `true` as `!0`. */
function checkUnary(source: Source, node: AnyNode & { readonly type: "UnaryExpression" }): void {
  const { operator, argument } = node;
  const isNumber = argument.type === "Literal" && typeof argument.value === "number";
  if (isNumber && (operator === "-" || operator === "+" || operator === "!")) return;
  const isChoice = operator === "!" || operator === "typeof";
  refuse(source, node, `uses ${operator}`, isChoice ? CHOOSE : COMPUTE);
}

const CHOICES = ["===", "!==", "==", "!=", "<", "<=", ">", ">=", "in", "instanceof"];

function refuseOther(source: Source, node: AnyNode): never {
  switch (node.type) {
    case "ConditionalExpression":
      return refuse(source, node, "has a condition (?:)", CHOOSE);
    case "LogicalExpression":
      return refuse(source, node, `uses ${node.operator}`, CHOOSE);
    case "BinaryExpression":
      return refuse(source, node, `uses ${node.operator}`, CHOICES.includes(node.operator) ? CHOOSE : COMPUTE);
    case "SpreadElement":
      return refuse(source, node, "uses spread", NAME);
    case "AssignmentExpression":
    case "UpdateExpression":
      return refuse(source, node, "assigns", COMPUTE);
    default:
      return refuse(source, node, OTHERS.get(node.type) ?? `uses ${node.type}`, COMPUTE);
  }
}

const OTHERS: ReadonlyMap<string, string> = new Map([
  ["CallExpression", "calls a function"],
  ["NewExpression", "uses new"],
  ["ImportExpression", "imports"],
  ["TaggedTemplateExpression", "uses a tagged template"],
  ["AwaitExpression", "uses await"],
  ["YieldExpression", "uses yield"],
  ["ThisExpression", "uses this"],
  ["ArrowFunctionExpression", "makes a function"],
  ["FunctionExpression", "makes a function"],
  ["ClassExpression", "makes a class"],
  ["MetaProperty", "uses new.target or import.meta"],
]);
