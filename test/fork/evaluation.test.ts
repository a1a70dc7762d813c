/** @module Evaluations: items without personal data, gates, judges, and what cannot be scored. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gateway } from "../../actors/gateway/gateway.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { systemClock } from "../../actors/engine/system-clock.ts";
import { evaluate } from "../../actors/fork/evaluate.ts";
import { anonymize, ANONYMIZE_DEFAULT } from "../../runtime/evaluation/anonymize.ts";
import { Checks } from "../../runtime/evaluation/checks.ts";
import { meanOf } from "../../runtime/evaluation/interval.ts";
import type { EvaluationSummary, ResultLine } from "../../runtime/evaluation/results.ts";
import type { FakeModel } from "../../testing/index.ts";
import { FIRST, firstOf, Recorded, says } from "./rig.ts";

const recorded = new Recorded();
beforeAll(() => recorded.record().then(() => undefined));
afterAll(() => recorded.outside.stop());

interface Evaluated {
  readonly summary: EvaluationSummary;
  readonly lines: readonly ResultLine[];
}

async function evaluated(other: FakeModel, checks: object, runs = 1, cassette = recorded.cassette): Promise<Evaluated> {
  if (cassette === undefined) throw new Error("record it first");
  const system = recorded.system(FIRST, other);
  const environment = { env: {}, secret: () => Promise.reject(new Error("no secrets")) };
  const models = new Gateway({ system: "shop", models: system.models, environment, clock: systemClock, log: SILENT });
  const lines: ResultLine[] = [];
  const options = {
    ...{ dataset: { name: "shop", version: 1 }, items: [{ id: "order-1", cassette }], runs, checks: Checks.parse(checks) },
    ...{ change: { model: "other" }, tell: (line: ResultLine) => void lines.push(line) },
  };
  return { summary: await evaluate({ system, models }, options), lines };
}

describe("gates", () => {
  const gates = [
    { check: "outcome", is: "completed" },
    { check: "schema" },
    { check: "called", name: "pay", max: 1, with: { amount: 7 } },
    { check: "not-called", name: "mail" },
    { check: "order", names: ["search", "pay", "carry"] },
    { check: "calls-max", models: 3, tools: 6 },
    { check: "budget", usd: 0.01 },
    { check: "path", at: "$.text", matches: "^bought" },
  ];

  test("pass for a model that does what was recorded", async () => {
    const { summary, lines } = await evaluated(FIRST, { gates });
    expect(lines.map(({ result, detail }) => [result, detail])).toEqual(gates.map(() => ["pass", undefined]));
    expect(summary).toMatchObject({ passed: true, gates: { passed: 8, failed: 0, unscored: 0 }, modelCalls: 3 });
  });

  test("fail each for its own reason", async () => {
    const other = says(
      [1, 2, 3, 4].map((count) => ({ name: "search", arguments: { item: count === 1 ? "tea" : "tea" } })),
      { bought: true, note: "tea" },
    );
    const { summary, lines } = await evaluated(other, {
      gates: [
        { check: "outcome", is: "failed" },
        { check: "called", name: "pay" },
        { check: "called", name: "search", max: 3 },
        { check: "not-called", name: "search", with: { item: "tea" } },
        { check: "order", names: ["carry", "search"] },
        { check: "calls-max", tools: 2 },
        { check: "budget", tokens: 1 },
      ],
      items: { "order-1": [{ check: "path", at: "$.text", equals: "no" }] },
    });
    expect(lines.map(({ result }) => result)).toEqual(lines.map(() => "fail"));
    expect(lines.map(({ detail }) => detail)).toEqual([
      "completed",
      "called 0 times, at least 1",
      "called 5 times, at most 3",
      'called with {"item":"tea"}',
      "called Research, search, Buy, search, search, search, search, shipping, Ship, carry, Report",
      "6 tool calls, at most 2",
      expect.stringMatching(/^\d+ tokens, at most 1$/),
      '$.text is "bought: true"',
    ]);
    expect(summary).toMatchObject({ passed: false, gates: { failed: 8 } });
  });

  test("are unscored where the run comes to a call that is not recorded, unless the record is enough", async () => {
    const { summary, lines } = await evaluated(says([{ name: "pay", arguments: { amount: 8 } }]), {
      gates: [
        { check: "outcome", is: "completed" },
        { check: "called", name: "search" },
        { check: "not-called", name: "mail" },
        { check: "not-called", name: "pay", with: { amount: 8 } },
      ],
    });
    expect(lines.map(({ result }) => result)).toEqual(["unscored", "pass", "unscored", "fail"]);
    expect(summary).toMatchObject({ passed: false, gates: { passed: 1, failed: 1, unscored: 2 } });
  });

  test("of grounding fail for a claim without evidence, and are unscored without claims", async () => {
    const own = new Recorded();
    try {
      const cassette = await own.record("order-2", "tea-4711");
      const gates = { gates: [{ check: "grounded" }] };
      const scored = async (item: string): Promise<unknown> => {
        const { lines } = await evaluated(firstOf(item), gates, 1, cassette);
        return lines.map(({ result, detail }) => [result, detail]);
      };
      expect(await scored("tea-4711")).toEqual([["pass", undefined]]);
      const invented = says([{ name: "search", arguments: { item: "tea-4711" } }], { bought: true, note: "tea-9999" });
      const { lines } = await evaluated(invented, gates, 1, cassette);
      expect(lines).toMatchObject([{ result: "fail", detail: "1 claim without evidence" }]);
      const plain = await evaluated(FIRST, gates);
      expect(plain.lines).toMatchObject([{ result: "unscored", detail: expect.stringContaining("option grounding") }]);
    } finally {
      await own.outside.stop();
    }
  });

  test("do not pass when none could be scored", async () => {
    const { summary } = await evaluated(says([{ name: "pay", arguments: { amount: 8 } }]), { gates: [{ check: "schema" }] });
    expect(summary).toMatchObject({ passed: false, gates: { passed: 0, failed: 0, unscored: 1 } });
  });
});

describe("judges", () => {
  const judging: FakeModel = (request, count) => {
    if (request.answer?.name !== "Judgement") return FIRST(request, count);
    return count % 2 === 0 ? JSON.stringify({ score: 0.8, reason: "good" }) : JSON.stringify({ score: 0.6, reason: "fair" });
  };
  const judge = { name: "tone", model: "other", rubric: "It is polite.", runs: 4 };

  test("give a mean with an interval, and are no gate", async () => {
    const { summary } = await evaluated(judging, { gates: [{ check: "schema" }], judges: [judge] });
    expect(summary.judges).toMatchObject([{ name: "tone", unscored: 0, scores: { count: 4 } }]);
    expect(summary.judges[0]?.scores?.mean).toBeCloseTo(0.7);
    expect(summary.passed).toBe(true);
  });

  test("are a gate where a mean is required", async () => {
    const { summary } = await evaluated(judging, { gates: [{ check: "schema" }], judges: [{ ...judge, meanMin: 0.75 }] });
    expect(summary).toMatchObject({ passed: false, gates: { failed: 0 } });
  });

  test("that do not answer in their form have no score, which is not 0", async () => {
    const broken: FakeModel = (request, count) => (request.answer?.name === "Judgement" ? "very nice" : FIRST(request, count));
    const { summary } = await evaluated(broken, { gates: [{ check: "schema" }], judges: [judge] });
    expect(summary.judges).toMatchObject([{ name: "tone", unscored: 4, scores: undefined }]);
  });

  test("know the width of the interval", () => {
    expect(meanOf([])).toBeUndefined();
    expect(meanOf([0.5])).toEqual({ mean: 0.5, low: 0, high: 1, count: 1 });
    const { mean, low, high } = meanOf([0.4, 0.5, 0.6]) ?? { mean: 0, low: 0, high: 0 };
    expect(mean).toBeCloseTo(0.5);
    // t of two degrees of freedom is 4.303, the standard error 0.1 / sqrt(3).
    expect([low, high].map((one) => one.toFixed(3))).toEqual(["0.252", "0.748"]);
  });
});

describe("an item of a dataset", () => {
  const MAIL = "ann.lee@acme.example";
  const PLACEHOLDER = "person1@example.invalid";

  test("has placeholders for personal texts, and is forked as the recorded run", async () => {
    const other = new Recorded();
    const { cassette, replaced, replays, unknown } = anonymize(await other.record("order-1", MAIL));
    expect(JSON.stringify(cassette)).not.toContain("ann.lee");
    // A fork from the start does not need the recorded requests to models, which are others now.
    expect({ replaced, replays, unknown }).toEqual({ replaced: 1, replays: false, unknown: [] });
    other.cassette = cassette;
    const { report } = await other.fork(firstOf(PLACEHOLDER), { at: "start" });
    await other.outside.stop();
    expect(report).toMatchObject({ status: "completed", output: { text: "bought: true" } });
    expect(report.diff.lines.filter(({ how, what }) => how !== "same" && what !== "model")).toEqual([]);
  });

  test("has placeholders for the contents of named fields in all texts, and not for the names", () => {
    const { cassette } = recorded;
    if (cassette === undefined) throw new Error("record it first");
    const { cassette: kept } = anonymize(cassette, { ...ANONYMIZE_DEFAULT, fields: ["note"] });
    const text = JSON.stringify(kept);
    expect(text).not.toMatch(/\btea\b/);
    expect(text).toContain('"note"');
    expect(Object.keys(kept.values)).toEqual(Object.keys(cassette.values));
  });

  test("finds addresses, numbers and keys", () => {
    const { patterns } = ANONYMIZE_DEFAULT;
    const found = (name: string, text: string): readonly string[] => [...text.matchAll(patterns[name] ?? /$^/g)].map(([one]) => one);
    expect(found("email", "write to a.b+c@d-e.co.uk, not to a@b")).toEqual(["a.b+c@d-e.co.uk"]);
    expect(found("phone", "call +49 151 2345 6789 or 030 1234 567, order 20261128, v1.2.3")).toEqual(["+49 151 2345 6789", "030 1234 567"]);
    expect(found("card", "4111 1111 1111 1111 and 4111111111111111")).toHaveLength(2);
    expect(found("key", `${"sk"}-abcdefghijklmnop1234 and Bearer abcdefghijklmnop`)).toHaveLength(2);
    expect(found("iban", "DE89 3704 0044 0532 0130 00")).toHaveLength(1);
  });
});
