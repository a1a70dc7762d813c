/** @module How a route uses the output of a `forEach`, which may be too large for one value. Pure. */
import { pathsIn } from "./expression.ts";
import { callsOf, type RouteData, type Stop } from "./slip.ts";

/** A stop with one call for each item of a list. */
export type ForEach = Extract<Stop, { kind: "forEach" }>;

/** `none`: nothing reads it. `items`: only other `forEach` stops read it, item by item. `value`: a mapping or condition reads it. */
export type ListUse = "none" | "items" | "value";

const known = new WeakMap<RouteData, Map<string, ListUse>>();

/** How the output of a stop is read in its route. Routes do not change, so that is computed once. */
export function listUse(route: RouteData, name: string): ListUse {
  const uses = known.get(route) ?? new Map<string, ListUse>();
  known.set(route, uses);
  const use = uses.get(name) ?? findUse(route, name);
  uses.set(name, use);
  return use;
}

function findUse({ stops, output }: RouteData, name: string): ListUse {
  const calls = stops.flatMap((stop) => callsOf(stop).map(([, call]) => call));
  const isReadAsValue =
    [output, ...calls.map(({ input }) => input)].some((expression) => pathsIn(expression).some(([first]) => first === name)) ||
    calls.some(({ when }) => when !== undefined && namesOf(when).has(name)) ||
    stops.some((stop) => stop.kind === "forEach" && !isItself(stop, name) && pathsIn(stop.over).some(([first]) => first === name));
  if (isReadAsValue) return "value";
  return stops.some((stop) => stop.kind === "forEach" && isItself(stop, name)) ? "items" : "none";
}

/** Whether the items of a `forEach` are the output itself. */
function isItself({ over }: ForEach, name: string): boolean {
  return "from" in over && over.from.length === 1 && over.from[0] === name;
}

/** All words of a condition; the names that it reads are among them. */
export function namesOf(condition: string): Set<string> {
  return new Set(condition.match(/[A-Za-z_][A-Za-z0-9_-]*/g));
}
