/**
 * @module Checks a finished route stop by stop: whether each mapping can fit its target, and each condition the values that it reads.
 */
import { z } from "zod";
import type { Expression } from "../runtime/expression.ts";
import { assertNever } from "../runtime/faults.ts";
import { type Shape, shapeOfSchema, type Shapes } from "../runtime/shape.ts";
import { LIMITS } from "../runtime/limits.ts";
import { planSchema } from "../runtime/plan.ts";
import { jsonSchemaOf } from "../runtime/schema.ts";
import { type Call, type Doer, doerName, type Stop } from "../runtime/slip.ts";
import { invalid, requireCondition } from "./definition.ts";
import type { PlannedRoute } from "./planned-route.ts";
import type { RouteContract, RouteDefinition, RouteTarget } from "./route.ts";
import { itemOf, listOf, misfit, oneOf, orNull, shapeOf } from "./schema-check.ts";

type Find = (doer: Doer) => RouteTarget | PlannedRoute | undefined;

/** What is checked: a written route, or the route of a plan. */
export type CheckedRoute = Pick<RouteDefinition, "name" | "data" | "inputJsonSchema" | "targets">;

/**
 * Checks the mappings and conditions of a route. With `promised`, also compares the route's output with what its contract says.
 * @throws `definition.invalid`, naming route and stop, for a mapping that reads what cannot exist or gives what cannot fit
 */
export function checkFit(route: CheckedRoute, promised?: Pick<RouteContract, "outputJsonSchema">): void {
  const where = `route ${JSON.stringify(route.name)}`;
  const find: Find = (doer) =>
    route.targets.find((item) => item.name === doerName(doer) && (item.kind === "contract") === (doer.kind === "agent"));
  let scope: Shapes = { task: shapeOfSchema(route.inputJsonSchema) };
  for (const stop of route.data.stops) scope = { ...scope, ...checkStop(stop, scope, find, `${where}, stop ${JSON.stringify(stop.name)}`) };
  const wrong = misfit(route.data.output, scope, promised === undefined ? undefined : shapeOfSchema(promised.outputJsonSchema));
  if (wrong !== undefined) throw invalid(`${where}, output`, wrong);
}

/** Checks a stop and returns what it adds to the scope. */
function checkStop(stop: Stop, scope: Shapes, find: Find, where: string): Shapes {
  switch (stop.kind) {
    case "one":
      return { [stop.name]: checkCall(stop.call, scope, find, where) };
    case "all":
      return checkBranches(stop.branches, scope, find, where);
    case "any":
      return { [stop.name]: oneOf(Object.values(checkBranches(stop.branches, scope, find, where))) };
    case "forEach": {
      const wrong = misfit(stop.over, scope, { node: { type: "array" }, root: {} });
      if (wrong !== undefined) throw invalid(`${where}, list`, wrong);
      const item = itemOf(shapeOf(stop.over, scope));
      return { [stop.name]: listOf(checkCall(stop.call, { ...scope, item }, find, where)) };
    }
  }
}

function checkBranches(branches: Readonly<Record<string, Call>>, scope: Shapes, find: Find, where: string): Shapes {
  return Object.fromEntries(
    Object.entries(branches).map(([name, call]) => [name, checkCall(call, scope, find, `${where}, branch ${JSON.stringify(name)}`)]),
  );
}

function checkCall(call: Call, scope: Shapes, find: Find, where: string): Shape | undefined {
  if (call.plan !== undefined) requireFit(call.plan, scope, shapeOfSchema(PLAN_SCHEMA), `${where}, plan`);
  if (call.when !== undefined) requireCondition(call.when, scope, where, "when");
  const output = outputShape(call, scope, find, where);
  return call.optional || call.when !== undefined ? orNull(output) : output;
}

/** The form of each plan. */
const PLAN_SCHEMA = jsonSchemaOf(planSchema(z.string(), LIMITS.stopsMax), "the schema of plans");

/** Checks the input of a call and returns the shape of its output, if it is known. */
function outputShape({ target, input }: Call, scope: Shapes, find: Find, where: string): Shape | undefined {
  switch (target.kind) {
    case "agent":
    case "route": {
      const found = find(target);
      if (found === undefined) return undefined;
      requireFit(input, scope, shapeOfSchema(found.inputJsonSchema), `${where}, input`);
      return found.kind === "route" ? undefined : shapeOfSchema(found.outputJsonSchema);
    }
    case "timer":
      requireFit(input, scope, shapeOfSchema({ type: "integer" }), `${where}, length`);
      return shapeOfSchema({ type: "null" });
    case "signal":
      return shapeOfSchema(target.schema);
    default:
      return assertNever(target);
  }
}

function requireFit(input: Expression, scope: Shapes, target: Shape, where: string): void {
  const wrong = misfit(input, scope, target);
  if (wrong !== undefined) throw invalid(where, wrong);
}
