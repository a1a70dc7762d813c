/** @module `inbox`: lists requests to people, or shows one. */
import { type Command, Option } from "commander";
import { LIMITS } from "../../runtime/limits.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { requestsTable, requestText } from "../text/request.ts";
import { clientOf, type Context, countOption, examples, remote, type RemoteOptions, sayBroken } from "./common.ts";

interface InboxOptions extends RemoteOptions {
  readonly only?: "open" | "decided";
  readonly person?: string;
  readonly route?: string;
  readonly process?: string;
  readonly limit: number;
  readonly cursor?: string;
}

const ENTRIES_DEFAULT = 20;

/** Adds the command. */
export function inbox(parent: Command, context: Context): void {
  const command = remote(parent.command("inbox"))
    .argument("[id]", "a request: shows it with all that it asks")
    .description("list what waits for a person, escalated ones first, then the newest; or show one request")
    .addOption(new Option("--only <state>", "requests in this state").choices(["open", "decided"]).default("open"))
    .option("--person <name>", "only requests to this person")
    .option("--route <route>", "only those of this route")
    .option("--process <id>", "only those of this process")
    .addOption(countOption("--limit <number>", "requests to list at most", LIMITS.pageEntriesMax).default(ENTRIES_DEFAULT))
    .option("--cursor <cursor>", "continue after the last page");
  examples(
    command,
    [
      ["troupe inbox", ""],
      ["troupe inbox trip-7.r1", "what is asked, why, and its hash"],
      ["troupe inbox --only decided --person Approver", ""],
      ["troupe inbox --json | jq -r '.entries[].id'", "for a program"],
    ],
    ["Nested routes have their requests in the same inbox. Decide with", "`troupe approve`, `edit`, `deny` or `answer`."],
  );
  command.action(async (id: string | undefined, options: InboxOptions) => {
    const client = await clientOf(options, context.lifetime);
    if (id !== undefined) {
      const request = await client.inbox.show(id);
      say(options.json ? JSON.stringify(request) : requestText(request));
      context.done(EXIT.ok);
      return;
    }
    const { only: state, person, route, process, limit, cursor } = options;
    const page = await client.inbox.list({ state, person, route, process, limit, cursor });
    if (options.json) {
      say(JSON.stringify(page));
    } else {
      const none = page.cursor === undefined ? "No such requests." : "None on this page; more may follow.";
      say(page.entries.length === 0 ? none : requestsTable(page.entries, Date.now()));
      if (page.entries.length > 0) say("\nWhat one asks, and how to decide: troupe inbox <request>");
      if (page.cursor !== undefined) say(`\nMore: --cursor ${page.cursor}`);
      sayBroken(page.broken);
    }
    context.done(EXIT.ok);
  });
}
