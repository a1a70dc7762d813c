/** @module Processes that were recorded with hosts being killed replay without a divergence: the same code does the same again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { System } from "../../agents/system.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import { redacted } from "../../runtime/cassette/redact.ts";
import { exampleRecordings, replayRuns } from "../../simulation/replays.ts";

const PROCESSES = 150;
const SEEDS_MAX = 1_000_000;

/** Texts of contents that stand in the redacted cassette: sentences, so that no name is taken for one. */
function leaksOf(cassette: Cassette, { slip }: System): readonly string[] {
  const [text, code] = [JSON.stringify(redacted(cassette)), JSON.stringify(slip)];
  const sentences = new Set([...textsIn(cassette.values), ...textsUnder(cassette.processes)].filter((one) => /\S\s\S/.test(one)));
  return [...sentences].map((one) => JSON.stringify(one).slice(1, -1)).filter((one) => text.includes(one) && !code.includes(one));
}

function textsUnder(at: unknown): readonly string[] {
  if (typeof at !== "object" || at === null) return [];
  return Object.entries(at).flatMap(([name, part]) => (name === "json" ? textsIn(part) : textsUnder(part)));
}

function textsIn(at: unknown): readonly string[] {
  if (typeof at === "string") return [at];
  return typeof at === "object" && at !== null ? Object.values(at).flatMap(textsIn) : [];
}

test(`${PROCESSES} recorded processes of the examples, with kills in them, replay as recorded, and redacted tell no content`, async () => {
  // The banks of the examples print.
  vi.stubGlobal("console", { ...globalThis.console, log: () => {} });
  const from = 1 + Math.floor(Math.random() * SEEDS_MAX);
  const folder = mkdtempSync(join(tmpdir(), "troupe-replays-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  vi.stubEnv("PAYMENT_LEDGER", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const leaks: string[] = [];
  const { divergences, processes, works, kills } = await replayRuns(await exampleRecordings(folder), PROCESSES, from, (...seen) =>
    leaks.push(...leaksOf(...seen)),
  );
  const seeds = `seeds from ${from}`;
  expect(leaks, seeds).toEqual([]);
  expect(divergences, seeds).toEqual([]);
  expect(processes, seeds).toBeGreaterThanOrEqual(PROCESSES);
  expect(works, seeds).toBeGreaterThan(PROCESSES);
  expect(kills, seeds).toBeGreaterThan(0);
});
