/** @module `submit`: gives a task to a running system. */
import type { Command } from "commander";
import { resolve } from "node:path";
import { v7 } from "uuid";
import type { Client, Submitted } from "../../client/index.ts";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { acrossRestart, exitOf, follow } from "./follow.ts";
import { readInput } from "../input.ts";
import type { Lifetime } from "../run/lifetime.ts";
import { complain, say, shownPath } from "../text/output.ts";
import { CliError, EXIT, Interrupted, isRefused } from "../text/problem.ts";
import { outcomeText } from "../text/progress.ts";
import { readRunRecord } from "../run/run-record.ts";
import { clientOf, type Context, durationOption, examples, goesOn, remote, type RemoteOptions } from "./common.ts";

interface SubmitOptions extends RemoteOptions {
  readonly id?: string;
  /** `true`: until it ends. A number: at most so many milliseconds. */
  readonly wait?: true | number;
  readonly follow: boolean;
  readonly timeout?: number;
  readonly permission?: readonly string[];
  readonly untrusted?: string;
  readonly dapr: boolean;
  readonly appId?: string;
}

interface Task {
  readonly id: string;
  readonly route: string;
  readonly input: Json;
  readonly timeoutMs?: number;
  readonly permissions?: readonly string[];
  readonly untrusted?: string;
}

/** Adds the command. */
export function submit(parent: Command, context: Context): void {
  const command = remote(parent.command("submit"))
    .argument("<route>", "the route that the task takes")
    .argument("<input>", "its input: '<json>', @file, or - for standard input")
    .description("give a task to the running system; it is accepted when the receipt is printed")
    .option("--id <id>", "the task's id; the same id and input is the same task (default: a new one)")
    .addOption(durationOption("--wait [time]", "wait for the outcome (default: without limit) and print it"))
    .option("--follow", "print each step as it happens, and the outcome", false)
    .addOption(durationOption("--timeout <time>", "the task's deadline; past it the task is compensated and ends `expired`"))
    .option("--permission <name...>", "give the task only these permissions of yours (default: all of them)")
    .option("--untrusted <origin>", "the input holds a text of strangers, which comes from there")
    .option("--dapr", "only print the `dapr publish` command for this task", false)
    .option("--app-id <id>", "with --dapr: the publishing Dapr app (default: that of the run in the state folder)");
  examples(
    command,
    [
      [`troupe submit trip '{"wish":"sea","days":4,"budget":900}' --wait`, ""],
      ["troupe submit trip @task.json --follow", "the input from a file"],
      ["jq .task all.json | troupe submit trip -", "the input from a pipe"],
      ["troupe submit trip @task.json --id trip-7", "twice is still one task"],
      ["troupe submit trip @task.json --dapr --app-id party", "the same over Dapr's pub/sub:"],
      [`dapr publish --publish-app-id party --pubsub pubsub --topic party.tasks \\`, ""],
      [`  --data '{"id":"trip-7","route":"trip","input":{...}}'`, ""],
    ],
    [
      "The id is chosen before the first try. If no receipt comes, it is printed with",
      "the error: submit again with --id, and nothing is done twice. With --wait and",
      "--follow a restart of the system is waited for, up to 2 minutes. Ctrl-C ends",
      "the command alone: the task goes on.",
    ],
  );
  command.action(async (route: string, given: string, options: SubmitOptions) => {
    const input = await readInput(given);
    const { permission, untrusted, timeout } = options;
    const task: Task = {
      id: options.id ?? v7(),
      route,
      input,
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      ...(permission === undefined ? {} : { permissions: permission }),
      ...(untrusted === undefined ? {} : { untrusted }),
    };
    context.done(await runSubmit(task, options, context.lifetime));
  });
}

async function runSubmit(task: Task, options: SubmitOptions, lifetime: Lifetime): Promise<number> {
  const client = await clientOf(options, lifetime);
  if (options.dapr) return sayPublish(task, client, options);
  const isWaiting = options.wait !== undefined && !options.follow;
  lifetime.whenInterrupted({
    text: (signal) => `${signal}: no receipt came yet, so the task may be accepted or not.\n${againText(task)}`,
  });
  let submitted: Submitted;
  try {
    submitted = await client.submit(task.route, task.input, optionsOf(task));
  } catch (error) {
    // Only an answer of the system itself says that the task was not accepted.
    if (!isRefused(error) && !(error instanceof Interrupted)) complain(againText(task));
    throw error;
  }
  const { id, receipt } = submitted;
  lifetime.whenInterrupted(goesOn(`task ${id}`, id));
  if (isWaiting) return waitFor(task, client, options);
  if (options.json) say(JSON.stringify(receipt));
  else if (receipt !== undefined) say(`Task ${id} is accepted: route ${receipt.route}, run ${receipt.run}, trace ${receipt.traceId}`);
  if (options.follow) return follow(client, id, options.json);
  if (!options.json) say(`Follow it: troupe show ${id} --follow`);
  return EXIT.ok;
}

function optionsOf({ route: _route, input: _input, ...options }: Task): Omit<Task, "route" | "input"> {
  return options;
}

function againText({ id }: Task): string {
  return `The task's id is ${id}: submit again with --id ${id}, and it is the same task.`;
}

/** Waits for the outcome of an accepted task, also across a restart: submitting it again is safe, because the id makes it the same task. */
async function waitFor(task: Task, client: Client, options: SubmitOptions): Promise<number> {
  const endAtMs = options.wait === true ? Number.POSITIVE_INFINITY : performance.now() + (options.wait ?? 0);
  for (;;) {
    const waitMs = Math.max(0, Math.min(LIMITS.waitMsMax, Math.ceil(endAtMs - performance.now())));
    const { outcome } = await client.submit(task.route, task.input, { ...optionsOf(task), ...acrossRestart(client), waitMs });
    if (outcome !== undefined) {
      say(options.json ? JSON.stringify(outcome) : outcomeText(outcome, outcome.acceptedAtMs, outcome.traceId));
      return exitOf(outcome.status);
    }
    if (performance.now() >= endAtMs)
      throw new CliError("STILL_OPEN", `task ${task.id} is accepted and still open.`, `Look later: troupe show ${task.id} --follow.`);
  }
}

async function sayPublish(task: Task, client: Client, options: SubmitOptions): Promise<number> {
  const { system } = await client.graph();
  const appId = options.appId ?? (await appIdAt(client.url, options.state));
  const topic = `${system}.tasks`;
  if (options.json) say(JSON.stringify({ appId, pubsub: "pubsub", topic, data: task }));
  else say(`dapr publish --publish-app-id ${appId} --pubsub pubsub --topic ${topic} --data ${quoted(JSON.stringify(task))}`);
  return EXIT.ok;
}

/** The app id of the run in the state folder, when that run is the system at the address. */
async function appIdAt(url: string, state: string): Promise<string> {
  const record = await readRunRecord(resolve(state));
  if (record !== undefined && new URL(record.url).origin === new URL(url).origin) return record.appId;
  throw new CliError(
    "USAGE",
    `the Dapr app id of the system at ${url} is not known: it was not started from the state folder ${shownPath(resolve(state))}.`,
    "Give it with --app-id (the appID of its dapr.yaml), or name the run's state folder with --state.",
  );
}

/** A word for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
