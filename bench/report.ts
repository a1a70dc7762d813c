/** @module The table, the ratios and the file of figures. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Machine } from "./machine.ts";
import type { Measured } from "./rounds.ts";
import { median, rounded } from "./stats.ts";

/** One profile of ours and its peers, in the same rounds. */
export interface Comparison {
  readonly profile: string;
  readonly durability: Readonly<Record<string, string>>;
  readonly measured: readonly Measured[];
  readonly ratios: readonly Ratio[];
}

/** Ours divided by the peer's: below 1 is better for p50, above 1 for throughput. */
export interface Ratio {
  readonly peer: string;
  readonly callers: number;
  readonly p10: number;
  readonly p50: number;
  readonly p99: number;
  readonly throughput: number;
  /** The smallest, median and largest over the rounds. */
  readonly p50Rounds: readonly [number, number, number];
  readonly throughputRounds: readonly [number, number, number];
}

export interface Results {
  readonly machine: Machine;
  readonly options: unknown;
  readonly comparisons: readonly Comparison[];
}

/** Ratios of the first side to each of the others. */
export function ratiosOf(ours: Measured, peers: readonly Measured[]): readonly Ratio[] {
  return peers.map((peer) => ({
    peer: peer.side,
    callers: ours.callers,
    p10: rounded(ours.p10Ms / peer.p10Ms),
    p50: rounded(ours.p50Ms / peer.p50Ms),
    p99: rounded(ours.p99Ms / peer.p99Ms),
    throughput: rounded(ours.perSecond / peer.perSecond),
    p50Rounds: spread(ours.roundP50Ms.map((value, round) => value / (peer.roundP50Ms[round] ?? Number.NaN))),
    throughputRounds: spread(ours.roundPerSecond.map((value, round) => value / (peer.roundPerSecond[round] ?? Number.NaN))),
  }));
}

function spread(values: readonly number[]): readonly [number, number, number] {
  return [rounded(Math.min(...values)), rounded(median(values)), rounded(Math.max(...values))];
}

const WIDTHS = [24, 8, 10, 7, 9, 9, 9, 9, 9, 8] as const;

export function tableHead(): string {
  return row(["side", "callers", "processes", "errors", "p10 ms", "p50 ms", "p90 ms", "p99 ms", "per s", "others"]);
}

export function tableRow(measured: Measured): string {
  const { side, callers, processes, errors, p10Ms, p50Ms, p90Ms, p99Ms, perSecond, othersCores } = measured;
  const cpu = Object.entries(measured.cpuMsPerProcess)
    .filter(([, ms]) => ms >= 0.05)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  return (
    row([
      side,
      ...[callers, processes, errors].map(String),
      ...[p10Ms, p50Ms, p90Ms, p99Ms, perSecond].map((value) => value.toFixed(1)),
      othersCores.toFixed(2),
    ]) +
    " " +
    `  ${cpu.join(", ")}`
  );
}

export function ratioRow({ peer, callers, p10, p50, p99, throughput, p50Rounds, throughputRounds }: Ratio): string {
  return (
    `  ours / ${peer} at ${callers}: p50 ${p50.toFixed(2)} (rounds ` +
    `${p50Rounds.map((value) => value.toFixed(2)).join(" ")}), p10 ${p10.toFixed(2)}, p99 ${p99.toFixed(2)}, ` +
    `throughput ${throughput.toFixed(2)} (rounds ` +
    `${throughputRounds.map((value) => value.toFixed(2)).join(" ")})`
  );
}

export function machineText(machine: Machine): string {
  return [
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGib.toFixed(0)} GiB, Linux ${machine.kernel}, ` +
      `load average ${machine.loadAverage.join(" ")}, fdatasync ${machine.fdatasyncMs} ms`,
    `Node ${machine.node}, Dapr ${machine.dapr}, redis ${machine.redis}, postgres ${machine.postgres}, ` +
      `Restate ${machine.restate} (SDK ${machine.restateSdk}), commit ${machine.commit}`,
  ].join("\n");
}

/** Writes the file and returns its path. */
export async function writeResults(results: Results, out: string | undefined): Promise<string> {
  const file = out ?? join(import.meta.dirname, "results", `${results.machine.date.slice(0, 19).replaceAll(":", "-")}.json`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`);
  return file;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(WIDTHS[at] ?? 0) : cell.padStart(WIDTHS[at] ?? 0))).join("");
}
