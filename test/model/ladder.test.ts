/** @module The repair ladder: what follows a reply that cannot be used, rung by rung, and what ends a run. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  agent,
  type AgentDefinition,
  contract,
  defineFault,
  Fault,
  type FaultCode,
  LIMITS,
  model,
  type ModelOptions,
  type Rung,
  tool,
} from "../../agents/index.ts";
import type { ModelCall, ModelReply } from "../../runtime/model/conversation.ts";
import { endsRun } from "../../runtime/model/call-ends.ts";
import { nextRung, REPAIR_DEFAULT } from "../../runtime/model/ladder.ts";
import { answer, calls, fault, reply, run, type Scripted } from "./rig.ts";

const Task = z.object({ task: z.string() });
const Doer = contract("Doer", 1, { input: Task, output: z.object({ done: z.boolean() }) });
const Helper = contract("Helper", 1, { input: Task, output: z.object({ done: z.boolean() }) });
const read = tool("read", {
  input: z.object({ page: z.int() }),
  output: z.string(),
  effect: "read",
  run: ({ page }) => `page ${page} ${"x".repeat(600)}`,
});
const INPUT = { task: "t" };
const DONE = answer({ done: true });
const BAD = answer({ done: "yes" });

type Options = ModelOptions<typeof Doer, never, [], readonly (typeof Helper)[], readonly [typeof read]>;

function doer(options: Partial<Options> = {}) {
  return agent(Doer, model({ instructions: "Do it.", tools: [read], ...options }));
}

const rungsOf = (requests: readonly ModelCall[]): readonly (string | undefined)[] => requests.map(({ facts }) => facts.rung);
const modelsOf = (requests: readonly ModelCall[]): readonly string[] => requests.map(({ model: name }) => name);

describe("the ladder as a table: the next rung after a fault, if these rungs were used", () => {
  const all = (): boolean => true;
  test.each<readonly [code: FaultCode, used: readonly number[], rung: Rung | undefined]>([
    ["model.answer", [], "tell"],
    ["model.answer", [0], "tell"],
    ["model.answer", [0, 1], "shorten"],
    ["model.answer", [0, 1, 2], "summarize"],
    ["model.answer", [0, 1, 2, 3], "model"],
    ["model.answer", [0, 1, 2, 3, 4], "tell"],
    ["model.answer", [0, 1, 2, 3, 4, 5], undefined],
    ["model.tool-input", [], "tell"],
    ["model.tool-unknown", [0, 1], "shorten"],
    ["model.truncated", [], "tell"],
    ["model.empty", [], "tell"],
    ["model.context-length", [], "shorten"],
    ["model.context-length", [2], "summarize"],
    ["model.context-length", [2, 3], "model"],
    ["model.context-length", [2, 3, 4], undefined],
    ["model.filtered", [], "shorten"],
    ["model.filtered", [2], "model"],
    ["model.refused", [], "model"],
    ["model.unavailable", [], "model"],
    ["model.rate-limited", [], "model"],
    ["model.malformed", [], "model"],
    ["model.quota", [], "model"],
    ["model.rejected", [], "model"],
    ["model.mismatch", [], undefined],
    ["model.unknown", [], undefined],
    ["budget.exhausted", [], undefined],
    ["work.superseded", [], undefined],
  ])("%s after %j: %s", (code, used, rung) => {
    const index = nextRung(REPAIR_DEFAULT, used, code, all);
    expect(index === undefined ? undefined : REPAIR_DEFAULT[index]).toBe(rung);
  });

  test("a rung that is not possible at the moment is skipped", () => {
    expect(nextRung(["shorten", "model"], [], "model.answer", (rung) => rung === "model")).toBe(1);
  });
});

describe("after bad replies", () => {
  test("the errors are told, then results are shortened, then summarized, then another model answers", async () => {
    const script = [
      ...[1, 2, 3, 4].map((page) => calls(["read", { page }])),
      BAD,
      BAD,
      BAD,
      BAD,
      answer("pages 1 to 4 were read"),
      BAD,
      BAD,
      DONE,
    ];
    const { result, requests } = await run(doer({ fallback: ["careful"] }), INPUT, { script });
    expect(result).toEqual({ done: true });
    expect(rungsOf(requests).slice(4)).toEqual([undefined, "tell", "tell", "shorten", "summarize", "summarize", "model", "tell"]);
    expect(modelsOf(requests).slice(-3)).toEqual(["default", "careful", "careful"]);
    const shortened = requests[7]?.request.messages.map(({ text }) => text) ?? [];
    expect(shortened.filter((text) => text.endsWith("bytes removed]"))).toHaveLength(2);
    const summary = requests[8]?.request;
    expect(summary).toMatchObject({ tools: [], toolChoice: "none" });
    expect(summary?.answer).toBeUndefined();
    expect(requests[9]?.request.messages[2]?.text).toContain("pages 1 to 4 were read");
  });

  test("a usable reply puts the ladder back to its beginning", async () => {
    const script = [BAD, BAD, calls(["read", { page: 1 }]), BAD, BAD, DONE];
    const { requests } = await run(doer(), INPUT, { script });
    expect(rungsOf(requests)).toEqual([undefined, "tell", "tell", undefined, "tell", "tell"]);
  });

  test("the end of the ladder is the fault of the last reply", async () => {
    const { result, requests } = await run(doer({ repair: ["tell"] }), INPUT, { script: [BAD, answer("no JSON")] });
    expect(result).toMatchObject({ code: "model.answer", message: expect.stringContaining("not JSON") });
    expect(requests).toHaveLength(2);
  });

  test("or another agent that answers instead, with the same input", async () => {
    const { result } = await run(doer({ repair: [], handsOffTo: [Helper], onGiveUp: { handOff: Helper } }), INPUT, { script: [BAD] });
    expect(result).toMatchObject({ target: "Helper", input: INPUT });
  });

  test("a summary that cannot be used is passed over", async () => {
    const script = [calls(["read", { page: 1 }]), calls(["read", { page: 2 }]), BAD, reply({ text: "cut", finish: "length" }), DONE];
    const { result, requests } = await run(doer({ repair: ["summarize", "tell"] }), INPUT, { script });
    expect(result).toEqual({ done: true });
    expect(rungsOf(requests)).toEqual([undefined, undefined, undefined, "summarize", "tell"]);
  });
});

describe("a context that is too long", () => {
  const pages: readonly ModelReply[] = [1, 2, 3].map((page) => calls(["read", { page }]));

  test("is shortened, oldest results first", async () => {
    const { result, requests } = await run(doer(), INPUT, { script: [...pages, fault("model.context-length"), DONE] });
    expect(result).toEqual({ done: true });
    const texts = requests[4]?.request.messages.flatMap((message) => (message.role === "tool" ? [message.text] : [])) ?? [];
    expect(texts.map((text) => text.startsWith("[result of"))).toEqual([true, false, false]);
    expect(requests[4]?.inputTokensMax).toBeLessThan(requests[3]?.inputTokensMax ?? 0);
  });

  test("is also seen where the provider cuts it silently; the reply is not used", async () => {
    const long = { task: "word ".repeat(2 * LIMITS.modelTokensSeenMin) };
    const cut = { ...DONE, usage: { inputTokens: 300, outputTokens: 5 } };
    const { result } = await run(doer(), long, { script: [cut] });
    expect(result).toMatchObject({ code: "model.context-length", details: { inputTokens: 300 } });
    const whole = { ...DONE, usage: { inputTokens: 2 * LIMITS.modelTokensSeenMin, outputTokens: 5 } };
    expect((await run(doer(), long, { script: [whole] })).result).toEqual({ done: true });
  });

  test("whose newest result alone is too long has that result cut", async () => {
    const { requests } = await run(doer(), INPUT, { script: [calls(["read", { page: 1 }]), fault("model.context-length"), DONE] });
    expect(requests[2]?.request.messages.at(-1)?.text).toContain("[cut: only the beginning of");
  });
});

test.each<readonly [name: string, first: Scripted]>([
  ["declines", reply({ refusal: "no" })],
  ["is not reached", fault("model.unavailable")],
  ["has no credit", fault("model.quota")],
])("a model that %s is left for the next one", async (_name, first) => {
  const { result, requests } = await run(doer({ model: "fast", fallback: ["careful"] }), INPUT, { script: [first, DONE] });
  expect(result).toEqual({ done: true });
  expect(modelsOf(requests)).toEqual(["fast", "careful"]);
});

test("a fault that may pass stays retryable for the stop, and is not handed off", async () => {
  const definition = doer({ handsOffTo: [Helper], onGiveUp: { handOff: Helper } });
  const { result } = await run(definition, INPUT, { script: [fault("model.unavailable")] });
  expect(result).toMatchObject({ code: "model.unavailable", retryable: true });
});

describe("the last call", () => {
  test("of callsMax must answer", async () => {
    const { result, requests } = await run(doer({ callsMax: 2 }), INPUT, { script: [calls(["read", { page: 1 }]), DONE] });
    expect(result).toEqual({ done: true });
    expect(requests[1]?.request).toMatchObject({ toolChoice: "none", answer: { name: "Doer" } });
    expect(requests[1]?.request.messages.at(-1)?.text).toContain("Answer now");
  });

  test("makes no calls, even if the model asks for some", async () => {
    const { result, made } = await run(doer({ callsMax: 2 }), INPUT, {
      script: [calls(["read", { page: 1 }]), calls(["read", { page: 2 }])],
    });
    expect(result).toMatchObject({ code: "model.loop", details: { ring: ["read"], modelCalls: 2 } });
    expect(made).toHaveLength(1);
  });
});

describe("calls that lead nowhere", () => {
  test("are told, and then end the run with the ring and the cost", async () => {
    const spent = { toolCalls: 4, models: { default: { modelCalls: 4, inputTokens: 100, outputTokens: 20, costMicros: 7 } } };
    const same = calls(["read", { page: 1 }]);
    const { result, requests, made } = await run(doer(), INPUT, { script: () => same, budget: { grant: undefined, spent } });
    expect(result).toMatchObject({
      code: "model.loop",
      message: expect.stringContaining("read -> read"),
      details: {
        ring: ["read", "read", "read", "read"],
        modelCalls: 4,
        spent: { tokens: 120, costMicros: 7, modelCalls: 4, toolCalls: 4 },
      },
    });
    expect(made).toHaveLength(LIMITS.modelRepeatsMax + 1);
    expect(requests[2]?.request.messages.at(-1)?.text).toContain("Do not repeat them");
  });

  test("are found in a ring of several too", async () => {
    const { result } = await run(doer(), INPUT, { script: (_call, index) => calls(["read", { page: index % 2 }]) });
    expect(result).toMatchObject({ code: "model.loop" });
  });

  test("that bring something new each time end at callsMax", async () => {
    const { result, requests } = await run(doer({ callsMax: 5, tools: [read] }), INPUT, {
      script: (_call, index) => calls(["read", { page: index }]),
    });
    expect(result).toMatchObject({ code: "model.loop", details: { modelCalls: 5 } });
    expect(requests).toHaveLength(5);
  });
});

describe("faults of calls", () => {
  const Declined = defineFault("card.empty", { retryable: false, fix: "Use another card." });
  const failing = (code: FaultCode) =>
    tool("pay", {
      input: z.object({}),
      output: z.string(),
      effect: "write",
      run: () => Promise.reject(new Fault(code, "it failed", { a: 1 })),
    });

  test("a coded fault is told to the model, which goes on", async () => {
    const pay = tool("pay", {
      input: z.object({}),
      output: z.string(),
      effect: "write",
      run: () => Promise.reject(Declined("empty", { details: { left: 3 } })),
    });
    const { result, requests } = await run(agent(Doer, model({ instructions: "Pay.", tools: [pay] })), INPUT, {
      script: [calls(["pay", {}]), DONE],
    });
    expect(result).toEqual({ done: true });
    expect(JSON.parse(requests[1]?.request.messages.at(-1)?.text ?? "")).toEqual({
      error: "card.empty",
      message: "empty",
      details: { left: 3 },
    });
  });

  test.each<FaultCode>([
    "call.unknown",
    "budget.exhausted",
    "step.too-many",
    "work.cancelled",
    "model.mismatch",
    "call.nested",
    "cycle.ask-ring",
  ])("%s ends the run", async (code) => {
    const { result } = await run(agent(Doer, model({ instructions: "Pay.", tools: [failing(code)] })), INPUT, {
      script: [calls(["pay", {}])],
    });
    expect(result).toMatchObject({ code });
  });

  test("a call that a person denied is told as settled, and a decision about another call ends the run", async () => {
    const payer = (code: FaultCode): AgentDefinition => agent(Doer, model({ instructions: "Pay.", tools: [failing(code)] }));
    const script = [calls(["pay", {}]), DONE];
    const denied = await run(payer("person.denied"), INPUT, { script });
    expect(denied.result).toEqual({ done: true });
    expect(denied.requests[1]?.request.messages.at(-1)?.text).toMatch(/person\.denied.*settled/s);
    expect((await run(payer("person.changed"), INPUT, { script })).result).toMatchObject({ code: "person.changed" });
  });

  test("what another agent failed with is told, but not a ring of agents", () => {
    expect(endsRun("model.answer", "ask")).toBe(false);
    expect(endsRun("budget.exhausted", "ask")).toBe(false);
    expect(endsRun("agent.failed", "ask")).toBe(false);
    expect(endsRun("cycle.ask-ring", "ask")).toBe(true);
    expect(endsRun("ask.too-many", "ask")).toBe(true);
  });
});

describe("the end of the budget", () => {
  const exhausted = fault("budget.exhausted");
  test.each<readonly [policy: string, options: Partial<Options>, script: readonly Scripted[], end: object]>([
    ["stop", {}, [exhausted], { code: "budget.exhausted" }],
    ["degrade to a last answer", { onBudgetEnd: "degrade" }, [exhausted, DONE], { done: true }],
    ["degrade, and that is refused too", { onBudgetEnd: "degrade" }, [exhausted, exhausted], { code: "budget.exhausted" }],
    ["a cheaper model", { onBudgetEnd: { degradeTo: "small" } }, [exhausted, calls(["read", { page: 1 }]), DONE], { done: true }],
    ["a cheaper model, then a last answer", { onBudgetEnd: { degradeTo: "small" } }, [exhausted, exhausted, DONE], { done: true }],
    ["hand off", { handsOffTo: [Helper], onBudgetEnd: { handOff: Helper } }, [exhausted], { target: "Helper", input: INPUT }],
    ["an overrun always stops", { onBudgetEnd: "degrade" }, [fault("budget.overrun")], { code: "budget.overrun" }],
    ["an unknown price always stops", { onBudgetEnd: "degrade" }, [fault("budget.price")], { code: "budget.price" }],
  ])("%s", async (_policy, options, script, result) => {
    expect((await run(doer(options), INPUT, { script })).result).toMatchObject(result);
  });

  test("a last answer is asked for without functions and with few tokens", async () => {
    const { requests } = await run(doer({ onBudgetEnd: "degrade" }), INPUT, { script: [exhausted, DONE] });
    expect(requests[1]?.request).toMatchObject({ toolChoice: "none", outputTokensMax: LIMITS.modelLastAnswerTokensMax });
    expect(requests[1]?.facts.rung).toBe("last-answer");
  });

  test("a model that the budget chose is not the next one to try: it had this request", async () => {
    const options = { onBudgetEnd: { degradeTo: "small" }, fallback: ["small"], repair: ["model" as const] };
    const filtered = { ...calls(["read", { page: 1 }]), finish: "filter" as const };
    const { result, requests } = await run(doer(options), INPUT, { script: [exhausted, filtered, DONE] });
    expect(result).toMatchObject({ code: "model.filtered" });
    expect(requests.map(({ model: name }) => name)).toEqual(["default", "small"]);
  });

  test("an agent without functions that already asks for little has no smaller request", async () => {
    const small = agent(Doer, model({ instructions: "Do it.", outputTokensMax: 10, onBudgetEnd: "degrade" }));
    const { result, requests } = await run(small, INPUT, { script: [exhausted] });
    expect(result).toMatchObject({ code: "budget.exhausted" });
    expect(requests).toHaveLength(1);
  });
});
