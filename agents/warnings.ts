/**
 * @module Warnings about allowed but possibly unintended definitions, found when a system is defined.
 */
import { entryOf } from "../runtime/entries.ts";
import { assertNever } from "../runtime/faults.ts";
import { type AgentData, type Call, callsOf, isPerWork, type Slip, type Stop } from "../runtime/slip.ts";

/** Returns the warnings of a system, one sentence each. */
export function warningsOf(slip: Slip): readonly string[] {
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
