/** @module `cancel`: asks a process to stop and to undo what it did. */
import type { Command } from "commander";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { read, Receipt } from "../client/views.ts";
import { apiOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

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
    const api = await apiOf(options, context.lifetime);
    const answer = await api.post(`/processes/${encodeURIComponent(id)}/cancel`, {
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    });
    const receipt = read(Receipt, answer, "the receipt");
    say(options.json ? JSON.stringify(answer) : `Process ${receipt.id} is being cancelled. Follow it: troupe show ${receipt.id} --follow`);
    context.done(EXIT.ok);
  });
}
