/**
 * @module The static cycle guard: which routes and agents can lead to which, and whether a ring of them could run
 * forever. Pure.
 *
 * Nodes are routes and agents; edges are nested routes, stops, asks and hand-offs. A node with `visitsMax` is bounded.
 * "Every strongly connected component contains a bounded node" would be too weak: a component may contain a second ring
 * that avoids that node. So the bounded nodes are removed, and the rest must have no ring at all. Then every ring of
 * the whole graph passes a bounded node, and each turn around it uses up a visit.
 */
import { entryOf } from "./entries.ts";
import { assertNever, type Json } from "./faults.ts";
import { callsOf, type Slip, type Validation } from "./slip.ts";

/** `stop`: a route runs an agent. `route`: a route runs another as a child process. */
export type EdgeKind = "stop" | "route" | "ask" | "hand-off";

/** An agent or a route. Without `visitsMax`, its number of visits in one chain is not bounded. */
export interface GraphNode {
  readonly kind: "agent" | "route";
  readonly name: string;
  readonly visitsMax: number | undefined;
  /** What it is for. */
  readonly about?: string | undefined;
}

/** An edge: one node can lead to another. */
export interface GraphEdge {
  readonly kind: EdgeKind;
  /** Indexes into the graph's nodes. */
  readonly from: number;
  readonly to: number;
  /** The stop, if a stop makes the edge. */
  readonly stop: string | undefined;
}

/** The graph of one slip. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** A ring of nodes; `kinds[i]` leads from `nodes[i]` to the next one, the last to the first. */
export interface Ring {
  readonly nodes: readonly GraphNode[];
  readonly kinds: readonly EdgeKind[];
}

/** Edges that the search for the shortest ring visits. After that it returns the shortest ring found so far. */
const RING_SEARCH_EDGES_MAX = 1_000_000;
/** A longer ring is printed without its middle. */
const RING_TEXT_NODES_MAX = 24;

const NOTHING: ReadonlyMap<string, string> = new Map();

/** The graph of a slip, with what its agents are for. An agent or route that is named but not in the slip is a node without edges. */
export function graphOf(slip: Slip, about: ReadonlyMap<string, string> = NOTHING): Graph {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const indexes = new Map<string, number>();
  const node = (kind: GraphNode["kind"], name: string): number => {
    const key = `${kind} ${name}`;
    const known = indexes.get(key);
    if (known !== undefined) return known;
    const from: Readonly<Record<string, { readonly visitsMax?: number | undefined }>> = kind === "agent" ? slip.agents : slip.routes;
    indexes.set(key, nodes.length);
    nodes.push({ kind, name, visitsMax: entryOf(from, name)?.visitsMax, about: kind === "agent" ? about.get(name) : undefined });
    return nodes.length - 1;
  };
  for (const [name, route] of Object.entries(slip.routes)) {
    const from = node("route", name);
    if (route.budgetAsks !== undefined) edges.push({ kind: "stop", from, to: node("agent", route.budgetAsks), stop: "end of the budget" });
    for (const stop of route.stops) {
      for (const [path, { target, validate }] of callsOf(stop)) {
        for (const name of judgesOf(validate)) edges.push({ kind: "stop", from, to: node("agent", name), stop: `${path}, judged` });
        switch (target.kind) {
          case "agent":
            edges.push({ kind: "stop", from, to: node("agent", target.agent), stop: path });
            break;
          case "route":
            edges.push({ kind: "route", from, to: node("route", target.route), stop: path });
            break;
          case "timer":
          case "signal":
            // A wait leads to no agent.
            break;
          default:
            assertNever(target);
        }
      }
    }
  }
  for (const [name, agent] of Object.entries(slip.agents)) {
    const from = node("agent", name);
    for (const target of agent.asks) edges.push({ kind: "ask", from, to: node("agent", target), stop: undefined });
    for (const target of agent.handsOffTo) edges.push({ kind: "hand-off", from, to: node("agent", target), stop: undefined });
  }
  return { nodes, edges };
}

/** Who judges the output of a call: its validator, and the person at the end. */
function judgesOf(validate: Validation | undefined): readonly string[] {
  const { by, onRefusal = "fail" } = validate ?? {};
  return [...(by === undefined ? [] : [by]), ...(onRefusal === "fail" ? [] : [onRefusal.ask])];
}

