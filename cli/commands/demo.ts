/** @module `demo`: runs the travel example on a task, shows each step and the result, and leaves nothing running. */
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { v7 } from "uuid";
import type { Json } from "../../runtime/faults.ts";
import { type Client, ClientError, type ProcessView } from "../../client/index.ts";
import { ensureDapr } from "../dapr/index.ts";
import { FolderLock } from "../dapr/lock.ts";
import { startEmbedded } from "../run/embedded.ts";
import { startRunModel } from "../run/model-script.ts";
import { type Lifetime, STOPS_SYSTEM } from "../run/lifetime.ts";
import { say, sayPart, shownPath } from "../text/output.ts";
import { CliError, EXIT, Interrupted } from "../text/problem.ts";
import { ReplyText } from "../text/replies.ts";
import { outcomeText, STEP_HEAD, stepText, succeeded } from "../text/progress.ts";
import { RunLog } from "../run/run-log.ts";
import { recordRun, removeRunRecord } from "../run/run-record.ts";
import { TasksFile } from "../run/tasks-file.ts";
import { type Context, examples, modelScriptOption, stateOption } from "./common.ts";

interface DemoOptions {
  /** A task as JSON, or a wish in plain words; the default task when left out. */
  readonly task: string | undefined;
  readonly dir: string;
  /** Move the state of earlier runs aside. */
  readonly fresh: boolean;
  readonly modelScript: string | undefined;
}

const SYSTEM_FILE = fileURLToPath(new URL("../../examples/01-travel/system.ts", import.meta.url));
const ROUTE = "trip";
const DEFAULT_WISH = "somewhere warm by the sea with good food";
const DAYS_DEFAULT = 4;
const BUDGET_DEFAULT_EURO = 900;

/** Adds the command. */
export function demo(parent: Command, context: Context): void {
  const command = parent
    .command("demo")
    .argument("[task...]", "JSON, or a wish in plain words")
    .description("run the travel example on a task, show each step, and leave nothing running")
    .option("--fresh", "move the state of earlier runs aside", false)
    .addOption(modelScriptOption())
    .addOption(stateOption());
  examples(command, [
    ["troupe demo", "a default task"],
    ["troupe demo snow and quiet", "your own wish"],
    [`troupe demo '{"wish":"music","days":3,"budget":500}'`, ""],
    ["troupe demo --fresh", "with the state of earlier runs moved aside"],
  ]);
  command.action(async (words: string[], options: { readonly fresh: boolean; readonly state: string; readonly modelScript?: string }) => {
    const task = words.length === 0 ? undefined : words.join(" ");
    context.done(await runDemo({ task, dir: options.state, fresh: options.fresh, modelScript: options.modelScript }, context.lifetime));
  });
}

/** Runs the command. Resolves with the exit code. */
async function runDemo(options: DemoOptions, lifetime: Lifetime): Promise<number> {
  const input = taskInput(options.task);
  const dir = resolve(options.dir);
  if (options.fresh) await moveAside(dir);
  const binaries = await lifetime.orEnd(ensureDapr(say));
  lifetime.whenInterrupted(STOPS_SYSTEM);
  say(`Travel example on Dapr ${binaries.version} (${shownPath(binaries.source)}); everything on 127.0.0.1, state in ${shownPath(dir)}`);
  const model = await startRunModel({ beside: SYSTEM_FILE, file: options.modelScript, env: process.env, tell: say });
  const log = new RunLog(dir);
  const tasks = new TasksFile(dir);
  try {
    const startedAtMs = performance.now();
    const run = await startEmbedded({ binaries, systemFile: SYSTEM_FILE, dir, appEnv: model.env, log: log.write, lifetime });
    try {
      await recordRun(dir, run);
      say(`placement, scheduler, daprd and the app are up after ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s; ${run.url}`);
      const resumed = await resume(run.client, tasks);
      const fresh = await submit(run.client, tasks, input, lifetime);
      return resumed && fresh ? EXIT.ok : EXIT.failed;
    } finally {
      await removeRunRecord(dir);
      await run.stop();
    }
  } catch (error) {
    if (error instanceof Interrupted) await sayOpen(tasks, error.message);
    // A refused task needs no log; for a part that failed the log has more.
    else if (!(error instanceof ClientError) || error.status === undefined) say(`The log of all parts is ${shownPath(log.path)}`);
    throw error;
  } finally {
    await model.stop();
    await log.close();
  }
}

