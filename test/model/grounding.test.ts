/** @module Claims of answers are looked for in what the prompts of a run held from others; what a model itself wrote is no evidence. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, model, type ModelSettings, tool } from "../../agents/index.ts";
import { CLAIM_KINDS, type ClaimKind, claimsOf } from "../../runtime/model/claims.ts";
import { groundedIn } from "../../runtime/model/grounding.ts";
import type { Json } from "../../runtime/faults.ts";
import { answer, calls, fault, run } from "./rig.ts";

const claims = (value: Json, kinds: readonly ClaimKind[] = CLAIM_KINDS): readonly string[] =>
  claimsOf(value, kinds).map(({ kind, text }) => `${kind} ${text}`);
const missing = (value: Json, ...evidence: readonly string[]): readonly string[] =>
  groundedIn(value, evidence, CLAIM_KINDS).ungrounded.map(({ kind, text }) => `${kind} ${text}`);

describe("the claims of an answer", () => {
  test.each<[Json, readonly string[]]>([
    ["Order INV-2041 costs 1,249.50 and comes in 3 days.", ["id INV-2041", "number 1,249.50"]],
    ["See https://a.example/p?x=1, or write to help@a.example.", ["link https://a.example/p?x=1", "address help@a.example"]],
    ["It begins on 2026-11-28T10:00:00Z.", ["date 2026-11-28T10:00:00Z"]],
    ['The rule says "no refund after thirty days".', ["quote no refund after thirty days"]],
    ['He said "yes" and “no”.', []],
    ["It weighs 40kg, the 2nd 13th part.", ["number 40", "number 13"]],
    [{ total: 49.9, items: [{ id: "o-17", count: 3 }], paid: true, note: null }, ["number 49.9", "id o-17"]],
    ["Nothing was found.", []],
    [0.0000001, ["number 1e-7"]],
  ])("of %j are %j", (value, found) => {
    expect(new Set(claims(value))).toEqual(new Set(found));
  });

  test("are those of the asked kinds, each once", () => {
    expect(claims("A-1 costs 40, really 40; B-2 costs 50", ["number"])).toEqual(["number 40", "number 50"]);
  });
});

describe("a claim has evidence", () => {
  test.each<[string, Json, string]>([
    ["as it stands", "It costs 1249.5", '{"price":1249.50}'],
    ["with other separators", "It costs 1,249.50", '{"price":1249.5}'],
    ["as it is written in other countries", "Es kostet 1.249,50", '{"price":1249.5}'],
    ["rounded", "It costs about 12.35", "12.3456"],
    ["as percent of a share", "It fell by 12.5 %", '{"change":-0.125}'],
    ["as an amount of cents", "It costs 49.90", '{"cents":4990}'],
    ["with a small difference of case", "order inv-2041", '{"id":"INV-2041"}'],
    ["as a day of a time", "on 2026-11-28", '"2026-11-28T10:00:00.000Z"'],
    ["as a day in words", "on 2026-11-28", "on 28 November 2026"],
    [
      "as a quotation over lines of JSON",
      'It says "no refund after thirty days."',
      '{"text":"There is \\"no refund\\nafter thirty days\\""}',
    ],
    ["as a link with a slash less", "https://a.example/p/", "see https://a.example/p"],
  ])("%s", (_how, value, evidence) => {
    expect(missing(value, "something else", evidence)).toEqual([]);
  });

  test.each<[string, Json, string, string]>([
    ["another number", "It costs 1250.5", '{"price":1249.5}', "number 1250.5"],
    ["an id that is the beginning of another one", "INV-204", '{"id":"INV-2041"}', "id INV-204"],
    ["an id that is the end of another one", "V-2041", '{"id":"INV-2041"}', "id V-2041"],
    ["another day", "2026-11-29", "2026-11-28", "date 2026-11-29"],
    ["changed words", '"no refund after sixty days"', "no refund after thirty days", "quote no refund after sixty days"],
    ["another page", "https://a.example/q", "https://a.example/p", "link https://a.example/q"],
  ])("not %s", (_how, value, evidence, found) => {
    expect(missing(value, evidence)).toEqual([found]);
  });

  test("of any kind, if the evidence is the answer itself, as a text and as JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>, (value) => {
        expect(missing(value, JSON.stringify(value))).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        expect(missing(text, text)).toEqual([]);
      }),
    );
  });
});

const Question = z.object({ orderId: z.string(), ask: z.string() });
const Desk = contract("Desk", 1, { input: Question, output: z.object({ text: z.string() }) });
const order = tool("order", {
  about: "Reads an order",
  input: z.object({ id: z.string() }),
  output: z.object({ price: z.number(), carrier: z.string() }),
  effect: "read",
  run: () => ({ price: 249.5, carrier: "x".repeat(400) }),
});
const desk = (grounding: ModelSettings<typeof Desk>["grounding"], more: object = {}) =>
  agent(Desk, model({ instructions: "Answer; refunds are up to 500 EUR.", tools: [order], grounding, ...more }));
const ASKED = { orderId: "INV-2041", ask: "What does it cost?" };
const LOOK = calls(["order", { id: "INV-2041" }]);

describe("an agent with grounding", () => {
  test("takes what stands in its instructions, its input and the results of calls", async () => {
    const ran = await run(desk("refuse"), ASKED, { script: [LOOK, answer({ text: "INV-2041 costs 249.50; refunds go up to 500." })] });
    expect(ran.result).toEqual({ text: "INV-2041 costs 249.50; refunds go up to 500." });
    expect(ran.claims).toEqual([{ made: 3, ungrounded: 0 }]);
  });

  test("tells the model which claims have no evidence, and takes the corrected answer", async () => {
    const ran = await run(desk("refuse"), ASKED, {
      script: [LOOK, answer({ text: "It costs 199 and goes with UPS-77." }), answer({ text: "It costs 249.50." })],
    });
    expect(ran.result).toEqual({ text: "It costs 249.50." });
    const told = ran.requests[2]?.request.messages.at(-1);
    expect(told).toMatchObject({ role: "user" });
    expect(told?.text).toContain('number "199" stands in nothing that you were given');
    expect(told?.text).toContain('id "UPS-77"');
    expect(ran.claims).toEqual([{ made: 1, ungrounded: 0 }]);
  });

  test("what it was told of a claim is no evidence for it, and its fault names it", async () => {
    const ran = await run(desk("refuse", { repair: ["tell", "tell"] }), ASKED, {
      script: [LOOK, ...Array.from({ length: 3 }, (_none, at) => answer({ text: `It costs 199${" ".repeat(at)}` }))],
    });
    expect(ran.result).toBeInstanceOf(Fault);
    expect(ran.result).toMatchObject({ code: "model.ungrounded", details: { errors: [expect.stringContaining('"199"')] } });
    expect(ran.claims).toEqual([]);
  });

  test("an argument that the model invented is no evidence, and what was shortened still is", async () => {
    const script = [
      calls(["order", { id: "INV-9999" }]),
      calls(["order", { id: "INV-2041" }]),
      fault("model.context-length"),
      answer({ text: "INV-9999 and INV-2041 cost 249.50." }),
    ];
    const ran = await run(desk("count"), ASKED, { script });
    expect(ran.requests[3]?.request.messages.some(({ text }) => text.includes("removed]"))).toBe(true);
    expect(ran.claims).toEqual([{ made: 3, ungrounded: 1 }]);
  });

  test("that only counts takes the answer; of the asked kinds only", async () => {
    const script = [LOOK, answer({ text: "It costs 199 with UPS-77." })];
    const counted = await run(desk("count"), ASKED, { script });
    expect([counted.result, counted.claims]).toEqual([{ text: "It costs 199 with UPS-77." }, [{ made: 2, ungrounded: 2 }]]);
    const ids = await run(desk({ onUngrounded: "count", kinds: ["id"] }), ASKED, { script });
    expect(ids.claims).toEqual([{ made: 1, ungrounded: 1 }]);
    expect((await run(desk(undefined), ASKED, { script })).claims).toEqual([]);
  });

  test("asks for the same requests whether it checks or not", async () => {
    const script = [LOOK, answer({ text: "It costs 249.50." })];
    const [with_, without] = [await run(desk("refuse"), ASKED, { script }), await run(desk(undefined), ASKED, { script })];
    expect(with_.requests.map(({ hash }) => hash)).toEqual(without.requests.map(({ hash }) => hash));
  });

  test.each([["sometimes"], [{ onUngrounded: "refuse", kinds: [] }], [{ onUngrounded: "refuse", kinds: ["name"] }], [{ kinds: ["id"] }]])(
    "is refused with %j at its definition",
    (grounding) => {
      expect(() => desk(grounding as never)).toThrow(/grounding/);
    },
  );
});
