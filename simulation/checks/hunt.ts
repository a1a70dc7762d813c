/**
 * @module Looks for planted bugs: seed after seed until each is found, and how many seeds that took.
 */
import { CANARIES } from "./canaries.ts";
import type { Canary } from "./canaries/canary.ts";
import { ALL_FAULTS } from "../world/faults.ts";
import { runSeed } from "../run.ts";
import { SCENARIOS } from "../scenarios/index.ts";

/** The results of all hunts for one canary. */
export interface Hunt {
  readonly name: string;
  /** Seeds until it was found, for each hunt that found it. */
  readonly seeds: readonly number[];
  readonly missed: number;
  readonly law: string;
}

/** A hunt gives up after so many seeds. */
const HUNT_SEEDS_MAX = 400;
const SEEDS_PER_HUNT = 10_007;

/** Hunts for a canary several times, each time from other seeds. */
export async function hunt(canary: Canary, hunts: number): Promise<Hunt> {
  const seeds: number[] = [];
  let missed = 0;
  let law = "";
  for (let number = 0; number < hunts; number += 1) {
    const found = await huntOnce(canary, 1 + number * SEEDS_PER_HUNT);
    if (found === undefined) missed += 1;
    else {
      seeds.push(found.seeds);
      law = found.law;
    }
  }
  return { name: canary.name, seeds, missed, law };
}

async function huntOnce(canary: Canary, from: number): Promise<{ readonly seeds: number; readonly law: string } | undefined> {
  const scenario = SCENARIOS[canary.scenario];
  if (scenario === undefined) throw new Error(`invariant: scenario ${canary.scenario}`);
  for (let count = 1; count <= HUNT_SEEDS_MAX; count += 1) {
    const remove = canary.plant();
    try {
      const result = await runSeed({ scenario, seed: from + count, most: ALL_FAULTS, wrapPorts: canary.wrapPorts });
      if (result.findings[0] !== undefined) return { seeds: count, law: result.findings[0].law };
    } finally {
      remove();
    }
  }
  return undefined;
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** The table of all canaries as text. */
export function huntText(hunts: readonly Hunt[]): string {
  return hunts
    .map(
      (one) =>
        `${one.missed === 0 ? "found " : "MISSED"} ${one.name}: ` +
        `median ${median(one.seeds)} seeds (most ${Math.max(0, ...one.seeds)}); ${one.law}`,
    )
    .join("\n");
}

if (import.meta.main) {
  Error.stackTraceLimit = 0;
  const only = process.argv[2];
  for (const canary of CANARIES)
    if (only === undefined || canary.name.includes(only)) process.stdout.write(`${huntText([await hunt(canary, 3)])}\n`);
}
