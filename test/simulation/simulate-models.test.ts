/**
 * @module `simulate` for systems with model agents: it finds a double refund, an overspent budget and a loop, and nothing in a system
 * that is right. No real model is asked.
 */
import { describe, expect, test } from "vitest";
import { agent, contract, Fault, model, openai, route, system, tool } from "troupe";
import { outside, simulate, type SimulatedRun } from "troupe/testing";
import { z } from "zod";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { entryOf, withEntry } from "../../runtime/entries.ts";
import { replace } from "../../simulation/checks/canaries/canary.ts";

const SEEDS = 120;
const TIMEOUT_MS = 120_000;
const TOKENS_MAX = 6_000;

const Claim = z.object({ order: z.string(), amount: z.int() });
const Told = z.object({ told: z.string() });
const Refunds = contract("Refunds", 1, { input: Claim, output: Told });
const Triage = contract("Triage", 1, { input: Claim, output: Told });
const tasks = [{ route: "claim", input: { order: "book-7", amount: 30 } }];

/** The payment service without a key: each call pays. */
const pay = outside("pay", (order: string, amount: number) => `paid ${amount} for ${order}`);
const payOnce = outside("pay", (order: string, amount: number, key: string) => `paid ${amount} for ${order} (${key})`, {
  key: (_order, _amount, key) => key,
});

const about = { about: "Pays an order back", effect: "write", input: Claim, output: z.string() } as const;
const naive = tool("refund", { ...about, retry: { attemptsMax: 3, backoffMs: 50 }, run: ({ order, amount }) => pay(order, amount) });
const keyed = tool("refund", { ...about, run: ({ order, amount }, call) => payOnce(order, amount, call.idempotencyKey) });
/** The amount is not the model's to say, only open claims are paid, and the key is that of the claim. */
const AMOUNTS: Readonly<Record<string, number>> = { "book-7": 30 };
const careful = tool("refund", {
  ...about,
  input: z.object({ order: z.string() }),
  run: ({ order }) => {
    const amount = entryOf(AMOUNTS, order);
    if (amount === undefined) throw new Fault("agent.refused", `there is no claim for ${order}`);
    return payOnce(order, amount, `refund ${order}`);
  },
});

/** Never connected: the simulated world answers for it. */
const models = { default: openai({ model: "any" }) };
const settings = { instructions: "Refund the claim.", outputTokensMax: 100 } as const;

function desk(refund: typeof naive | typeof careful, budget?: { readonly tokens: number }) {
  const refunds = agent(Refunds, model({ ...settings, tools: [refund] }));
  const claim = route("claim", 1, Claim, budget === undefined ? {} : { budget })
    .to("refund", Refunds, ({ task }) => task)
    .output(({ refund: { told } }) => told);
  return system("desk", { agents: [refunds], routes: [claim], models });
}

function tokensOf({ models }: SimulatedRun): number {
  return models.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);
}

describe("a double refund", () => {
  test("by a tool without a key is found with an honest model, and the report says why", { timeout: TIMEOUT_MS }, async () => {
    const result = await simulate(desk(naive), { tasks, seeds: SEEDS, models: "honest" });
    expect(result).toMatchObject({ ok: false, law: "nothing is applied twice" });
    expect(result.report).toContain("Refunds calls pay in tool refund without an idempotency key");
    expect(result.report).toContain("call.idempotencyKey");
    expect(result.report?.match(/HAPPENS/g)).toHaveLength(2);
  });

  test("by a model that calls twice is found although each call has a key", { timeout: TIMEOUT_MS }, async () => {
    expect(await simulate(desk(keyed), { tasks, seeds: SEEDS, models: "honest" })).toEqual({ ok: true, runs: SEEDS });
    const result = await simulate(desk(keyed), { tasks, seeds: SEEDS, models: "adversary" });
    expect(result).toMatchObject({ ok: false, law: "nothing is applied twice" });
    expect(result.report).toContain("called tool refund twice with the same input");
  });

  test("is not found where the key is that of the claim", { timeout: TIMEOUT_MS }, async () => {
    const result = await simulate(desk(careful), {
      tasks,
      seeds: SEEDS,
      models: "adversary",
      invariants: {
        "only claims are paid": ({ calls }) => calls.find(({ key }) => key !== "refund book-7")?.about,
        "each claim is paid once": ({ calls }) => {
          const paid = calls.filter(({ what }) => what === "applied").length;
          return paid > 1 ? `paid ${paid} times` : undefined;
        },
      },
    });
    expect(result).toEqual({ ok: true, runs: SEEDS });
  });
});

