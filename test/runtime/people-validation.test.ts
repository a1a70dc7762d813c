/** @module Validators of stops: a rule, an agent or both judge an output; it is sent back within a bound, refused, or a person decides. */
import { describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import type { Call, Stop, Validation } from "../../runtime/slip.ts";
import { sends } from "./machine-rig.ts";
import { ANN, PeopleRig, peopleSlip, personData } from "./people-rig.ts";
import { asksUndo, asksWork, one } from "./process-rig.ts";

const OUTPUT = { output: { from: ["a"] } } as const;
const RULE = "output.price <= input.max";

function validated(validate: Partial<Validation>, more: Partial<Call> = {}): Stop {
  return one("a", { validate: { roundsMax: 2, onRefusal: "fail", ...validate }, ...more });
}

function rigOf(validate: Partial<Validation>, more: Partial<Call> = {}, rest: readonly Stop[] = []): PeopleRig {
  const rig = new PeopleRig(peopleSlip([validated(validate, more), ...rest], { output: undefined }, { ...OUTPUT, agents: { V: {} } }));
  rig.accept({ input: { max: 10 } });
  return rig;
}

const judge = (rig: PeopleRig, visit: number, accepted: boolean, reasons: string[] = []): ReturnType<PeopleRig["output"]> =>
  rig.output(`${rig.id("a", 0, visit)}/validator`, { accepted, reasons });

/** Answers the compensations of a place, and gives what follows. */
function undone(rig: PeopleRig, from: ReturnType<PeopleRig["output"]>): ReturnType<PeopleRig["output"]> {
  return rig.undoAll(from).last;
}

describe("a rule", () => {
  test("lets an output through that it holds for, at once", () => {
    const rig = rigOf({ rule: RULE });
    rig.output(rig.id("a"), { price: 9 });
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: { price: 9 } } });
  });

  test("sends another one back: it is compensated first, then the call is made again with the reason and the output", () => {
    const rig = rigOf({ rule: RULE });
    const rejected = rig.output(rig.id("a"), { price: 11 });
    expect([asksUndo(rejected), asksWork(rejected)]).toEqual([[rig.id("a")], []]);
    const again = undone(rig, rejected);
    expect(asksWork(again)).toEqual([rig.id("a", 0, 2)]);
    expect(sends(again.effects).map(({ body }) => body)).toMatchObject([
      { kind: "work", sentBack: { round: 1, reasons: [`the rule ${RULE} does not hold`], output: { json: { price: 11 } } } },
    ]);
    rig.output(rig.id("a", 0, 2), { price: 8 });
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: { price: 8 } } });
    expect(rig.state.checks).toBeUndefined();
  });

  test("that no output fulfils ends with stop.refused after its rounds, and all is compensated once", () => {
    const rig = rigOf({ rule: RULE });
    for (const visit of [1, 2]) undone(rig, rig.output(rig.id("a", 0, visit), { price: 10 + visit }));
    const last = rig.output(rig.id("a", 0, 3), { price: 13 });
    expect(rig.state.ending).toMatchObject({
      status: "failed",
      fault: { code: "stop.refused", details: { rounds: 2 } },
      work: { id: rig.id("a", 0, 3) },
    });
    expect(rig.undoAll(last).order).toEqual([rig.id("a", 0, 3)]);
    expect(rig.letter["original"]).toMatchObject({ kind: "do", input: { json: { max: 10 } } });
  });

  test("that cannot be evaluated fails the call with its fault", () => {
    const rig = rigOf({ rule: "output.price.amount > 1" });
    rig.output(rig.id("a"), { price: 11 });
    expect(rig.state.ending?.status).toBe("failed");
    expect(rig.state.ending?.fault.code).not.toBe("stop.refused");
  });

  test("of an optional call makes the outcome partial", () => {
    const rig = rigOf({ rule: "false", roundsMax: 0 }, { optional: true });
    const refused = rig.output(rig.id("a"), { price: 1 });
    rig.undoAll(refused);
    expect(rig.state.outcome).toMatchObject({ status: "partial", output: { json: null } });
  });
});

