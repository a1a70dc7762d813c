/** @module `signal`: tells a process what it waits for. */
import type { Command } from "commander";
import type { SignalReceipt } from "../../client/index.ts";
import { assertNever } from "../../runtime/faults.ts";
import { readInput } from "../input.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

/** Adds the command. */
export function signal(parent: Command, context: Context): void {
  const command = remote(parent.command("signal"))
    .argument("<id>", "the process")
    .argument("<name>", "the signal: of a stop .waitFor, its name")
    .argument("[json]", "its payload, @file, or - for standard input; null when left out")
    .description("give a signal to a process that waits for it, or will")
    .option("--signal-id <id>", "makes a repeated command the same signal");
  examples(
    command,
    [
      [`troupe signal trip-7 approval '{"ok":true}'`, ""],
      ["troupe signal trip-7 approval @answer.json --signal-id mail-42", "once, however often it is sent"],
    ],
    [
      "It is done when the signal is recorded. A payload that does not fit what waits",
      "for it is refused with schema.signal, exit code 1. A signal that nothing waits",
      "for yet is kept, and the command says so.",
    ],
  );
  command.action(async (id: string, name: string, given: string | undefined, options: RemoteOptions & { readonly signalId?: string }) => {
    const payload = given === undefined ? null : await readInput(given);
    const client = await clientOf(options, context.lifetime);
    const receipt = await client.signal(id, name, payload, { signalId: options.signalId });
    say(
      options.json
        ? JSON.stringify(receipt)
        : `Process ${receipt.id} has the signal ${receipt.name}: ${statusText(receipt)}.\nFollow it: troupe show ${receipt.id} --follow`,
    );
    context.done(EXIT.ok);
  });
}

/** A signal under a wrong name is kept like an early one, so the text names what is waited for. */
function statusText({ name, state, waitsFor = [] }: SignalReceipt): string {
  switch (state) {
    case "taken":
      return "it ended a wait";
    case "dropped":
      return "dropped, as it did not fit what waited for it";
    case "kept":
      return `kept: nothing waits for ${name} now${waitsFor.length === 0 ? "" : `, but for ${waitsFor.join(", ")}`}`;
    default:
      return assertNever(state);
  }
}
