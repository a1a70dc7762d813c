/** @module `down`: stops the run of a state folder in order, or ends the parts that a killed run left behind. */
import type { Command } from "commander";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FolderLock } from "../dapr/lock.ts";
import { holders, ownerOf } from "../run/holders.ts";
import type { Lifetime } from "../run/lifetime.ts";
import { say, shownPath } from "../text/output.ts";
import { CliError, EXIT } from "../text/problem.ts";
import { removeRunRecord } from "../run/run-record.ts";
import { type Context, examples, jsonOption, stateOption } from "./common.ts";

interface DownOptions {
  readonly state: string;
  readonly json: boolean;
}

/** Longer than an orderly stop takes: work drains, then the sidecars end, then the rest. */
const DOWN_MS = 45_000;
const POLL_MS = 50;

/** Adds the command. */
export function down(parent: Command, context: Context): void {
  const command = parent
    .command("down")
    .description("stop the system of a state folder in order; open work stays in the journal")
    .addOption(stateOption())
    .addOption(jsonOption());
  examples(
    command,
    [
      ["troupe down", "stops what `troupe up --stay` or another terminal runs here"],
      ["troupe down --state /var/lib/party", ""],
    ],
    ["When nothing is running it says so; the exit code is 0."],
  );
  command.action(async (options: DownOptions) => context.done(await runDown(options, context.lifetime)));
}

async function runDown(options: DownOptions, lifetime: Lifetime): Promise<number> {
  const dir = resolve(options.state);
  const tell = (text: string, facts: object): void => say(options.json ? JSON.stringify(facts) : text);
  const owner = await ownerOf(dir);
  if (owner === undefined) {
    const left = await endLeftBehind(dir, options.json);
    await removeRunRecord(dir);
    tell(left === 0 ? `Nothing runs in ${shownPath(dir)}.` : `Ended ${left} parts that a killed run left behind in ${shownPath(dir)}.`, {
      stopped: false,
      leftBehind: left,
    });
    return EXIT.ok;
  }
  if (!options.json) say(`Stopping process ${owner}; work in flight gets time to end.`);
  lifetime.whenInterrupted({ text: (name) => `${name}: process ${owner} still stops. Look at it: troupe ps` });
  signal(owner);
  const endAtMs = performance.now() + DOWN_MS;
  while ((await ownerOf(dir)) === owner) {
    if (performance.now() > endAtMs)
      throw new CliError(
        "DOWN_LATE",
        `process ${owner} has not ended within ${DOWN_MS / 1_000} s.`,
        `Look at its log in ${shownPath(dir)}. To force the end: \`kill -9 ${owner}\`, then \`troupe down\`; no accepted task is lost.`,
      );
    await lifetime.orEnd(sleep(POLL_MS));
  }
  tell("Everything is stopped.", { stopped: true, pid: owner });
  return EXIT.ok;
}

/** Ends the parts that a killed run left behind: locking the folder does that. */
async function endLeftBehind(dir: string, quiet: boolean): Promise<number> {
  const left = (await holders(dir)).flatMap(({ children }) => children);
  if ((await holders(dir)).length === 0) return 0;
  for (const folder of [join(dir, "apps"), dir]) {
    const lock = await FolderLock.take(folder, (line) => (quiet ? undefined : say(line)));
    await lock.release();
  }
  return left.length;
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has ended in the meantime.
  }
}
