/**
 * @module Undo that comes late or fails late: a loser's undo that fails for good on the way forward, and a nested route
 * whose parent may ask for its compensation long after its own time. Decisions of the process alone.
 */
import { describe, expect, test } from "vitest";
import type { Decision } from "../../runtime/machine.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Call, Stop } from "../../runtime/slip.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { asksUndo, asksWork, call, one, ProcessRig, slipOf } from "./process-rig.ts";

const DAY_MS = 86_400_000;

/** Every attempt of a compensation is refused; gives the decision on the last. */
function failUndo(rig: ProcessRig, workId: string): Decision<ProcessEvent> {
  let last = rig.fault(`${workId}/undo`, "agent.failed", 1);
  for (let attempt = 2; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
    rig.after(LIMITS.undoBackoffMsMax).tick();
    last = rig.fault(`${workId}/undo`, "agent.failed", attempt);
  }
  return last;
}

describe("law: an undo that fails for good before the end starts the compensation of the process", () => {
  const best = (more: Partial<Call> = {}): Stop => ({ kind: "any", name: "best", branches: { x: call("B", more), y: call("C", more) } });

  test("while the next stop is in work: it is stopped, and what had completed is undone, newest first, to one failed outcome", () => {
    const rig = new ProcessRig(slipOf([one("a"), best(), one("d", { timeoutMs: 1_800_000 })]));
    rig.accept();
    rig.output(rig.id("a"));
    const won = rig.output(rig.id("best.x"), "X");
    expect(asksUndo(won)).toEqual([rig.id("best.y")]);
    expect(asksWork(won)).toEqual([rig.id("d")]);
    const turned = failUndo(rig, rig.id("best.y"));
    expect(names(turned)).toEqual(["undo-failed", "ending", "asked"]);
    expect(rig.state.ending).toMatchObject({ status: "failed", stop: "best.y", fault: { code: "compensation.failed" } });
    expect(rig.output(rig.id("d")), "a late answer").toMatchObject({ events: [], effects: [] });
    const { order, last } = rig.undoAll(turned);
    expect(order).toEqual([rig.id("d"), rig.id("best.x"), rig.id("a")]);
    expect(names(last)).toEqual(["undone", "ended"]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(rig.state).toMatchObject({ asked: [], undoing: [], works: {} });
    expect(rig.ends).toHaveLength(1);
  });

  test("when the slip has been worked off and only the loser is waited for", () => {
    const rig = new ProcessRig(slipOf([one("a"), best()], { output: { from: ["best"] } }));
    rig.accept();
    rig.output(rig.id("a"));
    rig.output(rig.id("best.y"), "Y");
    const { order } = rig.undoAll(failUndo(rig, rig.id("best.x")));
    expect(order).toEqual([rig.id("best.y"), rig.id("a")]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(rig.state.outcome).not.toHaveProperty("output");
    expect(rig.ends).toHaveLength(1);
  });

  test("the dead letter names the loser, whose undo a person must see to, and goes to the dead letter queue", () => {
    const rig = new ProcessRig(slipOf([one("a"), best()]));
    rig.accept();
    rig.output(rig.id("a"));
    rig.output(rig.id("best.y"), "Y");
    const { last } = rig.undoAll(failUndo(rig, rig.id("best.x")));
    expect(rig.letter).toMatchObject({
      stop: "best.x",
      fault: {
        code: "compensation.failed",
        message:
          `${rig.id("best.x")} could not be undone in ${LIMITS.undoAttemptsMax} attempts; the last failed with ` +
          "agent.failed: agent.failed!",
      },
    });
    expect(
      last.effects.map((effect) => (effect.kind === "index" ? effect.index : effect.kind === "notify" ? effect.topic : effect.kind)),
    ).toEqual(["Directory", "DeadLetterQueue", "deadletters", "results"]);
  });

  test("the undo of a failed optional call too", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b", { optional: true }), one("c", { timeoutMs: 1_800_000 })]));
    rig.accept();
    rig.output(rig.id("a"));
    expect(asksUndo(rig.fault(rig.id("b")))).toEqual([rig.id("b")]);
    const { order } = rig.undoAll(failUndo(rig, rig.id("b")));
    expect(order).toEqual([rig.id("c"), rig.id("a")]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(rig.ends).toHaveLength(1);
  });

  test("a second loser's undo still goes on, and the first reason stays", () => {
    const rig = new ProcessRig(slipOf([one("a"), { kind: "any", name: "best", branches: { x: call("B"), y: call("C"), z: call("D") } }]));
    rig.accept();
    rig.output(rig.id("a"));
    expect(asksUndo(rig.output(rig.id("best.x"), "X"))).toEqual([rig.id("best.z"), rig.id("best.y")]);
    for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
      for (const branch of ["best.z", "best.y"]) rig.fault(`${rig.id(branch)}/undo`, "agent.failed", attempt);
      if (attempt < LIMITS.undoAttemptsMax) rig.after(LIMITS.undoBackoffMsMax).tick();
    }
    expect(rig.log.filter((event) => event.e === "undo-failed")).toHaveLength(2);
    expect(rig.log.filter((event) => event.e === "ending")).toMatchObject([{ ending: { stop: "best.z" } }]);
    expect(rig.open).toEqual([`${rig.id("best.x")}/undo`]);
    rig.output(`${rig.id("best.x")}/undo`, null);
    rig.output(`${rig.id("a")}/undo`, null);
    expect(rig.state.outcome?.status).toBe("failed");
    expect(rig.ends).toHaveLength(1);
  });

  test("a loser whose undo fails only after many attempts and then succeeds turns nothing round", () => {
    const rig = new ProcessRig(slipOf([one("a"), best()], { output: { from: ["best"] } }));
    rig.accept();
    rig.output(rig.id("a"));
    rig.output(rig.id("best.x"), "X");
    for (let attempt = 1; attempt < LIMITS.undoAttemptsMax; attempt += 1) {
      rig.fault(`${rig.id("best.y")}/undo`, "agent.failed", attempt);
      rig.after(LIMITS.undoBackoffMsMax).tick();
    }
    rig.output(`${rig.id("best.y")}/undo`, null, LIMITS.undoAttemptsMax);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "X" } });
    expect(rig.log.filter((event) => event.e === "ending")).toEqual([]);
  });
});

