/**
 * @module Decisions on nested routes, as a parent and as a child.
 */
import { describe, expect, test } from "vitest";
import type { Decision } from "../../runtime/machine.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { childProcessId } from "../../runtime/ids.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { asksUndo, call, one, ProcessRig, slipOf } from "./process-rig.ts";

const inner = { version: 3, stops: [one("a"), one("b")], output: { from: ["b"] } };
const nested = call("A", {
  target: { kind: "route", route: "inner" },
  timeoutMs: 20_000,
  retry: { attemptsMax: 5, backoffMs: 0, backoffMsMax: 0, jitter: 0 },
});
const slip = slipOf([{ kind: "one", name: "sub", call: nested }], { routes: { inner }, output: { from: ["sub"] } });
const SUB = "p:1:sub:0:1";
const PARENT = { processId: "p", workId: SUB };

describe("as a parent", () => {
  test("asks a child process of a derived id, with the remaining time, the pinned slip and the path of routes", () => {
    const rig = new ProcessRig(slip);
    const [message] = sends(rig.accept({ timeoutMs: 9_000 }).effects);
    expect(message).toMatchObject({
      id: `${SUB}:1`,
      to: { type: "sys.ProcessManager", id: childProcessId(`${SUB}:1`) },
      body: { kind: "task", route: "inner", slip: rig.state.task?.slip, timeoutMs: 9_000, parent: PARENT, nesting: ["main"] },
    });
    expect(rig.work(SUB)?.retry.attemptsMax).toBe(1);
  });

  test("the child's output is the stop's; its fault fails the stop, once", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.output(SUB, "inner's");
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "inner's" } });
    const bad = new ProcessRig(slip);
    bad.accept();
    expect(asksUndo(bad.fault(SUB, "agent.failed"))).toEqual([SUB]);
  });

  test("cancellation goes down as an undo of the child", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    const [message] = sends(rig.cancel().effects);
    expect(message).toMatchObject({
      to: { type: "sys.ProcessManager", id: childProcessId(`${SUB}:1`) },
      body: { kind: "undo", workId: SUB, undoId: `${SUB}/undo`, attempt: 1 },
    });
  });

  test("routes nested too deep are refused with the path", () => {
    const rig = new ProcessRig(slip);
    rig.accept({ nesting: Array.from({ length: LIMITS.nestingMax }, () => "inner") });
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "cycle.depth" } });
  });
});

