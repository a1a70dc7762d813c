/**
 * @module BFCL `simple` and `parallel`: the gate of replies accepts exactly the calls that the schemas accept. The judge of the schemas is
 * ajv, which the gate does not use.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { tool } from "../../agents/index.ts";
import { functionsOf } from "../../agents/model/functions.ts";
import type { Json } from "../../runtime/faults.ts";
import { REPAIR_DEFAULT } from "../../runtime/model/ladder.ts";
import { fixedPart } from "../../runtime/model/prompt.ts";
import { judge, type Verdict } from "../../runtime/model/reply-gate.ts";
import type { LoopRules } from "../../runtime/model/rules.ts";
import { type BedCase, type BedTool, BFCL, casesOf, changedOnce } from "./bfcl.ts";
import { unpacked } from "./pypi.ts";

const FILES = [
  ["simple_python", 390],
  ["parallel", 190],
  ["live_simple", 210],
  ["live_parallel", 14],
] as const;

const data = await unpacked(BFCL);
if ("reason" in data) process.stdout.write(`skip: ${data.reason}\n`);

/** The rules of an agent whose model has these tools. */
function rulesOf(tools: readonly BedTool[]): LoopRules {
  const made = tools.map(({ name, about, schema }) =>
    tool(name, { about, input: z.fromJSONSchema(schema), output: z.null(), effect: "read", run: () => null }),
  );
  const settings = { outputTokensMax: 1_000, temperature: undefined, seed: undefined };
  return {
    agent: "Bed",
    models: ["bed"],
    functions: functionsOf({ tools: made, asks: [], handsOffTo: [] }, "the bed"),
    answer: { request: undefined, under: undefined, check: (value) => ({ value }) },
    readsData: false,
    fixed: fixedPart([], undefined, settings),
    callsMax: 2,
    retry: undefined,
    priority: undefined,
    repair: REPAIR_DEFAULT,
    onGiveUp: "fault",
    onBudgetEnd: "stop",
  };
}

/** What the gate says of a reply with these calls; the arguments are texts, as they come. */
function verdictOf(rules: LoopRules, calls: readonly (readonly [name: string, text: string])[]): Verdict {
  const asked = calls.map(([name, text], index) => ({ id: `call_${index}`, name, arguments: text }));
  const reply = { text: "", calls: asked, finish: "calls", model: "bed", endpoint: "bed" } as const;
  return judge(rules, reply, { mayCall: true, round: 1, ids: new Set(), input: null, evidence: [] });
}

/** The inputs of the calls that the gate lets pass. Undefined: it lets none pass. */
function passed(verdict: Verdict): readonly Json[] | undefined {
  return verdict.kind === "calls" ? verdict.calls.map(({ input }) => input) : undefined;
}

describe.skipIf("reason" in data)("BFCL", () => {
  const folder = "reason" in data ? "" : data.folder;
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const accepts = ({ tools }: BedCase, name: string): ((value: Json) => boolean) => {
    const validate = ajv.compile(tools.find((one) => one.name === name)?.schema ?? false);
    return (value) => validate(value) === true;
  };

  test.each(FILES)("%s: the right calls of all questions pass together, unchanged, where the schemas accept them", (file, min) => {
    let together = 0;
    for (const question of casesOf(folder, file)) {
      const { calls, tools } = question;
      const verdict = verdictOf(
        rulesOf(tools),
        calls.map(({ name, input }) => [name, JSON.stringify(input)]),
      );
      const fits = calls.every(({ name, input }) => accepts(question, name)(input));
      expect(passed(verdict), question.id).toEqual(fits ? calls.map(({ input }) => input) : undefined);
      if (fits) together += 1;
    }
    // Some answers of the bed do not fit their own schemas, such as null for an optional text.
    expect(together).toBeGreaterThanOrEqual(min);
  });

  test.each(FILES)("%s: each right call with one thing changed passes exactly where its schema accepts it", (file) => {
    const [seen, wrong] = [{ accepted: 0, refused: 0 }, [] as string[]];
    for (const question of casesOf(folder, file)) {
      const rules = rulesOf(question.tools);
      for (const { name, input } of question.calls) {
        const schema = accepts(question, name);
        for (const changed of changedOnce(input)) {
          const fits = schema(changed);
          const text = JSON.stringify(changed);
          const inputs = passed(verdictOf(rules, [[name, text]]));
          if (fits) seen.accepted += 1;
          else seen.refused += 1;
          if (JSON.stringify(inputs) !== (fits ? `[${text}]` : undefined)) wrong.push(`${question.id}: ${name} ${text}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(0);
  });

  test.each(FILES)("%s: no beginning of a call passes, and no call passes beside one that is wrong", (file) => {
    for (const question of casesOf(folder, file)) {
      const rules = rulesOf(question.tools);
      for (const { name, input } of question.calls) {
        const text = JSON.stringify(input);
        const beginnings = Array.from({ length: text.length - 1 }, (_, index) => text.slice(0, index + 1));
        expect(
          beginnings.filter((part) => passed(verdictOf(rules, [[name, part]])) !== undefined),
          question.id,
        ).toEqual([]);
        const beside = [
          [name, text],
          [name, '{"a key of no schema":1}'],
        ] as const;
        expect(passed(verdictOf(rules, beside)), question.id).toBeUndefined();
      }
    }
  });
});
