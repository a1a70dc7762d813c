/** @module What `model` refuses, each time naming the agent and the option. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, LIMITS, model, type ModelOptions, tool } from "../../agents/index.ts";
import { refusal } from "../agents/refusal.ts";
import { answer, run } from "./rig.ts";

const Claim = z.object({ orderId: z.string() });
const Refunds = contract("Refunds", 1, { input: Claim, output: z.string() });
const Support = contract("Support", 1, { input: Claim, output: z.string() });
const Picky = contract("Picky", 1, { input: z.object({ form: z.number() }), output: z.string() });
const Long = contract(`A${"a".repeat(62)}`, 1, { input: Claim, output: z.string() });
const named = (name: string) => tool(name, { input: Claim, output: z.string(), effect: "read", run: () => "" });

type Options = ModelOptions<typeof Refunds, never, readonly (typeof Support)[], readonly (typeof Support)[], ReturnType<typeof named>[]>;

function refused(options: Readonly<Record<string, unknown>>): string {
  // What a program without types may give.
  const given = { instructions: "Refund.", ...options } as unknown as Options;
  const [code, text] = refusal(() => agent(Refunds, model(given)));
  expect(code).toBe("definition.invalid");
  return text;
}

describe("a model agent is refused, and the message names the agent and the option", () => {
  const many = Array.from({ length: LIMITS.modelToolsMax + 1 }, (_, index) => named(`t${index}`));
  test.each<readonly [why: string, options: Readonly<Record<string, unknown>>, text: string]>([
    ["empty instructions", { instructions: "" }, "instructions must be a text of 1 to"],
    ["instructions of another kind", { instructions: 5 }, "instructions must be a text"],
    ["a wrong name of a model", { model: "gpt 5" }, 'model "gpt 5"'],
    ["a fallback that is the model itself", { model: "a", fallback: ["a"] }, 'fallback names the model "a" again'],
    ["a fallback that is named twice", { fallback: ["a", "a"] }, 'fallback names the model "a" again'],
    ["too many fallbacks", { fallback: Array.from({ length: 9 }, (_, index) => `m${index}`) }, "fallback names 9 models, at most 8"],
    ["a fallback that is no list", { fallback: "a" }, "fallback must be a list"],
    ["no model calls", { callsMax: 0 }, "callsMax is 0, but must be an integer from 1 to 1000"],
    ["one model call where functions are offered", { callsMax: 1, tools: [named("look")] }, "callsMax is 1, but must be an integer from 2"],
    ["no output tokens", { outputTokensMax: 0 }, "outputTokensMax is 0"],
    ["a temperature out of range", { temperature: 3 }, "temperature is 3, but must be from 0 to 2"],
    ["a temperature that is no number", { temperature: "hot" }, "temperature is hot"],
    ["a seed that is no integer", { seed: 0.5 }, "seed is 0.5"],
    ["a version without instructions", { instructions: { v1: "" } }, "instructions.v1 must be a text of 1 to"],
    ["no version", { instructions: {} }, "instructions have 0 versions, but must have 1 to 64"],
    ["a wrong name of a version", { instructions: { "v 1": "Do." } }, 'instructions have the version "v 1"'],
    ["several versions of which none is used", { instructions: { v1: "Do.", v2: "Do it." } }, "name the one that is used, as prompt"],
    [
      "a version that the instructions do not have",
      { instructions: { v1: "Do." }, prompt: "v2" },
      'prompt is "v2", but the instructions have only v1',
    ],
    ["a version of instructions without versions", { prompt: "v1" }, "prompt names a version, but instructions have none"],
    ["an unknown rung", { repair: ["tell", "pray"] }, "repair must be a list of at most 16 of tell, shorten, summarize, model"],
    ["a ladder that is too long", { repair: Array.from({ length: 17 }, () => "tell") }, "repair must be a list"],
    ["a check that is no function", { check: "total" }, "check must be a function"],
    ["an unknown part of the retry policy", { retry: { tries: 5 } }, 'retry: unknown option "tries"'],
    ["no tries", { retry: { triesMax: 0 } }, "retry.triesMax is 0, but must be an integer from 1 to 100"],
    ["a priority out of range", { priority: 101 }, "priority is 101, but must be an integer from -100 to 100"],
    ["an unknown end", { onGiveUp: "retry" }, 'onGiveUp must be "fault" or { handOff } with a contract'],
    ["a hand-off that is not declared", { onGiveUp: { handOff: Support } }, "onGiveUp hands off to Support, which is not in handsOffTo"],
    [
      "a hand-off to an agent that takes another input",
      { handsOffTo: [Picky], onBudgetEnd: { handOff: Picky } },
      "onBudgetEnd hands off to Picky, which does not take the input of this agent",
    ],
    ["an unknown end of the budget", { onBudgetEnd: "beg" }, "onBudgetEnd must be"],
    ["a cheaper model without a name", { onBudgetEnd: { degradeTo: "" } }, 'onBudgetEnd: model ""'],
    ["an unknown part of the budget", { budget: { euro: 5 } }, 'budget: unknown option "euro"'],
    ["a negative budget of tokens", { budget: { tokens: -1 } }, "budget.tokens is -1"],
    ["a budget without a limit", { budget: {} }, "budget has no limit"],
    ["a budget of money that is no number", { budget: { usd: "5" } }, "budget.usd is 5, but must be a number of US dollars"],
    ["a budget of no time", { budget: { timeMs: 0 } }, "budget.timeMs is 0"],
    [
      "a tool with the name of an ask",
      { tools: [named("ask_Support")], asks: [Support] },
      'two functions of the model have the name "ask_Support"',
    ],
    ["a name that is too long for a function", { handsOffTo: [Long] }, "a model cannot call"],
    ["too many functions", { tools: many }, "129 functions for a model, at most 128"],
  ])("%s", (_why, options, text) => {
    const told = refused(options);
    expect(told).toContain('agent "Refunds"');
    expect(told).toContain(text);
  });

  test("an option that does not exist", () => {
    expect(refusal(() => agent(Refunds, model({ instructions: "x", tokens: 5 } as unknown as Options)))[1]).toContain(
      'unknown option "tokens"',
    );
  });

  test("an agent without a handler and without a model", () => {
    expect(refusal(() => agent(Refunds, {} as never))[1]).toBe('agent "Refunds": handle must be a function');
  });
});

test("the policy for transient faults and the priority go with each call", async () => {
  const patient = agent(Refunds, model({ instructions: "x", retry: { triesMax: 9 }, priority: 5 }));
  const { requests } = await run(patient, { orderId: "o" }, { script: [answer("done")] });
  expect(requests[0]?.retry).toEqual({ triesMax: 9 });
  expect(requests[0]?.priority).toBe(5);
});

test("money is counted in millionths of a dollar, and time is no part of the grant", () => {
  const rich = agent(Refunds, model({ instructions: "x", budget: { usd: 0.25, modelCalls: 3, toolCalls: 0, timeMs: 5 } }));
  expect(rich.data.budget).toEqual({ costMicros: 250_000, modelCalls: 3, toolCalls: 0 });
  expect(agent(Refunds, model({ instructions: "x", budget: { timeMs: 5 } })).data.budget).toBeUndefined();
});

test("an agent names each model that it may use, also the cheaper one", () => {
  const modest = agent(Refunds, model({ instructions: "x", model: "fast", fallback: ["careful"], onBudgetEnd: { degradeTo: "small" } }));
  expect(modest.models).toEqual(["fast", "careful", "small"]);
  expect(agent(Refunds, { handle: () => "" }).models).toEqual([]);
});
