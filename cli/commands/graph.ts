/** @module `graph`: who leads to whom in a system, and whether a ring could turn for ever. A file needs no running system. */
import type { Command } from "commander";
import { type Graph, graphData, graphOf, graphText, mermaid } from "../../runtime/graph.ts";
import type { Lifetime } from "../run/lifetime.ts";
import { loadSystem } from "../run/load.ts";
import { complain, say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { graphFrom, GraphOf, read } from "../client/views.ts";
import { apiOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

/** A graph, wherever it comes from. */
interface Source {
  readonly system: string;
  readonly graph: Graph;
  /** What `--json` prints. */
  readonly data: unknown;
}

const FILE_TEXT = "a module whose default export is system(...); the running system when left out";

/** Adds the command with its subcommands. */
export function graph(parent: Command, context: Context): void {
  const group = parent.command("graph").description("who leads to whom in a system: check, show");
  examples(group, [
    ["troupe graph check my/system.ts", "in CI: 0 when it may start, else 1 with the ring"],
    ["troupe graph show my/system.ts --mermaid", "a picture for a document"],
  ]);
  const check = remote(group.command("check"))
    .argument("[file]", FILE_TEXT)
    .description("check a system as its start does: names, schemas that fit, no ring without a bound");
  examples(check, [["troupe graph check my/system.ts", ""]], ["A running system was checked when it started; its counts are printed."]);
  check.action(async (file: string | undefined, options: RemoteOptions) => {
    const { system, graph: found } = await sourceOf(file, options, context.lifetime);
    const [agents = 0, routes = 0] = (["agent", "route"] as const).map((kind) => found.nodes.filter((node) => node.kind === kind).length);
    say(
      options.json
        ? JSON.stringify({ system, agents, routes, edges: found.edges.length })
        : `${system}: ${counted(agents, "agent")}, ${counted(routes, "route")}; everything fits, and every ring is bounded.`,
    );
    context.done(EXIT.ok);
  });
  const show = remote(group.command("show"))
    .argument("[file]", FILE_TEXT)
    .description("print the graph: routes with their stops, agents with what they ask and hand off to")
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
    const { name, slip, warnings } = await loadSystem(file);
    for (const warning of warnings) complain(`Warning: ${warning}.`);
    return { system: name, graph: graphOf(slip), data: graphData(slip) };
  }
  const data = await (await apiOf(options, lifetime)).get("/graph");
  const shown = read(GraphOf, data, "the graph");
  return { system: shown.system, graph: graphFrom(shown), data };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
