/** @module `rules`: what people have said "always" to. Standing rules are listed and revoked. */
import type { Command } from "commander";
import type { RuleView } from "../../client/index.ts";
import { agoText, momentText } from "../text/duration.ts";
import { oneLine, say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

/** Adds the command with its subcommands. */
export function rules(parent: Command, context: Context): void {
  const group = parent.command("rules").description("what people have said always to: list, revoke");
  examples(group, [
    ["troupe rules list", "what is let through without a person"],
    [`troupe rules revoke rule-1f2e3d4c5b6a7980 --reason "no longer"`, ""],
  ]);
  list(group, context);
  revoke(group, context);
}

function list(group: Command, context: Context): void {
  const command = remote(group.command("list"))
    .description("list the standing rules of your tenant, newest first")
    .option("--all", "also those that have ended", false);
  examples(command, [["troupe rules list", ""]], ["`troupe approve <request> --always <number>` makes a rule."]);
  command.action(async ({ all, json, ...options }: RemoteOptions & { readonly all: boolean }) => {
    const client = await clientOf({ ...options, json }, context.lifetime);
    const answer = await client.rules.list({ all: all ? true : undefined });
    if (json) say(JSON.stringify(answer));
    else say(answer.entries.length === 0 ? "No standing rules." : rulesText(answer.entries));
    context.done(EXIT.ok);
  });
}

function revoke(group: Command, context: Context): void {
  const command = remote(group.command("revoke"))
    .argument("<id>", "the rule, as `troupe rules list` lists it")
    .description("end a standing rule; people are asked again")
    .option("--reason <text>", "why; recorded in the audit");
  examples(command, [["troupe rules revoke rule-1f2e3d4c5b6a7980", ""]]);
  command.action(async (id: string, { reason, json, ...options }: RemoteOptions & { readonly reason?: string }) => {
    const client = await clientOf({ ...options, json }, context.lifetime);
    const rule = await client.rules.revoke(id, { reason });
    say(json ? JSON.stringify(rule) : `Rule ${rule.id} is ${rule.state}. It has let ${rule.used} calls through.`);
    context.done(EXIT.ok);
  });
}

/** Each rule with its condition below it. */
function rulesText(entries: readonly RuleView[]): string {
  const nowMs = Date.now();
  const lines = table(
    ["rule", "made", "by", "state", "used", "until", "what"],
    entries.map(({ id, atMs, by, state, used, usesMax, untilMs, agent, tool, about, label }) => [
      ...[id, agoText(atMs, nowMs), by, state, `${used} of ${usesMax}`, momentText(untilMs)],
      oneLine(`${tool} of ${agent}: ${about}${label === undefined ? "" : ` (also derived from ${label.join(", ")})`}`),
    ]),
  );
  return [lines, "", ...entries.map(({ id, when }) => oneLine(`${id}: ${when}`))].join("\n");
}
