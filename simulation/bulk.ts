/**
 * @module Many seeds of a scenario, with medians; over worker threads where there are several cores.
 */
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ALL_FAULTS } from "./world/faults.ts";
import { runSeed } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { entryOf } from "../runtime/entries.ts";

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

/** How many seeds run before the event loop gets a turn, for the timers and messages of the caller. */
const SEEDS_BETWEEN_PAUSES = 20;

/** Runs seeds `from` to `to` of a scenario in this thread. */
export async function runBulk(part: Part): Promise<Bulk> {
  const scenario = entryOf(SCENARIOS, part.scenario);
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

/** Small enough that no thread waits long for the others at the end, large enough that asking for the next costs nothing. */
const SEEDS_PER_PIECE = 100;
const MIB_BYTES = 1_024 * 1_024;
/** A world dies young; with room for many of them a collection finds almost nothing alive. */
const YOUNG_BYTES = 96 * MIB_BYTES;

/** Threads that stay for all pieces and scenarios, because compiling the code again costs as much as several hundred seeds. */
export class BulkThreads {
  readonly #workers: readonly Worker[];

  constructor(threads: number = availableParallelism()) {
    this.#workers = Array.from(
      { length: threads },
      () =>
        new Worker(new URL(import.meta.url), { workerData: BULK, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_BYTES / MIB_BYTES } }),
    );
  }

  /** As {@link runBulk}, in pieces that the threads take one by one. */
  async run(part: Part): Promise<Bulk> {
    const pieces: Part[] = [];
    for (let from = part.from; from <= part.to; from += SEEDS_PER_PIECE)
      pieces.push({ ...part, from, to: Math.min(part.to, from + SEEDS_PER_PIECE - 1) });
    const done: Bulk[] = [];
    let next = 0;
    const started = process.cpuUsage();
    await Promise.all(
      this.#workers.map(async (worker) => {
        for (let index = next++; index < pieces.length; index = next++) {
          const piece = pieces[index];
          if (piece !== undefined) done[index] = await runPiece(worker, piece);
        }
      }),
    );
    const used = process.cpuUsage(started);
    return {
      scenario: part.scenario,
      seeds: part.to - part.from + 1,
      failing: done.flatMap((one) => one.failing),
      messages: done.flatMap((one) => one.messages),
      faults: done.flatMap((one) => one.faults),
      cpuMs: (used.user + used.system) / 1_000,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function runPiece(worker: Worker, piece: Part): Promise<Bulk> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (done: Bulk) => {
      worker.off("error", reject);
      resolve(done);
    });
    worker.postMessage(piece);
  });
}

/** Marks the threads that {@link BulkThreads} began: this module is also loaded by threads of others. */
const BULK = "troupe bulk";

const port = isMainThread || workerData !== BULK ? null : parentPort;
if (port !== null) {
  Error.stackTraceLimit = 0;
  // A rejection ends the thread with its error, and the caller that waits for the piece gets it.
  port.on("message", (piece: Part) => void runBulk(piece).then((done) => port.postMessage(done)));
}
