/**
 * @module Puts the clone's manifest back when npm ends without running `postpack`: it was killed, or could not write the tarball.
 *
 * `begin` starts it beside npm. It ends with npm, within a fraction of a second.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 100;
const SHELLS = /^(sh|bash|dash|zsh|ash|busybox)$/;

/** Starts the guard in the background. It waits for the npm that runs this script. */
export function startGuard(program: string): void {
  spawn(process.execPath, [program, "guard", String(npmPid())], { detached: true, stdio: "ignore" }).unref();
}

/** Waits until a process has ended. */
export async function ended(pid: number): Promise<void> {
  while (isRunning(pid)) await sleep(POLL_MS);
}

/** The process that called this script: the parent, or the parent of the shell between them. */
function npmPid(): number {
  const file = `/proc/${process.ppid}/stat`;
  // Elsewhere than on Linux the guard only covers an npm that starts its scripts without a shell.
  if (!existsSync(file)) return process.ppid;
  const [, name = "", rest = ""] = /^\d+ \((.*)\) (.*)$/.exec(readFileSync(file, "utf8").trim()) ?? [];
  return SHELLS.test(name) ? Number(rest.split(" ")[1]) : process.ppid;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