describe("as a child", () => {
  const A = "c:1:a:0:1";
  const child = (): ProcessRig => new ProcessRig(slip, "c");
  const accepted = (rig: ProcessRig): Decision<ProcessEvent> => rig.accept({ route: "inner", parent: PARENT, nesting: ["main"] });
  const undo = (rig: ProcessRig, attempt = 1): Decision<ProcessEvent> =>
    rig.body({ kind: "undo", workId: SUB, undoId: `${SUB}/undo`, attempt, agent: "inner", retainUntilMs: T0 });
  const finish = (rig: ProcessRig): Decision<ProcessEvent> => {
    accepted(rig);
    rig.output(A);
    return rig.output(rig.id("b"), "B");
  };

  test("reports its outcome to the parent, and again when the task is repeated", () => {
    const rig = child();
    const last = finish(rig);
    const reply = sends(last.effects);
    expect(reply).toMatchObject([
      {
        id: `${SUB}/reply`,
        to: { type: "sys.ProcessManager", id: "p" },
        processId: "p",
        body: { kind: "result", workId: SUB, attempt: 1, result: { output: { json: "B" } } },
      },
    ]);
    expect(sends(accepted(rig).effects)).toEqual(reply);
  });

  test("a wrong input is accepted and fails, so that the parent learns it", () => {
    const rig = child();
    const decision = rig.give({
      kind: "message",
      message: rig.taskMessage({ route: "inner", parent: PARENT, nesting: ["main"] }),
      bucket: "b",
      fault: { code: "schema.task", message: "no" },
    });
    expect(names(decision)).toEqual(["accepted", "ending", "ended"]);
    expect(sends(decision.effects)[0]?.body).toMatchObject({ kind: "result", result: { fault: { code: "schema.task" } } });
  });

  test("law: undone before its request, it refuses its task forever", () => {
    const rig = child();
    const decision = undo(rig);
    expect(names(decision)).toEqual(["refused-for-ever"]);
    expect(sends(decision.effects)).toMatchObject([
      {
        to: { id: "p" },
        body: {
          kind: "result",
          workId: `${SUB}/undo`,
          attempt: 1,
          result: { output: { json: { undone: 0, left: [], stands: [], stateStands: false } } },
        },
      },
    ]);
    expect(accepted(rig)).toMatchObject({ events: [], verdict: { fault: { code: "work.undone" } } });
    expect(sends(undo(rig).effects)).toHaveLength(1);
    expect(sends(rig.tick().effects)).toHaveLength(1);
    expect(rig.state.phase).toBe("refused");
  });

  test("undone while in work: compensated, ended cancelled once, and the parent told", () => {
    const rig = child();
    accepted(rig);
    const asked = undo(rig);
    expect(names(asked)).toEqual(["undo-requested", "ending", "asked"]);
    expect(undo(rig)).toMatchObject({ events: [], verdict: { kind: "received" } });
    const { last } = rig.undoAll(asked);
    expect(names(last)).toEqual(["undone", "ended", "undo-finished"]);
    expect(sends(last.effects).map(({ body }) => body)).toContainEqual({
      kind: "result",
      workId: `${SUB}/undo`,
      attempt: 1,
      result: { output: { json: { undone: 0, left: [], stands: [], stateStands: false } } },
    });
    expect(rig.ends).toHaveLength(1);
    expect(sends(undo(rig).effects)).toHaveLength(1);
  });

  test("law: undone after it completed, it compensates, and keeps the one outcome of its run", () => {
    const rig = child();
    finish(rig);
    const { outcome } = rig.state;
    const asked = undo(rig);
    const { order, last } = rig.undoAll(asked);
    expect(order).toEqual(["c:1:b:0:1", A]);
    expect(sends(last.effects).map(({ body }) => body)).toContainEqual({
      kind: "result",
      workId: `${SUB}/undo`,
      attempt: 1,
      result: { output: { json: { undone: 0, left: [], stands: [], stateStands: false } } },
    });
    expect(rig.state).toMatchObject({ phase: "ended", outcome, asked: [] });
    expect(rig.ends).toHaveLength(1);
  });

  test("undone after it failed has nothing left to undo and reports that at once", () => {
    const rig = child();
    accepted(rig);
    rig.undoAll(rig.fault(A));
    expect(names(undo(rig))).toEqual(["undo-requested", "undo-finished"]);
  });

  test("an undo that failed is told under the attempt that asks, so the parent does not wait for its timeout", () => {
    const rig = child();
    finish(rig);
    undo(rig);
    for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
      rig.fault("c:1:b:0:1/undo", "agent.refused", attempt);
      rig.after(LIMITS.undoBackoffMsMax).tick();
    }
    const told = sends(rig.output(`${A}/undo`, null).effects).map(({ body }) => body);
    expect(told).toContainEqual(
      expect.objectContaining({
        kind: "result",
        workId: `${SUB}/undo`,
        attempt: 1,
        result: { fault: expect.objectContaining({ code: "compensation.failed" }) },
      }),
    );
    expect(sends(undo(rig, 2).effects).map(({ body }) => body)).toMatchObject([
      { kind: "result", workId: `${SUB}/undo`, attempt: 2, result: { fault: { code: "compensation.failed" } } },
    ]);
    expect(rig.state.outcome?.status).toBe("completed");
    expect(rig.ends).toHaveLength(1);
  });
});
