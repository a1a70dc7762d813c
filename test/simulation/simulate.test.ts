/**
 * @module `simulate` for users: a naive agent is found out and explained, the same agent done right is not.
 */
import { expect, test } from "vitest";
import { careful, naive } from "../../examples/08-naive-agent/shop.ts";
import { simulate } from "../../simulation/simulate.ts";

const tasks = [{ route: "sale", input: { order: "book", amount: 30 } }];
const SEEDS = 150;
const TIMEOUT_MS = 120_000;

test("an effect outside of ctx.step and without a key happens twice, and the report says why", { timeout: TIMEOUT_MS }, async () => {
  const result = await simulate(naive, { tasks, seeds: SEEDS, command: "node examples/08-naive-agent/run.ts {seed}" });
  expect(result).toMatchObject({ ok: false, law: "nothing is applied twice" });
  expect(result.report).toContain("outside of ctx.step");
  expect(result.report).toContain("step.idempotencyKey");
  expect(result.report).toContain(`node examples/08-naive-agent/run.ts ${result.seed}`);
  expect(result.report?.match(/HAPPENS/g)).toHaveLength(2);
  expect(result.report).toMatch(/shrunk in \d+ runs from \d+ faults to 1:/);
});

test("the same agent with a step and its key survives every seed", { timeout: TIMEOUT_MS }, async () => {
  expect(await simulate(careful, { tasks, seeds: SEEDS })).toEqual({ ok: true, runs: SEEDS });
});

test("a named seed finds the same again", async () => {
  const first = await simulate(naive, { tasks, seeds: SEEDS });
  const again = await simulate(naive, { tasks, seeds: [first.seed ?? 0] });
  expect(again.report).toBe(first.report);
});

test("an invariant of the user's own is checked, by its name", async () => {
  const result = await simulate(careful, {
    tasks,
    seeds: 3,
    faults: "none",
    invariants: { "nothing is ever charged": ({ calls }) => (calls.length > 0 ? `${calls.length} charges` : undefined) },
  });
  expect(result).toMatchObject({ ok: false, seed: 1, law: "invariant" });
  expect(result.report).toContain("nothing is ever charged: 1 charges");
});

test("without faults even the naive agent is right", async () => {
  expect(await simulate(naive, { tasks, seeds: 20, faults: "none" })).toEqual({ ok: true, runs: 20 });
});
