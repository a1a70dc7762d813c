/** @module The identity of a process. A pid alone is not enough: the system reuses it for other processes. */
import { readFileSync, statSync } from "node:fs";
import { systemCode } from "./problem.ts";

/** A process as a file names it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started (Linux: clock ticks since boot); empty where that cannot be read. */
  readonly started: string;
  /** The user it runs as; absent where that cannot be read. */
  readonly uid?: number | undefined;
}

/** The identity of a running process. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: startedAt(pid), uid: statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid };
}

/** Whether this process still runs: the pid with the same start time and the same user. */
export function isAlive({ pid, started, uid }: ProcessIdentity): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== "EPERM") return false;
  }
  const now = identityOf(pid);
  return now.started === started && now.uid === uid;
}

/**
 * Field 22 of /proc/<pid>/stat, counted from the last bracket, because the name in field 2 may hold blanks and brackets.
 * A zombie (state Z) counts as ended, because it no longer holds anything.
 */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "ended" : (fields[19] ?? "");
  } catch {
    return "";
  }
}
