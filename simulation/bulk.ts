/**
 * @module Many seeds of a scenario, with medians; over worker threads where there are several cores.
 */
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ALL_FAULTS } from "./faults.ts";
import { runSeed } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";

export interface Bulk {
  readonly scenario: string;
  readonly seeds: number;
  readonly failing: readonly { readonly seed: number; readonly law: string; readonly text: string }[];
  readonly messages: readonly number[];
  readonly faults: readonly number[];
  readonly cpuMs: number;
}

interface Part {
  readonly scenario: string;
  readonly from: number;
  readonly to: number;
}

/** A seed leaves the event loop free now and then, for timers and messages of whoever runs it. */
const SEEDS_BETWEEN_PAUSES = 20;

/** Runs seeds `from` to `to` of a scenario in this thread. */
export async function runBulk(part: Part): Promise<Bulk> {
  const scenario = SCENARIOS[part.scenario];
  if (scenario === undefined) throw new Error(`there is no scenario ${part.scenario}`);
  const failing: Bulk["failing"][number][] = [];
  const messages: number[] = [];
  const faults: number[] = [];
  const started = process.cpuUsage();
  for (let seed = part.from; seed <= part.to; seed += 1) {
    const result = await runSeed({ scenario, seed, most: ALL_FAULTS });
    messages.push(result.messages);
    faults.push(result.fired.length);
    const finding = result.findings[0];
    if (finding !== undefined) failing.push({ seed, law: finding.law, text: finding.text });
    if (seed % SEEDS_BETWEEN_PAUSES === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  const used = process.cpuUsage(started);
  return { scenario: part.scenario, seeds: part.to - part.from + 1, failing, messages, faults, cpuMs: (used.user + used.system) / 1_000 };
}

/** As {@link runBulk}, spread over the cores. */
export async function runBulkOnCores(part: Part, cores: number = availableParallelism()): Promise<Bulk> {
  const share = Math.ceil((part.to - part.from + 1) / cores);
  const parts = Array.from({ length: cores }, (_, index): Part => ({ ...part, from: part.from + index * share, to: Math.min(part.to, part.from + (index + 1) * share - 1) })).filter((one) => one.from <= one.to);
  const started = process.cpuUsage();
  const done = await Promise.all(parts.map(runInWorker));
  const used = process.cpuUsage(started);
  return {
    scenario: part.scenario, seeds: part.to - part.from + 1, failing: done.flatMap((one) => one.failing), messages: done.flatMap((one) => one.messages), faults: done.flatMap((one) => one.faults),
    cpuMs: (used.user + used.system) / 1_000,
  };
}

function runInWorker(part: Part): Promise<Bulk> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: part, resourceLimits: { maxYoungGenerationSizeMb: 128 } });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

if (!isMainThread && parentPort !== null && typeof workerData === "object" && workerData !== null && "scenario" in workerData) {
  Error.stackTraceLimit = 0;
  parentPort.postMessage(await runBulk(workerData as Part));
}
