/** @module `digest`: what happened since a time, and what there is to do, on one page. */
import type { Command } from "commander";
import { digestMarkdown, digestText } from "../../runtime/reports/digest-text.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, durationOption, examples, remote, type RemoteOptions } from "./common.ts";

interface DigestOptions extends RemoteOptions {
  readonly since?: number;
  readonly markdown: boolean;
}

/** Adds the command. */
export function digest(parent: Command, context: Context): void {
  const command = remote(parent.command("digest"))
    .description("what happened since a time: what there is to decide, drift, cost, slow stops")
    .addOption(durationOption("--since <time>", "how far back it goes (default: 24h)"))
    .option("--markdown", "print Markdown, for a file, a mail or a chat", false);
  examples(
    command,
    [
      ["troupe digest", "the last day"],
      ["troupe digest --since 7d --markdown > week.md", ""],
    ],
    ["It holds no contents. A host writes it by itself with TROUPE_DIGEST=daily."],
  );
  command.action(async ({ since, markdown, ...options }: DigestOptions) => {
    const client = await clientOf(options, context.lifetime);
    const view = await client.reports.digest({ sinceMs: since === undefined ? undefined : Date.now() - since });
    say(options.json ? JSON.stringify(view) : markdown ? digestMarkdown(view) : digestText(view));
    context.done(EXIT.ok);
  });
}
