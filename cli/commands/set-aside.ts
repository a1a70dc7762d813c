/** @module `set-aside`: an actor whose journal is broken begins anew. */
import type { Command } from "commander";
import { oneLine, say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

interface SetAsideOptions extends RemoteOptions {
  readonly reason: string;
  readonly acceptLoss: boolean;
}

/** Adds the command. */
export function setAside(parent: Command, context: Context): void {
  const command = remote(parent.command("set-aside"))
    .argument("<actor>", "its name, as `doctor` prints it")
    .description("let an actor with a broken journal begin anew")
    .requiredOption("--reason <text>", "why; recorded in the audit")
    .option("--accept-loss", "required for agents and processes: what they recorded after the break is lost", false);
  examples(
    command,
    [
      ['troupe set-aside Directory/002998512.0000 --reason "power cut"', ""],
      ['troupe set-aside Ledger/ada --accept-loss --reason "power cut"', ""],
    ],
    ["Restore the store instead if it has a backup. An index keeps all entries that", "can be read. Nothing is removed."],
  );
  command.action(async (actor: string, { reason, acceptLoss, ...options }: SetAsideOptions) => {
    const client = await clientOf(options, context.lifetime);
    const answer = await client.setAside(actor, { reason, acceptLoss });
    say(options.json ? JSON.stringify(answer) : `${oneLine(answer.actor)} goes on. It was broken: ${oneLine(answer.message)}`);
    context.done(EXIT.ok);
  });
}
