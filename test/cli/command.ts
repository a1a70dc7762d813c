/** @module Runs the `troupe` command as a process of its own, as the tests of the command do. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach } from "vitest";
import { Child, type ChildExit } from "../../cli/dapr/process.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const POLL_MS = 25;

/** A run of the command in a folder. */
export interface CommandRun {
  readonly child: Child;
  readonly dir: string;
  /** Everything printed so far, both streams. */
  text(): string;
  /** Resolves when a text was printed; rejects when the command ends before. */
  until(text: string, timeoutMs?: number): Promise<void>;
}

/** A new folder for a test, and how to remove it. */
export async function testFolder(): Promise<{ readonly dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "troupe-command-"));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Gives each test of a file a new folder, and ends what a test left running there. */
export function eachInFolder(take: (dir: string) => void): void {
  let made: Awaited<ReturnType<typeof testFolder>> | undefined;
  beforeEach(async () => {
    made = await testFolder();
    take(made.dir);
  });
  afterEach(async () => {
    if (made === undefined) return;
    for (const { pid } of processesOf(made.dir)) process.kill(pid, "SIGKILL");
    await made.remove();
  });
}

/** An environment in which a program finds no key and no address of a model, so that it uses the scripted model. */
export function withoutModels({ OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, ...others }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return others;
}

/** Starts the command. */
export async function startCommand(dir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandRun> {
  const lines: string[] = [];
  const child = await Child.spawn({
    name: "troupe",
    command: process.execPath,
    args: [MAIN, ...args],
    cwd: dir,
    env: { ...withoutModels(process.env), NO_COLOR: "1", TROUPE_TEST_DIR: dir, ...env },
    onLine: (line) => lines.push(line),
  });
  const text = (): string => lines.join("\n");
  const until = async (wanted: string, timeoutMs = 60_000): Promise<void> => {
    const end = performance.now() + timeoutMs;
    while (!text().includes(wanted)) {
      if (!child.running) throw new Error(`the command ended before it printed ${JSON.stringify(wanted)}:\n${text()}`);
      if (performance.now() > end) throw new Error(`${JSON.stringify(wanted)} was not printed in ${timeoutMs} ms:\n${text()}`);
      await sleep(POLL_MS);
    }
  };
  return { child, dir, text, until };
}

/** The headers of a request to the run in a folder, with its token. */
export function headersOf(dir: string): Readonly<Record<string, string>> {
  const record = JSON.parse(readFileSync(join(dir, ".troupe", "run.json"), "utf8")) as { readonly appToken: string };
  return { "content-type": "application/json", authorization: `Bearer ${record.appToken}` };
}

/** Runs the command to its end. */
export async function runCommand(
  dir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly exit: ChildExit; readonly text: string }> {
  const run = await startCommand(dir, args, env);
  const exit = await run.child.exited;
  return { exit, text: run.text() };
}

/**
 * Pid and command line of each living process of a run in the folder. A process belongs to the run if its environment has the run's mark,
 * or if the folder is in its command line or is its working directory.
 */
export function processesOf(dir: string): readonly { readonly pid: number; readonly command: string }[] {
  const found: { readonly pid: number; readonly command: string }[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const pid = Number(name);
    const command = read(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim();
    const environment = read(`/proc/${name}/environ`);
    if (
      pid !== process.pid &&
      command !== "" &&
      (command.includes(dir) || workingFolder(name).startsWith(dir) || environment.includes(`TROUPE_TEST_DIR=${dir}\0`))
    )
      found.push({ pid, command });
  }
  return found;
}

function workingFolder(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended between the listing and the reading.
    return "";
  }
}
