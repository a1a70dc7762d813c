/** @module Measures several sides side by side in short alternating rounds, so that all of them share the machine's noise. */
import { machineCpuSeconds } from "./machine.ts";
import { Load } from "./load.ts";
import { addCpu, type CpuSeconds, cpuBetween, cpuSeconds, residentMib, settle, totalCpu } from "./proc.ts";
import { type Round, rounded, type Summary, summarise } from "./stats.ts";
import type { Target } from "./targets/target.ts";

export interface Measured extends Summary {
  readonly side: string;
  readonly callers: number;
  /** CPU of each of the side's programs for one process of the scenario, including late work after the round. */
  readonly cpuMsPerProcess: Readonly<Record<string, number>>;
  readonly residentMib: Readonly<Record<string, number>>;
  /** Cores that programs outside the benchmark kept busy in the meantime. */
  readonly othersCores: number;
  readonly firstErrors: readonly string[];
}

export interface RoundsOptions {
  readonly callers: number;
  readonly rounds: number;
  /** Of each round. */
  readonly seconds: number;
}

/** Maximum wait for a side to finish its work after the last outcome. */
const SETTLE_MS = 3_000;
const ERRORS_SHOWN = 3;
const MS_PER_SECOND = 1_000;

interface Sum {
  readonly rounds: Round[];
  cpu: CpuSeconds;
  othersSeconds: number;
  seconds: number;
}

/** Load before the first round, the same for both sides; its errors count as errors. */
export async function warmUp(targets: readonly Target[], callers: number, seconds: number): Promise<void> {
  for (const target of targets) {
    const load = new Load(target.scenario, callers);
    const { errors } = await load.run(callers, seconds);
    await load.close();
    if (errors.length > 0) throw new Error(`${target.name} failed in its warm-up: ${errors.slice(0, ERRORS_SHOWN).join("\n")}`);
    await settle(target.processes(), SETTLE_MS);
  }
}

/** Rounds A B C, A C B, C A B, B A C and so on, so that no side is always first or always after the same one. */
export async function measure(targets: readonly Target[], options: RoundsOptions): Promise<readonly Measured[]> {
  const sums = new Map<Target, Sum>(targets.map((target) => [target, { rounds: [], cpu: {}, othersSeconds: 0, seconds: 0 }]));
  const loads = new Map(targets.map((target) => [target, new Load(target.scenario, options.callers)]));
  for (let round = 0; round < options.rounds; round++) {
    for (const target of inOrder(targets, round)) {
      const load = loads.get(target);
      const sum = sums.get(target);
      if (load !== undefined && sum !== undefined) await oneRound(targets, target, load, sum, options);
    }
  }
  await Promise.all([...loads.values()].map((load) => load.close()));
  return [...sums].map(([target, sum]) => measured(target, sum, options.callers));
}

function inOrder(targets: readonly Target[], round: number): readonly Target[] {
  const first = Math.ceil(round / 2) % targets.length;
  const turned = [...targets.slice(first), ...targets.slice(0, first)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

async function oneRound(all: readonly Target[], target: Target, load: Load, sum: Sum, options: RoundsOptions): Promise<void> {
  const known = (): number => all.reduce((seconds, one) => seconds + totalCpu(cpuSeconds(one.processes())), 0) + ownCpuSeconds();
  const before = { ms: performance.now(), cpu: cpuSeconds(target.processes()), known: known(), machine: machineCpuSeconds() };
  sum.rounds.push(await load.run(options.callers, options.seconds));
  await settle(target.processes(), SETTLE_MS);
  sum.cpu = addCpu(sum.cpu, cpuBetween(before.cpu, cpuSeconds(target.processes())));
  sum.othersSeconds += machineCpuSeconds() - before.machine - (known() - before.known);
  sum.seconds += (performance.now() - before.ms) / MS_PER_SECOND;
}

function measured(target: Target, sum: Sum, callers: number): Measured {
  const summary = summarise(sum.rounds);
  const perProcess = Object.entries(sum.cpu).map(([name, seconds]) => [name, rounded((seconds * MS_PER_SECOND) / summary.processes)]);
  return {
    side: target.name,
    callers,
    ...summary,
    cpuMsPerProcess: Object.fromEntries(perProcess),
    residentMib: Object.fromEntries(target.processes().map(({ name, pid }) => [name, Math.round(residentMib(pid))])),
    othersCores: rounded(Math.max(0, sum.othersSeconds / sum.seconds)),
    firstErrors: sum.rounds.flatMap((round) => round.errors).slice(0, ERRORS_SHOWN),
  };
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
