/** @module Decisions on terminations: the process ends at once, compensates nothing, and names what stands. */
import { describe, expect, test } from "vitest";
import type { Decision } from "../../runtime/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { names, sends } from "./machine-rig.ts";
import { asksUndo, call, one, ProcessRig, slipOf } from "./process-rig.ts";

function terminate(rig: ProcessRig, id = "t"): Decision<ProcessEvent> {
  return rig.give({ kind: "message", message: rig.message(id, { kind: "terminate", reason: "enough" }) });
}

test("ends as cancelled, names what is not undone, and cancels the running handler", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("b")]));
  rig.accept();
  rig.output(rig.id("a"));
  const decision = terminate(rig);
  expect(names(decision)).toEqual(["terminated", "ended"]);
  expect(rig.state.outcome).toMatchObject({
    status: "cancelled",
    fault: { code: "process.terminated", message: "ada terminated the process: enough; not undone: A at a, B at b" },
  });
  expect(rig.state.outcome?.fault?.details).toMatchObject({ left: ["A at a", "B at b"] });
  expect(rig.state.outcome?.deadLetter).toBeUndefined();
  expect(sends(decision.effects).map(({ body }) => body)).toEqual([
    expect.objectContaining({ kind: "drop", workId: rig.id("b"), agent: "B" }),
  ]);
  expect(asksUndo(decision)).toEqual([]);
});

test("a second termination changes nothing, and late answers are ignored", () => {
  const rig = new ProcessRig(slipOf([one("a")]));
  rig.accept();
  terminate(rig);
  expect(names(terminate(rig, "t2"))).toEqual([]);
  expect(names(rig.output(rig.id("a")))).toEqual([]);
  expect(rig.state.outcome?.status).toBe("cancelled");
});

test("ends a compensation, whose failures stay named", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("b")]));
  rig.accept();
  rig.output(rig.id("a"));
  rig.fault(rig.id("b"));
  terminate(rig);
  expect(rig.state.outcome).toMatchObject({ status: "cancelled", fault: { details: { left: ["A at a", "B at b"] } } });
});

test("ends a paused process", () => {
  const rig = new ProcessRig(slipOf([one("a")]));
  rig.accept();
  rig.body({ kind: "pause", reason: "", tree: true });
  rig.output(rig.id("a"));
  terminate(rig);
  expect(rig.state).toMatchObject({ phase: "ended", outcome: { status: "cancelled" } });
  expect([rig.state.paused, rig.state.heldBack]).toEqual([undefined, undefined]);
});

describe("nested routes", () => {
  const inner = { version: 1, stops: [one("a")], output: { from: ["a"] } };
  const slip = slipOf([{ kind: "one", name: "sub", call: call("A", { target: { kind: "route", route: "inner" } }) }], {
    routes: { inner },
  });
  const SUB = "p:1:sub:0:1";
  const CHILD = { workId: SUB, by: "ada", retainUntilMs: 9_000_000_000_000 };

  test("are terminated too", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    expect(sends(terminate(rig).effects).map(({ body }) => body)).toEqual([
      expect.objectContaining({ kind: "terminate", child: expect.objectContaining({ workId: SUB, by: "ada" }) as unknown }),
    ]);
  });

  test("one whose task comes later never runs", () => {
    const child = new ProcessRig(slip, "c");
    child.body({ kind: "terminate", reason: "enough", child: CHILD });
    expect(child.accept({ route: "inner", parent: { processId: "p", workId: SUB } }).verdict).toMatchObject({
      fault: { code: "work.undone" },
    });
  });

  test("the later compensation of a terminated one reports what stands", () => {
    const child = new ProcessRig(slip, "c");
    child.accept({ route: "inner", parent: { processId: "p", workId: SUB } });
    terminate(child);
    const undo = child.body({
      kind: "undo",
      workId: SUB,
      undoId: `${SUB}/undo`,
      attempt: 1,
      agent: "inner",
      retainUntilMs: 9_000_000_000_000,
    });
    expect(asksUndo(undo)).toEqual([]);
    expect(sends(undo.effects).at(-1)?.body).toMatchObject({ kind: "result", result: { fault: { code: "process.terminated" } } });
  });
});
