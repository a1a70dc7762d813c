/** @module A model agent from its definition to its answer, over a runner without records. */
import { DATA_SENTENCE } from "../../runtime/model/data-text.ts";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, isHandOff, model, tool } from "../../agents/index.ts";
import { answer, calls, run } from "./rig.ts";

const Claim = z.object({ orderId: z.string(), amount: z.number() });
const Refunds = contract("Refunds", 1, { input: Claim, output: z.object({ paid: z.number(), note: z.string() }) });
const Support = contract("Support", 1, { input: Claim, output: z.object({ paid: z.number(), note: z.string() }) });
const Policy = contract("Policy", 1, { about: "Knows the rules.", input: z.string(), output: z.string() });
const refund = tool("refund", {
  about: "Pays money back",
  input: Claim,
  output: z.object({ receipt: z.string() }),
  effect: "write",
  run: ({ orderId }) => ({ receipt: `r-${orderId}` }),
});
const refunds = agent(
  Refunds,
  model({ instructions: "Refund the claim.", tools: [refund], asks: [Policy], handsOffTo: [Support], budget: { tokens: 5_000, usd: 0.1 } }),
);
const CLAIM = { orderId: "o-1", amount: 5 };

describe("a model agent", () => {
  test("calls a tool and answers in the form of its contract", async () => {
    const ran = await run(refunds, CLAIM, { script: [calls(["refund", CLAIM, "c1"]), answer({ paid: 5, note: "done" })] });
    expect(ran.result).toEqual({ paid: 5, note: "done" });
    expect(ran.made).toEqual([["refund", CLAIM]]);
    const [first, second] = ran.requests;
    expect(first?.request.messages).toEqual([
      { role: "system", text: `Refund the claim.\n\n${DATA_SENTENCE}` },
      { role: "user", text: '{"amount":5,"orderId":"o-1"}' },
    ]);
    expect(second?.request.messages.slice(2)).toEqual([
      { role: "assistant", text: "", calls: [{ id: "c1", name: "refund", arguments: JSON.stringify(CLAIM) }] },
      { role: "tool", callId: "c1", name: "refund", text: '{"receipt":"r-o-1"}' },
    ]);
    expect(first?.request.tools.map(({ name }) => name)).toEqual(["refund", "ask_Policy", "hand_off_to_Support"]);
    expect(first?.request.answer?.name).toBe("Refunds");
  });

  test("asks another agent as a function", async () => {
    const script = [calls(["ask_Policy", { input: "up to 10" }]), answer({ paid: 0, note: "no" })];
    const ran = await run(refunds, CLAIM, { script, answers: (name, input) => `${name} says ${JSON.stringify(input)}` });
    expect(ran.made).toEqual([["Policy", "up to 10"]]);
    expect(ran.requests[1]?.request.messages.at(-1)).toMatchObject({ role: "tool", text: 'Policy says "up to 10"' });
  });

  test("hands off to another agent", async () => {
    const ran = await run(refunds, CLAIM, { script: [calls(["hand_off_to_Support", CLAIM])] });
    expect(isHandOff(ran.result)).toBe(true);
    expect(ran.result).toMatchObject({ target: "Support", input: CLAIM });
  });

  test("says which models it uses and what a work item may spend", () => {
    expect(refunds.models).toEqual(["default"]);
    expect(refunds.data.budget).toEqual({ tokens: 5_000, costMicros: 100_000 });
  });
});
