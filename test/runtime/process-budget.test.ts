/**
 * @module Decisions on budgets: grants and shares, reports of spending, larger grants, and what people see of it.
 */
import { describe, expect, test } from "vitest";
import type { Grant } from "../../runtime/budget.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { leftOf } from "../../runtime/process/account.ts";
import { budgetView } from "../../runtime/process/budget-view.ts";
import { summaryOf } from "../../runtime/process/run-counts.ts";
import type { Stop } from "../../runtime/slip.ts";
import { answerOf, begun, grantsOf, needs, spent } from "./budget-rig.ts";
import { names, sends } from "./machine-rig.ts";
import { asksWork, call, one, type SlipParts } from "./process-rig.ts";

const A = "p:1:a:0:1";
const RETRY = { attemptsMax: 3, backoffMs: 100, backoffMsMax: 100, jitter: 0 };

const all = (...branches: string[]): Stop => ({
  kind: "all",
  name: "all-1",
  branches: Object.fromEntries(branches.map((name) => [name.toLowerCase(), call(name)])),
});
const each = (concurrency: number): Stop => ({
  kind: "forEach",
  name: "e",
  over: { from: ["task", "list"] },
  call: { ...call("A"), input: { from: ["item"] } },
  concurrency,
});

describe("the first grant of a work item", () => {
  const table: readonly [name: string, stops: readonly Stop[], parts: SlipParts, grants: Readonly<Record<string, Grant | undefined>>][] = [
    ["is absent without any budget", [one("a")], {}, { "a:0:1": undefined }],
    ["is all that is left for one stop", [one("a")], { budget: { tokens: 100 } }, { "a:0:1": { tokens: 100 } }],
    [
      "is the budget of the stop if that is less",
      [one("a", { budget: { tokens: 30 } })],
      { budget: { tokens: 100 } },
      { "a:0:1": { tokens: 30 } },
    ],
    ["is the budget of the stop alone", [one("a", { budget: { toolCalls: 2 } })], {}, { "a:0:1": { toolCalls: 2 } }],
    [
      "is the budget of the agent if that is least",
      [one("a", { budget: { tokens: 30 } })],
      { agents: { A: { budget: { tokens: 7, modelCalls: 1 } } } },
      { "a:0:1": { tokens: 7, modelCalls: 1 } },
    ],
    [
      "has each limit of each budget",
      [one("a", { budget: { modelCalls: 3 } })],
      { budget: { costMicros: 50 } },
      { "a:0:1": { costMicros: 50, modelCalls: 3 } },
    ],
    [
      "is an equal share in a parallel stop",
      [all("A", "B", "C")],
      { budget: { tokens: 100, modelCalls: 2 } },
      { "a:0:1": { tokens: 34, modelCalls: 1 }, "b:0:1": { tokens: 33, modelCalls: 1 }, "c:0:1": { tokens: 33, modelCalls: 0 } },
    ],
    [
      "leaves a place for each agent that it may ask",
      [one("a")],
      { budget: { tokens: 90 }, agents: { A: { asks: ["B", "C"] } } },
      { "a:0:1": { tokens: 30 } },
    ],
    [
      "leaves at most three such places",
      [one("a")],
      { budget: { tokens: 80 }, agents: { A: { asks: ["A", "B", "C", "D", "E"], visitsMax: 2 } } },
      { "a:0:1": { tokens: 20 } },
    ],
    [
      "of a nested route is its budget or its share",
      [{ kind: "one", name: "sub", call: call("A", { target: { kind: "route", route: "inner" } }) }],
      {
        budget: { tokens: 100 },
        routes: { inner: { version: 1, stops: [one("x")], output: { literal: 1 }, budget: { tokens: 40, toolCalls: 1 } } },
      },
      { "sub:0:1": { tokens: 40, toolCalls: 1 } },
    ],
  ];
  test.each(table)("%s", (_name, stops, parts, grants) => {
    expect(grantsOf(begun(stops, parts))).toEqual(grants);
  });

  test("is an equal share among the items of a forEach that may be open at the same time", () => {
    const rig = begun([each(2)], { budget: { tokens: 100 } }, { input: { list: ["x", "y", "z"] } });
    expect(grantsOf(rig)).toEqual({ "e[]:0:1": { tokens: 50 }, "e[]:1:1": { tokens: 50 } });
    rig.result("p:1:e[]:0:1", { output: { json: 1 } }, 1, spent(20));
    expect(grantsOf(rig)["e[]:2:1"], "the place that is free gets what came back").toEqual({ tokens: 30 });
  });

  test("of an ask comes from the account of the process, within the budget of the asked agent", () => {
    const rig = begun([one("a")], { budget: { tokens: 90 }, agents: { A: { asks: ["B", "C"] }, C: { budget: { tokens: 10 } } } });
    rig.question(A, 0, "B");
    rig.question(A, 1, "C");
    expect(grantsOf(rig)).toMatchObject({ "a:0:1/ask0:1": { tokens: 30 }, "a:0:1/ask1:1": { tokens: 10 } });
    rig.result("p:1:a:0:1/ask0:1", { output: { json: 1 } }, 1, spent(25));
    expect(budgetView(rig.state)).toMatchObject({ left: { tokens: 25 }, spent: { by: [{ agent: "B", models: [{ inputTokens: 25 }] }] } });
  });

  test("of a hand-off is what the first agent left", () => {
    const rig = begun([one("a", { budget: { tokens: 60 } })], {
      budget: { tokens: 90 },
      agents: { A: { handsOffTo: ["B"] }, B: { budget: { tokens: 55 } } },
    });
    rig.result(A, { handOff: { agent: "B", input: { json: "x" } } }, 1, spent(20));
    expect(grantsOf(rig)).toEqual({ "a:0:2": { tokens: 40 } });
    rig.result("p:1:a:0:2", { output: { json: 1 } }, 1, spent(5));
    expect(rig.state.outcome?.spent).toEqual({ A: spent(20), B: spent(5) });
  });

  test("compensation has none", () => {
    const rig = begun([one("a"), one("b")], { budget: { tokens: 10 } });
    rig.result(A, { output: { json: 1 } }, 1, spent(10));
    const undo = sends(rig.fault("p:1:b:0:1").effects).find(({ body }) => body.kind === "undo");
    expect(undo?.body).not.toHaveProperty("grant");
  });
});

