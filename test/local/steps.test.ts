/** @module The number of steps that one work item may make, over all of their names. */
import { expect, test } from "vitest";
import { z } from "zod";
import { runLocal } from "../../testing/index.ts";
import { agent, contract, LIMITS, route, system } from "../../agents/index.ts";

const Count = contract("Count", 1, { input: z.object({ steps: z.int() }), output: z.int() });
const counter = agent(Count, {
  handle: async ({ steps }, ctx) => {
    for (let step = 0; step < steps; step += 1) await ctx.step(`step ${step}`, () => step);
    return steps;
  },
});
const count = route("count", 1, z.object({ steps: z.int() }))
  .to("count", Count, ({ task }) => task)
  .output(({ count }) => ({ made: count }));
const counting = system("counting", { agents: [counter], routes: [count] });

test("the last allowed step is made, and one more fails the work item, for any names", async () => {
  expect(await runLocal(counting, "count", { steps: LIMITS.stepsPerWorkMax })).toMatchObject({ status: "completed" });
  expect(await runLocal(counting, "count", { steps: LIMITS.stepsPerWorkMax + 1 })).toMatchObject({
    status: "failed",
    fault: { code: "step.too-many" },
  });
});

test("a handler that waited for an answer continues where it was, in a second attempt as in the first", async () => {
  const Figure = contract("Figure", 1, { input: z.object({ number: z.int() }), output: z.object({ number: z.int() }) });
  const Sum = contract("Sum", 1, { input: z.object({ number: z.int() }), output: z.int() });
  const runs: number[] = [];
  const figure = agent(Figure, { handle: (input) => input });
  const sum = agent(Sum, {
    asks: [Figure],
    handle: async (_input, ctx) => {
      runs.push(ctx.attempt);
      if (ctx.attempt === 1) throw new Error("not yet");
      let total = 0;
      for (let index = 1; index <= 5; index += 1) total += (await ctx.ask(Figure, { number: index })).number;
      return total;
    },
  });
  const add = route("add", 1, z.object({ number: z.int() }))
    .to("sum", Sum, ({ task }) => task)
    .output(({ sum }) => ({ sum }));
  expect(await runLocal(system("adding", { agents: [figure, sum], routes: [add] }), "add", { number: 1 })).toMatchObject({
    status: "completed",
    output: { sum: 15 },
  });
  expect(runs).toEqual([1, 2]);
});