describe("law: a branch of an any may fail without making the outcome partial", () => {
  const best: Stop = { kind: "any", name: "best", branches: { x: call("A", { optional: true }), y: call("B", { optional: true }) } };

  test("a failed optional loser is undone, and the outcome is completed", () => {
    const rig = new ProcessRig(slipOf([best], { output: { from: ["best"] } }));
    rig.accept();
    expect(rig.fault(rig.id("best.x")).events).toMatchObject([{ e: "failed", tolerated: false }]);
    const { order } = rig.undoAll(rig.output(rig.id("best.y"), "Y"));
    expect(order).toEqual([rig.id("best.x")]);
    expect(rig.state.outcome).toEqual({ status: "completed", output: { json: "Y" }, atMs: T0 });
  });

  test("one that handed off without leave fails in the same way", () => {
    const rig = new ProcessRig(slipOf([best], { output: { from: ["best"] } }));
    rig.accept();
    expect(rig.result(rig.id("best.x"), { handOff: { agent: "C", input: { json: 1 } } }).events).toMatchObject([
      { e: "failed", tolerated: false, fault: { code: "handoff.undeclared" } },
    ]);
    rig.undoAll(rig.output(rig.id("best.y"), "Y"));
    expect(rig.state.outcome?.status).toBe("completed");
  });

  test("an optional call beside it that fails still makes it partial", () => {
    const rig = new ProcessRig(slipOf([best, one("c", { optional: true })], { output: { from: ["best"] } }));
    rig.accept();
    rig.fault(rig.id("best.x"));
    rig.output(rig.id("best.y"), "Y");
    rig.output(`${rig.id("best.x")}/undo`, null);
    rig.undoAll(rig.fault(rig.id("c")));
    expect(rig.state.outcome).toMatchObject({ status: "partial", output: { json: "Y" } });
  });

  test("when all fail the stop has failed, optional or not", () => {
    const rig = new ProcessRig(slipOf([best]));
    rig.accept();
    rig.fault(rig.id("best.x"));
    rig.undoAll(rig.fault(rig.id("best.y")));
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "join.failed" } });
  });
});

