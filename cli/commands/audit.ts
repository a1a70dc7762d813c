/** @module `audit`: who did what and when, and which calls of tools were let through, refused or put to a person. */
import type { Command } from "commander";
import type { AuditEntry } from "../../client/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { doneText } from "../../runtime/look.ts";
import { agoText } from "../text/duration.ts";
import { oneLine, say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, countOption, examples, remote, type RemoteOptions, sayBroken } from "./common.ts";

interface AuditOptions extends RemoteOptions {
  readonly process?: string;
  readonly what?: string;
  readonly limit: number;
  readonly cursor?: string;
}

const ENTRIES_DEFAULT = 20;

/** Adds the command. */
export function audit(parent: Command, context: Context): void {
  const command = remote(parent.command("audit"))
    .description("list operator actions, and the checks of calls of tools, newest first")
    .option("--process <id>", "only what concerns this process")
    .option("--what <what>", "only this: cancel, pause, redrive, discard, purge, call, ...")
    .addOption(countOption("--limit <number>", "entries to list at most", LIMITS.pageEntriesMax).default(ENTRIES_DEFAULT))
    .option("--cursor <cursor>", "continue after the last page");
  examples(
    command,
    [
      ["troupe audit", ""],
      ["troupe audit --process trip-7", "what was checked and decided there"],
      ["troupe audit --what redrive", ""],
    ],
    [
      "A call is a line if its tool has a permission or a rule, or if its input may",
      "come from untrusted text. The line is written before the call is made.",
    ],
  );
  command.action(async ({ process, what, limit, cursor, json, ...options }: AuditOptions) => {
    const client = await clientOf({ ...options, json }, context.lifetime);
    const page = await client.audit({ process, what, limit, cursor });
    if (json) say(JSON.stringify(page));
    else {
      say(page.entries.length === 0 ? "No such entries." : entriesText(page.entries));
      if (page.cursor !== undefined) say(`\nMore: --cursor ${page.cursor}`);
      sayBroken(page.broken);
    }
    context.done(EXIT.ok);
  });
}

function entriesText(entries: readonly AuditEntry[]): string {
  const nowMs = Date.now();
  return table(
    ["when", "who", "what", "target", "why"],
    entries.map(({ atMs, who, what, kind, target, why = "" }) => [
      agoText(atMs, nowMs),
      oneLine(who),
      doneText({ what, kind }),
      target,
      oneLine(why),
    ]),
  );
}
