/** @module Edited inputs of redrives: what was changed stays, and everything else is made anew. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { type Decision, readOne } from "../../runtime/machine.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { merged } from "../../runtime/process/edited-input.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Stop } from "../../runtime/slip.ts";
import { sends } from "./machine-rig.ts";
import { call, one, ProcessRig, slipOf } from "./process-rig.ts";
import { failed, refusal } from "./redrive-rig.ts";

const A_WORK = /:a:0:1$/;
const isOfA = (workId: string): boolean => A_WORK.test(workId);

/** Stop b reads the task and the output of a. */
const STOPS = [one("a"), one("b", { input: { object: { task: { from: ["task"] }, booked: { from: ["a"] } } } }), one("c")];

function inputs(decision: Decision<ProcessEvent>): unknown[] {
  return sends(decision.effects).flatMap(({ body }) => (body.kind === "work" && "json" in body.input ? [body.input.json] : []));
}

function labels(decision: Decision<ProcessEvent>): unknown[] {
  return sends(decision.effects).flatMap(({ body }) => (body.kind === "work" ? [body.label] : []));
}

/** The dead letter of the last run. */
function letterOf(rig: ProcessRig): { readonly original: object } {
  const { deadLetter = { json: null } } = rig.state.outcome ?? {};
  return readOne(deadLetter, rig.context()) as unknown as { readonly original: object };
}

/** Ends the open run at b, with or without an undone booking of a. */
function failAgain(rig: ProcessRig, isUndone: boolean): void {
  rig.undoAll(rig.fault(rig.id("b")), isUndone ? isOfA : () => false);
}

