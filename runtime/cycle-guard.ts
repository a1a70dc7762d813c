/**
 * @module The dynamic cycle guard: refuses a hand-off, an ask or a nested route before it begins. Pure.
 *
 * The static guard (graph.ts) makes sure that every cycle has a bound; this one enforces the bounds at run time. A cycle
 * of waits is a deadlock by construction (Chandy, Misra and Haas, Distributed Deadlock Detection, 1983). Every ask
 * carries its path of waits, so such a cycle is refused before anything waits.
 */
import { entryOf } from "./entries.ts";
import { Fault } from "./faults.ts";
import { LIMITS } from "./limits.ts";
import type { Link } from "./process/work.ts";
import type { Ancestor } from "./protocol/bodies.ts";
import { isPerWork, type Slip } from "./slip.ts";

/** The names of a cycle or path as text. */
function ringText(names: readonly string[]): string {
  return names.join(" -> ");
}

/** Refuses the next link of a causal chain of hand-offs and asks if it exceeds a bound. Siblings and attempts are not part of the chain. */
export function guardChain(slip: Slip, chain: readonly Link[], next: Link): void {
  const path = [...chain.map((link) => link.agent), next.agent];
  const same = chain.findIndex((link) => link.agent === next.agent && link.input === next.input);
  if (same >= 0) {
    const ring = ringText(path.slice(same));
    throw new Fault("cycle.no-progress", `${ring}: ${next.agent} was called again with the same input`, { ring, path: ringText(path) });
  }
  const visitsMax = entryOf(slip.agents, next.agent)?.visitsMax;
  const visits = chain.filter((link) => link.agent === next.agent).length + 1;
  if (visitsMax !== undefined && visits > visitsMax) {
    const ring = ringText(path.slice(path.indexOf(next.agent)));
    throw new Fault("cycle.visits", `${ring}: visit ${visits} of ${next.agent}, which allows ${visitsMax}`, { ring, visits, visitsMax });
  }
}

/**
 * Refuses an ask whose answer would wait for an agent that already waits. Where each work item has an actor of its own, an agent
 * that waits already is refused by its name, unless its `visitsMax` allows the recursion: then {@link guardChain} bounds it.
 */
export function guardWait(slip: Slip, waiting: readonly Ancestor[], next: Ancestor): void {
  const agent = entryOf(slip.agents, next.agent);
  const byName = agent !== undefined && isPerWork(agent) && agent.visitsMax === undefined;
  const index = waiting.findIndex((one) => one.agent === next.agent && (byName || one.id === next.id));
  if (index < 0) return;
  const ring = ringText([...waiting.slice(index).map((one) => one.agent), next.agent]);
  throw new Fault("cycle.ask-ring", `${ring}: ${next.agent} already waits for this answer`, { ring });
}

/** Refuses a delivery above the limit of the process. */
export function guardHops(hops: number): void {
  if (hops >= LIMITS.hopsMax) throw new Fault("cycle.hops", `the process has made ${hops} deliveries, which is the limit`, { hops });
}

/** Refuses a nested route that is too deep, or that occurs too often in its own chain. */
export function guardNesting(slip: Slip, nesting: readonly string[], route: string): void {
  const path = [...nesting, route];
  if (path.length > LIMITS.nestingMax)
    throw new Fault("cycle.depth", `${ringText(path)}: nested deeper than ${LIMITS.nestingMax}`, { path: ringText(path) });
  const visitsMax = entryOf(slip.routes, route)?.visitsMax;
  const visits = path.filter((name) => name === route).length;
  if (visitsMax !== undefined && visits > visitsMax) {
    const ring = ringText(path.slice(path.indexOf(route)));
    throw new Fault("cycle.visits", `${ring}: visit ${visits} of route ${route}, which allows ${visitsMax}`, { ring, visits, visitsMax });
  }
}
