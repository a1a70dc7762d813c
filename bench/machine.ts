/** @module The machine that the figures were measured on, without which they cannot be compared. */
import { execFile } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DAPR_VERSION, findPostgres, findRedis } from "../cli/dapr/index.ts";
import { median, rounded } from "./stats.ts";

const run = promisify(execFile);

export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly dapr: string;
  readonly redis: string;
  readonly postgres: string;
  readonly restate: string;
  readonly restateSdk: string;
  /** 1, 5 and 15 minutes, before the first round: other programs may be using the machine. */
  readonly loadAverage: readonly number[];
  /** Median of one small append with fdatasync in the data folder. */
  readonly fdatasyncMs: number;
}

const GIB = 1_024 ** 3;
const FSYNC_TRIES = 200;
const FSYNC_BYTES = 512;
const HZ = 100;

export async function describeMachine(
  dir: string,
  peer: { readonly serverVersion: string; readonly sdkVersion: string } | undefined,
): Promise<Machine> {
  const postgresDir = await findPostgres();
  return {
    date: new Date().toISOString(),
    commit:
      (await said("git", ["rev-parse", "--short", "HEAD"])) +
      ((await said("git", ["status", "--porcelain"])) === "" ? "" : " with uncommitted changes"),
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    memoryGib: rounded(totalmem() / GIB),
    kernel: release(),
    node: process.version,
    dapr: DAPR_VERSION,
    redis: /v=(\S+)/.exec(await said(await findRedis(), ["--version"]))?.[1] ?? "not found",
    postgres:
      /(\d+\.\d+)/.exec(await said(postgresDir === undefined ? undefined : join(postgresDir, "postgres"), ["--version"]))?.[1] ??
      "not found",
    restate: peer?.serverVersion ?? "not used",
    restateSdk: peer?.sdkVersion ?? "not used",
    loadAverage: loadavg().map(rounded),
    fdatasyncMs: rounded(fdatasyncMs(dir)),
  };
}

/** CPU seconds that all processes of the machine have used since boot; 0 without /proc. */
export function machineCpuSeconds(): number {
  try {
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (/^cpu .*$/m.exec(readFileSync("/proc/stat", "utf8"))?.[0] ?? "")
      .split(/\s+/)
      .map(Number);
    return (user + nice + system + irq + softirq) / HZ;
  } catch {
    // Not Linux.
    return 0;
  }
}

function fdatasyncMs(dir: string): number {
  const file = openSync(join(dir, "fdatasync-probe"), "w");
  const times = Array.from({ length: FSYNC_TRIES }, () => {
    writeSync(file, Buffer.alloc(FSYNC_BYTES, 1));
    const start = performance.now();
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return median(times);
}

async function said(command: string | undefined, args: readonly string[]): Promise<string> {
  if (command === undefined) return "";
  return run(command, [...args], { cwd: import.meta.dirname }).then(
    ({ stdout }) => stdout.trim(),
    () => "",
  );
}