describe("a reply", () => {
  test("returns the rest of the grant to the next stop", () => {
    const rig = begun([one("a"), one("b")], { budget: { tokens: 100, costMicros: 5_000 } });
    rig.result(A, { output: { json: 1 } }, 1, spent(40));
    expect(grantsOf(rig)).toEqual({ "b:0:1": { tokens: 60, costMicros: 4_600 } });
  });

  test("that says nothing has spent nothing", () => {
    const rig = begun([one("a"), one("b")], { budget: { tokens: 100 } });
    expect(names(rig.output(A))).toEqual(["answered", "stop-done", "stop-begun", "asked"]);
    expect(grantsOf(rig)).toEqual({ "b:0:1": { tokens: 100 } });
  });

  test("repeated or late, counts once, and tells in all attempts together", () => {
    const rig = begun([one("a", { retry: RETRY, timeoutMs: 1_000 }), one("b")], { budget: { tokens: 100 } });
    rig.result(A, { fault: { code: "agent.failed", message: "no" } }, 1, spent(30));
    expect(rig.result(A, { fault: { code: "agent.failed", message: "no" } }, 1, spent(30)).events).toEqual([]);
    rig.after(200).tick();
    expect(grantsOf(rig), "the grant of a further attempt counts from the first").toEqual({ "a:0:1": { tokens: 100 } });
    rig.result(A, { output: { json: 1 } }, 2, spent(45));
    expect(grantsOf(rig)).toEqual({ "b:0:1": { tokens: 55 } });
    expect(rig.result(A, { output: { json: 1 } }, 2, spent(45)).events).toEqual([]);
    expect(rig.result(A, { fault: { code: "agent.failed", message: "no" } }, 1, spent(30)).events).toEqual([]);
    expect(leftOf(rig.state)).toEqual({ tokens: 0 });
  });

  test("of an attempt that timed out still counts, and its work item keeps its grant until it tells", () => {
    const rig = begun([all("A", "B"), one("c")], { budget: { tokens: 100 } }, {});
    const optional = begun([{ ...one("a", { optional: true, timeoutMs: 1_000 }) }, one("b"), one("c")], { budget: { tokens: 100 } });
    expect(grantsOf(rig)).toEqual({ "a:0:1": { tokens: 50 }, "b:0:1": { tokens: 50 } });
    optional.after(LIMITS.probeMs + 1_000).tick();
    expect(grantsOf(optional), "all is reserved for the work item that may still run").toMatchObject({ "b:0:1": { tokens: 0 } });
    optional.result(A, { output: { json: 1 } }, 1, spent(70));
    expect(leftOf(optional.state)).toEqual({ tokens: 30 });
    expect(optional.result(A, { output: { json: 1 } }, 1, spent(70)).events).toEqual([]);
    optional.output(`${A}/undo`, { undone: 1, left: [], stands: [], stateStands: false });
    expect(leftOf(optional.state), "its compensation tells nothing new").toEqual({ tokens: 30 });
  });

  test("of a compensation tells what the work item had spent", () => {
    const rig = begun([{ ...one("a", { optional: true, timeoutMs: 1_000 }) }, one("b")], { budget: { tokens: 100 } });
    rig.after(LIMITS.probeMs + 1_000).tick();
    expect(leftOf(rig.state)).toEqual({ tokens: 0 });
    const report = { undone: 1, left: [], stands: [], stateStands: false };
    rig.result(`${A}/undo`, { output: { json: report } }, 1, spent(60));
    expect(leftOf(rig.state)).toEqual({ tokens: 40 });
    expect(rig.state.account?.spent).toEqual({ A: spent(60) });
    expect(rig.state.account?.holdings).not.toHaveProperty(A);
  });

  test("that never comes counts as spent in full at the end, and the view names it", () => {
    const rig = begun([one("a", { timeoutMs: 1_000 })], { budget: { tokens: 100 } });
    rig.after(LIMITS.probeMs + 1_000).tick();
    for (let round = 0; round < 100 && rig.state.phase === "open"; round += 1) rig.after(600_000).tick();
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(budgetView(rig.state)?.spent).toEqual({
      total: { tokens: 100, usd: 0, modelCalls: 0, toolCalls: 0 },
      by: [{ agent: "A", toolCalls: 0, models: [{ model: "(unsettled)", modelCalls: 0, inputTokens: 100, outputTokens: 0, usd: 0 }] }],
    });
    expect(rig.letter).toMatchObject({ spent: { total: { tokens: 100 } } });
  });

  test("beyond the grant is counted as it is, and nothing is left", () => {
    const rig = begun([one("a"), one("b")], { budget: { tokens: 100 } });
    rig.result(A, { output: { json: 1 } }, 1, spent(130));
    expect(grantsOf(rig)).toEqual({ "b:0:1": { tokens: 0 } });
    expect(budgetView(rig.state)).toMatchObject({ left: { tokens: 0 }, spent: { total: { tokens: 130 } } });
  });

  test("of a process without a budget is counted too, once", () => {
    const rig = begun([one("a", { retry: RETRY }), one("b")], {});
    rig.result(A, { fault: { code: "agent.failed", message: "no" } }, 1, spent(30));
    rig.after(200).tick();
    rig.result(A, { output: { json: 1 } }, 2, spent(40));
    rig.result(A, { output: { json: 1 } }, 2, spent(40));
    expect(rig.state.account).toEqual({ holdings: {}, spent: { A: spent(40) } });
    rig.output("p:1:b:0:1");
    expect(rig.state.outcome).toMatchObject({ status: "completed", spent: { A: spent(40) } });
  });

  test("the sums by agent and model are bounded", () => {
    const items = LIMITS.spentModelsMax + 5;
    const rig = begun([each(1)], {}, { input: { list: Array.from({ length: items }, (_, index) => index) } });
    for (let item = 0; item < items; item += 1) rig.result(`p:1:e[]:${item}:1`, { output: { json: 1 } }, 1, spent(1, `m${item}`));
    const models = Object.entries(rig.state.outcome?.spent?.["A"]?.models ?? {});
    expect(models).toHaveLength(LIMITS.spentModelsMax + 1);
    expect(models.at(-1)).toEqual(["(others)", { modelCalls: 5, inputTokens: 5, outputTokens: 0, costMicros: 50 }]);
  });
});

