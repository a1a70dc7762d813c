/**
 * @module Errors of definitions, and checks that all definitions share.
 */
import { checkCondition } from "../runtime/condition/condition.ts";
import { Fault } from "../runtime/faults.ts";
import { isName } from "../runtime/ids.ts";
import type { Shapes } from "../runtime/shape.ts";

/** Greatest version of a contract, a route, or an agent. */
export const VERSION_MAX = 1_000_000;

/** The fault of a wrong definition: where it is (such as `route "trip", stop "plan"`) and what is wrong. */
export function invalid(where: string, text: string): Fault {
  return new Fault("definition.invalid", `${where}: ${text}`, { where });
}

/** Returns the name, or throws `definition.invalid`. `what` is the kind of the named thing. */
export function requireName<const N extends string>(name: N, what: string): N {
  if (typeof name !== "string" || !isName(name)) {
    throw invalid(`${what} ${JSON.stringify(name)}`, "a name must have 1 to 64 characters A-Z a-z 0-9 _ - and begin with a letter");
  }
  return name;
}

/** Returns an integer within bounds (inclusive), or throws `definition.invalid` naming the field. */
export function requireInt(value: number, where: string, field: string, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw invalid(where, `${field} is ${String(value)}, but must be an integer from ${min} to ${max}`);
  }
  return value;
}

/** Throws `definition.invalid` if options hold an unknown key, so that a typing error is not ignored. */
export function requireKeys(options: object, where: string, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw invalid(where, `the options must be an object; known are ${known.join(", ")}`);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw invalid(where, `unknown option ${JSON.stringify(key)}; known are ${known.join(", ")}`);
  }
}

/** Checks a CEL condition against the schemas of the values it may read. Throws `definition.invalid` naming the field. */
export function requireCondition(text: string, scope: Shapes, where: string, field: string): void {
  if (typeof text !== "string") throw invalid(where, `${field} must be a CEL expression as a string`);
  try {
    checkCondition(text, scope);
  } catch (error) {
    throw invalid(where, `${field}: ${error instanceof Error ? error.message : "cannot be checked"}`);
  }
}

/** Returns a non-empty text, or throws `definition.invalid` naming the field. */
export function requireText(value: string, where: string, field: string, lengthMax: number): string {
  if (typeof value !== "string" || value === "" || value.length > lengthMax)
    throw invalid(where, `${field} must be a text of 1 to ${lengthMax} characters`);
  return value;
}
