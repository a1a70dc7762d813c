/** @module Budgets of routes and stops as users write them. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, type Budget, contract, route, routeContract, system } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { refusal } from "./refusal.ts";

const Text = z.object({ text: z.string() });
const Writer = contract("Writer", 1, { input: Text, output: Text });
const writer = agent(Writer, { handle: (input) => input });
const made = (budget: Budget, stop: Budget = { tokens: 1 }) =>
  route("r", 1, Text, { budget })
    .to("write", Writer, ({ task }) => task, { budget: stop })
    .output(({ write }) => write);

describe("a budget", () => {
  test("of a route and of a stop is data in the slip, with money in millionths of a dollar", () => {
    const { data } = made({ tokens: 500, usd: 0.29, modelCalls: 3, toolCalls: 0 }, { usd: 0.000001 });
    expect(data.budget).toEqual({ tokens: 500, costMicros: 290_000, modelCalls: 3, toolCalls: 0 });
    expect(data.stops).toMatchObject([{ call: { budget: { costMicros: 1 } } }]);
    expect(system("s", { agents: [writer], routes: [made({ tokens: 5 })] }).slip.routes["r"]?.budget).toEqual({ tokens: 5 });
  });

  test.each<[string, Budget, string]>([
    ["without a limit", {}, "budget has no limit"],
    ["with a part of a token", { tokens: 1.5 }, "budget.tokens is 1.5, but must be an integer from 0"],
    ["below nothing", { modelCalls: -1 }, "budget.modelCalls is -1"],
    ["beyond the largest number", { toolCalls: LIMITS.budgetCountMax + 1 }, "budget.toolCalls"],
    ["with money that is no number", { usd: Number.NaN }, "budget.usd is NaN, but must be a number of US dollars from 0"],
    ["with money as text", { usd: "5" as unknown as number }, "budget.usd is 5"],
    ["with an unknown limit", { euro: 5 } as Budget, 'unknown option "euro"; known are tokens, usd, modelCalls, toolCalls'],
  ])("%s is refused, with its place", (_what, budget, text) => {
    expect(refusal(() => made(budget))[1]).toContain(text);
    expect(refusal(() => made(budget))[1]).toContain('route "r"');
    expect(refusal(() => made({ tokens: 5 }, budget))[1]).toContain('stop "write"');
  });

  test("larger than that of the whole route is a warning", () => {
    const Inner = routeContract("inner", { input: Text, output: Text });
    const inner = route("inner", 1, Text, { budget: { tokens: 900, usd: 1 } })
      .to("write", Writer, ({ task }) => task)
      .output(({ write }) => write);
    const outer = route("outer", 1, Text, { budget: { tokens: 500, usd: 2 } })
      .to("own", Writer, ({ task }) => task, { budget: { tokens: 501, modelCalls: 2 } })
      .to("nested", Inner, ({ task }) => task)
      .output(({ nested }) => nested);
    expect(system("s", { agents: [writer], routes: [inner, outer] }).warnings).toEqual([
      'route "outer", stop "own": its budget is 501 tokens, more than the 500 tokens of the whole route; lower it or raise the route\'s',
      'route "outer", stop "nested": the budget of route "inner" is 900 tokens, more than the 500 tokens of the whole route; ' +
        "lower it or raise the route's",
    ]);
  });
});
