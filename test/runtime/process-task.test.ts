/**
 * @module Decisions on tasks: accepted once, the same or another, expired, empty journals, sequence, mappings, conditions.
 */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { names, sends, T0, TRACE } from "./machine-rig.ts";
import { asksWork, call, one, ProcessRig, slipOf } from "./process-rig.ts";

describe("accepting a task", () => {
  test("records the task, begins the first stop and sends its request, in one decision", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b")]));
    const decision = rig.accept();
    expect(names(decision)).toEqual(["accepted", "stop-begun", "asked"]);
    expect(decision.verdict).toEqual({ kind: "received" });
    expect(sends(decision.effects)).toEqual([
      {
        v: 1,
        id: "p:1:a:0:1:1",
        to: { type: "sys.A", id: "p" },
        from: "sys.ProcessManager/p",
        processId: "p",
        createdAtMs: T0,
        expiresAtMs: T0 + 3_600_000,
        hop: 1,
        principal: { subject: "ada", tenant: "t", permissions: ["book"] },
        trace: TRACE,
        body: {
          kind: "work",
          workId: "p:1:a:0:1",
          attempt: 1,
          agent: "A",
          version: 1,
          input: { json: { n: 1 } },
          retainUntilMs: T0 + 3_600_000 + LIMITS.compensationMsMax,
          ancestors: [],
          first: true,
        },
      },
    ]);
  });

  test("the same task again is the same process: a receipt, nothing written, nothing sent", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    expect(rig.accept()).toEqual({ events: [], effects: [], stored: [], verdict: { kind: "received" } });
  });

  test("the same id with another input, or another route, is a conflict and changes nothing", () => {
    const rig = new ProcessRig(slipOf([one("a")], { routes: { other: { version: 1, stops: [one("a")], output: { literal: 1 } } } }));
    rig.accept();
    for (const parts of [{ input: { n: 2 } }, { route: "other" }]) {
      const decision = rig.accept(parts);
      expect(decision.events).toEqual([]);
      expect(decision.verdict).toMatchObject({ kind: "refused", fault: { code: "process.conflict" } });
    }
  });

  test("a conflict is reported after the end too", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    rig.output(rig.id("a"));
    expect(rig.state.phase).toBe("ended");
    expect(rig.accept({ input: { n: 2 } }).verdict).toMatchObject({ fault: { code: "process.conflict" } });
    expect(rig.accept()).toMatchObject({ events: [], effects: [], verdict: { kind: "received" } });
  });

  test("an expired task is refused, never executed", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    const message = { ...rig.taskMessage(), expiresAtMs: T0 };
    expect(rig.give({ kind: "message", message, bucket: "b" })).toMatchObject({
      events: [],
      verdict: { fault: { code: "message.expired" } },
    });
    expect(rig.state.phase).toBe("new");
  });

  test("a task without its index entry is not accepted", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    expect(rig.give({ kind: "message", message: rig.taskMessage() })).toMatchObject({ events: [], verdict: { kind: "refused" } });
  });

  test("an invalid slip, or one without the route, ends the accepted process as failed with a dead letter", () => {
    const rig = new ProcessRig({ ...slipOf([one("a")]), routes: {} });
    rig.accept();
    expect(rig.state).toMatchObject({ phase: "ended", outcome: { status: "failed", fault: { code: "route.unknown" } } });
    expect(rig.letter).toMatchObject({ original: { kind: "task" }, fault: { code: "route.unknown" } });
    const bad = new ProcessRig({ v: 1, nonsense: true } as unknown as ReturnType<typeof slipOf>);
    bad.accept();
    expect(bad.state.outcome?.fault?.code).toBe("slip.invalid");
  });

  test("an input that a manager does not accept is refused with nothing recorded", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    expect(rig.body({ kind: "answer", workId: "w", index: 0, result: { output: { json: 1 } } })).toMatchObject({
      events: [],
      verdict: { fault: { code: "message.invalid" } },
    });
  });
});

describe("a tick on an empty journal", () => {
  test("first inserts a void record; a task that comes later opens the next run", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    expect(names(rig.tick())).toEqual(["voided"]);
    expect(rig.tick()).toEqual({ events: [], effects: [], stored: [], verdict: { kind: "received" } });
    rig.accept();
    expect(rig.state).toMatchObject({ phase: "open", run: 2 });
    expect(rig.open).toEqual(["p:2:a:0:1"]);
  });

  test("results, questions and cancellations find nothing", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    expect(rig.output("p:1:a:0:1")).toMatchObject({ events: [], verdict: { kind: "received" } });
    expect(rig.question("p:1:a:0:1", 0, "B")).toMatchObject({ events: [], effects: [] });
    expect(rig.cancel()).toMatchObject({ events: [], verdict: { fault: { code: "process.unknown" } } });
    rig.tick();
    expect(rig.cancel()).toMatchObject({ events: [], verdict: { fault: { code: "process.unknown" } } });
  });
});

