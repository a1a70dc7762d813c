/**
 * @module Evaluates a condition over JSON values. Pure.
 *
 * Each evaluation has a budget of steps. What takes longer for larger values costs more steps, before it is done.
 *
 * Numbers are JSON numbers. `&&`, `||`, `all` and `exists` work as in CEL: an error on one side does not count if the
 * other side decides.
 */
import { entryOf } from "../entries.ts";
import type { Scope } from "../expression.ts";
import { Fault, isFault, type Json } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { isObject } from "../shape.ts";
import { FUNCTIONS, joinedLength, type Kind } from "./functions.ts";
import type { Each, Get, Node, Sign } from "./parse.ts";

/** The steps that an evaluation may take, and those that are left. */
export interface Budget {
  readonly max: number;
  left: number;
}

/** The names that a part of a condition can read: those of the slip, and the variables of the macros around it. */
interface Names {
  readonly name: string;
  readonly value: Json;
  readonly above: Names | undefined;
}

/** One evaluation. */
interface Run {
  readonly scope: Scope;
  readonly variables: Names | undefined;
  readonly budget: Budget;
}

/** Steps of an error inside of a condition, which another part may make up for. */
const ERROR_STEPS = 100;
/** Characters that are compared in the time of one step. */
const CHARACTERS_PER_STEP = 32;
/** Comparisons of characters in a search in the time of one step. */
const COMPARISONS_PER_STEP = 256;

/** A budget of at most LIMITS.conditionStepsMax steps. */
export function newBudget(max: number = LIMITS.conditionStepsMax): Budget {
  const steps = Math.min(Math.floor(max), LIMITS.conditionStepsMax);
  return { max: steps, left: steps };
}

/** Evaluates a condition's tree. Throws `slip.condition`. */
export function evaluateNode(node: Node, scope: Scope, budget: Budget = newBudget()): Json {
  return valueOf(node, { scope, variables: undefined, budget });
}

function fail(text: string): never {
  throw new Fault("slip.condition", text);
}

function spend({ budget }: Run, steps: number): void {
  budget.left -= steps;
  if (budget.left < 0)
    fail(`the evaluation takes more than ${budget.max} steps; let an agent compute this, or read shorter lists and texts`);
}

function valueOf(node: Node, run: Run): Json {
  spend(run, 1);
  switch (node.op) {
    case "literal":
      return node.value;
    case "name":
      return named(node.name, run);
    case "get":
      return propertyOf(node, run);
    case "index":
      return itemAt(node, valueOf(node.of, run), valueOf(node.index, run));
    case "has":
      return isThere(node.of, run) !== undefined;
    case "call":
      return called(node, run);
    case "each":
      return eachOf(node, run);
    case "list":
      return node.items.map((item) => valueOf(item, run));
    case "object":
      return Object.fromEntries(node.entries.map(([key, value]) => [key, valueOf(value, run)]));
    case "choose":
      return valueOf(truth(node.condition, run) ? node.yes : node.no, run);
    case "and":
    case "or":
      return decided([node.left, node.right], node.op === "or", run, truth);
    case "not":
      return !truth(node.of, run);
    case "minus":
      return -numberOf(node.of, valueOf(node.of, run));
    case "binary":
      return binary(node, node.sign, valueOf(node.left, run), valueOf(node.right, run), run);
  }
}

function named(name: string, run: Run): Json {
  for (let one = run.variables; one !== undefined; one = one.above) if (one.name === name) return one.value;
  const value = entryOf(run.scope, name);
  return value === undefined ? fail(`unknown name ${name}`) : value;
}

/** Returns the kind of a value, for messages and comparisons. */
function kindOf(value: Json): Kind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  const type = typeof value;
  return type === "boolean" || type === "number" || type === "string" ? type : "object";
}

function truth(node: Node, run: Run): boolean {
  const value = valueOf(node, run);
  return typeof value === "boolean" ? value : fail(`${node.text} is of type ${kindOf(value)}, not true or false`);
}

function numberOf(node: Node, value: Json): number {
  return typeof value === "number" ? value : fail(`${node.text} is of type ${kindOf(value)}, not a number`);
}

// ---- properties, items ----------------------------------------------------------------------------------------------

function propertyOf(node: Node & Get, run: Run): Json {
  const of = valueOf(node.of, run);
  if (!isObject(of)) return fail(`${node.of.text} is of type ${kindOf(of)} and has no ${JSON.stringify(node.key)}`);
  const value = entryOf(of, node.key);
  return value === undefined ? fail(`${node.of.text} has no ${JSON.stringify(node.key)}`) : value;
}

/** Reads a property for `has`: undefined if the path does not lead to a value. */
function isThere(node: Node, run: Run): Json | undefined {
  if (node.op !== "get") return valueOf(node, run);
  const of = isThere(node.of, run);
  return isObject(of) ? entryOf(of, node.key) : undefined;
}

function itemAt(node: Node & { readonly op: "index" }, of: Json, index: Json): Json {
  const found = isObject(of) && typeof index === "string" ? entryOf(of, index) : undefined;
  if (found !== undefined) return found;
  if (Array.isArray(of) && typeof index === "number") {
    const item = (of as readonly Json[])[index];
    return item === undefined ? fail(`${node.of.text} has no item ${index}`) : item;
  }
  return fail(
    isObject(of) && typeof index === "string"
      ? `${node.of.text} has no ${JSON.stringify(index)}`
      : `${node.of.text} of type ${kindOf(of)} has no items with a key of type ${kindOf(index)}`,
  );
}

// ---- operators ------------------------------------------------------------------------------------------------------

