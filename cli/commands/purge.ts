/** @module `purge`: removes processes that ended long ago from the store. */
import type { Command } from "commander";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, durationOption, examples, remote, type RemoteOptions } from "./common.ts";
import { counted } from "../../runtime/units.ts";

/** Adds the command. */
export function purge(parent: Command, context: Context): void {
  const command = remote(parent.command("purge"))
    .description("remove processes that ended long ago; open ones and undecided dead letters stay")
    .addOption(durationOption("--older-than <time>", "only what ended longer ago (default: the system's retention)"))
    .option("--dry-run", "only count", false);
  examples(command, [
    ["troupe purge --dry-run", "what would be removed"],
    ["troupe purge --older-than 30d", ""],
  ]);
  command.action(async (options: RemoteOptions & { readonly olderThan?: number; readonly dryRun: boolean }) => {
    const client = await clientOf(options, context.lifetime);
    const answer = await client.purge({ olderThanMs: options.olderThan, dryRun: options.dryRun });
    const { purged, waiting } = answer;
    if (options.json) say(JSON.stringify(answer));
    else
      say(
        `${options.dryRun ? "Would purge" : "Purged"} ${counted(purged, "process", "processes")}; ` +
          `${waiting} ${waiting === 1 ? "waits" : "wait"} until their time has passed.`,
      );
    context.done(EXIT.ok);
  });
}