describe("an overspent budget", () => {
  const spends = {
    "a claim costs little": (run: SimulatedRun) =>
      tokensOf(run) > TOKENS_MAX ? `${tokensOf(run)} tokens were bought for one claim` : undefined,
  };
  /** Providers that count more than was reserved are left out: they can exceed any budget, once. */
  const options = { tasks, seeds: SEEDS, models: { rates: { modelLoops: 0.5, modelInvalid: 0.5, modelOverruns: 0 } }, invariants: spends };

  test("of a system without any is found by what was bought", { timeout: TIMEOUT_MS }, async () => {
    const result = await simulate(desk(careful), options);
    expect(result).toMatchObject({ ok: false, law: "invariant" });
    expect(result.report).toMatch(/a claim costs little: \d+ tokens were bought for one claim/);
  });

  test("is not found where the route has one", { timeout: TIMEOUT_MS }, async () => {
    expect(await simulate(desk(careful, { tokens: TOKENS_MAX }), options)).toEqual({ ok: true, runs: SEEDS });
  });

  test("is found where a planted bug does not enforce it", { timeout: TIMEOUT_MS }, async () => {
    const restore = replace(agentMachine, "decide", (decide) => (state, input, context) => {
      if (input.kind !== "model-begun") return decide(state, input, context);
      const work = entryOf(state.works, input.workId);
      if (work === undefined) return decide(state, input, context);
      const unlimited: AgentWork = { ...work, grant: undefined, raised: undefined };
      return decide({ ...state, works: withEntry(state.works, work.id, unlimited) }, input, context);
    });
    try {
      const { invariants: _none, ...alone } = options;
      const result = await simulate(desk(careful, { tokens: TOKENS_MAX }), alone);
      expect(result).toMatchObject({ ok: false, law: "nothing is reserved beyond the grant" });
    } finally {
      restore();
    }
  });
});

describe("a loop", () => {
  function ring(visitsMax: number) {
    const refunds = agent(Refunds, model({ ...settings, handsOffTo: [Triage], visitsMax }));
    const triage = agent(Triage, model({ ...settings, handsOffTo: [Refunds], visitsMax }));
    const claim = route("claim", 1, Claim)
      .to("claim", Triage, ({ task }) => task, { timeoutMs: TIMEOUT_MS })
      .output(({ claim: { told } }) => told);
    return system("ring", { agents: [refunds, triage], routes: [claim], models });
  }
  const slow = [{ ...tasks[0], route: "claim", input: { order: "book-7", amount: 30 }, timeoutMs: 600_000 }];

  test("of two agents that hand off for ever is found, and the report names the ring", { timeout: TIMEOUT_MS }, async () => {
    const result = await simulate(ring(500), { tasks: slow, seeds: SEEDS, models: "adversary", modelCallsMax: 30 });
    expect(result).toMatchObject({ ok: false, law: "model calls come to an end" });
    expect(result.report).toMatch(/at last of .*Triage -> Refunds -> Triage -> Refunds/);
  });

  test("is not found where the hand-offs have a tight bound", { timeout: TIMEOUT_MS }, async () => {
    expect(await simulate(ring(2), { tasks: slow, seeds: SEEDS, models: "adversary", modelCallsMax: 30 })).toEqual({
      ok: true,
      runs: SEEDS,
    });
  });
});

test("a run with models repeats exactly", async () => {
  const first = await simulate(desk(naive), { tasks, seeds: SEEDS, models: "adversary" });
  const again = await simulate(desk(naive), { tasks, seeds: [first.seed ?? 0], models: "adversary" });
  expect(again.report).toBe(first.report);
});
