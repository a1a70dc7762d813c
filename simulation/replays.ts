/**
 * @module Records processes in the simulated world, with hosts that are killed, and replays them with the same code: `node
 * simulation/replays.ts --processes 1000`. A replay that diverges is a defect: of the replay, or of a handler that is not deterministic.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { System } from "../agents/system.ts";
import type { StateStore } from "../actors/engine/ports.ts";
import { Values } from "../actors/engine/values.ts";
import { Cassettes } from "../actors/operations/cassettes.ts";
import { replay } from "../actors/replay/replay.ts";
import { Cassette } from "../runtime/cassette/cassette.ts";
import type { Divergence } from "../runtime/cassette/replay-report.ts";
import { isFault } from "../runtime/faults.ts";
import { type RunOptions, runSeed } from "./run.ts";
import { ratesOf, scenarioOf, type SimulateOptions } from "./simulate.ts";
import { virtualGlobals } from "./world/virtual-globals.ts";
import type { World } from "./world/world.ts";

/** A system, and the tasks of which each seed runs all. */
export interface Recording {
  readonly system: System;
  readonly tasks: SimulateOptions["tasks"];
  /** Clears what the example keeps outside, before each seed. */
  readonly clear?: () => void;
}

/** What the replays of many processes found. */
export interface ReplaysResult {
  processes: number;
  works: number;
  kills: number;
  skipped: Map<string, number>;
  divergences: (Divergence & { readonly seed: number })[];
}

/** Records seeds of each system until there are as many processes, and replays each with the same system. `seen` gets each record. */
export async function replayRuns(
  recordings: readonly Recording[],
  processes: number,
  from = 1,
  seen: (cassette: Cassette, system: System) => void = () => {},
): Promise<ReplaysResult> {
  const result: ReplaysResult = { processes: 0, works: 0, kills: 0, skipped: new Map(), divergences: [] };
  for (let seed = from; result.processes < processes; seed += 1)
    for (const { system, tasks, clear } of recordings) {
      if (result.processes >= processes) break;
      clear?.();
      const options: SimulateOptions = { tasks, models: "honest", people: "honest" };
      const run: RunOptions = { scenario: scenarioOf(system, options), seed, most: ratesOf(options) };
      const restore = virtualGlobals();
      const made = await runSeed(run).finally(restore);
      result.kills += made.fired.filter(({ name }) => name.includes("kill") || name.includes("crash")).length;
      for (const { id } of made.tasks) await replayOne(result, made.world, system, id, seed, seen);
    }
  return result;
}

async function replayOne(
  result: ReplaysResult,
  world: World,
  system: System,
  id: string,
  seed: number,
  seen: (cassette: Cassette, system: System) => void,
): Promise<void> {
  const clock = { nowMs: () => world.timeline.nowMs, after: () => () => {} };
  const store: Pick<StateStore, "read"> = { read: async (keys) => world.store.peek(keys) };
  const ports = { store: store as StateStore, clock };
  const values = new Values(ports.store, clock, system.name);
  try {
    const cassette = await new Cassettes({ ports, system: system.name, values }).read(id);
    seen(cassette, system);
    const report = await replay(system, Cassette.parse(JSON.parse(JSON.stringify(cassette))));
    result.processes += report.processes;
    result.works += report.works;
    for (const { why } of report.skipped) result.skipped.set(why, (result.skipped.get(why) ?? 0) + 1);
    result.divergences.push(...report.divergences.map((one) => ({ ...one, seed })));
  } catch (error) {
    // Some tasks are refused, and some never arrive.
    if (!isFault(error) || error.code !== "process.unknown") throw error;
  }
}

/** The examples that run without anything outside. `folder`: for the ledger of the payment. */
export async function exampleRecordings(folder: string): Promise<readonly Recording[]> {
  const of = async (name: string, file = "system"): Promise<System> =>
    ((await import(`../examples/${name}/${file}.ts`)) as { default: System }).default;
  const ledger = join(folder, "ledger.jsonl");
  process.env["PAYMENT_LEDGER"] = ledger;
  return [
    { system: await of("00-shop"), tasks: ["jug", "piano", "lamp"].map((item) => ({ route: "sale", input: { item, cents: 500 } })) },
    {
      system: await of("01-travel"),
      tasks: [1, 2].map((n) => ({ route: "trip", input: { wish: "sea and food", days: 3 + n, budget: 900 } })),
    },
    {
      system: await of("04-payment"),
      tasks: ["Graz", "Paris"].map((town) => ({ route: "order", input: { item: "jug", pieces: 2, cents: 500, card: "4000", town } })),
      clear: () => rmSync(ledger, { force: true }),
    },
    {
      system: await of("05-customer"),
      tasks: ["ann", "ann", "bob"].map((customer) => ({ route: "purchase", input: { customer, cents: 1_000 } })),
    },
    {
      system: await of("06-nested"),
      tasks: [
        {
          route: "order",
          input: { customer: "ann", to: "Rome", parcels: [[{ name: "book", grams: 300 }], [{ name: "jug", grams: 900 }]] },
        },
      ],
    },
    { system: await of("09-research"), tasks: [{ route: "research", input: { question: "Why do bees dance?" } }] },
    { system: await of("11-support"), tasks: ["The jug came broken", "I want my money"].map((input) => ({ route: "mail", input })) },
    { system: await of("12-patterns", "chaining"), tasks: [{ route: "article", input: { topic: "bees" } }] },
    { system: await of("12-patterns", "routing"), tasks: [{ route: "question", input: { text: "The line is dead" } }] },
    { system: await of("12-patterns", "vote"), tasks: [{ route: "moderate", input: { text: "Buy this" } }] },
    { system: await of("12-patterns", "workers"), tasks: [{ route: "review", input: { change: "Rename", files: ["a.ts", "b.ts"] } }] },
    { system: await of("12-patterns", "evaluator"), tasks: [{ route: "write", input: { about: "bees", draft: "", criticism: "" } }] },
    { system: await of("13-refund-desk"), tasks: [{ route: "refund", input: { order: "A1", mail: "The jug came broken" } }] },
    { system: await of("15-customer-memory"), tasks: [{ route: "visit", input: { guest: "ann", text: "A tea, please" } }] },
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { processes: { type: "string", default: "1000" }, from: { type: "string", default: "1" } } });
  const folder = mkdtempSync(join(tmpdir(), "troupe-replays-"));
  const found = await replayRuns(await exampleRecordings(folder), Number(values.processes), Number(values.from));
  rmSync(folder, { recursive: true });
  for (const one of found.divergences.slice(0, 10)) process.stdout.write(`${JSON.stringify(one)}\n`);
  for (const [why, count] of found.skipped) process.stdout.write(`skipped ${count}: ${why}\n`);
  const { processes, works, kills, divergences } = found;
  process.stdout.write(`${processes} processes with ${works} work items and ${kills} kills: ${divergences.length} divergences\n`);
  process.exitCode = divergences.length === 0 ? 0 : 1;
}
