/** @module `cancel`: asks a process to stop and to undo what it did. */
import type { Command } from "commander";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

/** Adds the command. */
export function cancel(parent: Command, context: Context): void {
  const command = remote(parent.command("cancel"))
    .argument("<id>", "the process")
    .description("cancel a process: stop running work, compensate what was done, end `cancelled`")
    .option("--reason <text>", "why; recorded in the outcome and the audit");
  examples(
    command,
    [
      [`troupe cancel trip-7 --reason "changed my mind"`, ""],
      ["troupe show trip-7 --follow", "watch how it is undone"],
    ],
    [
      "The command returns when the request is recorded; to cancel twice is harmless.",
      "A process that has ended otherwise is refused with process.ended, exit code 1.",
    ],
  );
  command.action(async (id: string, options: RemoteOptions & { readonly reason?: string }) => {
    const client = await clientOf(options, context.lifetime);
    const receipt = await client.cancel(id, options.reason);
    say(options.json ? JSON.stringify(receipt) : `Process ${receipt.id} is being cancelled. Follow it: troupe show ${receipt.id} --follow`);
    context.done(EXIT.ok);
  });
}
