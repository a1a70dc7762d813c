/** @module `costs`: what processes have spent, by route and by version. */
import type { Command } from "commander";
import type { CostLine } from "../../runtime/overview.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { usdText } from "../../runtime/budget.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, durationOption, examples, remote, type RemoteOptions } from "./common.ts";

const SINCE_MS = 86_400_000;

/** Adds the command. */
export function costs(parent: Command, context: Context): void {
  const command = remote(parent.command("costs"))
    .description("show what ended processes have spent, by route and version")
    .addOption(durationOption("--since <time>", "processes that ended within this time").default(SINCE_MS, "24h"));
  examples(command, [
    ["troupe costs", ""],
    ["troupe costs --since 7d --json", ""],
  ]);
  command.action(async (options: RemoteOptions & { readonly since: number }) => {
    const view = await (await clientOf(options, context.lifetime)).costs({ sinceMs: Date.now() - options.since });
    if (options.json) say(JSON.stringify(view));
    else {
      say(table(HEAD, [rowOf(view.total), ...view.byRoute.map(rowOf)]));
      const versions = view.byVersion.filter(({ name }) => name !== "");
      if (versions.length > 0) say(`\n${table(["version", ...HEAD.slice(1)], versions.map(rowOf))}`);
      if (view.atLeast) say("\nThere are more processes than were counted: the numbers are lower bounds.");
    }
    context.done(EXIT.ok);
  });
}

const HEAD = ["route", "processes", "model calls", "tool calls", "tokens", "cost"];

function rowOf({ name, processes, modelCalls, toolCalls, inputTokens, outputTokens, usd }: CostLine): readonly string[] {
  return [name, String(processes), String(modelCalls), String(toolCalls), String(inputTokens + outputTokens), usdText(usd)];
}
