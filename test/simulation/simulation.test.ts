/**
 * @module Thousands of seeds in every test run, crash everywhere, and all small graphs. Goal: the promises and laws of
 * docs hold in every interleaving that the simulated world can make; method: see docs/simulation.md.
 */
import { describe, expect, test } from "vitest";
import { runBulk } from "../../simulation/bulk.ts";
import { everywhere } from "../../simulation/everywhere.ts";
import { ALL_FAULTS, NO_FAULTS } from "../../simulation/world/faults.ts";
import { median } from "../../simulation/checks/hunt.ts";
import { runSeed, type Scenario } from "../../simulation/run.ts";
import { allGraphs, graphScenario, graphSystem } from "../../simulation/scenarios/graphs.ts";
import { long } from "../../simulation/scenarios/long.ts";
import { minds } from "../../simulation/scenarios/minds.ts";
import { party, redrive } from "../../simulation/scenarios/party.ts";
import { wild } from "../../simulation/scenarios/random.ts";
import { knowledge } from "../../simulation/scenarios/knowledge.ts";
import { trust } from "../../simulation/scenarios/trust.ts";
import { say } from "./say.ts";

const SEEDS = {
  party: 1_300,
  wild: 400,
  catches: 200,
  chains: 300,
  waits: 300,
  long: 150,
  ring: 200,
  hot: 100,
  purge: 120,
  redrive: 300,
  wildRedrive: 150,
  fans: 60,
  trims: 100,
  minds: 250,
  trust: 250,
  knowledge: 120,
  operated: 400,
  operatedWaits: 150,
} as const;
const MESSAGES_MIN = 12;
const FAULTS_MIN = 3;
const TIMEOUT_MS = 240_000;
const SHARED_SEEDS = 40;

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

test("records that hosts and checks share equal their texts at the end: no code changes one in place", async () => {
  let records = 0;
  for (const scenario of [party, wild, redrive]) {
    for (let seed = 1; seed <= SHARED_SEEDS; seed += 1) {
      const { world } = await runSeed({ scenario, seed, most: { ...ALL_FAULTS, storeForgets: 0 }, plan: { copies: false } });
      for (const { key, text } of world.store.writes) {
        expect(JSON.stringify(world.store.content(key)), `${scenario.name} ${seed}: ${key}`).toBe(text);
        records += 1;
      }
    }
  }
  expect(records).toBeGreaterThan(3 * SHARED_SEEDS);
});

test(
  "crash everywhere: before and after each write and effect, for good and for a while, and a freeze there",
  { timeout: TIMEOUT_MS },
  async () => {
    let points = 0;
    let runs = 0;
    for (const [scenario, seed] of [
      [party, 1],
      [party, 2],
      [wild, 3],
      [wild, 5],
      [long, 1],
      [redrive, 1],
      [minds, 1],
      [trust, 3],
    ] as const) {
      const done = await everywhere(scenario, seed);
      points += done.points;
      runs += done.runs;
      expect(done.findings).toEqual([]);
    }
    say(`crash everywhere: ${points} writes and effects, ${runs} runs`);
  },
);

test("all graphs of up to 5 agents and 4 hops end as a rule of three lines says", { timeout: TIMEOUT_MS }, async () => {
  const graphs = allGraphs();
  const made = graphSystem(graphs);
  for (const graph of graphs) {
    const result = await runSeed({ scenario: graphScenario(made, graph), seed: 1, most: NO_FAULTS, exact: true, plan: { nodes: 2 } });
    expect(result.findings, `${graph.agents.join(" ")} by ${graph.edges.join(", ")}`).toEqual([]);
  }
  say(`graphs: ${graphs.length}, of which ${graphs.filter((graph) => graph.expected === "failed").length} are rings of asks and refused`);
  expect(graphs).toHaveLength(1 + 2 * 4 + 5 * 16 + 15 * 64);
});
