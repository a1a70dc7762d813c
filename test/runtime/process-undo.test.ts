/**
 * @module Decisions on the way back: cancellation in every phase, reverse order, failed compensations, last effects.
 */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { names, sends, T0, TRACE } from "./machine-rig.ts";
import { asksUndo, call, one, ProcessRig, slipOf } from "./process-rig.ts";

const three = slipOf([one("a"), { kind: "all", name: "all-2", branches: { x: call("B"), y: call("C") } }, one("d")]);
const A = "p:1:a:0:1";

describe("law: every request that is not known to be undone is compensated, newest first, one at a time", () => {
  test("completed, unanswered and failed work alike", () => {
    const rig = new ProcessRig(three);
    rig.accept();
    rig.output(A);
    rig.output(rig.id("y"));
    const failed = rig.fault(rig.id("x"));
    expect(rig.open).toEqual(["p:1:y:0:1/undo"]);
    const { order, last } = rig.undoAll(failed);
    expect(order).toEqual(["p:1:y:0:1", "p:1:x:0:1", A]);
    expect(names(last)).toEqual(["undone", "ended"]);
    expect(rig.state).toMatchObject({ asked: [], undoing: [], works: {} });
  });

  test("a repeated answer to a compensation is received and changes nothing", () => {
    const rig = new ProcessRig(three);
    rig.accept();
    rig.output(A);
    rig.cancel();
    rig.output("p:1:y:0:1/undo", null);
    expect(rig.output("p:1:y:0:1/undo", null)).toMatchObject({ events: [], effects: [], verdict: { kind: "received" } });
  });

  test("an unanswered compensation is asked again; a silent one is tried again after its timeout", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    const asked = rig.cancel();
    expect(sends(rig.after(LIMITS.resendMs).tick().effects)).toEqual(sends(asked.effects));
    expect(rig.after(LIMITS.undoAnswerMs).tick().events).toEqual([{ e: "set-aside", agent: "A" }]);
    expect(rig.after(LIMITS.undoTimeoutMs).tick().events).toMatchObject([{ e: "attempt-failed", fault: { code: "stop.timeout" } }]);
  });
});

describe("law: a compensation has its own limit of attempts; then a person is needed", () => {
  function exhausted(): ProcessRig {
    const rig = new ProcessRig(slipOf([one("a"), one("b")]));
    rig.accept();
    rig.output(A);
    rig.fault(rig.id("b"));
    for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
      rig.fault("p:1:b:0:1/undo", "agent.refused", attempt);
      rig.after(LIMITS.undoBackoffMsMax).tick();
    }
    return rig;
  }

  test("the others are still undone, then it is failed with a dead letter that says which", () => {
    const rig = exhausted();
    expect(rig.log.filter((event) => event.e === "undo-failed")).toMatchObject([
      { workId: "p:1:b:0:1/undo", fault: { code: "compensation.failed" } },
    ]);
    expect(rig.open).toEqual([`${A}/undo`]);
    rig.output(`${A}/undo`, null);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(rig.ends).toHaveLength(1);
  });

  test("the dead letter holds the original message, fault, attempts, history, path and trace id", () => {
    const rig = exhausted();
    rig.output(`${A}/undo`, null);
    expect(rig.letter).toMatchObject({
      processId: "p",
      run: 1,
      route: "main",
      traceId: TRACE.traceparent.slice(3, 35),
      stop: "b",
      principal: "ada",
      path: ["B"],
      original: { kind: "do", workId: "p:1:b:0:1", target: { kind: "agent", agent: "B" }, actor: "p", input: { json: { n: 1 } } },
      fault: { code: "compensation.failed" },
    });
    expect((rig.letter["history"] as readonly { readonly what: string }[]).map((line) => line.what)).toContain("undo failed");
  });

  test("cancelled with a compensation that failed is failed, so that it is not mistaken for undone", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    rig.cancel();
    for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
      rig.fault(`${A}/undo`, "agent.refused", attempt);
      rig.after(LIMITS.undoBackoffMsMax).tick();
    }
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
  });
});