describe("law: a nested route remembers, and compensates, for as long as its parent may request it", () => {
  const inner = { version: 3, stops: [one("a"), one("b")], output: { from: ["b"] } };
  const outer = {
    version: 1,
    stops: [{ kind: "one" as const, name: "deep", call: call("A", { target: { kind: "route", route: "inner" } }) }],
    output: { from: ["deep"] },
  };
  const slip = slipOf([{ kind: "one", name: "sub", call: call("A", { target: { kind: "route", route: "inner" }, timeoutMs: 20_000 }) }], {
    routes: { inner, outer },
    output: { from: ["sub"] },
  });
  const PARENT = { processId: "p", workId: "p:1:sub:0:1" };
  const TIMEOUT_MS = 20_000;
  const FAR_MS = T0 + 10 * DAY_MS;

  function accepted(
    retainUntilMs: number | undefined,
    route = "inner",
  ): { readonly rig: ProcessRig; readonly asked: Decision<ProcessEvent> } {
    const rig = new ProcessRig(slip, "c");
    const message = rig.taskMessage({ route, parent: PARENT, nesting: ["main"], timeoutMs: TIMEOUT_MS });
    if (message.body.kind !== "task") throw new Error("a task message has a task body");
    const body = { ...message.body, ...(retainUntilMs === undefined ? {} : { retainUntilMs }) };
    return { rig, asked: rig.give({ kind: "message", message: { ...message, body }, bucket: "b" }) };
  }

  function completed(retainUntilMs: number | undefined): ProcessRig {
    const { rig } = accepted(retainUntilMs);
    rig.output(rig.id("a"));
    rig.output(rig.id("b"), "B");
    expect(rig.state.outcome).toMatchObject({ status: "completed" });
    return rig;
  }

  const undo = (rig: ProcessRig): Decision<ProcessEvent> =>
    rig.body({ kind: "undo", workId: PARENT.workId, undoId: `${PARENT.workId}/undo`, attempt: 1, agent: "inner", retainUntilMs: FAR_MS });

  test("the parent's task carries the end of its own compensation", () => {
    const rig = new ProcessRig(slip);
    const [task] = sends(rig.accept({ timeoutMs: 3 * DAY_MS }).effects);
    expect(task?.body).toMatchObject({
      kind: "task",
      route: "inner",
      timeoutMs: 20_000,
      retainUntilMs: T0 + 3 * DAY_MS + LIMITS.compensationMsMax,
    });
  });

  test("the child's requests carry the later of the two ends, further down too", () => {
    const far = accepted(FAR_MS);
    expect(sends(far.asked.effects)[0]?.body).toMatchObject({ kind: "work", retainUntilMs: FAR_MS });
    const near = accepted(T0 + 1);
    expect(sends(near.asked.effects)[0]?.body).toMatchObject({ kind: "work", retainUntilMs: T0 + TIMEOUT_MS + LIMITS.compensationMsMax });
    const none = accepted(undefined);
    expect(sends(none.asked.effects)[0]?.body).toMatchObject({ kind: "work", retainUntilMs: T0 + TIMEOUT_MS + LIMITS.compensationMsMax });
    expect(none.rig.state.task).not.toHaveProperty("retainUntilMs");
    const deep = accepted(FAR_MS, "outer");
    expect(sends(deep.asked.effects)[0]?.body).toMatchObject({ kind: "task", route: "inner", retainUntilMs: FAR_MS });
  });

  test("undone days after its own end, it asks with that horizon, asks again after refusals, and tells that all is undone", () => {
    const rig = completed(FAR_MS);
    const asked = undo(rig.after(5 * DAY_MS));
    expect(sends(asked.effects)).toMatchObject([
      { expiresAtMs: FAR_MS, body: { kind: "undo", workId: rig.id("b"), retainUntilMs: FAR_MS } },
    ]);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(rig.nowMs + LIMITS.undoAnswerMs);
    expect(rig.after(LIMITS.resendMs).tick().events, "a tick gives nothing up").toEqual([]);
    rig.fault(`${rig.id("b")}/undo`);
    const again = rig.after(LIMITS.undoBackoffMsMax).tick();
    expect(sends(again.effects)).toMatchObject([
      { expiresAtMs: FAR_MS, body: { kind: "undo", workId: rig.id("b"), attempt: 2, retainUntilMs: FAR_MS } },
    ]);
    const next = rig.output(`${rig.id("b")}/undo`, null, 2);
    expect(asksUndo(next)).toEqual([rig.id("a")]);
    const done = rig.output(`${rig.id("a")}/undo`, null);
    expect(sends(done.effects).map(({ body }) => body)).toContainEqual({
      kind: "result",
      workId: `${PARENT.workId}/undo`,
      attempt: 1,
      result: { output: { json: { undone: 0, left: [], stands: [], stateStands: false } } },
    });
    expect(rig.state.outcome, "its run keeps its one outcome").toMatchObject({ status: "completed" });
    expect(rig.ends).toHaveLength(1);
  });

  test("without a later end of a parent it gives up at its own", () => {
    const rig = completed(undefined);
    undo(rig.after(TIMEOUT_MS + LIMITS.compensationMsMax));
    expect(names(rig.tick())).toEqual(["undo-failed", "asked", "undo-failed", "undo-finished"]);
  });

  test("at the parent's end, and not before, what is not undone is given up and the parent is told", () => {
    const rig = completed(FAR_MS);
    undo(rig.after(FAR_MS - T0 - 2));
    expect(rig.after(1).tick().events).toEqual([]);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(FAR_MS);
    const given = rig.after(1).tick();
    expect(names(given)).toEqual(["undo-failed", "asked", "undo-failed", "undo-finished"]);
    expect(sends(given.effects).map(({ body }) => body)).toContainEqual(
      expect.objectContaining({
        kind: "result",
        workId: `${PARENT.workId}/undo`,
        result: { fault: expect.objectContaining({ code: "compensation.failed" }) },
      }),
    );
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBeUndefined();
  });
});