describe("a request for more", () => {
  test("is answered at once with the whole new grant: what is needed, or a larger share", () => {
    const rig = begun([{ ...all("A", "B") }], { budget: { tokens: 100 } });
    rig.result("p:1:b:0:1", { output: { json: 1 } }, 1, spent(10));
    const decision = needs(rig, A, { tokens: 60 });
    expect(answerOf(decision)).toEqual({ tokens: 90 });
    expect(names(decision)).toEqual(["granted", "wait-answered"]);
    const again = needs(rig, A, { tokens: 60 });
    expect(again.events).toEqual([]);
    expect(answerOf(again), "repeated, it gets the same answer").toEqual({ tokens: 90 });
    expect(answerOf(needs(rig, A, { tokens: 80 }, 1)), "what was given already suffices").toEqual({ tokens: 90 });
  });

  test("beyond what is left is refused with the process, what is left and what is needed", () => {
    const rig = begun([all("A", "B")], { budget: { tokens: 100 } });
    rig.result("p:1:b:0:1", { output: { json: 1 } }, 1, spent(45));
    expect(answerOf(needs(rig, A, { tokens: 56 }))).toMatchObject({
      fault: { code: "budget.exhausted", details: { process: "p", left: { tokens: 5 }, need: { tokens: 6 }, reserved: { tokens: 50 } } },
    });
    expect(rig.state.phase, "what to do then is the agent's").toBe("open");
  });

  test("beyond the budget of its stop or agent is refused, also if the process has more left", () => {
    const rig = begun([one("a", { budget: { tokens: 30 } })], { budget: { tokens: 100 } });
    expect(answerOf(needs(rig, A, { tokens: 31 }))).toMatchObject({
      fault: { code: "budget.exhausted", details: { agent: "A", budget: { tokens: 30 }, need: { tokens: 31 } } },
    });
  });

  test("after a hand-off the budget of the stop has what the first agent left", () => {
    const rig = begun([one("a", { budget: { tokens: 30 } })], { budget: { tokens: 100 }, agents: { A: { handsOffTo: ["B"] } } });
    rig.result(A, { handOff: { agent: "B", input: { json: "x" } } }, 1, spent(20));
    expect(answerOf(needs(rig, "p:1:a:0:2", { tokens: 11 }))).toMatchObject({ fault: { details: { budget: { tokens: 10 } } } });
  });

  test("waits for what comes back from work items that are being compensated", () => {
    const rig = begun([one("a", { optional: true, timeoutMs: 1_000 }), one("b")], { budget: { tokens: 100 } });
    rig.after(LIMITS.probeMs + 1_000).tick();
    expect(grantsOf(rig)).toMatchObject({ "b:0:1": { tokens: 0 } });
    const B = "p:1:b:0:1";
    expect(names(needs(rig, B, { tokens: 30 }))).toEqual(["wait-begun"]);
    const report = { undone: 1, left: [], stands: [], stateStands: false };
    const back = rig.result(`${A}/undo`, { output: { json: report } }, 1, spent(60));
    expect(answerOf(back)).toEqual({ tokens: 40 });
    expect(rig.state.waits).toBeUndefined();
  });

  test("is refused if too little came back", () => {
    const rig = begun([one("a", { optional: true, timeoutMs: 1_000 }), one("b")], { budget: { tokens: 100 } });
    rig.after(LIMITS.probeMs + 1_000).tick();
    needs(rig, "p:1:b:0:1", { tokens: 30 });
    expect(answerOf(rig.result(A, { output: { json: 1 } }, 1, spent(80)))).toMatchObject({ fault: { details: { left: { tokens: 20 } } } });
  });

  test("of a work item without a budget has no limit", () => {
    expect(answerOf(needs(begun([one("a")], {}), A, { tokens: 5 }))).toEqual({});
  });
});

