/**
 * @module Decisions on parallel stops: all, any, forEach.
 */
import { describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Call, Stop } from "../../runtime/slip.ts";
import { names, sends } from "./machine-rig.ts";
import { asksUndo, asksWork, call, one, ProcessRig, slipOf } from "./process-rig.ts";

const NO_MAPPING = { input: { from: ["task", "missing"] } };

describe("all", () => {
  const slip = (x: Partial<Call> = {}, y: Partial<Call> = {}): ReturnType<typeof slipOf> =>
    slipOf(
      [
        { kind: "all", name: "all-1", branches: { x: call("A", x), y: call("B", y) } },
        one("c", { input: { list: [{ from: ["x"] }, { from: ["y"] }] } }),
      ],
      { output: { from: ["c"] } },
    );

  test("asks every branch at once and goes on when all have answered, in any order", () => {
    const rig = new ProcessRig(slip());
    expect(asksWork(rig.accept())).toEqual(["p:1:x:0:1", "p:1:y:0:1"]);
    expect(names(rig.output(rig.id("y"), "Y"))).toEqual(["answered"]);
    const decision = rig.output(rig.id("x"), "X");
    expect(names(decision)).toEqual(["answered", "stop-done", "stop-begun", "asked"]);
    expect(sends(decision.effects)[0]?.body).toMatchObject({ input: { json: ["X", "Y"] } });
  });

  test("one failure ends it: the other is no longer waited for and both are compensated, newest first", () => {
    const rig = new ProcessRig(slip());
    rig.accept();
    const failed = rig.fault(rig.id("x"));
    expect(names(failed)).toEqual(["failed", "ending", "asked"]);
    expect(rig.open).toEqual(["p:1:y:0:1/undo"]);
    expect(rig.output(rig.id("y"))).toMatchObject({ events: [], effects: [] });
    const { order, last } = rig.undoAll(failed);
    expect(order).toEqual(["p:1:y:0:1", "p:1:x:0:1"]);
    expect(names(last)).toEqual(["undone", "ended"]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
  });

  test("a failed optional branch is null, is compensated, and the process ends partial", () => {
    const rig = new ProcessRig(slip({ optional: true }));
    rig.accept();
    expect(names(rig.fault(rig.id("x")))).toEqual(["failed"]);
    const decision = rig.output(rig.id("y"), "Y");
    expect(names(decision)).toEqual(["answered", "undo-due", "stop-done", "stop-begun", "asked", "asked"]);
    expect(asksUndo(decision)).toEqual(["p:1:x:0:1"]);
    expect(names(rig.output(rig.id("c"), "C"))).toEqual(["answered", "stop-done"]);
    expect(names(rig.output(`${rig.id("x")}/undo`, null))).toEqual(["undone", "ended"]);
    expect(rig.state.outcome).toMatchObject({ status: "partial", output: { json: "C" } });
  });

  test("a mapping that fails in a later branch takes back the request of an earlier one", () => {
    const rig = new ProcessRig(slip({}, NO_MAPPING));
    const { order } = rig.undoAll(rig.accept());
    expect(order).toEqual(["p:1:x:0:1"]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "slip.mapping" } });
  });
});

describe("any", () => {
  const stop: Stop = { kind: "any", name: "best", branches: { x: call("A"), y: call("B"), z: call("C") } };
  const slip = slipOf([stop, one("d", NO_MAPPING)], { output: { from: ["best"] } });
  const alone = slipOf([stop], { output: { from: ["best"] } });

  test("the first success wins; losers are no longer waited for and undone before the outcome", () => {
    const rig = new ProcessRig(alone);
    rig.accept();
    const won = rig.output(rig.id("best.y"), "Y");
    expect(names(won)).toEqual(["answered", "undo-due", "stop-done", "asked", "asked"]);
    expect(rig.open).toEqual(["p:1:best.z:0:1/undo", "p:1:best.x:0:1/undo"]);
    expect(rig.output(rig.id("best.x"), "too late")).toMatchObject({ events: [], effects: [] });
    const { order } = rig.undoAll(won);
    expect(order).toEqual(["p:1:best.z:0:1", "p:1:best.x:0:1"]);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "Y" } });
    expect(rig.state.asked.map((asked) => asked.id)).toEqual(["p:1:best.y:0:1"]);
  });

  test("a branch that fails is waited past; all failed is join.failed with every branch compensated", () => {
    const rig = new ProcessRig(alone);
    rig.accept();
    expect(names(rig.fault(rig.id("best.x")))).toEqual(["failed"]);
    expect(names(rig.fault(rig.id("best.z")))).toEqual(["failed"]);
    const { order } = rig.undoAll(rig.fault(rig.id("best.y")));
    expect(order).toEqual(["p:1:best.z:0:1", "p:1:best.y:0:1", "p:1:best.x:0:1"]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "join.failed" } });
  });

  test("a branch that answers null has answered and wins", () => {
    const rig = new ProcessRig(alone);
    rig.accept();
    const { order } = rig.undoAll(rig.output(rig.id("best.x"), null));
    expect(order).toEqual(["p:1:best.z:0:1", "p:1:best.y:0:1"]);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: null } });
  });

  test("a failed loser is not taken for the cause of a later failure: the letter's original is the task", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.fault(rig.id("best.x"));
    rig.undoAll(rig.output(rig.id("best.y"), "Y"));
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "slip.mapping" } });
    expect(rig.letter).toMatchObject({ stop: "d", original: { kind: "task" }, attempts: [] });
  });
});