describe("an agent", () => {
  test("gets input and output, and accepts", () => {
    const rig = rigOf({ by: "V" });
    const asked = rig.output(rig.id("a"), { price: 9 });
    expect(sends(asked.effects).map(({ body }) => body)).toMatchObject([
      { kind: "work", agent: "V", input: { json: { input: { max: 10 }, output: { price: 9 } } } },
    ]);
    expect(rig.state.progress?.outputs).toEqual({});
    judge(rig, 1, true);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: { price: 9 } } });
  });

  test("sends back with its reasons; it is asked anew for each round, after the rule", () => {
    const rig = rigOf({ by: "V", rule: RULE });
    expect(asksWork(rig.output(rig.id("a"), { price: 9 }))).toEqual([`${rig.id("a")}/validator`]);
    const again = undone(rig, judge(rig, 1, false, ["no breakfast"]));
    expect(rig.work(rig.id("a", 0, 2))?.sentBack).toMatchObject({ round: 1, reasons: ["no breakfast"] });
    expect(asksWork(again)).toEqual([rig.id("a", 0, 2)]);
    const dear = rig.output(rig.id("a", 0, 2), { price: 99 });
    expect([asksWork(dear), asksUndo(dear)], "the rule goes first").toEqual([[], [rig.id("a", 0, 2)]]);
  });

  test("from untrusted text labels the next round, and not an output that it accepts", () => {
    const rig = rigOf({ by: "V" });
    const say = (visit: number, accepted: boolean): ReturnType<PeopleRig["body"]> =>
      rig.body({
        kind: "result",
        workId: `${rig.id("a", 0, visit)}/validator`,
        attempt: 1,
        result: { output: { json: { accepted, reasons: accepted ? [] : ["read this"] } } },
        label: ["tool:fetch"],
      });
    rig.output(rig.id("a"), { price: 9 });
    undone(rig, say(1, false));
    expect(rig.work(rig.id("a", 0, 2))?.label).toEqual(["tool:fetch"]);
    rig.output(rig.id("a", 0, 2), { price: 8 });
    say(2, true);
    expect(rig.state.outcome?.status).toBe("completed");
    expect(rig.state.labels).toBeUndefined();
  });

  test("that fails for good fails the call with its fault, and the output does not count", () => {
    const rig = rigOf({ by: "V" });
    rig.output(rig.id("a"), { price: 9 });
    rig.fault(`${rig.id("a")}/validator`);
    expect(rig.state.ending).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
  });

  test("a cancelled process forgets what is judged", () => {
    const rig = rigOf({ by: "V" });
    rig.output(rig.id("a"), { price: 9 });
    rig.undoAll(rig.cancel());
    expect([rig.state.outcome?.status, rig.state.checks]).toEqual(["cancelled", undefined]);
    expect(judge(rig, 1, true).events).toEqual([]);
  });

  test("each item of a forEach is judged by itself, within the concurrency", () => {
    const stop: Stop = {
      kind: "forEach",
      name: "each",
      over: { from: ["task"] },
      call: { ...oneCall(validated({ rule: "output.ok" })), input: { from: ["item"] } },
      concurrency: 2,
    };
    const rig = new PeopleRig(peopleSlip([stop], {}, { output: { from: ["each"] } }));
    rig.accept({ input: [1, 2, 3] });
    const rejected = rig.output(rig.id("each[]", 0), { ok: false, n: 1 });
    expect(asksWork(rejected), "the place of the item is taken").toEqual([]);
    expect(asksWork(undone(rig, rejected))).toEqual([rig.id("each[]", 0, 2)]);
    expect(asksWork(rig.output(rig.id("each[]", 1), { ok: true, n: 2 }))).toEqual([rig.id("each[]", 2)]);
    rig.output(rig.id("each[]", 2), { ok: true, n: 3 });
    rig.output(rig.id("each[]", 0, 2), { ok: true, n: 1 });
    expect(rig.state.outcome).toMatchObject({ output: { json: [{ n: 1 }, { n: 2 }, { n: 3 }] } });
  });
});

