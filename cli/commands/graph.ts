/** @module `graph`: prints which agents and routes lead to which. A cycle without a bound is an error. A file needs no running system. */
import type { Command } from "commander";
import type { GraphAnswer } from "../../client/index.ts";
import { type Graph, type GraphNode, graphData, graphOf, graphText, mermaid } from "../../runtime/graph.ts";
import type { Lifetime } from "../run/lifetime.ts";
import { loadSystem } from "../run/load.ts";
import { complain, say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";
import { counted } from "../../runtime/units.ts";

/** A graph, from a file or from a running system. */
interface Source {
  readonly system: string;
  readonly graph: Graph;
  /** What `--json` prints. */
  readonly data: unknown;
}

const FILE_TEXT = "a module whose default export is system(...); the running system when left out";

/** Adds the command with its subcommands. */
export function graph(parent: Command, context: Context): void {
  const group = parent.command("graph").description("the graph of a system, which agents and routes lead to which: check, show");
  examples(group, [
    ["troupe graph check my/system.ts", "in CI: 0 when it may start, else 1 with the cycle"],
    ["troupe graph show my/system.ts --mermaid", "a picture for a document"],
  ]);
  const check = remote(group.command("check"))
    .argument("[file]", FILE_TEXT)
    .description("check a system as at its start: names, mappings, and a bound for every cycle");
  examples(check, [["troupe graph check my/system.ts", ""]], ["A running system was checked when it started; its counts are printed."]);
  check.action(async (file: string | undefined, options: RemoteOptions) => {
    const { system, graph: found } = await sourceOf(file, options, context.lifetime);
    const [agents = 0, routes = 0] = (["agent", "route"] as const).map((kind) => found.nodes.filter((node) => node.kind === kind).length);
    say(
      options.json
        ? JSON.stringify({ system, agents, routes, edges: found.edges.length })
        : `${system}: ${counted(agents, "agent")}, ${counted(routes, "route")}; everything fits, and every cycle is bounded.`,
    );
    context.done(EXIT.ok);
  });
  const show = remote(group.command("show"))
    .argument("[file]", FILE_TEXT)
    .description("print the graph: routes with stops, agents with the agents they ask or hand off to")
    .option("--mermaid", "as a Mermaid flowchart", false);
  examples(show, [
    ["troupe graph show", "of the running system"],
    ["troupe graph show my/system.ts", "of a file"],
    ["troupe graph show my/system.ts --mermaid > graph.mmd", ""],
    ["troupe graph show my/system.ts --json", "what GET /graph answers"],
  ]);
  show.action(async (file: string | undefined, options: RemoteOptions & { readonly mermaid: boolean }) => {
    const { graph: found, data } = await sourceOf(file, options, context.lifetime);
    say((options.json ? JSON.stringify(data) : options.mermaid ? mermaid(found) : graphText(found)).trimEnd());
    context.done(EXIT.ok);
  });
}

async function sourceOf(file: string | undefined, options: RemoteOptions, lifetime: Lifetime): Promise<Source> {
  if (file !== undefined) {
    const { name, slip, about, warnings } = await loadSystem(file);
    for (const warning of warnings) complain(`Warning: ${warning}.`);
    return { system: name, graph: graphOf(slip, about), data: graphData(slip, about) };
  }
  const client = await clientOf(options, lifetime);
  const data = await client.graph();
  return { system: data.system, graph: graphFrom(data), data };
}

interface Shown {
  readonly name: string;
  readonly visitsMax?: number | undefined;
  readonly about?: string | undefined;
}

/** The graph of a running system, as that of a file. */
function graphFrom(shown: GraphAnswer): Graph {
  const named = (kind: GraphNode["kind"], all: readonly Shown[]): GraphNode[] =>
    all.map(({ name, visitsMax, about }) => ({ kind, name, visitsMax, about }));
  const nodes = [...named("route", shown.routes), ...named("agent", shown.agents)];
  const indexOf = (node: { readonly kind: string; readonly name: string }): number =>
    nodes.findIndex(({ kind, name }) => kind === node.kind && name === node.name);
  return { nodes, edges: shown.edges.map(({ kind, from, to, stop }) => ({ kind, from: indexOf(from), to: indexOf(to), stop })) };
}
