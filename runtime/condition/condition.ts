/**
 * @module Conditions, such as `when` of a stop, in CEL (Common Expression Language). Pure.
 */
import type { Scope } from "../expression.ts";
import { Fault, isFault } from "../faults.ts";
import type { Shapes } from "../shape.ts";
import { checkNode } from "./check.ts";
import { type Budget, evaluateNode, newBudget } from "./evaluate.ts";
import { conditionFault, parseCondition } from "./parse.ts";

/**
 * Checks a condition against the names that it may read, each with the JSON Schema of its value if known.
 * A condition that passes cannot fail for the type of a value that fits its schema.
 * @throws `slip.condition` with what is wrong, where in the text, and the nearest name if one is misspelt
 */
export function checkCondition(text: string, scope: Shapes): void {
  named(text, () => checkNode(parseCondition(text), scope));
}

/**
 * Whether a condition is true. It spends steps of the budget.
 * @throws `slip.condition` if its result is not a boolean, or the budget is not enough
 */
export function holds(text: string, scope: Scope, budget: Budget = newBudget()): boolean {
  const result = named(text, () => evaluateNode(parseCondition(text), scope, budget));
  if (typeof result !== "boolean")
    throw conditionFault(text, `the result is ${result === null ? "null" : `a ${typeof result}`}, but must be true or false`);
  return result;
}

/** Adds the whole condition to a fault. */
function named<T>(text: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isFault(error) || error.message.startsWith("condition ") || error.message.startsWith("a condition ")) throw error;
    throw new Fault("slip.condition", conditionFault(text, error.message).message);
  }
}
