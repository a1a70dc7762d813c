/** @module Budgets of nested routes: grants of their parents, and requests that go up. */
import { describe, expect, test } from "vitest";
import type { Grant } from "../../runtime/budget.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Stop } from "../../runtime/slip.ts";
import { answerOf, begun, grantsOf, needs, spent } from "./budget-rig.ts";
import { names, sends } from "./machine-rig.ts";
import { call, one, ProcessRig, type SlipParts, slipOf } from "./process-rig.ts";

describe("a nested route", () => {
  const SUB = "p:1:sub:0:1";
  const sub: Stop = { kind: "one", name: "sub", call: call("A", { target: { kind: "route", route: "inner" } }) };
  const inner = { version: 1, stops: [one("a")], output: { from: ["a"] } };
  const slip = (budget?: Grant): SlipParts => ({
    routes: { inner: { ...inner, ...(budget === undefined ? {} : { budget }) } },
    agents: { A: { asks: ["B"] } },
  });
  const C = "c:1:a:0:1";
  function child(grant: Grant, budget?: Grant): ProcessRig {
    const rig = new ProcessRig(slipOf([sub], slip(budget)), "c");
    rig.accept({ route: "inner", parent: { processId: "p", workId: SUB }, nesting: ["main"], grant });
    return rig;
  }

  test("spends within the grant of its parent and its own budget, and its outcome tells what it spent", () => {
    const rig = child({ tokens: 40 }, { tokens: 90, modelCalls: 4 });
    expect(grantsOf(rig)).toEqual({ "a:0:1": { tokens: 20, modelCalls: 2 } });
    const reply = sends(rig.result(C, { output: { json: 1 } }, 1, spent(5)).effects).find(({ body }) => body.kind === "result");
    expect(reply?.body).toMatchObject({ workId: SUB, spent: spent(5) });
  });

  test("that spent nothing of a grant tells that", () => {
    const reply = sends(child({ tokens: 40 }).output(C).effects).find(({ body }) => body.kind === "result");
    expect(reply?.body).toMatchObject({ spent: { toolCalls: 0, models: {} } });
  });

  test("asks its parent for more than its grant, once, and passes the answer on", () => {
    const rig = child({ tokens: 40 });
    const decision = needs(rig, C, { tokens: 70 });
    expect(names(decision)).toEqual(["wait-begun", "more-requested"]);
    const request = sends(decision.effects)[0];
    expect(request).toMatchObject({
      id: `${SUB}/wait0`,
      to: { type: "sys.ProcessManager", id: "p" },
      body: { kind: "wait", workId: SUB, index: 0, for: { kind: "budget", need: { tokens: 70 } } },
    });
    expect(sends(rig.outbox()).map(({ id }) => id)).toContain(request?.id);
    expect(needs(rig, C, { tokens: 70 }).events, "a repeated request waits").toEqual([]);
    const answered = rig.body({ kind: "answer", workId: SUB, index: 0, result: { output: { json: { tokens: 80 } } } });
    expect(answerOf(answered)).toEqual({ tokens: 70 });
    expect(rig.body({ kind: "answer", workId: SUB, index: 0, result: { output: { json: { tokens: 80 } } } }).events).toEqual([]);
    expect(rig.state.waits).toBeUndefined();
  });

  test("gets the refusal of its parent as it is", () => {
    const rig = child({ tokens: 40 });
    needs(rig, C, { tokens: 70 });
    const fault = { code: "budget.exhausted", message: "process p has 3 tokens left" } as const;
    expect(answerOf(rig.body({ kind: "answer", workId: SUB, index: 0, result: { fault } }))).toEqual({ fault });
    expect(sends(rig.outbox()).map(({ id }) => id)).not.toContain(`${SUB}/wait0`);
  });

  test("does not ask for what its own budget forbids", () => {
    const rig = child({ tokens: 40 }, { tokens: 60 });
    expect(answerOf(needs(rig, C, { tokens: 61 }))).toMatchObject({ fault: { code: "budget.exhausted", details: { process: "c" } } });
  });

  test("an answer that it did not ask for is refused or ignored", () => {
    const rig = child({ tokens: 40 });
    const result = { output: { json: { tokens: 80 } as Json } };
    expect(rig.body({ kind: "answer", workId: SUB, index: 3, result })).toMatchObject({ events: [], verdict: { kind: "received" } });
    expect(rig.body({ kind: "answer", workId: "other", index: 0, result })).toMatchObject({
      verdict: { fault: { code: "message.invalid" } },
    });
  });

  test("as its parent: gives it more, and counts what it tells, also after it was undone", () => {
    const rig = begun([sub, one("b")], { ...slip(), budget: { tokens: 100 } });
    expect(grantsOf(rig)).toEqual({ "sub:0:1": { tokens: 100 } });
    expect(answerOf(needs(rig, SUB, { tokens: 101 }))).toMatchObject({ fault: { code: "budget.exhausted" } });
    rig.cancel();
    rig.result(SUB, { output: { json: 1 } }, 1, spent(30));
    const report = { undone: 1, left: [], stands: [], stateStands: false };
    rig.result(`${SUB}/undo`, { output: { json: report } }, 1, spent(35));
    expect(rig.state.outcome).toMatchObject({ status: "cancelled", spent: { inner: spent(35) } });
  });
});