/** CEL's `||` (`wanted` true) and `&&` (`wanted` false): the first part with the wanted value decides, errors or not. */
function decided<T>(parts: readonly T[], wanted: boolean, run: Run, ask: (part: T, run: Run) => boolean): boolean {
  let failed: unknown;
  for (const part of parts) {
    try {
      if (ask(part, run) === wanted) return wanted;
    } catch (error) {
      if (!isFault(error) || run.budget.left < 0) throw error;
      spend(run, ERROR_STEPS);
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
  return !wanted;
}

function binary(node: Node, sign: Sign, left: Json, right: Json, run: Run): Json {
  switch (sign) {
    case "==":
      return equal(left, right, run);
    case "!=":
      return !equal(left, right, run);
    case "in":
      return within(node, left, right, run);
    case "+":
      return added(node, left, right, run);
    case "-":
    case "*":
    case "/":
    case "%":
      return typeof left === "number" && typeof right === "number" ? calculated(sign, left, right) : misfit(node, sign, left, right);
    default:
      return compared(node, sign, left, right, run);
  }
}

function misfit(node: Node, sign: Sign, left: Json, right: Json): never {
  return fail(`${node.text}: ${sign} cannot be applied to values of type ${kindOf(left)} and ${kindOf(right)}`);
}

function calculated(sign: "-" | "*" | "/" | "%", left: number, right: number): number {
  if (right === 0 && (sign === "/" || sign === "%")) return fail("division by zero");
  if (sign === "-") return left - right;
  if (sign === "*") return left * right;
  return sign === "/" ? left / right : left % right;
}

function added(node: Node, left: Json, right: Json, run: Run): Json {
  if (typeof left === "number" && typeof right === "number") return left + right;
  if (typeof left === "string" && typeof right === "string") {
    spend(run, left.length + right.length);
    return left + right;
  }
  if (!Array.isArray(left) || !Array.isArray(right)) return misfit(node, "+", left, right);
  spend(run, left.length + right.length);
  return [...(left as readonly Json[]), ...(right as readonly Json[])];
}

function compared(node: Node, sign: "<" | "<=" | ">" | ">=", left: Json, right: Json, run: Run): boolean {
  if (typeof left === "string") spend(run, left.length / CHARACTERS_PER_STEP);
  const kind = kindOf(left);
  if (kind !== kindOf(right) || left === null || right === null || kind === "list" || kind === "object")
    return misfit(node, sign, left, right);
  if (sign === "<") return left < right;
  if (sign === "<=") return left <= right;
  return sign === ">" ? left > right : left >= right;
}

function within(node: Node, left: Json, right: Json, run: Run): boolean {
  if (Array.isArray(right)) return (right as readonly Json[]).some((item) => equal(left, item, run));
  if (isObject(right) && typeof left === "string") return Object.hasOwn(right, left);
  return misfit(node, "in", left, right);
}

function equal(left: Json, right: Json, run: Run): boolean {
  spend(run, typeof left === "string" ? 1 + left.length / CHARACTERS_PER_STEP : 1);
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    const others = right as readonly Json[];
    return left.length === others.length && (left as readonly Json[]).every((item, index) => equal(item, others[index] ?? null, run));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const entries = Object.entries(left);
  spend(run, entries.length);
  if (entries.length !== Object.keys(right).length) return false;
  return entries.every(([key, item]) => {
    const other = entryOf(right, key);
    return other !== undefined && equal(item, other, run);
  });
}

// ---- functions and macros -------------------------------------------------------------------------------------------

function called(node: Node & { readonly op: "call" }, run: Run): Json {
  const known = FUNCTIONS.get(node.name);
  if (known === undefined) return fail(`unknown function ${node.name}`);
  const args = node.args.map((arg) => valueOf(arg, run));
  for (const [index, arg] of args.entries()) {
    const takes = known.takes[index] ?? [];
    if (!takes.includes(kindOf(arg))) fail(`${node.text}: ${node.args[index]?.text} is of type ${kindOf(arg)}, not ${takes.join(" or ")}`);
    spend(run, lengthOf(arg));
  }
  if (known.searches === true) spend(run, (lengthOf(args[0]) * lengthOf(args[1])) / COMPARISONS_PER_STEP);
  if (node.name === "join") spend(run, joinedLength(args));
  const result = known.run(args);
  if (result === undefined) return fail(`${node.text} has no result for these values`);
  return result;
}

/** Items, keys or characters of a value. */
function lengthOf(value: Json | undefined): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

function eachOf(node: Each & { readonly text: string }, run: Run): Json {
  const over = valueOf(node.over, run);
  if (isObject(over)) spend(run, Object.keys(over).length);
  const items = itemsOf(over) ?? fail(`${node.over.text} is of type ${kindOf(over)}, and has no items`);
  const inside = (item: Json): Run => ({ ...run, variables: { name: node.variable, value: item, above: run.variables } });
  const passes = (item: Json): boolean => node.test === undefined || truth(node.test, inside(item));
  const { give } = node;
  switch (node.macro) {
    case "all":
    case "exists":
      return decided(items, node.macro === "exists", run, passes);
    case "exists_one":
      return items.filter(passes).length === 1;
    case "filter":
      return items.filter(passes);
    case "map":
      return give === undefined ? [] : items.filter(passes).map((item) => valueOf(give, inside(item)));
  }
}

/** The keys of an object in a fixed order, independent of the order in which they were written. */
function itemsOf(over: Json): readonly Json[] | undefined {
  if (Array.isArray(over)) return over as readonly Json[];
  return isObject(over) ? Object.keys(over).sort() : undefined;
}