describe("a sequence", () => {
  const slip = slipOf(
    [
      one("a"),
      one("b", { input: { object: { was: { from: ["a", "x"] }, n: { from: ["task", "n"] } } } }),
      one("c", { input: { list: [{ from: ["a"] }, { from: ["b"] }] } }),
    ],
    {
      output: { object: { a: { from: ["a", "x"] }, c: { from: ["c"] } } },
    },
  );

  test("each stop gets what its mapping reads of the task and of finished stops, and the end gives the output", () => {
    const rig = new ProcessRig(slip);
    rig.accept({ input: { n: 7 } });
    const second = rig.output(rig.id("a"), { x: 1 });
    expect(names(second)).toEqual(["answered", "stop-done", "stop-begun", "asked"]);
    expect(sends(second.effects).map((message) => message.body)).toMatchObject([
      { kind: "work", workId: "p:1:b:0:1", input: { json: { was: 1, n: 7 } } },
    ]);
    const third = rig.output(rig.id("b"), "B");
    expect(sends(third.effects).map((message) => message.body)).toMatchObject([{ input: { json: [{ x: 1 }, "B"] } }]);
    const last = rig.output(rig.id("c"), "C");
    expect(names(last)).toEqual(["answered", "stop-done", "ended"]);
    expect(rig.state.outcome).toEqual({ status: "completed", output: { json: { a: 1, c: "C" } }, atMs: T0 });
    expect(rig.ends).toHaveLength(1);
  });

  test("a mapping that reads a missing value ends the process as failed and compensates what was done", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b", { input: { list: [{ from: ["a", "x"] }] } })]));
    rig.accept();
    const decision = rig.output(rig.id("a"), {});
    expect(names(decision)).toEqual(["answered", "stop-done", "stop-begun", "ending", "asked"]);
    expect(rig.undoAll(decision).order).toEqual(["p:1:a:0:1"]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "slip.mapping" } });
    expect(rig.letter).toMatchObject({ stop: "b", original: { kind: "task" } });
  });

  test("content that is too large for a record is stored once and read again in the same decision", () => {
    const big = "x".repeat(LIMITS.valueInlineBytesMax);
    const rig = new ProcessRig(
      slipOf([one("a"), one("b", { input: { object: { big: { from: ["a"] } } } })], { agents: { B: { key: { from: ["input", "big"] } } } }),
    );
    rig.accept();
    const decision = rig.output(rig.id("a"), big);
    expect(decision.stored).toHaveLength(1);
    expect(sends(decision.effects)[0]?.body).toMatchObject({ kind: "work", input: { ref: decision.stored[0]?.ref } });
    expect(sends(decision.effects)[0]?.to.id).toMatch(/^x-[0-9a-f]{64}$/);
  });
});

describe("when", () => {
  const slip = (when: string): ReturnType<typeof slipOf> =>
    slipOf([one("a", { when }), one("b", { input: { object: { a: { from: ["a"] } } } })]);

  test("true makes the stop, false skips it with the output null", () => {
    const yes = new ProcessRig(slip("task.n > 0"));
    expect(asksWork(yes.accept())).toEqual(["p:1:a:0:1"]);
    const no = new ProcessRig(slip("task.n > 1"));
    const decision = no.accept();
    expect(names(decision)).toEqual(["accepted", "stop-begun", "skipped", "stop-done", "stop-begun", "asked"]);
    expect(sends(decision.effects)[0]?.body).toMatchObject({ workId: "p:1:b:0:1", input: { json: { a: null } } });
  });

  test("a condition that cannot be evaluated, or gives no boolean, fails the process", () => {
    for (const when of ["task.nothing > 1", "task.n", "unknown == 1"]) {
      const rig = new ProcessRig(slip(when));
      rig.accept();
      expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "slip.condition" } });
    }
  });

  test("a route in which everything is skipped completes at once", () => {
    const rig = new ProcessRig(
      slipOf([one("a", { when: "false" }), { kind: "all", name: "all-2", branches: { x: call("B", { when: "false" }) } }], {
        output: { list: [{ from: ["a"] }, { from: ["x"] }] },
      }),
    );
    rig.accept();
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: [null, null] } });
  });
});