describe("forEach", () => {
  const each = (more: Partial<Call> = {}, concurrency = 2): Stop => ({
    kind: "forEach",
    name: "each",
    over: { from: ["task", "list"] },
    concurrency,
    call: call("A", { input: { from: ["item"] }, ...more }),
  });
  const slip = (more: Partial<Call> = {}, concurrency = 2): ReturnType<typeof slipOf> =>
    slipOf([each(more, concurrency)], { output: { from: ["each"] } });
  const item = (rig: ProcessRig, index: number): string => rig.id("each[]", index);

  test("limits the items that run at once, and outputs are in the order of the list", () => {
    const rig = new ProcessRig(slip());
    expect(asksWork(rig.accept({ input: { list: ["p", "q", "r", "s"] } }))).toEqual([item(rig, 0), item(rig, 1)]);
    expect(asksWork(rig.output(item(rig, 1), "Q"))).toEqual([item(rig, 2)]);
    expect(asksWork(rig.output(item(rig, 2), "R"))).toEqual([item(rig, 3)]);
    expect(rig.open).toHaveLength(2);
    rig.output(item(rig, 3), "S");
    rig.output(item(rig, 0), "P");
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: ["P", "Q", "R", "S"] } });
  });

  test("an empty list is done at once", () => {
    const rig = new ProcessRig(slip());
    rig.accept({ input: { list: [] } });
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: [] } });
  });

  test("a value that is not a list, and a list that is too long, fail with a code", () => {
    for (const list of ["text", null, { a: 1 }, Array.from({ length: LIMITS.forEachItemsMax + 1 }, () => 0)] as Json[]) {
      const rig = new ProcessRig(slip());
      rig.accept({ input: { list } });
      expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "slip.too-many-items" } });
    }
  });

  test("a list that is too large to be inline is stored, and its items begin in the same decision", () => {
    const rig = new ProcessRig(slip());
    const list = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(50, "."));
    expect(asksWork(rig.accept({ input: { list } }))).toEqual([item(rig, 0), item(rig, 1)]);
  });

  test("a large list of outputs can be read by the next stop in the same decision", () => {
    const rig = new ProcessRig(
      slipOf([each({}, 2), one("b", { input: { object: { all: { from: ["each"] } } } })], { output: { from: ["b"] } }),
    );
    rig.accept({ input: { list: [1, 2] } });
    rig.output(item(rig, 0), "x".repeat(700));
    expect(asksWork(rig.output(item(rig, 1), "y".repeat(700)))).toEqual(["p:1:b:0:1"]);
  });

  test("skipped items give null and never delay the items behind them", () => {
    const rig = new ProcessRig(slip({ when: "item > 4" }));
    expect(asksWork(rig.accept({ input: { list: [1, 2, 3, 4, 5] } }))).toEqual([item(rig, 4)]);
    rig.output(item(rig, 4), "five");
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: [null, null, null, null, "five"] } });
    const none = new ProcessRig(slip({ when: "false" }, 1));
    none.accept({ input: { list: [1, 2, 3] } });
    expect(none.state.outcome).toMatchObject({ status: "completed", output: { json: [null, null, null] } });
  });

  test("a failed item ends it, begins no further one, and everything asked is undone newest first", () => {
    const rig = new ProcessRig(slip());
    rig.accept({ input: { list: [1, 2, 3] } });
    rig.output(item(rig, 0), 1);
    const { order } = rig.undoAll(rig.fault(item(rig, 1)));
    expect(order).toEqual([item(rig, 2), item(rig, 1), item(rig, 0)]);
    expect(rig.state.outcome).toMatchObject({ status: "failed" });
  });

  test("failed optional items are null and undone, and only they", () => {
    const rig = new ProcessRig(slip({ optional: true }));
    rig.accept({ input: { list: [1, 2, 3] } });
    rig.fault(item(rig, 1));
    rig.output(item(rig, 0), "1");
    const { order } = rig.undoAll(rig.output(item(rig, 2), "3"));
    expect(order).toEqual([item(rig, 1)]);
    expect(rig.state.outcome).toMatchObject({ status: "partial", output: { json: ["1", null, "3"] } });
  });
});