test("a redriven run has the whole budget again, and what earlier runs spent stays visible", () => {
  const rig = begun([one("a"), one("b")], { budget: { tokens: 100 } });
  rig.result(A, { output: { json: 1 } }, 1, spent(60));
  rig.undoAll(rig.result("p:1:b:0:1", { fault: { code: "agent.refused", message: "no" } }, 1, spent(20)));
  expect(rig.letter).toMatchObject({ spent: { total: { tokens: 80, usd: 0.0008 }, by: [{ agent: "A" }, { agent: "B" }] } });
  expect(asksWork(rig.redrive())).toEqual(["p:2:b:0:1"]);
  expect(grantsOf(rig)).toEqual({ "b:0:1": { tokens: 100 } });
  rig.result("p:2:b:0:1", { output: { json: 1 } }, 1, spent(9));
  expect(budgetView(rig.state)).toMatchObject({ spent: { total: { tokens: 9 } }, before: { total: { tokens: 80 } } });
  expect(summaryOf(rig.state)).toMatchObject({ earlierRuns: 1, earlierUsd: 0.0008, earlierInputTokens: 80 });
});

test("the state has entries of open work items only", () => {
  const rig = begun([each(4)], { budget: { tokens: 10_000 } }, { input: { list: Array.from({ length: 100 }, (_, index) => index) } });
  for (let item = 0; item < 100; item += 1) {
    expect(Object.keys(rig.state.account?.holdings ?? {})).toHaveLength(Math.min(4, 100 - item));
    rig.result(`p:1:e[]:${item}:1`, { output: { json: 1 } }, 1, spent(100));
  }
  expect(rig.state.account).toEqual({
    holdings: {},
    spent: { A: { toolCalls: 0, models: { fast: { modelCalls: 100, inputTokens: 10_000, outputTokens: 0, costMicros: 100_000 } } } },
  });
});
