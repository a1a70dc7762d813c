/** @module Decisions of an agent on model calls: each try is recorded once, and settles once. */
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { BegunModelCall, EndedModelCall } from "../../runtime/agent/inputs.ts";
import { type Grant, type ModelSpent, usedOf } from "../../runtime/budget.ts";
import type { WireFault } from "../../runtime/faults.ts";
import { AgentRig } from "./agent-rig.ts";
import { names } from "./machine-rig.ts";

const FACTS = { prompt: "p", tools: "t", messages: 1, outputTokensMax: 50 };
const RESERVED = { inputTokens: 100, outputTokens: 50, costMicros: 150 };
const COST: ModelSpent = { modelCalls: 1, inputTokens: 10, outputTokens: 5, costMicros: 15 };
const FULL: ModelSpent = { modelCalls: 1, ...RESERVED };
const DOWN: WireFault = { code: "model.unavailable", message: "down" };

class ModelsRig extends AgentRig {
  beginsModel(key: string, more: Partial<BegunModelCall> = {}, token = this.token("w")): ReturnType<AgentRig["give"]> {
    const call = { key, model: "fast", hash: key, facts: FACTS, tries: 1, reserved: RESERVED, ...more };
    return this.give({ kind: "model-begun", workId: "w", token, call });
  }

  triesModel(key: string, tries: number): ReturnType<AgentRig["give"]> {
    const call = { key, model: "fast", spent: COST };
    return this.give({ kind: "model-tried", workId: "w", token: this.token("w"), call, tries, fault: DOWN, pauseMs: 10 });
  }

  endsModel(key: string, end: EndedModelCall["end"] = { reply: "reply" }, spent = COST): ReturnType<AgentRig["give"]> {
    return this.give({ kind: "model-ended", workId: "w", token: this.token("w"), call: { key, model: "fast", end, spent } });
  }
}

describe("a record is written once, and its cost counted once", () => {
  test("also if the host never heard that it was written", () => {
    const rig = new ModelsRig();
    rig.asks("w");
    for (const again of [false, true]) expect(names(rig.beginsModel("a"))).toEqual(again ? [] : ["model-begun"]);
    for (const again of [false, true]) expect(names(rig.triesModel("a", 1))).toEqual(again ? [] : ["model-tried"]);
    expect(names(rig.beginsModel("a", { tries: 2 }))).toEqual(["model-begun"]);
    for (const again of [false, true]) expect(names(rig.endsModel("a"))).toEqual(again ? [] : ["model-ended"]);
    expect(names(rig.beginsModel("b"))).toEqual(["model-begun"]);
    for (const again of [false, true]) expect(names(rig.endsModel("b", { fault: DOWN }))).toEqual(again ? [] : ["model-ended"]);
    const { spent, modelCalls, failures, results } = rig.work("w");
    expect(spent).toEqual({ toolCalls: 0, models: { fast: { modelCalls: 3, inputTokens: 30, outputTokens: 15, costMicros: 45 } } });
    expect(modelCalls).toMatchObject([{ key: "a", reply: { json: "reply" }, order: 0, tried: { attempt: 1, tries: 1 } }, { key: "b" }]);
    expect(failures).toMatchObject([{ kind: "model", key: "b", attempt: 1, order: 1 }]);
    expect(results).toBe(2);
  });
});

describe("a try whose end was not recorded settles at its full reservation", () => {
  const ways: readonly (readonly [string, (rig: ModelsRig) => void])[] = [
    ["another host takes the work item over", (rig) => void rig.as("other", () => rig.lost("w"))],
    ["its host shuts down", (rig) => void rig.give({ kind: "released", workId: "w", token: rig.token("w") })],
    ["a further attempt supersedes it", (rig) => void rig.asks("w", { attempt: 2 })],
    ["its handler ends without it", (rig) => void rig.finishes("w", { fault: DOWN })],
    ["its handler succeeds without it", (rig) => void rig.finishes("w")],
  ];
  test.each(ways)("when %s", (_name, way) => {
    const rig = new ModelsRig();
    rig.asks("w");
    rig.beginsModel("a");
    way(rig);
    expect(rig.work("w").spent).toEqual({ toolCalls: 0, models: { fast: FULL } });
    expect(rig.work("w").modelCalls?.every(({ open }) => open === undefined) ?? true).toBe(true);
  });

  test("and a late report of it changes nothing", () => {
    const rig = new ModelsRig();
    rig.asks("w");
    rig.beginsModel("a");
    const stale = rig.token("w");
    rig.asks("w", { attempt: 2 });
    const late = rig.give({
      kind: "model-ended",
      workId: "w",
      token: stale,
      call: { key: "a", model: "fast", end: { reply: "r" }, spent: COST },
    });
    expect(late).toMatchObject({ events: [], verdict: { kind: "refused", fault: { code: "work.superseded" } } });
    expect(rig.work("w").spent?.models["fast"]).toEqual(FULL);
  });

  test("not when a parked handler only goes on", () => {
    const rig = new ModelsRig();
    rig.asks("w");
    rig.beginsModel("a");
    rig.endsModel("a");
    rig.waits("w", "sleep 1/0", { kind: "timer", ms: 1 });
    expect(rig.work("w").status).toBe("parked");
    rig.answers("w", 0);
    expect(rig.work("w")).toMatchObject({ status: "running", spent: { models: { fast: COST } } });
  });
});