describe("cancellation", () => {
  test("of a process in work compensates and ends cancelled, without a dead letter", () => {
    const rig = new ProcessRig(three);
    rig.accept();
    const cancelled = rig.cancel("changed my mind");
    expect(names(cancelled)).toEqual(["acted", "ending", "asked"]);
    rig.undoAll(cancelled);
    expect(rig.state.outcome).toEqual({ status: "cancelled", fault: { code: "process.cancelled", message: "changed my mind" }, atMs: T0 });
  });

  test("repeated during it or after it, is received and changes nothing", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    const cancelled = rig.cancel();
    expect(rig.cancel()).toMatchObject({ events: [], verdict: { kind: "received" } });
    rig.undoAll(cancelled);
    expect(rig.cancel()).toMatchObject({ events: [], verdict: { kind: "received" } });
    expect(rig.ends).toHaveLength(1);
  });

  test("of a process that ended otherwise is refused", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    rig.output(A);
    expect(rig.cancel()).toMatchObject({ events: [], verdict: { fault: { code: "process.ended" } } });
  });

  test("of one that is failing already leaves the first reason", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    const failed = rig.fault(A);
    expect(rig.cancel()).toMatchObject({ events: [] });
    rig.undoAll(failed);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
  });

  test("while a pause lasts, or with losers still being undone, waits for what was begun", () => {
    const rig = new ProcessRig(slipOf([{ kind: "any", name: "best", branches: { x: call("A"), y: call("B") } }, one("c")]));
    rig.accept();
    const won = rig.output(rig.id("best.x"));
    expect(asksUndo(won)).toEqual(["p:1:best.y:0:1"]);
    const cancelled = rig.cancel();
    expect(names(cancelled)).toEqual(["acted", "ending", "asked"]);
    expect(asksUndo(cancelled), "what runs is stopped at once").toEqual(["p:1:c:0:1"]);
    rig.output("p:1:best.y:0:1/undo", null);
    const { order } = rig.undoAll(rig.output("p:1:c:0:1/undo", null));
    expect(order).toEqual(["p:1:best.x:0:1"]);
    expect(rig.state.outcome?.status).toBe("cancelled");
  });
});

describe("what an ended process still owes", () => {
  test("completed: its line in the index and the notification", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    const { effects } = rig.output(A);
    expect(effects).toEqual([
      {
        kind: "index",
        index: "Directory",
        bucket: "b",
        entry: {
          id: "p",
          open: false,
          atMs: T0,
          facts: { route: "main", status: "completed", run: 1, traceId: "a".repeat(32), acceptedAtMs: T0, by: "ada", tenant: "t" },
        },
      },
      {
        kind: "notify",
        topic: "results",
        id: "p:1",
        data: { processId: "p", route: "main", run: 1, status: "completed", traceId: "a".repeat(32), atMs: T0 },
      },
    ]);
    expect(rig.tick()).toMatchObject({ events: [], effects });
    expect(rig.outbox()).toEqual(effects);
  });

  test("failed: the letter at the dead letter queue and its notification too", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    const { last } = rig.undoAll(rig.fault(A));
    expect(
      last.effects.map((effect) => (effect.kind === "index" ? effect.index : effect.kind === "notify" ? effect.topic : effect.kind)),
    ).toEqual(["Directory", "DeadLetterQueue", "deadletters", "results"]);
    expect(last.effects[1]).toMatchObject({
      entry: { id: "p:1", open: true, content: rig.state.outcome?.deadLetter, facts: { code: "agent.refused", message: "agent.refused!" } },
    });
  });

  test("huge error texts cannot keep a process from ending", () => {
    const rig = new ProcessRig(slipOf([one("a", { retry: { attemptsMax: 5, backoffMs: 0, backoffMsMax: 0, jitter: 0 } })]));
    rig.accept();
    const message = "x".repeat(LIMITS.valueBytesMax / 2);
    let last = rig.tick();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      last = rig.result(A, { fault: { code: "agent.failed", message } }, attempt);
      if (attempt < 5) rig.tick();
    }
    rig.undoAll(last);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "agent.failed" } });
    expect(rig.letter).toMatchObject({ original: { workId: A } });
  });

  test("an error text that is no Unicode text, or details that are no JSON, cannot keep a process from ending", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    rig.undoAll(rig.result(A, { fault: { code: "agent.refused", message: "half \ud800 a pair", details: { text: "\udfff" } } }));
    expect(rig.state.outcome?.fault).toEqual({ code: "agent.refused", message: "half \ufffd a pair" });
  });
});
