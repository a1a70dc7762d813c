/**
 * @module Mappings as data: what a stop's input is made of. Pure.
 *
 * A mapping function of a route runs once, over a recording proxy (see agents/mapping.ts), and becomes one of these
 * expressions. So a slip can be validated, hashed, edited and emitted by a planner, and no code travels with a task.
 */
import { z } from "zod";
import { entryOf, recordOf } from "./entries.ts";
import { Fault, type Json, assertNever } from "./faults.ts";
import { JsonContent } from "./value.ts";

/** Persisted as part of a slip. `from` reads a path in the scope; the first part is a name of the scope. */
export type Expression =
  | { readonly from: readonly string[] }
  | { readonly literal: Json }
  | { readonly object: { readonly [key: string]: Expression } }
  | { readonly list: readonly Expression[] };

export const Expression: z.ZodType<Expression> = z.lazy(() =>
  z.union([
    z.strictObject({ from: z.array(z.string()).min(1) }),
    z.strictObject({ literal: JsonContent }),
    z.strictObject({ object: recordOf(Expression) }),
    z.strictObject({ list: z.array(Expression) }),
  ]),
);

/** The names of an expression's scope: `task`, `item` and finished stops. */
export type Scope = Readonly<Record<string, Json>>;

/**
 * The value of an expression. As in TypeScript, where a path that ends in nothing gives `undefined` and an undefined
 * property is no property in JSON, such a path leaves its key out of an object. Anywhere else it throws `slip.mapping`.
 */
export function evaluate(expression: Expression, scope: Scope): Json {
  if ("from" in expression) return follow(expression.from, scope);
  if ("literal" in expression) return expression.literal;
  if ("list" in expression) return expression.list.map((item) => evaluate(item, scope));
  if ("object" in expression) {
    const present = Object.entries(expression.object).filter(([, item]) => !("from" in item) || leads(item.from, scope));
    return Object.fromEntries(present.map(([key, item]) => [key, evaluate(item, scope)]));
  }
  return assertNever(expression);
}

/** False only where a known name of the scope does not lead to the end of the path; an unknown name is a fault. */
function leads(path: readonly string[], scope: Scope): boolean {
  let current: Json | undefined = scope;
  for (const [index, part] of path.entries()) {
    current = property(current, part);
    if (current === undefined) return index === 0;
  }
  return true;
}

function follow(path: readonly string[], scope: Scope): Json {
  let current: Json = scope;
  for (const [index, part] of path.entries()) {
    const next: Json | undefined = property(current, part);
    if (next === undefined) {
      throw new Fault(
        "slip.mapping",
        `${path.join(".")} is not there: ${describe(path.slice(0, index), current)} has no ${JSON.stringify(part)}`,
        { path: [...path] },
      );
    }
    current = next;
  }
  return current;
}

function property(value: Json, part: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return entryOf(value as Readonly<Record<string, Json>>, part);
}

function describe(path: readonly string[], value: Json): string {
  const what = value === null ? "null" : Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
  return path.length === 0 ? "the scope" : `${path.join(".")}, ${what},`;
}

/** The names of the scope that an expression reads. */
export function namesIn(expression: Expression): Set<string> {
  const names = new Set<string>();
  collect(expression, names);
  return names;
}

function collect(expression: Expression, names: Set<string>): void {
  if ("from" in expression) names.add(expression.from[0] ?? "");
  else if ("object" in expression) for (const item of Object.values(expression.object)) collect(item, names);
  else if ("list" in expression) for (const item of expression.list) collect(item, names);
}

/** The paths of the scope that an expression reads. */
export function pathsIn(expression: Expression): readonly (readonly string[])[] {
  if ("from" in expression) return [expression.from];
  if ("object" in expression) return Object.values(expression.object).flatMap(pathsIn);
  return "list" in expression ? expression.list.flatMap(pathsIn) : [];
}
