/** @module `ui`: prints a link that logs a browser in to the dashboard. The link holds a code for one login, never the token. */
import type { Command } from "commander";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

/** Adds the command. */
export function ui(parent: Command, context: Context): void {
  const command = remote(parent.command("ui")).description("print a link that logs you in to the dashboard");
  examples(
    command,
    [
      ["troupe ui", "open the link within a minute; it works once"],
      ["troupe ui --url https://troupe.example.com", "of a system elsewhere, with TROUPE_TOKEN"],
    ],
    [
      "The link's code stands for the token that the command uses, so you see and do",
      "what this token may. The code is after the `#`, which no server gets to see.",
    ],
  );
  command.action(async (options: RemoteOptions) => {
    const client = await clientOf(options, context.lifetime);
    const { code } = await client.loginCode();
    const url = `${client.url}/ui${code === "" ? "" : `#code=${code}`}`;
    say(options.json ? JSON.stringify({ url }) : url);
    context.done(EXIT.ok);
  });
}
