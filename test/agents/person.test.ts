/** @module People in definitions: their contract, what is refused, and where they stand in a system. */
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { agent, contract, LIMITS, person, remote, route, system, type OutputOf, type ValidateOptions } from "../../agents/index.ts";
import type { Verdict } from "../../runtime/people/request.ts";

const Claim = z.object({ amount: z.number() });
const YesNo = z.object({ ok: z.boolean() });
const Approver = person("Approver", { input: Claim, output: YesNo, roles: ["manager"], deadlineMs: 3_600_000 });
const Boss = person("Boss", { input: Claim });
const Refund = contract("Refund", 1, { input: Claim, output: Claim });
const refund = agent(Refund, { handle: (input) => input });

const asking = route("refunds", 1, Claim)
  .to("asked", Approver, ({ task }) => task)
  .output(({ asked }) => asked);

const refused = (make: () => unknown, text: string): void =>
  expect(make).toThrow(expect.objectContaining({ code: "definition.invalid", message: expect.stringContaining(text) }));

describe("person", () => {
  test("is a contract; without an output its output is a verdict", () => {
    expectTypeOf<OutputOf<typeof Approver>>().toEqualTypeOf<{ ok: boolean }>();
    expectTypeOf<OutputOf<typeof Boss>>().toEqualTypeOf<Verdict>();
    expect(Approver).toMatchObject({ kind: "contract", name: "Approver", version: 1, person: { roles: ["manager"], onExpiry: "deny" } });
    expect(Boss.person).not.toHaveProperty("output");
  });

  test("refuses times that make no sense", () => {
    refused(() => person("P", { remindMs: LIMITS.personRemindMsMin - 1 }), "remindMs");
    refused(() => person("P", { deadlineMs: 0 }), "deadlineMs");
    refused(() => person("P", { deadlineMs: LIMITS.personDeadlineMsMax + 1 }), "deadlineMs");
    refused(() => person("P", { deadlineMs: 60_000, remindMs: 60_000 }), "remind earlier");
    refused(() => person("P", { deadlineMs: 1_000, escalate: [{ afterMs: 1_000, roles: ["a"] }] }), "escalate earlier");
    refused(() => person("P", { escalate: [2, 1].map((afterMs) => ({ afterMs, roles: ["a"] })) }), "the step before");
    refused(() => person("P", { escalate: [{ afterMs: 1, roles: [] }] }), "escalate[0].roles is empty");
  });

  test("refuses what is no role, and an answer for silence that does not fit", () => {
    refused(() => person("P", { roles: ["two words"] }), "two words");
    refused(() => person("P", { roles: Array.from({ length: LIMITS.personRolesMax + 1 }, (_, index) => `r${index}`) }), "roles");
    refused(
      () => person("P", { output: YesNo, deadlineMs: 1, onExpiry: { answer: { ok: 1 } as unknown as { ok: boolean } } }),
      "onExpiry.answer",
    );
    refused(() => person("P", { deadlineMs: 1, onExpiry: { answer: {} as never } }), "without an output");
    refused(() => person("P", { output: YesNo, onExpiry: { answer: { ok: true } } }), "no deadlineMs");
    refused(() => person("P", { escalation: [] } as object), "unknown option");
  });
});