describe("a person at the end", () => {
  const SCHEMA = { type: "object", properties: { price: { type: "number" } }, required: ["price"], additionalProperties: false };
  const asked = (): PeopleRig => {
    const rig = rigOf({ rule: RULE, roundsMax: 0, onRefusal: { ask: "P", schema: SCHEMA } }, {}, [one("b")]);
    rig.output(rig.id("a"), { price: 11 });
    return rig;
  };

  test("sees the output and why it was not accepted, and may let it through", () => {
    const rig = asked();
    expect(rig.request).toMatchObject({ kind: "validation", state: "open", stop: "a" });
    expect(rig.content()).toMatchObject({ input: { price: 11 }, reason: expect.stringContaining(RULE), inputSchema: SCHEMA });
    expect(asksWork(rig.approve())).toEqual([rig.id("b")]);
    expect(rig.state.outputs["a"]).toEqual({ json: { price: 11 } });
  });

  test("may edit it within the schema of the output", () => {
    const rig = asked();
    const edit = (input: Json): ReturnType<PeopleRig["decide"]> => rig.decide({ do: "edit", input: { json: input } });
    expect(edit({ price: "1" })).toMatchObject({ events: [], verdict: { fault: { code: "schema.input" } } });
    edit({ price: 10 });
    expect(rig.state.outputs["a"]).toEqual({ json: { price: 10 } });
  });

  test("may deny it, which refuses the stop with the reasons of both", () => {
    const rig = asked();
    rig.deny("far too dear", { by: ANN });
    expect(rig.state.ending).toMatchObject({
      fault: { code: "stop.refused", message: expect.stringContaining("ann denied it: far too dear") },
    });
  });

  test("who is silent refuses it too", () => {
    const rig = new PeopleRig(
      peopleSlip(
        [validated({ rule: "false", roundsMax: 0, onRefusal: { ask: "Q" } })],
        {},
        { agents: { Q: personData({ deadlineMs: 1_000 }) } },
      ),
    );
    rig.accept();
    rig.output(rig.id("a"), { price: 1 });
    rig.after(1_000).tick();
    expect(rig.request.state).toBe("expired");
    expect(rig.state.ending).toMatchObject({ fault: { code: "stop.refused" } });
  });
});

describe("people as parts", () => {
  test("a person may be the validator", () => {
    const judgement = { type: "object", properties: { accepted: { type: "boolean" }, reasons: { type: "array" } } };
    const rig = new PeopleRig(peopleSlip([validated({ by: "J" })], {}, { ...OUTPUT, agents: { J: personData({ output: judgement }) } }));
    rig.accept({ input: { max: 10 } });
    rig.output(rig.id("a"), { price: 9 });
    expect(rig.content().input).toEqual({ input: { max: 10 }, output: { price: 9 } });
    undone(rig, rig.answer({ accepted: false, reasons: ["dull"] }));
    expect(rig.work(rig.id("a", 0, 2))?.sentBack).toMatchObject({ reasons: ["dull"] });
    rig.output(rig.id("a", 0, 2), { price: 8 });
    rig.answer({ accepted: true, reasons: [] }, { decisionId: "d2" });
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: { price: 8 } } });
  });

  test("the answer of a person is judged, and the person is asked again with the reason", () => {
    const stop: Stop = {
      kind: "one",
      name: "ask",
      call: { ...oneCall(validated({ rule: "output.ok" })), target: { kind: "agent", agent: "P" } },
    };
    const rig = new PeopleRig(peopleSlip([stop], {}, { output: { from: ["ask"] } }));
    rig.accept();
    rig.answer({ ok: false });
    expect(rig.request).toMatchObject({ id: "p.r2", state: "open", about: expect.stringContaining("output.ok") });
    rig.answer({ ok: true }, { decisionId: "d2" });
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: { ok: true } } });
  });
});

function oneCall(stop: Stop): Call {
  if (stop.kind !== "one") throw new Error("a stop with one call");
  return stop.call;
}
