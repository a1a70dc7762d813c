/** @module Standing rules: the drafts that a request offers, what a rule covers, and the actor that counts its uses. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { MANY_ORIGINS } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Decision } from "../../runtime/machine.ts";
import { alwaysDrafts } from "../../runtime/people/always.ts";
import { coveringRules, type RuleAct, ruleId, type RuleTerms, ruleStatus, type StandingRule } from "../../runtime/people/rule.ts";
import { rulesMachine, type RulesEvent, type RulesState } from "../../runtime/people/rules-actor.ts";
import type { Message } from "../../runtime/protocol.ts";

const PAY = { to: "GB29 NWBK 6016 1331 9268 19", amount: 150, note: "Thanks for the lovely dinner" };

function rule(when: string, more: Partial<StandingRule> = {}): StandingRule {
  return {
    id: ruleId("p.r1"),
    requestId: "p.r1",
    agent: "Payer",
    tool: "pay",
    about: "",
    when,
    by: "ann",
    atMs: 0,
    usesMax: 2,
    untilMs: 1_000,
    uses: [],
    ...more,
  };
}

function isCovered(when: string, input: Json, more: Partial<StandingRule> = {}, label: readonly string[] = []): boolean {
  return coveringRules([rule(when, more)], { agent: "Payer", tool: "pay", input, label, mark: "m" }, 10).length > 0;
}

function drafted(input: Json, label: readonly string[] = []): readonly string[] {
  return alwaysDrafts({ tool: "pay", input, label }).map(({ when }) => when);
}

describe("the drafts of a request", () => {
  test("go from exactly this input to any call with smaller numbers, and say so", () => {
    expect(alwaysDrafts({ tool: "pay", input: PAY, label: [] })).toEqual([
      { about: "exactly this input", when: `input == ${JSON.stringify(PAY)}` },
      {
        about: "with the same to, amount up to 150, any note",
        when: `size(input) == 3 && input["amount"] >= 0 && input["amount"] <= 150 && has(input["note"]) && input["to"] == "${PAY.to}"`,
      },
      {
        about: "any pay with amount up to 150, any note, any to",
        when: `size(input) == 3 && input["amount"] >= 0 && input["amount"] <= 150 && has(input["note"]) && has(input["to"])`,
      },
    ]);
  });

  test("let nothing through that has a larger or negative number, another payee, or a field that was not shown", () => {
    const [exact = "", same = "", any = ""] = drafted(PAY);
    const others: readonly (readonly [Json, boolean, boolean, boolean])[] = [
      [PAY, true, true, true],
      [{ ...PAY, amount: 149 }, false, true, true],
      [{ ...PAY, note: "x" }, false, true, true],
      [{ ...PAY, to: "mallory" }, false, false, true],
      [{ ...PAY, amount: 151 }, false, false, false],
      [{ ...PAY, amount: -1 }, false, false, false],
      [{ ...PAY, tip: 1_000 }, false, false, false],
      [{ to: PAY.to, amount: 150 }, false, false, false],
      [{ ...PAY, amount: "9" }, false, false, false],
      [{}, false, false, false],
      [null, false, false, false],
    ];
    for (const [input, ...wanted] of others) expect([exact, same, any].map((when) => isCovered(when, input))).toEqual(wanted);
  });

  test("no arguments are not any arguments: the only rule for an empty input lets nothing else through", () => {
    const drafts = drafted({});
    expect(drafts).toHaveLength(1);
    expect(isCovered(drafts[0] ?? "", {})).toBe(true);
    expect(isCovered(drafts[0] ?? "", { path: "/" })).toBe(false);
    expect(isCovered(drafts[0] ?? "", null)).toBe(false);
  });

  test("about untrusted text leave no text open", () => {
    const drafts = drafted(PAY, ["tool:fetch"]);
    expect(drafts).toHaveLength(2);
    for (const when of drafts)
      expect(isCovered(when, { ...PAY, note: "and my password is x" }, { label: ["tool:fetch"] }, ["tool:fetch"])).toBe(false);
  });

  test("keep lists and objects as they are, and are not offered where they would be too long to read", () => {
    const drafts = drafted({ items: [{ price: 5 }], force: true });
    expect(drafts).toHaveLength(2);
    for (const when of drafts) expect(isCovered(when, { items: [{ price: 6 }], force: true })).toBe(false);
    expect(drafted({ text: "x".repeat(LIMITS.conditionLengthMax) })).toEqual(['size(input) == 1 && has(input["text"])']);
  });

  test("hold for the input that they were made from, of any kind", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const input = JSON.parse(JSON.stringify(value)) as Json;
        const drafts = drafted(input);
        expect(drafts.length).toBeLessThanOrEqual(LIMITS.alwaysRulesMax);
        for (const when of drafts) expect(isCovered(when, input)).toBe(true);
      }),
    );
  });
});

describe("a standing rule", () => {
  test("covers calls of its tool by its agent while it stands", () => {
    const call = { agent: "Payer", tool: "pay", input: {}, label: [], mark: "m" };
    expect(coveringRules([rule("true")], call, 10)).toHaveLength(1);
    expect(coveringRules([rule("true")], { ...call, agent: "Other" }, 10)).toEqual([]);
    expect(coveringRules([rule("true")], { ...call, tool: "send" }, 10)).toEqual([]);
    expect(coveringRules([rule("true", { untilMs: 10 })], call, 10)).toEqual([]);
    expect(coveringRules([rule("true", { uses: ["a", "b"] })], call, 10)).toEqual([]);
    expect(coveringRules([rule("true", { revoked: { by: "bob", atMs: 1, reason: "" } })], call, 10)).toEqual([]);
  });

  test("lets untrusted text through only from the origins of its request", () => {
    expect(isCovered("true", {}, {}, ["tool:fetch"])).toBe(false);
    expect(isCovered("true", {}, { label: ["tool:fetch"] }, ["tool:fetch"])).toBe(true);
    expect(isCovered("true", {}, { label: ["tool:fetch"] }, [])).toBe(true);
    expect(isCovered("true", {}, { label: ["tool:fetch"] }, ["mcp:files", "tool:fetch"])).toBe(false);
    expect(isCovered("true", {}, { label: ["tool:fetch", MANY_ORIGINS] }, ["tool:fetch", MANY_ORIGINS])).toBe(false);
  });

  test("that let a call through is the answer to that call again, also after its end", () => {
    const ended = rule("false", { uses: ["m"], usesMax: 1 });
    expect(coveringRules([rule("true"), ended], { agent: "Payer", tool: "pay", input: {}, label: [], mark: "m" }, 9_999)).toEqual([ended]);
  });
});

describe("the rules of a tenant", () => {
  test("count each call once, and end by their uses", () => {
    let state = after(rulesMachine.initial("default"), { do: "make", rule: terms("p.r1", { usesMax: 2 }) });
    const { id } = terms("p.r1");
    for (const call of ["a", "a", "b"]) state = after(state, { do: "use", id, call });
    expect(state.rules[id]?.uses).toEqual(["a", "b"]);
    expect(faultOf(state, { do: "use", id, call: "c" })).toBe("rule.unknown");
    expect(faultOf(state, { do: "use", id, call: "a" })).toBeUndefined();
  });

  test("are made once from a request, and can be revoked once", () => {
    let state = after(rulesMachine.initial("default"), { do: "make", rule: terms("p.r1") });
    state = after(state, { do: "make", rule: terms("p.r1", { usesMax: 1_000 }) });
    const { id } = terms("p.r1");
    expect(state.rules[id]?.usesMax).toBe(10);
    state = after(state, { do: "revoke", id, reason: "no" });
    state = after(state, { do: "revoke", id, reason: "again" });
    expect(state.rules[id]?.revoked).toEqual({ by: "ann", atMs: 50, reason: "no" });
    expect(faultOf(state, { do: "use", id, call: "a" })).toBe("rule.unknown");
    expect(faultOf(state, { do: "revoke", id: "rule-x", reason: "" })).toBe("rule.unknown");
  });

  test("an expired rule lets nothing through, and messages of other kinds or too late change nothing", () => {
    const state = after(rulesMachine.initial("default"), { do: "make", rule: terms("p.r1", { untilMs: 50 }) });
    expect(faultOf(state, { do: "use", id: ruleId("p.r1"), call: "a" })).toBe("rule.unknown");
    const late = decide(state, message({ do: "make", rule: terms("p.r2") }, 50));
    expect(late).toMatchObject({ events: [], verdict: { fault: { code: "message.expired" } } });
    const other = { ...message({ do: "revoke", id: "x", reason: "" }), body: { kind: "cancel", reason: "" } } as const;
    expect(decide(state, other)).toMatchObject({ events: [], verdict: { fault: { code: "message.invalid" } } });
  });

  test("stay within their limits: what has ended goes first, then the oldest", () => {
    let state = rulesMachine.initial("default");
    const make = (count: number, more: Partial<RuleTerms> = {}): void => {
      state = after(state, { do: "make", rule: terms(`p.r${count}`, { atMs: count, usesMax: LIMITS.ruleUsesMax, ...more }) });
    };
    const fits = Math.floor(LIMITS.standingUsesMax / LIMITS.ruleUsesMax);
    for (let count = 1; count <= fits; count += 1) make(count, count === 3 ? { untilMs: 1 } : {});
    expect(Object.keys(state.rules)).toHaveLength(fits);
    make(fits + 1);
    expect(state.rules[ruleId("p.r3")]).toBeUndefined();
    expect(state.rules[ruleId("p.r1")]).toBeDefined();
    make(fits + 2);
    expect(state.rules[ruleId("p.r1")]).toBeUndefined();
    expect(Object.values(state.rules).reduce((sum, { usesMax }) => sum + usesMax, 0)).toBeLessThanOrEqual(LIMITS.standingUsesMax);
    expect(Object.values(state.rules).every((one) => ruleStatus(one, 50) === "stands")).toBe(true);
  });
});

function terms(requestId: string, more: Partial<RuleTerms> = {}): RuleTerms {
  const { uses: _uses, ...made } = rule("true", { id: ruleId(requestId), requestId, usesMax: 10 });
  return { ...made, ...more };
}

function message(act: RuleAct, expiresAtMs = 1_000): Message {
  return {
    v: 1,
    id: "m",
    to: { type: "sys.Rules", id: "default" },
    from: "w",
    processId: "p",
    createdAtMs: 0,
    expiresAtMs,
    hop: 0,
    principal: { subject: "ann", tenant: "default", permissions: [] },
    trace: { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
    body: { kind: "rule", act },
  };
}

function decide(state: RulesState, of: Message): Decision<RulesEvent> {
  const context = {
    system: "sys",
    actorId: "default",
    nowMs: 50,
    incarnation: "i",
    sequence: 1,
    jitter01: 0,
    token: "t",
    values: new Map(),
  };
  return rulesMachine.decide(state, { kind: "message", message: of }, context);
}

function after(state: RulesState, act: RuleAct): RulesState {
  const next = decide(state, message(act)).events.reduce((one, event) => rulesMachine.evolve(one, event), state);
  expect(rulesMachine.states.parse(JSON.parse(JSON.stringify(next)))).toEqual(JSON.parse(JSON.stringify(next)));
  return next;
}

function faultOf(state: RulesState, act: RuleAct): string | undefined {
  const { verdict } = decide(state, message(act));
  return verdict.kind === "refused" ? verdict.fault.code : undefined;
}