describe("a system", () => {
  test("knows its people; they need no handler and no host", () => {
    const made = system("s", { agents: [refund, Approver], routes: [asking] });
    expect([...made.people.keys()]).toEqual(["Approver"]);
    expect([...made.agents.keys()]).toEqual(["Refund"]);
    expect(made.slip.agents["Approver"]).toMatchObject({ asks: [], person: { deadlineMs: 3_600_000 } });
  });

  test("refuses a person that is used and not listed, hosted elsewhere, listed twice, or that has a handler", () => {
    refused(() => system("s", { agents: [], routes: [asking] }), 'does not know person "Approver"');
    refused(() => system("s", { agents: [], remote: [remote(Approver)], routes: [asking] }), "list it in agents");
    refused(() => system("s", { agents: [Approver, Approver], routes: [asking] }), "two persons");
    refused(() => agent(Approver, { handle: () => ({ ok: true }) }), "it is a person");
    refused(() => system("s", { agents: [Refund as never], routes: [] }), "a contract without a handler");
  });

  test("refuses a person that differs from the one that it has under the name", () => {
    const other = person("Approver", { input: Claim, output: YesNo, roles: ["intern"], deadlineMs: 3_600_000 });
    refused(() => system("s", { agents: [other], routes: [asking] }), "differ");
  });

  test("lets a person stand in a stop, in branches, in asks, at the end of a budget", () => {
    const Asker = contract("Asker", 1, { input: Claim, output: YesNo });
    const asker = agent(Asker, { asks: [Approver], handsOffTo: [Approver], handle: (input, ctx) => ctx.ask(Approver, input) });
    const all = route("all", 1, Claim, { timeoutMs: 5_000, budget: { usd: 1, asks: Boss } })
      .all((stop) => ({ one: stop(Approver, ({ task }) => task), two: stop(Asker, ({ task }) => task) }))
      .any("first", (stop) => ({ boss: stop(Boss, ({ task }) => task) }))
      .forEach(
        "each",
        ({ task }) => [task],
        (stop) => stop(Approver, ({ item }) => item, { timeoutMs: 60_000 }),
      )
      .output(({ one }) => one);
    const made = system("s", { agents: [asker, Approver, Boss], routes: [all] });
    const data = made.slip.routes["all"];
    expect(data).toMatchObject({ budget: { costMicros: 1_000_000 }, budgetAsks: "Boss" });
    const [first] = data?.stops ?? [];
    expect(first, "the time of agents is no deadline of a person").toMatchObject({ branches: { one: {}, two: { timeoutMs: 5_000 } } });
    expect(first).not.toHaveProperty("branches.one.timeoutMs");
    refused(() => system("s", { agents: [asker, Approver], routes: [all] }), 'does not know person "Boss"');
  });

  test("refuses options of a stop that mean nothing for a person", () => {
    refused(() => route("r", 1, Claim).to("a", Approver, ({ task }) => task, { retry: { attemptsMax: 2 } }), "asks a person");
  });
});

describe("validate", () => {
  const Judge = contract("Judge", 1, {
    input: z.object({ input: Claim, output: Claim }),
    output: z.object({ accepted: z.boolean(), reasons: z.array(z.string()) }),
  });
  const judge = agent(Judge, { handle: () => ({ accepted: true, reasons: [] }) });
  const validated = (validate: ValidateOptions) =>
    route("r", 1, Claim)
      .to("a", Refund, ({ task }) => task, { validate })
      .output(({ a }) => a);

  test("is data of the call, with the schema that a person's edit must fit; all that it names must be in the system", () => {
    const made = validated({ rule: "output.amount <= input.amount", by: Judge, roundsMax: 1, onRefusal: Boss });
    const { slip } = system("s", { agents: [refund, judge, Boss], routes: [made] });
    expect(slip.routes["r"]?.stops[0]).toMatchObject({
      call: {
        validate: {
          rule: "output.amount <= input.amount",
          by: "Judge",
          roundsMax: 1,
          onRefusal: { ask: "Boss", schema: Refund.outputJsonSchema },
        },
      },
    });
    refused(() => system("s", { agents: [refund, Boss], routes: [made] }), '"Judge"');
    refused(() => system("s", { agents: [refund, judge], routes: [made] }), 'person "Boss"');
  });

  test("refuses a rule that reads what is not there, a validator of another form, and bounds that are none", () => {
    refused(() => validated({ rule: "output.sum > 1" }), "validate.rule");
    refused(() => validated({ by: Refund as never }), "does not take { input, output }");
    refused(() => validated({}), "needs a rule, a validator");
    refused(() => validated({ rule: "true", roundsMax: LIMITS.validationRoundsMax + 1 }), "roundsMax");
    refused(() => validated({ rule: "true", onRefusal: Refund as never }), "must be a person");
    const Odd = contract("Odd", 1, { input: z.object({ input: Claim, output: Claim }), output: YesNo });
    refused(() => validated({ by: Odd as never }), "does not answer { accepted, reasons }");
  });
});
