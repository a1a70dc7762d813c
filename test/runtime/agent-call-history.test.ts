/** @module What the views show of a handler: when it executed, and its calls with numbers and codes, never what was sent or replied. */
import { describe, expect, test } from "vitest";
import { CallHistory } from "../../runtime/agent/call-history.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import { callKey, callPrefix, modelKey } from "../../runtime/ids.ts";
import { callTexts } from "../../cli/text/calls.ts";

const HASH = "a".repeat(64);
const NAME = { workId: "w", key: modelKey("fast", HASH, 0), model: "fast" };
const BEGUN = {
  ...({ e: "model-begun" } as const),
  ...{ ...NAME, hash: HASH, attempt: 1, atMs: 0 },
  facts: { prompt: "p", tools: "t", messages: 1, outputTokensMax: 50 },
  reserved: { inputTokens: 100, outputTokens: 50 },
};
const COST = { modelCalls: 1, inputTokens: 20, outputTokens: 10, costMicros: 1_500 };
const DOWN = { code: "model.unavailable", message: "down" };

function shown(...events: readonly AgentEvent[]): ReturnType<CallHistory["of"]> {
  const history = new CallHistory(["w"]);
  for (const [index, event] of events.entries()) history.take(event, 1_000 + index);
  return history.of("w");
}

describe("a model call", () => {
  test("is shown with model, endpoint, tries, tokens and cost, and without content", () => {
    const history = shown(
      { ...BEGUN, tries: 1 },
      { e: "model-tried", ...NAME, attempt: 1, tries: 1, fault: DOWN, endpoint: "a", spent: COST, againAtMs: 5 },
      { ...BEGUN, tries: 2 },
      { e: "model-ended", ...NAME, attempt: 1, reply: { json: "the secret" }, endpoint: "b", spent: COST },
    );
    expect(history?.calls).toEqual([
      {
        ...{ kind: "model", key: NAME.key, name: "fast", state: "ended", attempt: 1, failures: 1 },
        ...{ begunAtMs: 1_002, endedAtMs: 1_003, code: undefined },
        ...{ endpoint: "b", tries: 2, inputTokens: 40, outputTokens: 20, usd: 0.003 },
      },
    ]);
    expect(JSON.stringify(history)).not.toContain("secret");
    expect(callTexts(history?.calls)).toEqual(["model fast at b: ended, 2 tries, 40 + 20 tokens, $0.0030"]);
  });

  test("that failed or never began is shown with the code of its fault", () => {
    const failed = shown({ ...BEGUN, tries: 1 }, { e: "model-ended", ...NAME, attempt: 1, fault: DOWN });
    expect(callTexts(failed?.calls)).toEqual(["model fast: failed model.unavailable, 0 + 0 tokens"]);
    const fault = { code: "budget.price", message: "no price" };
    const refused = shown({ e: "failed", workId: "w", failure: { kind: "model", key: NAME.key, attempt: 1, fault } });
    expect(refused?.calls).toMatchObject([{ kind: "model", name: "fast", state: "failed", code: "budget.price" }]);
  });

  test("a call of a tool that was refused before it began is shown with the code, too", () => {
    const fault = { code: "tool.forbidden", message: "no" };
    const refused = shown({
      e: "failed",
      workId: "w",
      failure: { kind: "call", key: callKey(callPrefix("pay", HASH), 0), attempt: 1, fault },
    });
    expect(refused?.calls).toMatchObject([{ kind: "call", name: "pay", state: "failed", code: "tool.forbidden" }]);
  });

  test("that repairs says by which rung, and calls of tools and steps stand beside them", () => {
    const repair = { ...BEGUN, facts: { ...BEGUN.facts, rung: "tell" }, tries: 1 };
    const call = { workId: "w", key: "refund/1/0", tool: "refund", attempt: 1 };
    const seen = shown(
      repair,
      { e: "call-tried", ...call, tries: 1, fault: DOWN },
      { e: "call-ended", ...call, output: { json: "paid" } },
      { e: "step-done", workId: "w", step: { name: "look", output: { json: 1 } } },
      { e: "call-undone", workId: "w", key: call.key },
    );
    expect(callTexts(seen?.calls)).toEqual([
      "model fast, to repair (tell): begun, 0 + 0 tokens",
      "tool refund: undone, failed once",
      "step look: ended",
    ]);
  });
});

describe("a handler", () => {
  const begun = (atMs: number): AgentEvent => ({ e: "begun", workId: "w", token: "t", holder: "h", atMs });
  const readied: AgentEvent = { e: "readied", workId: "w", first: false };
  const done: AgentEvent = { e: "work-done", workId: "w", result: { output: { json: 1 } } };

  test("executes until it waits, and again after the wait; its queue ends with the first time", () => {
    const history = shown(begun(900), { e: "parked", workId: "w" }, readied, begun(1_500), done);
    expect(history).toMatchObject({ state: undefined, isWhole: false, begunAtMs: 900 });
    expect(history?.executions).toEqual([
      { attempt: 1, beginMs: 900, endMs: 1_001 },
      { attempt: 1, beginMs: 1_500, endMs: 1_004 },
    ]);
  });

  test("executes anew for each attempt and at each host", () => {
    const taken: AgentEvent = { e: "taken-over", workId: "w", token: "t2", holder: "h2" };
    const history = shown(begun(900), taken, { e: "attempt-asked", workId: "w", attempt: 2 }, readied, begun(1_004));
    expect(history).toMatchObject({ state: "running", takeovers: 1 });
    expect(history?.executions).toEqual([
      { attempt: 1, beginMs: 900, endMs: 1_001 },
      { attempt: 1, beginMs: 1_001, endMs: 1_002 },
      { attempt: 2, beginMs: 1_004 },
    ]);
  });

  test("does not execute when it is compensated", () => {
    const undo: AgentEvent = { e: "undo-asked", workId: "w", undoId: "w/undo", attempt: 1 };
    expect(shown(undo, readied, begun(1_002))).toMatchObject({ begunAtMs: undefined, executions: [] });
    expect(shown(begun(900), undo, readied, begun(1_003))?.executions).toEqual([{ attempt: 1, beginMs: 900, endMs: 1_001 }]);
  });
});
