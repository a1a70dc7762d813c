/**
 * @module Planted bugs must be found: a simulator that finds nothing may be blind. Each canary is hunted from several
 * beginnings, and each hunt must find it within its bound.
 */
import { expect, test } from "vitest";
import { CANARIES } from "../../simulation/checks/canaries.ts";
import { hunt, huntText } from "../../simulation/checks/hunt.ts";
import { say } from "./say.ts";

const HUNTS = 3;
const CANARIES_MIN = 40;
const TIMEOUT_MS = 240_000;

test("there are enough", () => {
  expect(CANARIES.length).toBeGreaterThanOrEqual(CANARIES_MIN);
});

for (const canary of CANARIES) {
  test(canary.name, { timeout: TIMEOUT_MS }, async () => {
    const found = await hunt(canary, HUNTS);
    say(huntText([found]));
    expect(found.missed).toBe(0);
  });
}
