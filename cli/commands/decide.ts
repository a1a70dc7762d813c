/** @module `approve`, `edit`, `deny`, `answer`: decide on a request to a person, as it was shown. */
import type { Command } from "commander";
import { createInterface } from "node:readline/promises";
import type { Client, Decision, RequestView } from "../../client/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { readInput } from "../input.ts";
import type { Lifetime } from "../run/lifetime.ts";
import { printable, say } from "../text/output.ts";
import { CliError, EXIT } from "../text/problem.ts";
import { requestText } from "../text/request.ts";
import { clientOf, type Context, countOption, durationOption, examples, remote, type RemoteOptions } from "./common.ts";

interface DecideOptions extends RemoteOptions {
  readonly hash?: string;
  readonly reason?: string;
  readonly decision?: string;
}

interface ApproveOptions extends DecideOptions {
  readonly always?: number;
  readonly uses?: number;
  readonly for?: number;
}

const DONE = { approve: "approved", edit: "approved with another input", deny: "denied", answer: "answered" } as const;
const NOTES: readonly string[] = [
  "On a terminal the request is shown, and decided when you say yes. In a script",
  "give --hash with what `troupe inbox <id>` showed: a request that asks for",
  "something else is not decided, but refused with person.changed.",
];

/** Adds the command. */
export function approve(parent: Command, context: Context): void {
  const command = decision(parent, "approve", "approve a request: exactly what it asks for is done")
    .addOption(countOption("--always <number>", "also make the rule with this number that the request offers", LIMITS.alwaysRulesMax))
    .addOption(countOption("--uses <number>", `with --always: how often it holds (default: ${LIMITS.ruleUsesDefault})`, LIMITS.ruleUsesMax))
    .addOption(durationOption("--for <time>", "with --always: how long it holds (default: 1d)"))
    .option("--reason <text>", "why; recorded in the audit");
  examples(
    command,
    [
      ["troupe approve trip-7.r1", ""],
      ["troupe approve trip-7.r1 --always 1 --uses 20 --for 7d", ""],
      ["troupe approve trip-7.r1 --hash 9f86d081...", "in a script"],
    ],
    NOTES,
  );
  command.action(async (id: string, options: ApproveOptions) => {
    const { always, uses: usesMax, for: forMs, reason } = options;
    if (always === undefined && (usesMax !== undefined || forMs !== undefined))
      throw new CliError("USAGE", "--uses and --for limit the rule of --always.", "Give --always with the number of a rule.");
    const rule = always === undefined ? {} : { always: { rule: always - 1, usesMax, forMs } };
    await decide(id, { do: "approve", reason, ...rule }, options, context);
  });
}

/** Adds the command. */
export function edit(parent: Command, context: Context): void {
  const command = decision(parent, "edit", "approve a request with another input, which is checked and judged again")
    .argument("<input>", "the input: '<json>', @file, or - for standard input")
    .option("--reason <text>", "why; recorded in the audit");
  examples(
    command,
    [
      [`troupe edit trip-7.r1 '{"amount":900}' --reason "one item came back"`, ""],
      ["troupe edit trip-7.r1 @input.json --hash 9f86d081...", "in a script"],
    ],
    NOTES,
  );
  command.action(async (id: string, given: string, options: DecideOptions) => {
    await decide(id, { do: "edit", input: await readInput(given), reason: options.reason }, options, context);
  });
}

/** Adds the command. */
export function deny(parent: Command, context: Context): void {
  const command = decision(parent, "deny", "deny a request").requiredOption("--reason <text>", "why; the agent that asked is told");
  examples(command, [[`troupe deny trip-7.r1 --reason "no receipt"`, ""]], NOTES);
  command.action(async (id: string, options: DecideOptions & { readonly reason: string }) => {
    await decide(id, { do: "deny", reason: options.reason }, options, context);
  });
}

/** Adds the command. */
export function answer(parent: Command, context: Context): void {
  const command = decision(parent, "answer", "answer a request that asks a question")
    .argument("<output>", "the answer: '<json>', @file, or - for standard input")
    .option("--reason <text>", "why; recorded in the audit");
  examples(command, [[`troupe answer trip-7.r1 '{"hotel":"by the sea"}'`, ""]], NOTES);
  command.action(async (id: string, given: string, options: DecideOptions) => {
    await decide(id, { do: "answer", output: await readInput(given), reason: options.reason }, options, context);
  });
}

function decision(parent: Command, name: string, what: string): Command {
  return remote(parent.command(name))
    .argument("<id>", "the request, as `troupe inbox` lists it")
    .description(what)
    .option("--hash <hash>", "the hash that was shown; decides without a question")
    .option("--decision <id>", "the id of this decision; the same id again is the same decision");
}

async function decide(id: string, wanted: Decision, options: DecideOptions, { lifetime, done }: Context): Promise<void> {
  const client = await clientOf(options, lifetime);
  const hash = options.hash ?? (await shownHash(client, id, wanted, options, lifetime));
  if (hash === undefined) {
    say("Nothing was decided.");
    done(EXIT.failed);
    return;
  }
  const receipt = await client.inbox.decide({ id, hash }, wanted, { decisionId: options.decision });
  say(
    options.json
      ? JSON.stringify(receipt)
      : `Request ${receipt.id} is ${DONE[receipt.do]}. Follow it: troupe show ${receipt.processId} --follow`,
  );
  done(EXIT.ok);
}

/** Shows the request on the terminal and asks. Returns its hash for a yes. */
async function shownHash(
  client: Client,
  id: string,
  wanted: Decision,
  { json }: DecideOptions,
  lifetime: Lifetime,
): Promise<string | undefined> {
  if (json || !process.stdin.isTTY || !process.stdout.isTTY)
    throw new CliError(
      "USAGE",
      "without a terminal a decision needs the hash of what was shown.",
      `Read it with \`troupe inbox ${id}\`, and give it with --hash.`,
    );
  const request = await client.inbox.show(id);
  say(requestText(request));
  const question = questionText(wanted, request);
  const terminal = createInterface({ input: process.stdin, output: process.stdout, terminal: false });
  try {
    const said = await lifetime.orEnd(terminal.question(printable(`\n${question} [y/N] `)));
    return /^y(es)?$/i.test(said.trim()) ? request.hash : undefined;
  } finally {
    terminal.close();
  }
}

function questionText(wanted: Decision, { always = [] }: RequestView): string {
  switch (wanted.do) {
    case "approve": {
      if (wanted.always === undefined) return "Approve it?";
      const rule = always[wanted.always.rule];
      if (rule === undefined) throw new CliError("USAGE", "the request offers no rule with this number.", "Take a number that it shows.");
      return `Approve it, and from now on ${rule.about}?`;
    }
    case "edit":
      return `Approve it with this input?\n${JSON.stringify(wanted.input, null, 2)}\n`;
    case "deny":
      return "Deny it?";
    case "answer":
      return `Answer it with this?\n${JSON.stringify(wanted.output, null, 2)}\n`;
  }
}