/** Finds a ring that no `visitsMax` bounds, as short as possible; `undefined` when every ring is bounded. */
export function findUnboundedRing(slip: Slip): Ring | undefined {
  const graph = graphOf(slip);
  const out = outEdges(graph, (node) => node.visitsMax === undefined);
  const ringed = components(out).filter((members) => members.length > 1 || selfLoop(out, members[0] ?? 0));
  const path = shortestRing(out, ringed);
  if (path === undefined) return undefined;
  return { nodes: path.flatMap(({ from }) => graph.nodes[from] ?? []), kinds: path.map(({ kind }) => kind) };
}

/** A ring as text: `A -> B -> A (ask, hand-off)`. A route is printed as `route A` if the ring also contains agents. */
export function ringText(ring: Ring): string {
  const mixed = new Set(ring.nodes.map(({ kind }) => kind)).size > 1;
  const names = ring.nodes.map(({ kind, name }) => (mixed && kind === "route" ? `route ${name}` : name));
  const closed = [...names, names[0] ?? ""];
  return `${shortened(closed).join(" -> ")} (${shortened(ring.kinds).join(", ")})`;
}

function shortened(parts: readonly string[]): readonly string[] {
  if (parts.length <= RING_TEXT_NODES_MAX) return parts;
  const half = RING_TEXT_NODES_MAX / 2;
  return [...parts.slice(0, half), `... ${parts.length - 2 * half} more ...`, ...parts.slice(-half)];
}

// ---- rings ----------------------------------------------------------------------------------------------------------

/** The edges that leave each node, among the nodes that are kept. */
function outEdges(graph: Graph, keep: (node: GraphNode) => boolean): readonly (readonly GraphEdge[])[] {
  const kept = graph.nodes.map(keep);
  const out: GraphEdge[][] = graph.nodes.map(() => []);
  for (const edge of graph.edges) if (kept[edge.from] === true && kept[edge.to] === true) out[edge.from]?.push(edge);
  return out;
}

function selfLoop(out: readonly (readonly GraphEdge[])[], node: number): boolean {
  return (out[node] ?? []).some(({ to }) => to === node);
}

/**
 * Strongly connected components (Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972), with an explicit stack instead of
 * recursion, so that a chain may have any length.
 */
function components(out: readonly (readonly GraphEdge[])[]): number[][] {
  const order = new Array<number>(out.length).fill(0);
  const low = new Array<number>(out.length).fill(0);
  const open = new Array<boolean>(out.length).fill(false);
  const stack: number[] = [];
  const found: number[][] = [];
  let count = 0;
  for (let start = 0; start < out.length; start += 1) {
    if (order[start] !== 0) continue;
    const calls: { readonly node: number; next: number }[] = [{ node: start, next: 0 }];
    while (calls.length > 0) {
      const call = calls[calls.length - 1];
      if (call === undefined) break;
      const { node } = call;
      if (call.next === 0) {
        count += 1;
        order[node] = count;
        low[node] = count;
        open[node] = true;
        stack.push(node);
      }
      const to = out[node]?.[call.next]?.to;
      call.next += 1;
      if (to !== undefined) {
        if (order[to] === 0) calls.push({ node: to, next: 0 });
        else if (open[to] === true) low[node] = Math.min(low[node] ?? 0, order[to] ?? 0);
        continue;
      }
      calls.pop();
      const parent = calls.at(-1)?.node;
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
      if (low[node] === order[node]) found.push(popComponent(stack, open, node));
    }
  }
  return found;
}

function popComponent(stack: number[], open: boolean[], root: number): number[] {
  const members = stack.splice(stack.lastIndexOf(root));
  for (const member of members) open[member] = false;
  return members;
}

/**
 * The shortest ring, searched breadth first from each member of each component: the first path back to the start is the shortest through
 * it.
 */
function shortestRing(out: readonly (readonly GraphEdge[])[], ringed: readonly (readonly number[])[]): readonly GraphEdge[] | undefined {
  let best: readonly GraphEdge[] | undefined;
  const budget = { edges: RING_SEARCH_EDGES_MAX };
  for (const start of ringed.flat().sort((a, b) => a - b)) {
    if (best !== undefined && (best.length === 1 || budget.edges <= 0)) break;
    const path = wayBack(out, start, best?.length ?? Number.POSITIVE_INFINITY, budget);
    if (path !== undefined) best = path;
  }
  return best;
}

