/** @module Processes that were recorded with hosts being killed replay without a divergence: the same code does the same again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { exampleRecordings, replayRuns } from "../../simulation/replays.ts";

const PROCESSES = 150;
const SEEDS_MAX = 1_000_000;

test(`${PROCESSES} recorded processes of the examples, with kills in them, replay without a divergence`, async () => {
  // The banks of the examples print.
  vi.stubGlobal("console", { ...globalThis.console, log: () => {} });
  const from = 1 + Math.floor(Math.random() * SEEDS_MAX);
  const folder = mkdtempSync(join(tmpdir(), "troupe-replays-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  vi.stubEnv("PAYMENT_LEDGER", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { divergences, processes, works, kills } = await replayRuns(await exampleRecordings(folder), PROCESSES, from);
  const seeds = `seeds from ${from}`;
  expect(divergences, seeds).toEqual([]);
  expect(processes, seeds).toBeGreaterThanOrEqual(PROCESSES);
  expect(works, seeds).toBeGreaterThan(PROCESSES);
  expect(kills, seeds).toBeGreaterThan(0);
});
