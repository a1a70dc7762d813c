/** @module The leftovers of a test run: processes that carry its mark or work below its temporary folder, and files in that folder. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The variable that every process of a run inherits; its value is the run's own. */
export const RUN_MARK = "TROUPE_TEST_RUN";

const ENDING_MS = 5_000;
const POLL_MS = 100;

/** A process that outlived the run. */
export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that do not end by themselves and carry this mark or have a working directory below this folder (the parts of Dapr have their
 * own environment); none without /proc.
 */
export async function leftProcesses(mark: string, folder: string): Promise<readonly Leftover[]> {
  const until = performance.now() + ENDING_MS;
  for (;;) {
    const left = await found(
      async (pid) =>
        (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0").includes(`${RUN_MARK}=${mark}`) ||
        (await readlink(`/proc/${pid}/cwd`)).startsWith(`${folder}${sep}`),
    );
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(POLL_MS);
  }
}

/** Entries of the run's temporary folder. */
export async function leftFiles(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).toSorted();
}

async function found(isOurs: (pid: number) => Promise<boolean>): Promise<readonly Leftover[]> {
  const left: Leftover[] = [];
  for (const name of await readdir("/proc").catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // A process may end while it is inspected.
    if (!(await isOurs(pid).catch(() => false))) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command !== "") left.push({ pid, command: command.replaceAll("\0", " ").trim() });
  }
  return left;
}
