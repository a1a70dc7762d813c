/** @module The shape of the graph of routes and agents: its nodes, which edges stand in a ring, and what a process has done in it. Pure. */
import type { GraphAnswer } from "../../../runtime/answers.ts";
import type { Bar, TimelineView } from "../../../runtime/timeline.ts";

/** A route or an agent. */
export interface ShapeNode {
  readonly id: string;
  readonly kind: "agent" | "route";
  readonly name: string;
  readonly about?: string | undefined;
  readonly visitsMax?: number | undefined;
}

/** One may lead to another. */
export interface ShapeEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly kind: GraphAnswer["edges"][number]["kind"];
  /** The stops of a route that lead there. */
  readonly stops: readonly string[];
  /** It stands in a ring: what follows may come back to where it begins. */
  readonly isRing: boolean;
}

/** The graph. */
export interface Shape {
  readonly nodes: readonly ShapeNode[];
  readonly edges: readonly ShapeEdge[];
}

/** What a process has done at a node. */
export interface Visit {
  readonly count: number;
  readonly state: "open" | "ended" | "failed";
}

function idOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}:${name}`;
}

/** The graph of a system. Edges of the same kind between the same two are one. */
export function shapeOf(graph: GraphAnswer): Shape {
  const nodes = (["route", "agent"] as const).flatMap((kind) =>
    graph[`${kind}s`].map((one): ShapeNode => ({
      id: idOf({ kind, name: one.name }),
      kind,
      name: one.name,
      visitsMax: one.visitsMax,
      about: "about" in one ? one.about : undefined,
    })),
  );
  const next = new Map<string, Set<string>>();
  const stops = new Map<string, string[]>();
  for (const { kind, from, to, stop } of graph.edges) {
    const ends = next.get(idOf(from)) ?? new Set();
    next.set(idOf(from), ends.add(idOf(to)));
    const id = `${kind} ${idOf(from)} ${idOf(to)}`;
    stops.set(id, [...(stops.get(id) ?? []), ...(stop === undefined ? [] : [stop])]);
  }
  const comesBack = reachable(next);
  const edges = new Map<string, ShapeEdge>();
  for (const { kind, from, to } of graph.edges) {
    const [a, b] = [idOf(from), idOf(to)];
    const id = `${kind} ${a} ${b}`;
    edges.set(id, { id, from: a, to: b, kind, stops: stops.get(id) ?? [], isRing: a === b || comesBack(b, a) });
  }
  return { nodes, edges: [...edges.values()] };
}

/** Whether one node leads to another, over any number of edges. */
function reachable(next: ReadonlyMap<string, ReadonlySet<string>>): (from: string, to: string) => boolean {
  const known = new Map<string, ReadonlySet<string>>();
  const from = (start: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const waiting = [start];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop())
      for (const end of next.get(node) ?? [])
        if (!seen.has(end)) {
          seen.add(end);
          waiting.push(end);
        }
    return seen;
  };
  return (start, to) => {
    const found = known.get(start) ?? from(start);
    known.set(start, found);
    return found.has(to);
  };
}

/** What a process of a route has done, by node. */
export function visitsOf(route: string, timeline: TimelineView): ReadonlyMap<string, Visit> {
  const visits = new Map<string, Visit>();
  visits.set(`route:${route}`, { count: 1, state: timeline.endMs === undefined ? "open" : "ended" });
  for (const bar of timeline.bars) {
    if (bar.kind !== "work") continue;
    const id = bar.process === undefined ? `agent:${bar.agent ?? bar.name}` : `route:${bar.name}`;
    const before = visits.get(id);
    visits.set(id, { count: (before?.count ?? 0) + 1, state: later(before?.state, bar.state) });
  }
  return visits;
}

function later(before: Visit["state"] | undefined, state: Bar["state"]): Visit["state"] {
  if (before === "open" || state === "open") return "open";
  return state === "failed" || state === "dropped" ? "failed" : "ended";
}
