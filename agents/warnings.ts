/**
 * @module Warnings about allowed but possibly unintended definitions, found when a system is defined.
 */
import { AMOUNTS, type Grant, grantText } from "../runtime/budget.ts";
import { entryOf } from "../runtime/entries.ts";
import { assertNever } from "../runtime/faults.ts";
import { type AgentData, type Call, callsOf, isPerWork, type Slip, type Stop } from "../runtime/slip.ts";

/** Returns the warnings of a system, one sentence each. */
export function warningsOf(slip: Slip): readonly string[] {
  return [...orderWarnings(slip), ...budgetWarnings(slip)];
}

/** Budgets of stops and nested routes that can never be used up, because that of the route ends before. */
function budgetWarnings({ routes }: Slip): readonly string[] {
  return Object.entries(routes).flatMap(([route, { stops, budget }]) =>
    stops.flatMap((stop) =>
      callsOf(stop).flatMap(([path, { target, budget: own }]) => {
        const nested = target.kind === "route" ? entryOf(routes, target.route)?.budget : undefined;
        const where = `route ${JSON.stringify(route)}, stop ${JSON.stringify(path)}`;
        return [
          ...largerText(where, "its budget", own, budget),
          ...largerText(where, `the budget of route ${JSON.stringify(target.kind === "route" ? target.route : "")}`, nested, budget),
        ];
      }),
    ),
  );
}

function largerText(where: string, whose: string, budget: Grant | undefined, routes: Grant | undefined): readonly string[] {
  if (budget === undefined || routes === undefined) return [];
  const larger = AMOUNTS.filter((name) => (budget[name] ?? 0) > (routes[name] ?? Number.POSITIVE_INFINITY));
  if (larger.length === 0) return [];
  const text = (grant: Grant): string => grantText(Object.fromEntries(larger.map((name) => [name, grant[name]])));
  return [`${where}: ${whose} is ${text(budget)}, more than the ${text(routes)} of the whole route; lower it or raise the route's`];
}

function orderWarnings(slip: Slip): readonly string[] {
  return Object.entries(slip.routes).flatMap(([route, { stops }]) =>
    stops.flatMap((stop) =>
      inOrder(stop, slip.agents).map(
        (agent) =>
          `route ${JSON.stringify(route)}, stop ${JSON.stringify(stop.name)}: ${agent} has state and no key, ` +
          "so each process has one actor of it, which runs the work items in order; give the contract a key or remove the state",
      ),
    ),
  );
}

/** Returns the agents of a parallel stop whose work items run in order. */
function inOrder(stop: Stop, agents: Slip["agents"]): readonly string[] {
  const names = callsOf(stop).flatMap(([, { target }]: readonly [string, Call]) => (target.kind === "agent" ? [target.agent] : []));
  const sharing = [...new Set(names)].filter((name) => isShared(entryOf(agents, name)));
  switch (stop.kind) {
    case "one":
      return [];
    case "forEach":
      return stop.concurrency > 1 ? sharing : [];
    case "all":
    case "any":
      return sharing.filter((name) => names.indexOf(name) !== names.lastIndexOf(name));
    default:
      return assertNever(stop);
  }
}

function isShared(agent: AgentData | undefined): boolean {
  return agent !== undefined && agent.key === undefined && !isPerWork(agent);
}
