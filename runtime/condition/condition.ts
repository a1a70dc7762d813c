/**
 * @module Conditions, such as `when` of a stop, in CEL (Common Expression Language). Pure.
 */
import type { Scope } from "../expression.ts";
import { Fault, isFault } from "../faults.ts";
import type { Shapes } from "../shape.ts";
import { checkNode } from "./check.ts";
import { evaluateNode } from "./evaluate.ts";
import { conditionFault, parseCondition } from "./parse.ts";

/**
 * Checks a condition against what it may read: names, each with the JSON Schema of its value where one is known.
 * A condition that passes does not fail for the type of a value that fits its schema.
 * Throws `slip.condition` with what is wrong, where in the text, and the nearest name where one is misspelt.
 */
export function checkCondition(text: string, scope: Shapes): void {
  named(text, () => checkNode(parseCondition(text), scope));
}

/** Whether a condition holds. Throws `slip.condition` when it gives anything but true or false. */
export function holds(text: string, scope: Scope): boolean {
  const result = named(text, () => evaluateNode(parseCondition(text), scope));
  if (typeof result !== "boolean") throw conditionFault(text, `it gave a ${result === null ? "null" : typeof result}, not true or false`);
  return result;
}

/** Faults name the whole condition. */
function named<T>(text: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isFault(error) || error.message.startsWith("condition ") || error.message.startsWith("a condition ")) throw error;
    throw new Fault("slip.condition", conditionFault(text, error.message).message);
  }
}
