/** @module `releases`: which version of its prompt and which model each agent uses. They are listed, and canaries are stopped. */
import type { Command } from "commander";
import type { ReleaseView } from "../../client/index.ts";
import { agoText } from "../text/duration.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

const PERCENT = 100;

/** Adds the command with its subcommands. */
export function releases(parent: Command, context: Context): void {
  const group = parent.command("releases").description("versions of prompts and models: list, stop a canary");
  examples(group, [
    ["troupe releases list", "what each agent uses, and what was counted"],
    [`troupe releases stop Refunds --reason "too many repairs"`, ""],
  ]);
  list(group, context);
  stop(group, context);
}

function list(group: Command, context: Context): void {
  const command = remote(group.command("list")).description("list the releases of the model agents, as one host uses them");
  examples(command, [["troupe releases list", ""]], ["Releases come from the file or key that TROUPE_RELEASES names."]);
  command.action(async (options: RemoteOptions) => {
    const client = await clientOf(options, context.lifetime);
    const answer = await client.releases();
    if (options.json) say(JSON.stringify(answer));
    else {
      say(answer.releases.length === 0 ? "No agent of the system has a model." : releasesText(answer.releases, Date.now()));
      if (answer.problem !== undefined) say(`The present content cannot be used: ${answer.problem}`);
    }
    context.done(EXIT.ok);
  });
}

function stop(group: Command, context: Context): void {
  const command = remote(group.command("stop"))
    .argument("<agent>", "its name")
    .description("stop the canary of an agent: new work items get the stable version")
    .requiredOption("--reason <text>", "why; recorded in the audit");
  examples(command, [[`troupe releases stop Refunds --reason "too many repairs"`, ""]]);
  command.action(async (agent: string, { reason, json, ...options }: RemoteOptions & { readonly reason: string }) => {
    const client = await clientOf({ ...options, json }, context.lifetime);
    const release = await client.stopRelease(agent, { reason });
    say(json ? JSON.stringify(release) : releasesText([release], Date.now()));
    context.done(EXIT.ok);
  });
}

/** Each version of each agent in a row, and below what was stopped or is broken. */
export function releasesText(entries: readonly ReleaseView[], nowMs: number): string {
  const rows = entries.flatMap(rowsOf);
  const notes = entries.flatMap(({ agent, stopped, broken }) => [
    ...(stopped === undefined ? [] : [`${agent}: stopped ${agoText(stopped.atMs, nowMs)} ago by ${stopped.by}: ${stopped.why}`]),
    ...(stopped === undefined ? broken.map((rule) => `${agent}: ${rule}`) : []),
  ]);
  return [table(["agent", "part", "version", "share", "state", "processes", "counted"], rows), ...notes].join("\n");
}

function rowsOf({ agent, release, from, canary, counts }: ReleaseView): readonly string[][] {
  const { stable } = release;
  if (release.canary === undefined) return [[agent, from === "code" ? "code" : "stable", versionOf(stable), "", "", "", ""]];
  const share = canary === "in force" ? release.canary.share : 0;
  return counts.map(({ part, version, processes, of }) => [
    part === "stable" ? agent : "",
    part,
    version,
    `${Number(((part === "canary" ? share : 1 - share) * PERCENT).toFixed(1))} %`,
    part === "canary" ? canary : "",
    String(processes),
    Object.entries(of)
      .map(([name, sum]) => `${name} ${Number(sum.toFixed(2))}`)
      .join(", "),
  ]);
}

function versionOf({ prompt, model }: ReleaseView["release"]["stable"]): string {
  return `${prompt ?? "-"}/${model ?? "-"}`;
}
