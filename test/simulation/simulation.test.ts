/**
 * @module Thousands of seeds in every test run. Goal: the promises and laws of docs hold in every interleaving that the simulated world
 * can make; method: see docs/simulation.md. Crashes everywhere and all small graphs: everywhere.test.ts.
 */
import { describe, expect, test } from "vitest";
import { runBulk } from "../../simulation/bulk.ts";
import { ALL_FAULTS } from "../../simulation/world/faults.ts";
import { median } from "../../simulation/checks/hunt.ts";
import { runSeed, type Scenario } from "../../simulation/run.ts";
import { minds } from "../../simulation/scenarios/minds.ts";
import { wild } from "../../simulation/scenarios/random.ts";
import { knowledge } from "../../simulation/scenarios/knowledge.ts";
import { trust } from "../../simulation/scenarios/trust.ts";
import { say } from "./say.ts";

const SEEDS = {
  party: 800,
  wild: 300,
  catches: 200,
  chains: 300,
  waits: 300,
  long: 80,
  ring: 200,
  hot: 100,
  purge: 120,
  redrive: 300,
  wildRedrive: 150,
  fans: 60,
  trims: 60,
  minds: 250,
  trust: 250,
  knowledge: 120,
  operated: 400,
  operatedWaits: 150,
} as const;
const MESSAGES_MIN = 12;
const FAULTS_MIN = 3;
const TIMEOUT_MS = 240_000;

describe("seeds", () => {
  for (const [scenario, count] of Object.entries(SEEDS)) {
    test(`${count} seeds of ${scenario}`, { timeout: TIMEOUT_MS }, async () => {
      const done = await runBulk({ scenario, from: 1, to: count });
      say(
        `${scenario}: ${count} seeds, median ${median(done.messages)} messages and ${median(done.faults)} faults a seed, ` +
          `${(done.cpuMs / count).toFixed(2)} ms CPU a seed`,
      );
      expect(done.failing).toEqual([]);
      expect(median(done.faults)).toBeGreaterThanOrEqual(FAULTS_MIN);
      expect(median(done.messages)).toBeGreaterThanOrEqual(scenario === "ring" ? 1 : MESSAGES_MIN);
    });
  }
});

test("a seed is a run: the same events, messages and faults every time", async () => {
  const facts = async (scenario: Scenario, seed: number): Promise<readonly unknown[]> => {
    const lines: string[] = [];
    const { events, messages, fired, virtualMs } = await runSeed({
      scenario,
      seed,
      most: ALL_FAULTS,
      trace: (_atMs, line) => void lines.push(line),
    });
    return [events, messages, fired, virtualMs, lines];
  };
  for (const scenario of [wild, minds, trust, knowledge])
    for (const seed of [7, 8, 9]) expect(await facts(scenario, seed)).toEqual(await facts(scenario, seed));
});
