/**
 * @module All graphs of up to 5 agents and 4 hops, up to the names of the agents, with what must come of each.
 *
 * A graph is a walk over agents. Each hop after the first is one of: the next stop, a branch beside the stop before it,
 * a hand-off, or an ask. A rule of three lines, which shares no code with the engine, says how each must end.
 */
import { z } from "zod";
import { type AgentDefinition, agent } from "../../agents/agent.ts";
import { contract } from "../../agents/contract.ts";
import { type RouteBuilder, route, type RouteDefinition } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Scenario } from "../run.ts";
import { effectTool } from "./party.ts";

const AGENTS_MAX = 5;
const HOPS_MAX = 4;
const EDGES = ["stop", "beside", "hand-off", "ask"] as const;
type Edge = (typeof EDGES)[number];

/** A walk: agents by number, and how each is come to. */
export interface Graph {
  readonly name: string;
  readonly agents: readonly number[];
  readonly edges: readonly Edge[];
  /** A ring of asks must be refused; everything else must complete. */
  readonly expected: "completed" | "failed";
}

const Hop = z.object({ edge: z.string(), agent: z.int() });
const Job = z.object({ tag: z.string(), rest: z.array(Hop) });
const Done = z.object({ tag: z.string() });
const CONTRACTS = Array.from({ length: AGENTS_MAX }, (_, index) => contract(`G${index}`, 1, { input: Job, output: Done }));

function contractAt(index: number): (typeof CONTRACTS)[number] {
  const found = CONTRACTS[index];
  if (found === undefined) throw new Error("invariant: an agent of the list");
  return found;
}

const act = effectTool("act");

function makeAgent(index: number): AgentDefinition {
  return agent(contractAt(index), {
    tools: [act],
    asks: CONTRACTS,
    handsOffTo: CONTRACTS,
    visitsMax: HOPS_MAX + 1,
    ...(hasState(index) ? { state: { schema: z.int(), initial: 0 } } : {}),
    handle: async (job, ctx) => {
      const about = `${ctx.processId}/${job.tag}`;
      await ctx.call(act, { about });
      const [next, ...rest] = job.rest;
      if (next === undefined) return { tag: job.tag };
      const inner = { tag: `${job.tag}.${next.edge}`, rest };
      if (next.edge === "hand-off") return ctx.handOff(contractAt(next.agent), inner);
      await ctx.ask(contractAt(next.agent), inner);
      return { tag: job.tag };
    },
  });
}

/** Whether an agent has one actor for a process. Of the others each work item has its own, and they may be asked again while they wait. */
function hasState(index: number): boolean {
  return index % 2 === 0;
}

/** The stops of a walk: each a list of branches, each a chain of hops within one stop. */
function stopsOf(graph: Pick<Graph, "agents" | "edges">): { readonly agent: number; readonly rest: { edge: string; agent: number }[] }[][] {
  const stops: { readonly agent: number; readonly rest: { edge: string; agent: number }[] }[][] = [];
  for (const [index, at] of graph.agents.entries()) {
    const edge = index === 0 ? "stop" : (graph.edges[index - 1] ?? "stop");
    const last = stops.at(-1);
    if (edge === "stop" || last === undefined) stops.push([{ agent: at, rest: [] }]);
    else if (edge === "beside") last.push({ agent: at, rest: [] });
    else last.at(-1)?.rest.push({ edge, agent: at });
  }
  return stops;
}

/** An asker waits; a hand-off changes no wait; asking an agent that waits and has one actor is a ring. */
function expectedOf(graph: Pick<Graph, "agents" | "edges">): Graph["expected"] {
  for (const branch of stopsOf(graph).flat()) {
    const waiting = new Set<number>();
    let current = branch.agent;
    for (const hop of branch.rest) {
      if (hop.edge === "ask") waiting.add(current);
      if (hop.edge === "ask" && hasState(hop.agent) && waiting.has(hop.agent)) return "failed";
      current = hop.agent;
    }
  }
  return "completed";
}

/** Every walk, up to renaming: each agent is one met before or the next new one. */
export function allGraphs(): Graph[] {
  const graphs: Graph[] = [];
  const extend = (agents: readonly number[], edges: readonly Edge[]): void => {
    const walk = { agents, edges };
    graphs.push({ ...walk, name: `g${graphs.length + 1}`, expected: expectedOf(walk) });
    if (agents.length === HOPS_MAX) return;
    const met = Math.max(...agents) + 1;
    for (let next = 0; next <= Math.min(met, AGENTS_MAX - 1); next += 1)
      for (const edge of EDGES) extend([...agents, next], [...edges, edge]);
  };
  extend([0], []);
  return graphs;
}

const Task = z.object({ tag: z.string() });
type Builder = RouteBuilder<string, z.infer<typeof Task>, { readonly task: z.infer<typeof Task> }>;

function routeOf(graph: Graph): RouteDefinition {
  let builder = route(graph.name, 1, Task) as unknown as Builder;
  for (const [index, branches] of stopsOf(graph).entries()) {
    const inputs = branches.map((branch, number) => ({ ...branch, name: `s${index}b${number}` }));
    const [first] = inputs;
    if (inputs.length === 1 && first !== undefined)
      builder = builder.to(first.name, contractAt(first.agent), () => ({ tag: first.name, rest: first.rest })) as unknown as Builder;
    else
      builder = builder.all((stop) =>
        Object.fromEntries(inputs.map((one) => [one.name, stop(contractAt(one.agent), () => ({ tag: one.name, rest: one.rest }))])),
      ) as unknown as Builder;
  }
  return builder.output(({ task }) => task.tag) as unknown as RouteDefinition;
}

/** One system with a route for every graph. */
export function graphSystem(graphs: readonly Graph[]): System {
  return system("graphs", { agents: CONTRACTS.map((_contract, index) => makeAgent(index)), routes: graphs.map(routeOf) });
}

/** The scenario of one graph: one task, and its outcome must be the expected one. */
export function graphScenario(made: System, graph: Graph): Scenario {
  const input: Json = { tag: graph.name };
  return {
    name: graph.name,
    system: () => made,
    tasks: () => [{ id: "t1", route: graph.name, input, timeoutMs: 60_000, atMs: 0 }],
    strict: true,
    invariant: (world) => {
      const status = world.network.notifications.find(
        (notification) => notification.data.processId === "t1" && notification.topic.endsWith(".results"),
      )?.data.status;
      return status === graph.expected
        ? undefined
        : `agents ${graph.agents.join(" ")} by ${graph.edges.join(", ")}: ended ${status ?? "never"}, expected ${graph.expected}`;
    },
  };
}