describe("hosts that die while they run a model call", () => {
  test("are counted although each begins it anew, so that a call that kills its host does not run for ever", () => {
    const rig = new ModelsRig();
    rig.asks("w");
    for (const host of ["b", "c"]) {
      rig.beginsModel("a");
      rig.as(host, () => rig.lost("w"));
      rig.incarnation = host;
    }
    rig.beginsModel("a");
    rig.as("d", () => rig.lost("w"));
    expect(rig.work("w")).toMatchObject({ status: "done", result: { fault: { code: "work.crashed" } } });
    expect(rig.work("w").spent?.models["fast"]?.modelCalls, "and all three were paid for").toBe(3);
  });
});

describe("a work item that is being compensated", () => {
  test("begins no model call, but records the end of one: it has been paid for", () => {
    const rig = new ModelsRig();
    rig.asks("w");
    rig.beginsModel("a");
    rig.undoes("w");
    expect(rig.beginsModel("b")).toMatchObject({ verdict: { kind: "refused", fault: { code: "work.cancelled" } } });
    expect(names(rig.endsModel("a"))).toEqual(["model-ended"]);
    expect(rig.work("w").spent?.models["fast"]).toEqual(COST);
  });
});

describe("law: what is reserved and spent never exceeds the grant, unless a provider reports more than was reserved", () => {
  type Step = { readonly what: "begin" | "end" | "fail" | "try" | "lose" | "attempt"; readonly key: number };
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom("begin", "begin", "begin", "end", "fail", "try", "lose", "attempt"),
    key: fc.integer({ min: 0, max: 4 }),
  });
  const grants: fc.Arbitrary<Grant> = fc.record(
    { tokens: fc.nat(900), costMicros: fc.nat(900), modelCalls: fc.nat(6) },
    { requiredKeys: [] },
  );

  test("over any sequence of calls, losses and attempts", () => {
    fc.assert(
      fc.property(grants, fc.array(step, { maxLength: 40 }), (grant, steps) => {
        const rig = new ModelsRig();
        rig.asks("w", { grant });
        let attempt = 1;
        for (const { what, key } of steps) {
          const name = `k${key}`;
          const isOpen = rig.work("w").modelCalls?.find((call) => call.key === name)?.open !== undefined;
          if (what === "begin") rig.beginsModel(name);
          if (what === "lose") rig.as(`host ${attempt}`, () => rig.lost("w"));
          if (what === "attempt") rig.asks("w", { attempt: (attempt += 1), grant });
          if (isOpen && what === "end") rig.endsModel(name);
          if (isOpen && what === "fail") rig.endsModel(name, { fault: DOWN }, FULL);
          if (isOpen && what === "try") rig.triesModel(name, 1);
          const { spent = { toolCalls: 0, models: {} }, modelCalls = [] } = rig.work("w");
          const open = modelCalls.filter((call) => call.open !== undefined).length;
          const used = usedOf(spent);
          if (used.tokens + 150 * open > (grant.tokens ?? Number.POSITIVE_INFINITY)) return false;
          if (used.costMicros + 150 * open > (grant.costMicros ?? Number.POSITIVE_INFINITY)) return false;
          if (used.modelCalls + open > (grant.modelCalls ?? Number.POSITIVE_INFINITY)) return false;
        }
        return true;
      }),
    );
  });
});
