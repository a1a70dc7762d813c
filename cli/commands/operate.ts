/** @module `pause`, `resume` and `terminate`: what an operator does with an open process. */
import type { Command } from "commander";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

interface PauseOptions extends RemoteOptions {
  readonly reason?: string;
  readonly tree: boolean;
}

/** Adds `pause`. */
export function pause(parent: Command, context: Context): void {
  const command = remote(parent.command("pause"))
    .argument("<id>", "the process")
    .description("pause a process and its nested routes: nothing new begins")
    .option("--reason <text>", "why; recorded in the history and the audit")
    .option("--no-tree", "only this process; its nested routes go on");
  examples(
    command,
    [
      [`troupe pause trip-7 --reason "wrong prices"`, ""],
      ["troupe resume trip-7", "it goes on where it was"],
    ],
    [
      "Work that runs already ends, and its answer is kept. Deadlines, timers and",
      "retries stand still. A run may be paused for 12 h in all; then it goes on",
      "by itself.",
    ],
  );
  command.action(async (id: string, options: PauseOptions) => {
    const client = await clientOf(options, context.lifetime);
    const receipt = await client.operate.pause(id, { reason: options.reason, tree: options.tree });
    say(options.json ? JSON.stringify(receipt) : `Process ${receipt.id} is paused. Let it go on: troupe resume ${receipt.id}`);
    context.done(EXIT.ok);
  });
}

/** Adds `resume`. */
export function resume(parent: Command, context: Context): void {
  const command = remote(parent.command("resume"))
    .argument("<id>", "the process")
    .description("let a paused process and its nested routes go on")
    .option("--reason <text>", "why; recorded in the audit")
    .option("--no-tree", "only this process; its nested routes stay paused");
  examples(command, [["troupe resume trip-7", ""]], ["To resume a process that is not paused is harmless."]);
  command.action(async (id: string, options: PauseOptions) => {
    const client = await clientOf(options, context.lifetime);
    const receipt = await client.operate.resume(id, { reason: options.reason, tree: options.tree });
    say(options.json ? JSON.stringify(receipt) : `Process ${receipt.id} goes on. Follow it: troupe show ${receipt.id} --follow`);
    context.done(EXIT.ok);
  });
}

/** Adds `terminate`. */
export function terminate(parent: Command, context: Context): void {
  const command = remote(parent.command("terminate"))
    .argument("<id>", "the process")
    .description("end a process and its nested routes at once; nothing is undone")
    .requiredOption("--reason <text>", "why; recorded in the outcome and the audit");
  examples(
    command,
    [
      [`troupe terminate trip-7 --reason "the booking system is gone"`, ""],
      ["troupe show trip-7", "its outcome names what is not undone"],
    ],
    ["To stop a process and undo what it did, use `troupe cancel`.", "A terminated process is not redriven; submit a new task."],
  );
  command.action(async (id: string, options: RemoteOptions & { readonly reason: string }) => {
    const client = await clientOf(options, context.lifetime);
    const receipt = await client.operate.terminate(id, { reason: options.reason });
    say(options.json ? JSON.stringify(receipt) : `Process ${receipt.id} is terminated. What is not undone: troupe show ${receipt.id}`);
    context.done(EXIT.ok);
  });
}
