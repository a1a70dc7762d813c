/**
 * @module A store that breaks its word and forgets its last second: what it breaks must be found and quarantined.
 */
import { expect, test } from "vitest";
import { ALL_FAULTS } from "../../simulation/world/faults.ts";
import { runSeed } from "../../simulation/run.ts";
import { wild } from "../../simulation/scenarios/random.ts";
import { say } from "./say.ts";

const SEEDS = 150;
const BROKEN_MIN = 5;
const TIMEOUT_MS = 120_000;

test("every broken chain is answered by its code, every intact one is read", { timeout: TIMEOUT_MS }, async () => {
  let broken = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const most = { ...ALL_FAULTS, storeForgets: 2, remindersLost: 0 };
    const result = await runSeed({ scenario: wild, seed, most, exact: seed % 2 === 0, plan: { safetyMs: 8_000 } });
    expect(result.findings, `seed ${seed}`).toEqual([]);
    broken += result.world.quarantined;
  }
  say(`forgetful store: ${SEEDS} seeds, ${broken} actors with a broken chain, all found`);
  expect(broken).toBeGreaterThanOrEqual(BROKEN_MIN);
});
