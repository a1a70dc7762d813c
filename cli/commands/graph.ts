/** @module `graph`: who leads to whom in a system, and whether a ring could turn for ever. Needs no running system. */
import type { Command } from "commander";
import { graphData, graphText, mermaid } from "../../runtime/graph.ts";
import { loadSystem } from "../load.ts";
import { say } from "../output.ts";
import { EXIT } from "../problem.ts";
import { type Context, examples, jsonOption } from "./common.ts";

interface ShowOptions {
  readonly mermaid: boolean;
  readonly json: boolean;
}

/** Adds the command with its subcommands. */
export function graph(parent: Command, context: Context): void {
  const group = parent.command("graph").description("who leads to whom in a system: check, show");
  examples(group, [["troupe graph check my/system.ts", "in CI: 0 when it may start, else 1 with the ring"], ["troupe graph show my/system.ts --mermaid", "a picture for a document"]]);
  const check = group
    .command("check")
    .argument("<file>", "a module whose default export is system(...)")
    .description("check a system as its start does: names, schemas that fit, no ring without a bound")
    .addOption(jsonOption());
  examples(check, [["troupe graph check my/system.ts", ""]]);
  check.action(async (file: string, options: { readonly json: boolean }) => {
    const system = await loadSystem(file);
    const counts = { system: system.name, agents: system.agents.size, remote: system.remote.size, routes: system.routes.size };
    say(options.json ? JSON.stringify(counts) : `${system.name}: ${counted(counts.agents, "agent")}${counts.remote > 0 ? ` and ${counts.remote} remote` : ""}, ${counted(counts.routes, "route")}; everything fits, and every ring is bounded.`);
    context.done(EXIT.ok);
  });
  const show = group
    .command("show")
    .argument("<file>", "a module whose default export is system(...)")
    .description("print the graph: routes with their stops, agents with what they ask and hand off to")
    .option("--mermaid", "as a Mermaid flowchart", false)
    .addOption(jsonOption());
  examples(show, [["troupe graph show my/system.ts", ""], ["troupe graph show my/system.ts --mermaid > graph.mmd", ""], ["troupe graph show my/system.ts --json", "what GET /graph of a running system answers"]]);
  show.action(async (file: string, options: ShowOptions) => {
    const { slip } = await loadSystem(file);
    say((options.json ? JSON.stringify(graphData(slip)) : options.mermaid ? mermaid(slip) : graphText(slip)).trimEnd());
    context.done(EXIT.ok);
  });
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