describe("an edited input of a stop", () => {
  test("keeps the change, and has the new outputs of stops that run again", () => {
    const rig = failed(isOfA, STOPS);
    rig.redrive({ input: { task: { n: 2 }, booked: "first" } });
    expect(rig.state.acts?.at(-1)).toMatchObject({ what: "redrive", edited: "b" });
    expect(rig.state.history.map(({ what }) => what)).toContain("the input of b was edited by ada");
    expect(inputs(rig.output(rig.id("a"), "anew"))).toEqual([{ task: { n: 2 }, booked: "anew" }]);
  });

  test("keeps the change where both the edit and a stop that runs again gave something else", () => {
    const rig = failed(isOfA, STOPS);
    rig.redrive({ input: { task: { n: 1 }, booked: "by hand" } });
    expect(inputs(rig.output(rig.id("a"), "anew"))).toEqual([{ task: { n: 1 }, booked: "by hand" }]);
  });

  test("stands in later runs that are redriven as they are", () => {
    const rig = failed(undefined, STOPS);
    rig.redrive({ input: { task: { n: 2 }, booked: "first" } });
    failAgain(rig, false);
    expect(inputs(rig.redrive())).toEqual([{ task: { n: 2 }, booked: "first" }]);
    const again = failed(isOfA, STOPS);
    again.redrive({ input: { task: { n: 2 }, booked: "first" } });
    again.output(again.id("a"), "anew");
    failAgain(again, true);
    again.redrive();
    expect(inputs(again.output(again.id("a"), "third"))).toEqual([{ task: { n: 2 }, booked: "third" }]);
  });

  test("stands in a later run that begins before it, when a later stop failed", () => {
    const rig = failed(undefined, STOPS);
    rig.redrive({ input: { task: { n: 2 }, booked: "first" } });
    rig.output(rig.id("b"), "second");
    rig.undoAll(rig.fault(rig.id("c")), (workId) => workId.includes(":b:"));
    expect(inputs(rig.redrive({ input: { n: 3 } }))).toEqual([{ task: { n: 2 }, booked: "first" }]);
    expect(inputs(rig.output(rig.id("b"), "second"))).toEqual([{ n: 3 }]);
  });

  test("is joined with an earlier edit of it, and neither holds outputs that are made anew", () => {
    const rig = failed(isOfA, STOPS);
    rig.redrive({ input: { task: { n: 2 }, booked: "first" } });
    rig.output(rig.id("a"), "anew");
    failAgain(rig, true);
    rig.redrive({ input: { task: { n: 2, kind: "double" }, booked: "anew" } });
    expect(inputs(rig.output(rig.id("a"), "third"))).toEqual([{ task: { n: 2, kind: "double" }, booked: "third" }]);
  });

  test("taken back by a later edit is made anew", () => {
    const rig = failed(isOfA, STOPS);
    rig.redrive({ input: { task: { n: 1 }, booked: "by hand" } });
    rig.output(rig.id("a"), "anew");
    failAgain(rig, true);
    rig.redrive({ input: { task: { n: 1 }, booked: "first" } });
    expect(inputs(rig.output(rig.id("a"), "third"))).toEqual([{ task: { n: 1 }, booked: "third" }]);
  });

  test("of large contents is read from the store", () => {
    const long = "x".repeat(LIMITS.valueInlineBytesMax);
    const rig = failed(isOfA, STOPS);
    rig.redrive({ input: { task: { n: 1, long }, booked: "first" } });
    rig.output(rig.id("a"), `${long}y`);
    const input = rig.work(rig.id("b"))?.input ?? { json: null };
    expect(readOne(input, rig.context())).toEqual({ task: { n: 1, long }, booked: `${long}y` });
  });

  test("is trusted as a whole if nothing in it is made anew; otherwise the label of what is made anew is on it", () => {
    const whole = failed(undefined, STOPS);
    whole.redrive({ input: { task: { n: 2 }, booked: "first" } });
    expect(whole.state.works[whole.id("b")]?.label).toBeUndefined();
    const rig = failed(isOfA, STOPS);
    rig.redrive({ input: { task: { n: 2 }, booked: "first" } });
    const decision = rig.body({
      kind: "result",
      workId: rig.id("a"),
      attempt: 1,
      result: { output: { json: "anew" } },
      label: ["tool:web"],
    });
    expect(labels(decision)).toEqual([["tool:web"]]);
  });

  test("of one of many places is refused above a limit, and the others stand", () => {
    const names = Array.from({ length: LIMITS.editsKeptMax + 1 }, (_, index) => `s${index}`);
    const rig = new ProcessRig(slipOf(names.map((name) => one(name, {}, "A"))));
    rig.accept();
    for (const name of names.slice(0, -1)) {
      rig.undoAll(rig.fault(rig.id(name)));
      expect(refusal(rig.redrive({ input: { edited: name } }))).toBeUndefined();
      rig.output(rig.id(name));
    }
    rig.undoAll(rig.fault(rig.id(names.at(-1) ?? "")));
    expect(refusal(rig.redrive({ input: { edited: true } }))).toBe("body.invalid");
    expect(refusal(rig.redrive())).toBeUndefined();
    expect(rig.state.edits?.map(({ stop }) => stop)).toEqual(names.slice(0, -1));
  });

  test("that was handed off is taken as it is, in each run that fails there again, and its dead letter says so", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b")], { agents: { B: { handsOffTo: ["C"] }, C: {} } }));
    rig.accept();
    rig.output(rig.id("a"));
    rig.result(rig.id("b"), { handOff: { agent: "C", input: { json: { n: 1, old: true } } } });
    for (const n of [2, 3]) {
      rig.undoAll(rig.fault(rig.id("b", 0, n === 2 ? 2 : 1)), isOfA);
      expect(letterOf(rig)).toMatchObject({ original: { whole: true, target: { agent: "C" } } });
      rig.redrive({ input: { n, old: true } });
      expect(inputs(rig.output(rig.id("a")))).toEqual([{ n, old: true }]);
    }
    const mapped = failed(undefined, STOPS);
    expect(letterOf(mapped).original).not.toHaveProperty("whole");
  });

  test("goes with an edited task: that is what the person wants now", () => {
    const stops = [one("a"), one("b", { input: { object: { to: { from: ["task", "to"] } } } }), one("c", { input: { from: ["b", "x"] } })];
    const rig = new ProcessRig(slipOf(stops));
    rig.accept({ input: { to: "ann" } });
    rig.output(rig.id("a"));
    rig.undoAll(rig.fault(rig.id("b")));
    rig.redrive({ input: { to: "bob" } });
    rig.undoAll(rig.output(rig.id("b"), {}), (workId) => workId.includes(":b:"));
    expect(rig.state.outcome?.fault?.code).toBe("slip.mapping");
    expect(inputs(rig.redrive({ input: { to: "cyd" } }))).toEqual([{ to: "cyd" }]);
    expect(rig.state.edits).toBeUndefined();
  });
});

