/** @module `ps`: lists the parts of the run and the processes of the system. */
import { type Command, Option } from "commander";
import { resolve } from "node:path";
import type { ProcessEntry } from "../../client/index.ts";
import { OUTCOMES, type OutcomeStatus } from "../../runtime/protocol.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { agoText } from "../text/duration.ts";
import { usdText } from "../../runtime/budget.ts";
import { say, shownPath } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { decidedBy } from "../text/request.ts";
import { statusCell, table } from "../text/table.ts";
import { holders } from "../run/holders.ts";
import {
  clientOf,
  type Context,
  countOption,
  durationOption,
  examples,
  remote,
  type RemoteOptions,
  sayBroken,
  usdOption,
} from "./common.ts";

interface PsOptions extends RemoteOptions {
  readonly open?: "open" | "ended";
  readonly status?: OutcomeStatus;
  readonly route?: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly code?: string;
  readonly by?: string;
  readonly since?: number;
  readonly until?: number;
  readonly endedSince?: number;
  readonly minUsd?: number;
  readonly paused?: boolean;
  readonly waiting?: boolean;
  readonly used?: string;
  readonly text?: string;
}

const ENTRIES_DEFAULT = 20;

/** Adds the command. */
export function ps(parent: Command, context: Context): void {
  const command = remote(parent.command("ps"))
    .description("list the parts that run in the state folder, and the system's processes, newest first")
    .addOption(new Option("--only <state>", "only processes in this state").choices(["open", "ended"]))
    .addOption(new Option("--status <status>", "only processes with this outcome").choices([...OUTCOMES]))
    .option("--route <route>", "only processes of this route")
    .option("--code <code>", "only processes that ended with this fault")
    .option("--by <subject>", "only processes that this subject submitted")
    .addOption(durationOption("--since <time>", "only processes accepted within this time, such as 2h"))
    .addOption(durationOption("--until <time>", "only processes accepted longer ago than this time, such as 1h"))
    .addOption(durationOption("--ended-since <time>", "only processes that ended within this time"))
    .addOption(usdOption("--min-usd <amount>", "only processes whose last run cost at least so much"))
    .option("--paused", "only processes that are paused")
    .option("--waiting", "only processes that wait for a person")
    .option("--used <version>", "only processes that used this version: Agent@prompt/model")
    .option("--text <text>", "only processes whose id holds this, or whose trace id it is")
    .addOption(countOption("--limit <number>", "processes to list at most", LIMITS.pageEntriesMax).default(ENTRIES_DEFAULT))
    .option("--cursor <cursor>", "continue after the last page");
  examples(
    command,
    [
      ["troupe ps", ""],
      ["troupe ps --only open", "processes that have not ended"],
      ["troupe ps --status failed --route trip", ""],
      ["troupe ps --since 3h --until 2h", "accepted in the hour before last"],
      ["troupe ps --json | jq -r '.entries[].id'", "for a program"],
    ],
    ["If there is another page, its cursor is printed below the table, and as", "`cursor` in the JSON."],
  );
  command.action(async (options: PsOptions & { readonly only?: "open" | "ended" }) => {
    const client = await clientOf(options, context.lifetime);
    const { only: state, since, until, endedSince, used: version, limit, cursor } = options;
    const { status, route, code, by, minUsd, paused, waiting, text } = options;
    const nowMs = Date.now();
    const [sinceMs, untilMs, endedSinceMs] = [since, until, endedSince].map((ago) => (ago === undefined ? undefined : nowMs - ago));
    const filter = { state, status, route, code, by, sinceMs, untilMs, endedSinceMs, minUsd, paused, waiting, text, version };
    const page = await client.list({ ...filter, limit, cursor });
    const parts = (await holders(resolve(options.state))).flatMap(({ owner, children }) => (owner === undefined ? [] : children));
    if (options.json) {
      say(JSON.stringify({ parts, ...page }));
    } else {
      say(
        parts.length === 0
          ? `No parts run in ${shownPath(resolve(options.state))}; the system is at ${client.url}`
          : table(
              ["part", "pid"],
              parts.map(({ name, pid }) => [name, String(pid)]),
            ),
      );
      say("");
      say(
        page.entries.length === 0
          ? page.cursor === undefined
            ? "No such processes."
            : "None on this page; more may follow."
          : entriesText(page.entries),
      );
      if (page.cursor !== undefined) say(`\nMore: --cursor ${page.cursor}`);
      sayBroken(page.broken);
    }
    context.done(EXIT.ok);
  });
}

type Row = readonly (string | { readonly text: string; readonly colour: "green" | "yellow" | "red" | "dim" | "bold" })[];

/** The processes as a table. It has the cost where one of them cost something, and whom they wait for where one waits for a person. */
function entriesText(entries: readonly ProcessEntry[]): string {
  const isCostly = entries.some(({ usd }) => usd !== undefined);
  const last = entries.some(({ request }) => request !== undefined) ? "fault, or who must decide" : "fault";
  return table(
    ["process", "route", "status", "since", ...(isCostly ? ["cost"] : []), last],
    entries.map((entry) => rowOf(entry, isCostly)),
  );
}

/** Since when it stands as it does. The line of an open process is written anew by each host that takes it over. */
function sinceMs({ open, paused, atMs, acceptedAtMs = atMs }: ProcessEntry): number {
  return open && paused !== true ? acceptedAtMs : atMs;
}

function rowOf(entry: ProcessEntry, isCostly: boolean): Row {
  const run = entry.run === undefined || entry.run === 1 ? "" : ` (run ${entry.run})`;
  return [
    entry.id,
    entry.route ?? "",
    statusCell(entry.status ?? (entry.open ? (entry.paused === true ? "paused" : "open") : "ended")),
    agoText(sinceMs(entry), Date.now()),
    ...(isCostly ? [entry.usd === undefined ? "" : usdText(entry.usd)] : []),
    entry.request === undefined ? `${entry.code ?? ""}${run}` : `${decidedBy(entry.person)}: troupe inbox ${entry.request}`,
  ];
}
