/** @module Processes that were recorded with hosts being killed replay without a divergence: the same code does the same again. */
import { expect, test, vi } from "vitest";
import { exampleRecordings, replayRuns } from "../../simulation/replays.ts";

const PROCESSES = 150;
const SEEDS_MAX = 1_000_000;

test(`${PROCESSES} recorded processes of the examples, with kills in them, replay without a divergence`, async () => {
  // The banks of the examples print.
  vi.stubGlobal("console", { ...globalThis.console, log: () => {} });
  const from = 1 + Math.floor(Math.random() * SEEDS_MAX);
  const { divergences, processes, works, kills } = await replayRuns(await exampleRecordings(), PROCESSES, from);
  const seeds = `seeds from ${from}`;
  expect(divergences, seeds).toEqual([]);
  expect(processes, seeds).toBeGreaterThanOrEqual(PROCESSES);
  expect(works, seeds).toBeGreaterThan(PROCESSES);
  expect(kills, seeds).toBeGreaterThan(0);
});
