/** @module CPU time and memory of processes from /proc; zeros without /proc. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process of a side, for example `daprd`; its children count as part of it. */
export interface NamedPid {
  readonly name: string;
  readonly pid: number;
}

/** Seconds of CPU by name. */
export type CpuSeconds = Readonly<Record<string, number>>;

/** Clock ticks of /proc/<pid>/stat per second: 100 on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;
/** Fields after the name in parentheses: the state is field 3 of proc(5), utime is 14, then stime, cutime, cstime. */
const UTIME_AT = 11;
const TIME_FIELDS = 4;
const SETTLE_POLL_MS = 100;
/** Share of one core under which a side counts as idle. */
const IDLE_SHARE = 0.15;

/** CPU used since each process began, including its running and its ended children. */
export function cpuSeconds(processes: readonly NamedPid[]): CpuSeconds {
  const times: Record<string, number> = {};
  for (const { name, pid } of processes) times[name] = (times[name] ?? 0) + treeSeconds(pid);
  return times;
}

/** What was used between two readings. */
export function cpuBetween(before: CpuSeconds, after: CpuSeconds): CpuSeconds {
  return Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));
}

export function addCpu(sum: CpuSeconds, more: CpuSeconds): CpuSeconds {
  return Object.fromEntries(Object.keys({ ...sum, ...more }).map((name) => [name, (sum[name] ?? 0) + (more[name] ?? 0)]));
}

export function totalCpu(times: CpuSeconds): number {
  return Object.values(times).reduce((sum, seconds) => sum + seconds, 0);
}

/** Resident memory in MiB. */
export function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return kib === undefined ? 0 : Number(kib) / 1_024;
}

/** Waits until the processes are almost idle, so that one side's late work does not fall into the other's round. */
export async function settle(processes: readonly NamedPid[], maxMs: number): Promise<void> {
  const end = performance.now() + maxMs;
  let before = totalCpu(cpuSeconds(processes));
  let beforeMs = performance.now();
  while (performance.now() < end) {
    await sleep(SETTLE_POLL_MS);
    const now = totalCpu(cpuSeconds(processes));
    const nowMs = performance.now();
    if ((now - before) / ((nowMs - beforeMs) / 1_000) < IDLE_SHARE) return;
    before = now;
    beforeMs = nowMs;
  }
}

function treeSeconds(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const own = fields.slice(UTIME_AT, UTIME_AT + TIME_FIELDS).reduce((sum, field) => sum + Number(field), 0) / TICKS_PER_SECOND;
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(" ")
    .filter((field) => field !== "");
  return children.reduce((sum, child) => sum + treeSeconds(Number(child)), own);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has ended, or this is not Linux.
    return "";
  }
}
