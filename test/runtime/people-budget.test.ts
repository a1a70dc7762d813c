/** @module The end of a budget asks a person, who raises it, gives more, or says no. */
import { describe, expect, test } from "vitest";
import type { Grant } from "../../runtime/budget.ts";
import { leftOf } from "../../runtime/process/account.ts";
import { budgetView } from "../../runtime/process/budget-view.ts";
import type { Stop } from "../../runtime/slip.ts";
import { answerOf, needs, spent } from "./budget-rig.ts";
import { sends } from "./machine-rig.ts";
import { inboxOf, PeopleRig, peopleSlip } from "./people-rig.ts";
import { call, one } from "./process-rig.ts";

const A = "p:1:a:0:1";
const B = "p:1:b:0:1";
const SUB_ROUTE = { version: 1, stops: [one("a")], output: { literal: 1 } } as const;
const BOTH: Stop = { kind: "all", name: "both", branches: { a: call("A"), b: call("B") } };

function rigOf(budget: Grant, stops: readonly Stop[] = [one("a")], more: Parameters<typeof peopleSlip>[1] = {}): PeopleRig {
  const rig = new PeopleRig(peopleSlip(stops, { output: undefined, ...more }, { budget, budgetAsks: "P", routes: { sub: SUB_ROUTE } }));
  rig.accept();
  return rig;
}

describe("a budget with a person", () => {
  test("asks by how much it must be raised, and approval gives exactly that", () => {
    const rig = rigOf({ tokens: 100, costMicros: 2_000_000 });
    const asked = needs(rig, A, { tokens: 140, costMicros: 2_500_000 });
    expect(answerOf(asked)).toBeUndefined();
    expect(inboxOf(asked)).toMatchObject([{ id: "p.r1", open: true, facts: { kind: "budget", agent: "A", person: "P" } }]);
    expect(rig.content()).toMatchObject({ input: { tokens: 40, usd: 0.5 }, reason: expect.stringContaining("40 tokens, $0.5000 more") });
    expect(answerOf(rig.approve())).toEqual({ tokens: 140, costMicros: 2_500_000 });
    expect(budgetView(rig.state)?.limit).toEqual({ tokens: 140, usd: 2.5 });
  });

  test("an edit may give more, and what is left of it needs no further request", () => {
    const rig = rigOf({ tokens: 100 });
    needs(rig, A, { tokens: 140 });
    rig.decide({ do: "edit", input: { json: { tokens: 1_000 } } });
    expect(leftOf(rig.state)?.tokens).toBe(1_100 - (rig.state.account?.holdings[A]?.grant?.tokens ?? 0));
    expect(answerOf(needs(rig, A, { tokens: 1_100 }, 1))).toEqual({ tokens: 1_100 });
    expect(rig.requests).toHaveLength(1);
  });

  test("an edit in other units is refused", () => {
    const rig = rigOf({ tokens: 100 });
    needs(rig, A, { tokens: 140 });
    expect(rig.decide({ do: "edit", input: { json: { usd: 5 } } })).toMatchObject({
      events: [],
      verdict: { fault: { code: "schema.input" } },
    });
    expect(rig.decide({ do: "edit", input: { json: { tokens: -1 } } }).verdict.kind).toBe("refused");
  });

  test("an edit beyond what a budget can be is refused, and the request stays open", () => {
    const rig = rigOf({ tokens: 100, costMicros: 1_000_000 });
    needs(rig, A, { tokens: 140, costMicros: 2_000_000 });
    for (const input of [{ usd: 1e20 }, { tokens: Number.MAX_SAFE_INTEGER }])
      expect(rig.decide({ do: "edit", input: { json: input } })).toMatchObject({
        events: [],
        verdict: { fault: { code: "schema.input" } },
      });
    expect(answerOf(rig.approve())).toEqual({ tokens: 140, costMicros: 2_000_000 });
  });

  test("a no, or silence, ends it as without a person, and no person is asked again in this run", () => {
    const rig = rigOf({ tokens: 100 });
    needs(rig, A, { tokens: 140 });
    expect(answerOf(rig.deny("enough"))).toMatchObject({
      fault: { code: "budget.exhausted", message: expect.stringContaining("ann did not raise") },
    });
    expect(answerOf(needs(rig, A, { tokens: 140 }, 1))).toMatchObject({ fault: { code: "budget.exhausted" } });
    const silent = rigOf({ tokens: 100 }, [one("a")], { deadlineMs: 1_000 });
    needs(silent, A, { tokens: 140 });
    expect(answerOf(silent.after(1_000).tick())).toMatchObject({ fault: { code: "budget.exhausted" } });
  });

  test("all that need more wait for one request; what they still lack is asked for next", () => {
    const rig = rigOf({ tokens: 100 }, [BOTH]);
    needs(rig, A, { tokens: 90 });
    needs(rig, B, { tokens: 80 });
    expect(rig.requests).toHaveLength(1);
    expect(rig.content().input).toEqual({ tokens: 40 });
    const approved = rig.approve();
    expect(sends(approved.effects).map(({ body }) => body)).toMatchObject([{ kind: "answer", workId: A }]);
    expect(rig.request).toMatchObject({ id: "p.r2", state: "open" });
    expect(rig.content().input).toEqual({ tokens: 30 });
    expect(answerOf(rig.approve({ decisionId: "d2" }))).toEqual({ tokens: 80 });
  });

  test("a request that no work item still waits for is closed, and does not delay the end", () => {
    const rig = rigOf({ tokens: 100 });
    needs(rig, A, { tokens: 140 });
    const ended = rig.result(A, { output: { json: "cheap" } }, 1, spent(10));
    expect(rig.state.outcome?.status).toBe("completed");
    expect(inboxOf(ended)).toMatchObject([{ id: "p.r1", open: false, facts: { state: "closed" } }]);
  });

  test("a nested route asks its parent, whose person decides", () => {
    const nested: Stop = {
      kind: "one",
      name: "sub",
      call: { target: { kind: "route", route: "sub" }, input: { from: ["task"] }, optional: false },
    };
    const rig = rigOf({ tokens: 100 }, [nested]);
    const SUB = "p:1:sub:0:1";
    needs(rig, SUB, { tokens: 130 });
    expect(rig.content().input).toEqual({ tokens: 30 });
    expect(answerOf(rig.approve())).toEqual({ tokens: 130 });
  });

  test("a redriven run has its whole budget again, and may ask again", () => {
    const rig = rigOf({ tokens: 100 });
    needs(rig, A, { tokens: 140 });
    rig.deny();
    rig.undoAll(rig.fault(A));
    rig.redrive();
    needs(rig, "p:2:a:0:1", { tokens: 140 });
    expect(rig.request).toMatchObject({ id: "p.r2", state: "open", run: 2 });
  });
});