/** Follows the tasks that an earlier run left open. False when one of them ended badly. */
async function resume(client: Client, tasks: TasksFile): Promise<boolean> {
  let good = true;
  for (const { id, submittedAtMs } of await tasks.open()) {
    const view = await find(client, id);
    if (view === undefined) {
      say(`\nTask ${id} of an earlier run was never accepted; give it again if you still want it.`);
      await tasks.remove(id);
      continue;
    }
    say(`\nResuming task ${id} of ${new Date(submittedAtMs).toISOString()}, which is ${view.phase}`);
    good = (await follow(client, tasks, id)) && good;
  }
  return good;
}

async function submit(client: Client, tasks: TasksFile, input: Json, lifetime: Lifetime): Promise<boolean> {
  const id = v7();
  // Noted before the submission, so that the next run finds it even if this one is killed right after.
  await tasks.add({ id, route: ROUTE, submittedAtMs: Date.now() });
  try {
    await client.submit(ROUTE, input, { id });
  } catch (error) {
    if (!lifetime.signal.aborted) await tasks.remove(id);
    throw error;
  }
  say(`\nTask ${id} is accepted: ${JSON.stringify(input)}`);
  return follow(client, tasks, id);
}

/** The process, or `undefined` when there is none with that id. */
async function find(client: Client, id: string): Promise<ProcessView | undefined> {
  try {
    return await client.show(id);
  } catch (error) {
    if (error instanceof ClientError && error.code === "process.unknown") return undefined;
    throw error;
  }
}

/** Prints each step until the process has ended. */
async function follow(client: Client, tasks: TasksFile, id: string): Promise<boolean> {
  const { acceptedAtMs, traceId } = await client.show(id);
  say(STEP_HEAD);
  const replies = new ReplyText(sayPart);
  for await (const event of client.follow(id, { deltas: true })) {
    if (event.kind === "delta") {
      replies.piece(event.delta);
      continue;
    }
    if (event.kind === "line") {
      replies.endLine();
      say(stepText(event.line, acceptedAtMs));
      replies.told(event.line);
      continue;
    }
    replies.end();
    say(`\n${outcomeText(event.outcome, acceptedAtMs, traceId)}`);
    await tasks.remove(id);
    return succeeded(event.outcome);
  }
  throw new CliError(
    "APP_ANSWER",
    `task ${id} was accepted, but its process no longer exists.`,
    "Check that the state folder was not changed.",
  );
}

/**
 * Moves the state folder aside. Parts that a killed run left behind are ended first.
 * @throws FOLDER_LOCKED when a run uses the folder
 */
async function moveAside(dir: string): Promise<void> {
  if (!existsSync(dir)) return;
  for (const folder of [join(dir, "apps"), dir]) {
    const lock = await FolderLock.take(folder, say);
    await lock.release();
  }
  const aside = `${dir}.${new Date().toISOString().replaceAll(/[-:]/g, "").replace(/\..*/, "")}`;
  await rename(dir, existsSync(aside) ? `${aside}-${process.pid}` : aside);
  say(`The state of earlier runs is now in ${shownPath(aside)}`);
}

async function sayOpen(tasks: TasksFile, how: string): Promise<void> {
  const open = await tasks.open();
  const ids = open.map((task) => task.id).join(", ");
  say(`\nStopped (${how}). ${open.length === 0 ? "Nothing is open." : `Open: ${ids}. The next start goes on with it.`}`);
}

/** The argument as the input of the route. Text that begins like JSON must be JSON; the system checks the content. */
export function taskInput(text: string | undefined): Json {
  const wish = (text ?? "").trim();
  if (wish === "") return { wish: DEFAULT_WISH, days: DAYS_DEFAULT, budget: BUDGET_DEFAULT_EURO };
  if (!/^[[{"]/.test(wish)) return { wish, days: DAYS_DEFAULT, budget: BUDGET_DEFAULT_EURO };
  try {
    return JSON.parse(wish) as Json;
  } catch (error) {
    throw new CliError(
      "USAGE",
      "the task begins like JSON and is not JSON.",
      `Quote it for the shell: '{"wish":"snow and northern lights","days":5,"budget":1200}'`,
      error,
    );
  }
}
