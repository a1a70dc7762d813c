/** @module `up --stay`: runs the same command as a background process that outlives this command and its terminal. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureDapr } from "../dapr/index.ts";
import { PRIVATE_FILE_MODE } from "../dapr/private-files.ts";
import type { Lifetime } from "./lifetime.ts";
import { complain, say, shownPath } from "../text/output.ts";
import { CliError, EXIT } from "../text/problem.ts";
import { readRunRecord } from "./run-record.ts";
import { makeStateFolder } from "./state-folder.ts";

const POLL_MS = 50;
/** A run that is not up within this time is stopped. It does not include a build of Dapr, which is done before. */
const UP_MS = 180_000;

/** Starts the given command without `--stay`. Resolves with the exit code when the system is up or has failed. */
export async function detach(options: { readonly dir: string; readonly json: boolean }, lifetime: Lifetime): Promise<number> {
  // A build of Dapr happens here, where its progress is visible.
  await lifetime.orEnd(ensureDapr(options.json ? complain : say));
  makeStateFolder(options.dir);
  lifetime.whenInterrupted({ text: (signal) => `${signal}: the run in the background is stopped.` });
  const logPath = join(options.dir, "up.log");
  const output = openSync(logPath, "w", PRIVATE_FILE_MODE);
  const [, program = "", ...args] = process.argv;
  const child = spawn(process.execPath, [...process.execArgv, program, ...args.filter((word) => word !== "--stay")], {
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  let exitCode: number | null | undefined;
  child.once("exit", (code) => {
    exitCode = code;
  });
  child.once("error", () => {
    exitCode = EXIT.failed;
  });
  const { pid } = child;
  const endAtMs = performance.now() + UP_MS;
  // With --json stdout is one document, so the output of the run is printed only when it fails.
  const show = options.json
    ? async (from: number): Promise<number> => from
    : (from: number): Promise<number> => showFrom(logPath, from, say);
  let from = 0;
  try {
    for (;;) {
      from = await show(from);
      if (exitCode !== undefined && options.json) await showFrom(logPath, 0, complain);
      if (exitCode !== undefined) return exitCode === EXIT.ok || exitCode === null ? EXIT.failed : exitCode;
      if ((await readRunRecord(options.dir))?.pid === pid) break;
      if (performance.now() > endAtMs)
        throw new CliError(
          "NOT_REACHABLE",
          `the system was not up within ${UP_MS / 1_000} s; it was stopped.`,
          `Read ${shownPath(logPath)}.`,
        );
      await lifetime.orEnd(sleep(POLL_MS));
    }
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
  await show(from);
  child.unref();
  const record = await readRunRecord(options.dir);
  if (options.json) say(JSON.stringify({ url: record?.url, pid, log: logPath }));
  else say(`It stays up as process ${pid}; what it prints is in ${shownPath(logPath)}. \`troupe ps\` shows it, \`troupe down\` ends it.`);
  return EXIT.ok;
}

/** Prints the whole lines of a file from an offset on. Resolves with the next offset. */
async function showFrom(path: string, from: number, print: (line: string) => void): Promise<number> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size <= from) return from;
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - from), position: from });
    const end = buffer.subarray(0, bytesRead).lastIndexOf("\n") + 1;
    for (const line of buffer.subarray(0, end).toString("utf8").split("\n").slice(0, -1))
      if (!line.includes("Ctrl-C ends everything")) print(line);
    return from + end;
  } finally {
    await file.close();
  }
}