describe("an edited input of an item", () => {
  const EACH: Stop[] = [
    one("a", { input: { from: ["task"] } }),
    { kind: "forEach", name: "each", over: { from: ["a"] }, concurrency: 2, call: call("B", { input: { from: ["item"] } }) },
  ];
  const x = { id: "x", amount: 1 };
  const y = { id: "y", amount: 2 };

  function failedAtY(): ProcessRig {
    const rig = new ProcessRig(slipOf(EACH));
    rig.accept();
    rig.output(rig.id("a"), [x, y]);
    rig.output(rig.id("each[]", 0));
    rig.undoAll(rig.fault(rig.id("each[]", 1)), isOfA);
    rig.redrive({ input: { ...y, amount: 500 } });
    return rig;
  }

  test("is of the same element in a later run", () => {
    expect(inputs(failedAtY().output("p:2:a:0:1", [x, y]))).toEqual([x, { ...y, amount: 500 }]);
    expect(inputs(failedAtY().output("p:2:a:0:1", [{ ...x, amount: 7 }, y]))).toEqual([
      { ...x, amount: 7 },
      { ...y, amount: 500 },
    ]);
  });

  test("is not of another element that has its place then", () => {
    expect(inputs(failedAtY().output("p:2:a:0:1", [y, x]))).toEqual([y, x]);
  });

  test("of a list that an earlier stop made is of the same element, too", () => {
    const long = "z".repeat(LIMITS.valueInlineBytesMax);
    const rig = new ProcessRig(
      slipOf([EACH[0] ?? one("a"), ...EACH.slice(1), { ...EACH[1], name: "again", over: { from: ["each"] } } as Stop]),
    );
    rig.accept();
    rig.output(rig.id("a"), [x, y]);
    rig.output(rig.id("each[]", 0), { long });
    rig.output(rig.id("each[]", 1), y);
    rig.output(rig.id("again[]", 0));
    rig.undoAll(rig.fault(rig.id("again[]", 1)));
    expect(inputs(rig.redrive({ input: { ...y, amount: 500 } }))).toContainEqual({ ...y, amount: 500 });
  });
});

describe("a change applied to another content", () => {
  const cases: readonly (readonly [string, Json, Json, Json, Json])[] = [
    ["nothing changed", { a: 1 }, { a: 1 }, { a: 2, b: 3 }, { a: 2, b: 3 }],
    ["a field changed", { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 5 }, { a: 2, b: 5 }],
    ["a field added", { a: 1 }, { a: 1, b: 2 }, { a: 7 }, { a: 7, b: 2 }],
    ["a field removed", { a: 1, b: 1 }, { a: 1 }, { a: 7, b: 8 }, { a: 7 }],
    ["a field removed that is gone", { a: 1, b: 1 }, { a: 1 }, { a: 7 }, { a: 7 }],
    ["an item of a list", [{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 9 }], [{ a: 5 }, { a: 6 }], [{ a: 5 }, { a: 9 }]],
    ["a list of another length", [1, 2], [1, 3], [5], [1, 3]],
    ["an untouched list of another length", { l: [1, 2], a: 1 }, { l: [1, 2], a: 2 }, { l: [5], a: 1 }, { l: [5], a: 2 }],
    ["another kind of content", { a: 1 }, { a: 2 }, "text", { a: 2 }],
    ["a name that objects inherit", { constructor: 1 }, { constructor: 2 }, { constructor: 1, b: 1 }, { constructor: 2, b: 1 }],
  ];
  test.each(cases)("%s", (_what, before, edited, made, right) => {
    expect(merged(before, edited, made)).toEqual(right);
  });

  test("is the edited content where nothing else changed, for any contents", () => {
    const texts: Json[] = [1, "a", null, [1], [1, 2], { a: 1 }, { a: { b: [1] } }, { a: { b: [2] }, c: null }];
    for (const before of texts) for (const edited of texts) expect(merged(before, edited, before)).toEqual(edited);
    for (const before of texts) for (const made of texts) expect(merged(before, before, made)).toEqual(made);
  });
});

/** One run of the property: whether a was undone before it, what it gives then, and what a person changes after it failed at b. */
const Step = fc.record({
  isUndone: fc.boolean(),
  edit: fc.option(fc.record({ field: fc.constantFrom("task", "booked", "note"), value: fc.nat(99) }), { nil: undefined }),
});

test("through any runs, an input has each change of a person, and beside it what the mapping gives", () => {
  fc.assert(
    fc.property(fc.array(Step, { minLength: 1, maxLength: 6 }), (steps) => {
      const rig = failed(isOfA, STOPS);
      const changes: Record<string, Json> = {};
      let booked: Json = "first";
      let isUndone = true;
      for (const [index, { isUndone: isNext, edit }] of steps.entries()) {
        const given = { task: { n: 1 }, booked, ...changes };
        if (edit !== undefined) changes[edit.field] = { edited: edit.value };
        rig.redrive(edit === undefined ? {} : { input: { ...given, ...changes } });
        if (isUndone) {
          booked = `again ${index}`;
          rig.output(rig.id("a"), booked);
        }
        const input = rig.work(rig.id("b"))?.input ?? { json: null };
        expect(readOne(input, rig.context())).toEqual({ task: { n: 1 }, booked, ...changes });
        // What was not done in this run has nothing to undo.
        isUndone &&= isNext;
        failAgain(rig, isUndone);
      }
    }),
    { numRuns: 200 },
  );
});
