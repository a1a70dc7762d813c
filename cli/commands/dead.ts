/** @module `dead`: the dead letter queue. A dead letter is listed, shown, redriven (with another input if needed) or discarded. */
import type { Command } from "commander";
import type { LetterEntry, Receipt } from "../../client/index.ts";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { agoText } from "../text/duration.ts";
import { readInput } from "../input.ts";
import { letterText } from "../text/dead-letter.ts";
import { say } from "../text/output.ts";
import { CliError, EXIT } from "../text/problem.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, countOption, examples, remote, type RemoteOptions, sayBroken } from "./common.ts";

interface ListOptions extends RemoteOptions {
  readonly route?: string;
  readonly code?: string;
  readonly decided: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

interface ManyOptions extends RemoteOptions {
  readonly code?: string;
  readonly route?: string;
  readonly limit: number;
  readonly reason?: string;
}

interface RedriveOptions extends ManyOptions {
  readonly input?: string;
  readonly decision?: string;
  readonly undoneByHand?: boolean;
}

const ENTRIES_DEFAULT = 20;

/** Adds the command with its subcommands. */
export function dead(parent: Command, context: Context): void {
  const group = parent.command("dead").description("the dead letter queue: list, show, redrive, discard");
  examples(group, [
    ["troupe dead list", "those that need a decision"],
    ["troupe dead show trip-7:1", "message, fault, attempts, history, path"],
    ["troupe dead redrive trip-7:1 --input @fixed.json", "run it again from the failed stop"],
    [`troupe dead discard trip-7:1 --reason "test data"`, ""],
  ]);
  list(group, context);
  showLetter(group, context);
  redrive(group, context);
  discard(group, context);
}

function list(group: Command, context: Context): void {
  const command = remote(group.command("list"))
    .description("list dead letters that need a decision, newest first")
    .option("--route <route>", "of this route")
    .option("--code <code>", "with this fault")
    .option("--decided", "list those that were redriven or discarded instead", false)
    .addOption(countOption("--limit <number>", "letters to list at most", LIMITS.pageEntriesMax).default(ENTRIES_DEFAULT))
    .option("--cursor <cursor>", "go on where the last page ended");
  examples(command, [
    ["troupe dead list", ""],
    ["troupe dead list --route trip --code agent.refused", ""],
    ["troupe dead list --decided --json", ""],
  ]);
  command.action(async (options: ListOptions) => {
    const client = await clientOf(options, context.lifetime);
    const { route, code, limit, cursor } = options;
    const page = await client.deadLetters.list({ route, code, decided: options.decided ? true : undefined, limit, cursor });
    if (options.json) {
      say(JSON.stringify(page));
    } else {
      say(
        page.entries.length === 0
          ? page.cursor === undefined
            ? "No such dead letters."
            : "None on this page; more may follow."
          : table(
              ["letter", "route", "since", "fault", "what"],
              page.entries.map((entry) => [
                entry.id,
                entry.route ?? entry.topic ?? "",
                agoText(entry.atMs, Date.now()),
                entry.code ?? "",
                whatOf(entry),
              ]),
            ),
      );
      if (page.cursor !== undefined) say(`\nMore: --cursor ${page.cursor}`);
      sayBroken(page.broken);
    }
    context.done(EXIT.ok);
  });
}

function showLetter(group: Command, context: Context): void {
  const command = remote(group.command("show"))
    .argument("<letter>", "its id, as `dead list` prints it")
    .description("show a dead letter: original message, fault, attempts, history, path");
  examples(command, [
    ["troupe dead show trip-7:1", ""],
    ["troupe dead show trip-7:1 --json | jq .letter", ""],
  ]);
  command.action(async (id: string, options: RemoteOptions) => {
    const client = await clientOf(options, context.lifetime);
    const letter = await client.deadLetters.show(id);
    say(options.json ? JSON.stringify(letter) : letterText(letter));
    context.done(EXIT.ok);
  });
}

function redrive(group: Command, context: Context): void {
  const command = many(group.command("redrive"))
    .description("run the process again from the failed stop; completed stops are kept")
    .option("--input <json>", "another input for the failed stop: '<json>', @file, or - for standard input")
    .option("--reason <text>", "why; recorded in the audit")
    .option("--decision <id>", "the id of this decision; the same id again is the same decision")
    .option("--undone-by-hand", "what compensation left standing was undone by hand");
  examples(
    command,
    [
      ["troupe dead redrive trip-7:1", "the cause is fixed; the input stays"],
      ['troupe dead redrive trip-7:1 --input @fixed.json --reason "typo"', ""],
      ["troupe dead redrive trip-7:1 --undone-by-hand", "compensation had left something"],
      ["troupe dead redrive --code model.unavailable --reason fixed", "all with this fault"],
    ],
    [
      "The input is checked against the schema of the stop's agent first. A redrive is",
      "a new run of the same process; the outcome of the old run is kept. It does",
      "again, under new keys, what compensation left standing, so it is refused with",
      "deadletter.left until that was undone by hand.",
    ],
  );
  command.action(async (id: string | undefined, options: RedriveOptions) => {
    const { input: edited, decision, undoneByHand } = options;
    const isSingle = edited !== undefined || decision !== undefined || undoneByHand !== undefined;
    if (id === undefined) return decideMany("redrive", options, isSingle, context);
    const input: { readonly input?: Json } = options.input === undefined ? {} : { input: await readInput(options.input) };
    const client = await clientOf(options, context.lifetime);
    const receipt = await client.deadLetters.redrive(id, {
      ...input,
      reason: options.reason,
      decisionId: options.decision,
      undoneByHand: options.undoneByHand,
    });
    say(
      options.json
        ? JSON.stringify(receipt)
        : `Process ${receipt.id} runs again, run ${receipt.run}. Follow it: troupe show ${receipt.id} --follow${unreachedText(receipt)}`,
    );
    context.done(EXIT.ok);
  });
}

/** What the edit does not reach: the person who edits must know before the outcome. */
function unreachedText({ notReached = [] }: Receipt): string {
  if (notReached.length === 0) return "";
  const names = notReached.join(", ");
  return `\nThe edit does not reach: ${names}. They still use the values from before it. To change them everywhere, submit a new task.`;
}

function discard(group: Command, context: Context): void {
  const command = many(group.command("discard"))
    .description("decide that a dead letter is not redriven")
    .requiredOption("--reason <text>", "why; recorded in the audit");
  examples(
    command,
    [
      [`troupe dead discard trip-7:1 --reason "test data"`, ""],
      [`troupe dead discard --code agent.refused --route trip --reason "test data"`, ""],
    ],
    ["It is listed with --decided until the retention removes it."],
  );
  command.action(async (id: string | undefined, options: ManyOptions & { readonly reason: string }) => {
    if (id === undefined) return decideMany("discard", options, false, context);
    const client = await clientOf(options, context.lifetime);
    const answer = await client.deadLetters.discard(id, options.reason);
    say(options.json ? JSON.stringify(answer) : `Dead letter ${id} is discarded.`);
    context.done(EXIT.ok);
  });
}

/** A command for one dead letter, or for many with the same fault. */
function many(command: Command): Command {
  return remote(command)
    .argument("[letter]", "its id, as `dead list` prints it; left out with --code")
    .option("--code <code>", "all with this fault, each decided for itself")
    .option("--route <route>", "of them, those of this route")
    .addOption(countOption("--limit <number>", "of them, at most so many", LIMITS.lettersDecidedMax).default(LIMITS.lettersDecidedMax));
}

/** Decides on all dead letters with one fault. The exit code says whether each was decided. */
async function decideMany(what: "redrive" | "discard", options: ManyOptions, isSingle: boolean, context: Context): Promise<void> {
  const { code, route, limit, reason } = options;
  if (code === undefined || reason === undefined || isSingle)
    throw new CliError("USAGE", "No dead letter is named.", "Give the id of one, or --code and --reason for many, without other options.");
  const client = await clientOf(options, context.lifetime);
  const ids: string[] = [];
  for (let cursor: string | undefined; ids.length < limit;) {
    const page = await client.deadLetters.list({ code, route, limit: limit - ids.length, ...(cursor === undefined ? {} : { cursor }) });
    ids.push(...page.entries.map(({ id }) => id));
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  const answer = ids.length === 0 ? { decided: 0, results: [] } : await client.operate.decideLetters(ids, what, { reason });
  if (options.json) say(JSON.stringify(answer));
  else {
    const rows = answer.results.map(({ id, decided, run, fault }) => [
      id,
      decided ? (what === "discard" ? "discarded" : `run ${run ?? ""}`) : (fault?.code ?? ""),
      fault?.message ?? "",
    ]);
    say(rows.length === 0 ? "No such dead letters." : table(["letter", "result", "why not"], rows));
  }
  context.done(answer.decided === answer.results.length ? EXIT.ok : EXIT.failed);
}

function whatOf(entry: LetterEntry): string {
  if (entry.decision === undefined) return `${entry.parent === undefined ? "" : `nested in ${entry.parent}: `}${entry.message ?? ""}`;
  return [
    entry.decision,
    ...(entry.by === undefined ? [] : [`by ${entry.by}`]),
    ...(entry.reason === undefined ? [] : [`: ${entry.reason}`]),
  ]
    .join(" ")
    .replace(" : ", ": ");
}
