/** @module Budgets and spending as the command prints them. */
import { expect, test } from "vitest";
import { budgetLines } from "../../cli/text/spending.ts";
import { usdText } from "../../runtime/budget.ts";

test("a budget with its use, and what was spent by agent and model, with money in four decimals", () => {
  const lines = budgetLines({
    limit: { tokens: 5_000, usd: 0.05 },
    reserved: { tokens: 700, usd: 0.01 },
    left: { tokens: 3_100, usd: 0.02765 },
    spent: {
      total: { tokens: 1_200, usd: 0.01235, modelCalls: 3, toolCalls: 2 },
      by: [
        {
          agent: "Triage",
          toolCalls: 0,
          models: [{ model: "fast", modelCalls: 1, inputTokens: 200, outputTokens: 50, usd: 0.00005 }],
        },
        {
          agent: "Refunds",
          toolCalls: 2,
          models: [{ model: "careful", modelCalls: 2, inputTokens: 900, outputTokens: 50, usd: 0.0123 }],
        },
      ],
    },
    before: { total: { tokens: 10, usd: 0, modelCalls: 1, toolCalls: 0 }, by: [] },
  });
  expect(lines.join("\n").split("\n")).toEqual([
    "",
    "budget  limit    spent    reserved  left",
    "tokens  5000     1200     700       3100",
    "cost    $0.0500  $0.0123  $0.0100   $0.0277",
    "",
    "spent by  model    calls  input tokens  output tokens  cost",
    "Triage    fast     1      200           50             $0.0001",
    "Refunds   careful  2      900           50             $0.0123",
    "Refunds   (tools)  2",
    "in all 1200 tokens, $0.0123, 3 model calls, 2 tool calls",
    "earlier runs spent 10 tokens, $0.0000, 1 model call, 0 tool calls",
  ]);
});

test("nothing is printed of a process without a budget that spent nothing", () => {
  expect(budgetLines(undefined)).toEqual([]);
  const nothing = { total: { tokens: 0, usd: 0, modelCalls: 0, toolCalls: 0 }, by: [] };
  expect(budgetLines({ spent: nothing })).toEqual([]);
  expect(usdText(0.00004)).toBe("$0.0000");
});
