/**
 * @module How many steps one piece of work may make, over all of their names.
 */
import { expect, test } from "vitest";
import { z } from "zod";
import { runLocal } from "../../actors/testing.ts";
import { agent, contract, LIMITS, route, system } from "../../agents/index.ts";

const Count = contract("Count", 1, { input: z.object({ steps: z.int() }), output: z.int() });
const counter = agent(Count, {
  handle: async ({ steps }, ctx) => {
    for (let step = 0; step < steps; step += 1) await ctx.step(`step ${step}`, () => step);
    return steps;
  },
});
const count = route("count", 1, z.object({ steps: z.int() })).to("count", Count, ({ task }) => task).output(({ count }) => ({ made: count }));
const counting = system("counting", { agents: [counter], routes: [count] });

test("the last step that is allowed is made, and one more fails the work, whatever the steps are called", async () => {
  expect(await runLocal(counting, "count", { steps: LIMITS.stepsPerWorkMax })).toMatchObject({ status: "completed" });
  expect(await runLocal(counting, "count", { steps: LIMITS.stepsPerWorkMax + 1 })).toMatchObject({ status: "failed", fault: { code: "step.too-many" } });
});
