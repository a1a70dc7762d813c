/** @module A loop of another library whose call a person has edited: its model is told. */
import { expect, test } from "vitest";
import { z } from "zod";
import { toolSet } from "../../adapters/ai-sdk/index.ts";
import { tool } from "../../agents/index.ts";
import { runLocal } from "../../testing/index.ts";
import { thrice } from "./rig.ts";

const pay = tool("pay", {
  input: z.strictObject({ amount: z.int() }),
  output: z.string(),
  effect: "write",
  approve: "true",
  run: ({ amount }) => `paid ${amount}`,
});

test("the result says what was changed and that it is settled, in each execution; one person is asked once", async () => {
  const results: unknown[] = [];
  let asked = 0;
  const made = thrice([pay], async (ctx) => {
    const { execute } = toolSet(ctx, [pay])["pay"] ?? {};
    results.push(await execute?.({ amount: 9 }, { toolCallId: "c", messages: [], context: {} }));
    return "done";
  });
  await runLocal(made, "main", "go", {
    people: () => {
      asked += 1;
      return { do: "edit", input: { amount: 4 }, reason: "less" };
    },
  });
  expect(asked).toBe(1);
  expect(results).toHaveLength(3);
  for (const result of results)
    expect(result).toEqual({ note: expect.stringMatching(/from {"amount":9} to {"amount":4}.*settled/s), output: "paid 4" });
});
