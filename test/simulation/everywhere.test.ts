/**
 * @module What is tried in every place, and not at random: a crash before and after each write and effect, and all small graphs; and no
 * record is changed in place by code.
 */
import { expect, test } from "vitest";
import { everywhere } from "../../simulation/everywhere.ts";
import { ALL_FAULTS, NO_FAULTS } from "../../simulation/world/faults.ts";
import { runSeed } from "../../simulation/run.ts";
import { allGraphs, graphScenario, graphSystem } from "../../simulation/scenarios/graphs.ts";
import { long } from "../../simulation/scenarios/long.ts";
import { minds } from "../../simulation/scenarios/minds.ts";
import { party, redrive } from "../../simulation/scenarios/party.ts";
import { wild } from "../../simulation/scenarios/random.ts";
import { trust } from "../../simulation/scenarios/trust.ts";
import { say } from "./say.ts";

/** Two slow cores that four files share need more than five minutes. */
const TIMEOUT_MS = 900_000;
const SHARED_SEEDS = 40;

test("records that hosts and checks share equal their texts at the end: no code changes one", { timeout: TIMEOUT_MS }, async () => {
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