/** The shortest path from a node back to itself, if it is shorter than `below`. */
function wayBack(
  out: readonly (readonly GraphEdge[])[],
  start: number,
  below: number,
  budget: { edges: number },
): readonly GraphEdge[] | undefined {
  const came = new Map<number, GraphEdge>();
  const queue: { readonly node: number; readonly length: number }[] = [{ node: start, length: 0 }];
  for (const { node, length } of queue) {
    if (length + 1 >= below) return undefined;
    for (const edge of out[node] ?? []) {
      budget.edges -= 1;
      if (edge.to === start) return wayTo(came, start, edge);
      if (came.has(edge.to)) continue;
      came.set(edge.to, edge);
      queue.push({ node: edge.to, length: length + 1 });
    }
  }
  return undefined;
}

function wayTo(came: ReadonlyMap<number, GraphEdge>, start: number, last: GraphEdge): readonly GraphEdge[] {
  const path = [last];
  for (let edge = last; edge.from !== start;) {
    const before = came.get(edge.from);
    if (before === undefined) break;
    path.push(before);
    edge = before;
  }
  return path.reverse();
}

// ---- output ---------------------------------------------------------------------------------------------------------

/** The graph as plain data: agents and routes with their versions and bounds, and the edges between them. */
export function graphData(slip: Slip, about: ReadonlyMap<string, string> = NOTHING): Json {
  const { nodes, edges } = graphOf(slip);
  const node = (index: number): Json => ({ kind: nodes[index]?.kind ?? "agent", name: nodes[index]?.name ?? "" });
  const bound = (visitsMax: number | undefined): { readonly [key: string]: Json } => (visitsMax === undefined ? {} : { visitsMax });
  return {
    system: slip.system,
    agents: Object.entries(slip.agents).map(([name, { version, visitsMax }]) => {
      const text = about.get(name);
      return { name, version, ...bound(visitsMax), ...(text === undefined ? {} : { about: text }) };
    }),
    routes: Object.entries(slip.routes).map(([name, { version, visitsMax, stops }]) => ({
      name,
      version,
      stops: stops.map((stop) => stop.name),
      ...bound(visitsMax),
    })),
    edges: edges.map(({ kind, from, to, stop }) => ({ kind, from: node(from), to: node(to), ...(stop === undefined ? {} : { stop }) })),
  };
}

/** The graph as a Mermaid flowchart; bounded nodes show their bound. */
export function mermaid({ nodes, edges }: Graph): string {
  const lines = ["flowchart LR"];
  for (const [index, node] of nodes.entries()) {
    const label = `"${node.name}${boundText(node)}"`;
    lines.push(node.kind === "route" ? `  n${index}[[${label}]]` : `  n${index}(${label})`);
  }
  for (const edge of edges) lines.push(`  n${edge.from} ${arrow(edge)} n${edge.to}`);
  return `${lines.join("\n")}\n`;
}

function arrow({ kind, stop }: GraphEdge): string {
  switch (kind) {
    case "stop":
    case "route":
      return `-->|"${stop ?? kind}"|`;
    case "ask":
      return `-.->|"asks"|`;
    case "hand-off":
      return `==>|"hands off"|`;
    default:
      return assertNever(kind);
  }
}

/** The graph as text: each node, and under it the nodes that it leads to. */
export function graphText({ nodes, edges }: Graph): string {
  const below = nodes.map((): string[] => []);
  for (const { from, to, kind, stop } of edges) {
    const target = nodes[to];
    if (target !== undefined) below[from]?.push(`  ${stop ?? (kind === "ask" ? "asks" : "hands off to")} -> ${target.kind} ${target.name}`);
  }
  return (
    nodes
      .map((node, index) => [`${node.kind} ${node.name}${boundText(node)}${aboutText(node)}`, ...(below[index] ?? [])].join("\n"))
      .join("\n") + "\n"
  );
}

function aboutText({ about }: GraphNode): string {
  return about === undefined ? "" : `: ${about}`;
}

function boundText({ visitsMax }: GraphNode): string {
  return visitsMax === undefined ? "" : ` (at most ${visitsMax} visits)`;
}
