/** @module `dead`: the dead letter queue. What could not be done is looked at, fixed and done again, or discarded. */
import type { Command } from "commander";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { agoText } from "../text/duration.ts";
import { readInput } from "../input.ts";
import { letterText } from "../text/dead-letter.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { table } from "../text/table.ts";
import { LetterEntry, LetterOf, pageOf, read, Receipt } from "../client/views.ts";
import { apiOf, type Context, countOption, examples, remote, type RemoteOptions } from "./common.ts";

interface ListOptions extends RemoteOptions {
  readonly route?: string;
  readonly code?: string;
  readonly decided: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

interface RedriveOptions extends RemoteOptions {
  readonly input?: string;
  readonly reason?: string;
  readonly decision?: string;
}

const ENTRIES_DEFAULT = 20;

/** Adds the command with its subcommands. */
export function dead(parent: Command, context: Context): void {
  const group = parent.command("dead").description("the dead letter queue: list, show, redrive, discard");
  examples(group, [
    ["troupe dead list", "what waits for a decision"],
    ["troupe dead show trip-7:1", "message, fault, attempts, history, path"],
    ["troupe dead redrive trip-7:1 --input @fixed.json", "do it again from the failed stop"],
    [`troupe dead discard trip-7:1 --reason "test data"`, ""],
  ]);
  list(group, context);
  showLetter(group, context);
  redrive(group, context);
  discard(group, context);
}

function list(group: Command, context: Context): void {
  const command = remote(group.command("list"))
    .description("list dead letters, newest first: those that wait for a decision")
    .option("--route <route>", "of this route")
    .option("--code <code>", "with this fault")
    .option("--decided", "those that were redriven or discarded instead", false)
    .addOption(countOption("--limit <number>", "letters to list at most", LIMITS.pageEntriesMax).default(ENTRIES_DEFAULT))
    .option("--cursor <cursor>", "go on where the last page ended");
  examples(command, [
    ["troupe dead list", ""],
    ["troupe dead list --route trip --code agent.refused", ""],
    ["troupe dead list --decided --json", ""],
  ]);
  command.action(async (options: ListOptions) => {
    const api = await apiOf(options, context.lifetime);
    const query = {
      route: options.route,
      code: options.code,
      decided: options.decided ? "true" : undefined,
      limit: options.limit,
      cursor: options.cursor,
    };
    const page = read(pageOf(LetterEntry), await api.get("/deadletters", query), "the dead letters");
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
    const api = await apiOf(options, context.lifetime);
    const answer = await api.get(pathOf(id));
    const letter = read(LetterOf, answer, "the dead letter");
    say(options.json ? JSON.stringify(answer) : letterText(letter));
    context.done(EXIT.ok);
  });
}

function redrive(group: Command, context: Context): void {
  const command = remote(group.command("redrive"))
    .argument("<letter>", "its id, as `dead list` prints it")
    .description("run the process again from the stop that failed, with what was done kept")
    .option("--input <json>", "another input for the failed stop: '<json>', @file, or - for standard input")
    .option("--reason <text>", "why; it stands in the audit")
    .option("--decision <id>", "the id of this decision; the same id again is the same decision");
  examples(
    command,
    [
      ["troupe dead redrive trip-7:1", "the cause is fixed, nothing else changes"],
      ['troupe dead redrive trip-7:1 --input @fixed.json --reason "typo"', ""],
    ],
    [
      "The input is checked against the schema of the stop's agent before anything",
      "happens. It is a new run of the same process; the old outcome stays.",
    ],
  );
  command.action(async (id: string, options: RedriveOptions) => {
    const input: { readonly input?: Json } = options.input === undefined ? {} : { input: await readInput(options.input) };
    const api = await apiOf(options, context.lifetime);
    const body = {
      ...input,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(options.decision === undefined ? {} : { decisionId: options.decision }),
    };
    const answer = await api.post(`${pathOf(id)}/redrive`, body);
    const receipt = read(Receipt, answer, "the receipt");
    say(
      options.json
        ? JSON.stringify(answer)
        : `Process ${receipt.id} runs again, run ${receipt.run}. Follow it: troupe show ${receipt.id} --follow${unreachedText(receipt)}`,
    );
    context.done(EXIT.ok);
  });
}

/** What the edit does not reach: the person who edits must know before the outcome. */
function unreachedText({ notReached = [] }: Receipt): string {
  if (notReached.length === 0) return "";
  return `\nThe edit does not reach: ${notReached.join(", ")}. They read what it replaces, as it was. To change it everywhere, submit a new task.`;
}

function discard(group: Command, context: Context): void {
  const command = remote(group.command("discard"))
    .argument("<letter>", "its id, as `dead list` prints it")
    .description("decide that a dead letter is not done again")
    .requiredOption("--reason <text>", "why; it stands in the audit");
  examples(
    command,
    [[`troupe dead discard trip-7:1 --reason "test data"`, ""]],
    ["It is listed with --decided until the retention removes it."],
  );
  command.action(async (id: string, options: RemoteOptions & { readonly reason: string }) => {
    const api = await apiOf(options, context.lifetime);
    const answer = await api.post(`${pathOf(id)}/discard`, { reason: options.reason });
    say(options.json ? JSON.stringify(answer) : `Letter ${id} is discarded.`);
    context.done(EXIT.ok);
  });
}

function pathOf(id: string): string {
  return `/deadletters/${encodeURIComponent(id)}`;
}

function whatOf(entry: (typeof LetterEntry)["_output"]): string {
  if (entry.decision === undefined) return `${entry.parent === undefined ? "" : `nested in ${entry.parent}: `}${entry.message ?? ""}`;
  return [
    entry.decision,
    ...(entry.by === undefined ? [] : [`by ${entry.by}`]),
    ...(entry.reason === undefined ? [] : [`: ${entry.reason}`]),
  ]
    .join(" ")
    .replace(" : ", ": ");
}
