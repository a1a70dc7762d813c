/** @module Decisions on faults and time: retry by fault class, backoff, timeouts, late and stale results, repeats, reminders. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { asksUndo, asksWork, call, one, ProcessRig, slipOf } from "./process-rig.ts";

const RETRY = { attemptsMax: 3, backoffMs: 1_000, backoffMsMax: 30_000, jitter: 0.5 };
const TRIED = { retry: RETRY, timeoutMs: 5_000 };
const retried = slipOf([one("a", TRIED)], { output: { from: ["a"] } });
const A = "p:1:a:0:1";

describe("a failed attempt", () => {
  test("with a retryable fault waits for its backoff and is asked again under the next message id", () => {
    const rig = new ProcessRig(retried);
    rig.accept();
    expect(rig.fault(A, "agent.failed").events).toEqual([
      {
        e: "attempt-failed",
        workId: A,
        attempt: 1,
        fault: { code: "agent.failed", message: "agent.failed!" },
        atMs: T0,
        againAtMs: T0 + 1_000,
      },
    ]);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + 1_000);
    expect(rig.after(999).tick()).toMatchObject({ events: [], effects: [] });
    const again = rig.after(1).tick();
    expect(again.events).toEqual([{ e: "asked-again", workId: A, attempt: 2, atMs: T0 + 1_000, dueAtMs: T0 + 6_000 }]);
    expect(sends(again.effects).map((message) => [message.id, message.expiresAtMs])).toEqual([[`${A}:2`, T0 + 3_600_000]]);
  });

  test("backs off twice as long each time, of which the random share is jitter", () => {
    const rig = new ProcessRig(retried);
    rig.accept();
    rig.jitter01 = 0.5;
    expect(rig.fault(A, "agent.failed").events).toMatchObject([{ againAtMs: T0 + 750 }]);
    rig.after(750).tick();
    expect(rig.fault(A, "agent.failed", 2).events).toMatchObject([{ againAtMs: rig.nowMs + 1_500 }]);
  });

  test("with a fault that is not retryable is not retried", () => {
    const rig = new ProcessRig(retried);
    rig.accept();
    expect(names(rig.fault(A, "agent.refused"))).toEqual(["failed", "ending", "asked"]);
  });

  test("is the last one when the policy allows no more", () => {
    const rig = new ProcessRig(retried);
    rig.accept();
    for (const attempt of [1, 2]) {
      rig.fault(A, "agent.failed", attempt);
      rig.after(2_000).tick();
    }
    expect(rig.work(A)).toMatchObject({ attempt: 3, status: "asked" });
    const failed = rig.fault(A, "agent.failed", 3);
    expect(asksUndo(failed)).toEqual([A]);
    rig.undoAll(failed);
    expect(rig.letter).toMatchObject({
      original: { kind: "do", workId: A, target: { kind: "agent", agent: "A" }, input: { json: { n: 1 } } },
      path: ["A"],
      traceId: "a".repeat(32),
    });
    expect(rig.letter["attempts"]).toMatchObject([
      { attempt: 1, fault: { code: "agent.failed" } },
      { attempt: 2, fault: { code: "agent.failed" } },
    ]);
  });

  test("is not retried when the backoff would end after the deadline", () => {
    const rig = new ProcessRig(retried);
    rig.accept({ timeoutMs: 1_000 });
    expect(names(rig.fault(A, "agent.failed"))).toEqual(["failed", "ending", "asked"]);
  });
});

describe("late and stale results", () => {
  test("a fault of an earlier attempt is stale; a success of any attempt counts", () => {
    const rig = new ProcessRig(retried);
    rig.accept();
    rig.fault(A, "agent.failed");
    expect(rig.fault(A, "agent.failed")).toMatchObject({ events: [], effects: [] });
    rig.after(1_000).tick();
    expect(rig.fault(A, "agent.refused", 1)).toMatchObject({ events: [], effects: [], verdict: { kind: "received" } });
    rig.output(A, "first", 1);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "first" } });
    expect(rig.output(A, "second", 2)).toMatchObject({ events: [], effects: [], verdict: { kind: "received" } });
  });

  test("a success during the backoff counts", () => {
    const rig = new ProcessRig(retried);
    rig.accept();
    rig.fault(A, "agent.failed");
    rig.output(A, "late", 1);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "late" } });
  });

  test("a result for work that was not requested changes nothing", () => {
    const rig = new ProcessRig(retried);
    rig.accept();
    for (const id of ["p:1:b:0:1", "p:2:a:0:1", "", `${A}/undo`]) expect(rig.output(id)).toMatchObject({ events: [], effects: [] });
  });
});

describe("time", () => {
  test("an attempt that is out of time is asked for once more, and has timed out where no receipt says how it stands", () => {
    const rig = new ProcessRig(retried);
    const [first] = sends(rig.accept().effects);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + 5_000);
    expect(rig.after(4_999).tick().events).toEqual([]);
    const probe = rig.after(1).tick();
    expect(probe.events).toEqual([]);
    expect(probe.effects).toEqual([expect.objectContaining({ kind: "send", message: first, probe: true })]);
    const endMs = T0 + 5_000 + LIMITS.probeMs;
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(endMs);
    expect(rig.after(LIMITS.probeMs - 1).tick().events).toEqual([]);
    expect(rig.after(1).tick().events).toMatchObject([{ e: "attempt-failed", fault: { code: "stop.timeout" }, againAtMs: endMs + 1_000 }]);
  });

  test("an unanswered request is sent again unchanged, and nothing is written", () => {
    const rig = new ProcessRig(retried);
    const first = sends(rig.accept().effects);
    expect(rig.after(LIMITS.resendMs - 1).tick().effects).toEqual([]);
    const again = rig.after(1).tick();
    expect(again.events).toEqual([]);
    expect(sends(again.effects)).toEqual(first);
  });

  test("a tick of a due moment alone sends nothing again; one that asks for all sends also what is recent", () => {
    const rig = new ProcessRig(retried);
    const first = sends(rig.accept().effects);
    expect(rig.after(LIMITS.resendMs).give({ kind: "tick", asks: "none" }).effects).toEqual([]);
    const again = new ProcessRig(retried);
    again.accept();
    expect(sends(again.after(1).give({ kind: "tick", asks: "all" }).effects)).toEqual(first);
  });

  test("a tick long after everything was due does it all at once and decides nothing twice", () => {
    const rig = new ProcessRig(slipOf([{ kind: "all", name: "all-1", branches: { x: call("A", TRIED), y: call("B", TRIED) } }]));
    rig.accept();
    expect(names(rig.after(100_000).tick())).toEqual(["attempt-failed", "attempt-failed"]);
    expect(asksWork(rig.after(100_000).tick())).toEqual(["p:1:x:0:1", "p:1:y:0:1"]);
  });
});

describe("the deadline", () => {
  test("ends the process as expired after everything asked is undone, and not a millisecond early", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b")]));
    rig.accept({ timeoutMs: 10_000 });
    rig.output(A);
    expect(rig.after(9_999).tick().events).toEqual([]);
    const due = rig.after(1).tick();
    expect(names(due)).toEqual(["ending", "asked"]);
    const { order } = rig.undoAll(due);
    expect(order).toEqual(["p:1:b:0:1", A]);
    expect(rig.state.outcome).toMatchObject({ status: "expired", fault: { code: "process.expired" } });
    expect(rig.state.outcome?.deadLetter).toBeUndefined();
    expect(rig.ends).toHaveLength(1);
  });

  test("does not end a compensation, which continues past the deadline with its own attempts and limit", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept({ timeoutMs: 10_000 });
    rig.after(10_000).tick();
    expect(rig.fault(`${A}/undo`, "agent.failed").events).toMatchObject([{ e: "attempt-failed", attempt: 1 }]);
    const asked = rig.after(60_000).tick();
    expect(sends(asked.effects)[0]).toMatchObject({
      id: `${A}/undo:2`,
      expiresAtMs: T0 + 10_000 + LIMITS.compensationMsMax,
      body: { kind: "undo", workId: A, undoId: `${A}/undo`, attempt: 2 },
    });
  });

  test("a compensation that fails with a fault that is not retryable is not tried again; an absent agent may come back", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    rig.cancel();
    expect(rig.fault(`${A}/undo`, "agent.unknown").events).toMatchObject([{ e: "attempt-failed", attempt: 1 }, { e: "set-aside" }]);
    rig.after(60_000).tick();
    rig.fault(`${A}/undo`, "work.crashed", 2);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed", message: /work.crashed!$/ } });
  });

  test("a compensation that exceeds its limit needs a person: failed with a dead letter", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b")]));
    rig.accept({ timeoutMs: 10_000 });
    rig.output(A);
    rig.after(10_000).tick();
    rig.after(LIMITS.compensationMsMax - 1).tick();
    expect(rig.state.phase).toBe("open");
    rig.after(1).tick();
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(rig.ends).toHaveLength(1);
  });
});
