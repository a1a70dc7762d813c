/** @module Timers and signals that a process manager waits for: of stops and of handlers. */
import { describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { isUnanswered } from "../../runtime/process/time.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Call, Stop } from "../../runtime/slip.ts";
import { signalStatus } from "../../runtime/process/waits.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { asksUndo, asksWork, one, ProcessRig, slipOf } from "./process-rig.ts";

const APPROVAL = {
  type: "object",
  properties: { ok: { type: "boolean" } },
  required: ["ok"],
  additionalProperties: false,
} as const;

function signalCall(name: string, more: Partial<Call> = {}): Call {
  return { target: { kind: "signal", name, schema: APPROVAL }, input: { literal: null }, optional: false, ...more };
}

function timerCall(ms: number, more: Partial<Call> = {}): Call {
  return { target: { kind: "timer" }, input: { literal: ms }, optional: false, ...more };
}

const waitFor = (name: string, more: Partial<Call> = {}): Stop => ({ kind: "one", name, call: signalCall(name, more) });
const sleep = (name: string, ms: number): Stop => ({ kind: "one", name, call: timerCall(ms) });
const OUTPUT = { output: { object: { got: { from: ["approval"] as const } } } };

function signal(rig: ProcessRig, name: string, payload: Json, signalId = "s1"): ReturnType<ProcessRig["body"]> {
  return rig.body({ kind: "signal", name, signalId, payload: { json: payload } });
}

const DAY_MS = 86_400_000;

describe("stops", () => {
  test("a pause costs a timer alone, wakes the process at its moment, and its output is null", () => {
    const rig = new ProcessRig(slipOf([sleep("nap", 5 * 3_600_000), one("b")]));
    const begun = rig.accept({ timeoutMs: DAY_MS });
    expect(sends(begun.effects)).toEqual([]);
    const wakeMs = T0 + 5 * 3_600_000;
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(wakeMs);
    expect(isUnanswered(rig.state, rig.nowMs)).toBe(false);
    expect(rig.after(5 * 3_600_000 - 1).tick().events).toEqual([]);
    const woken = rig.after(1).tick();
    expect(asksWork(woken)).toEqual([rig.id("b")]);
    expect(rig.state.outputs["nap"]).toEqual({ json: null });
    expect(rig.state.history.map(({ what }) => what)).toEqual(["timer set", "timer", "asked"]);
  });

  test("a length that is none ends the process with slip.mapping", () => {
    const rig = new ProcessRig(slipOf([{ kind: "one", name: "nap", call: timerCall(0, { input: { literal: "soon" } }) }]));
    rig.accept();
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "slip.mapping" } });
  });

  test("a signal ends the wait; its payload is the output", () => {
    const rig = new ProcessRig(slipOf([waitFor("approval")], { output: { object: { got: { from: ["approval"] } } } }));
    rig.accept();
    expect(isUnanswered(rig.state, rig.nowMs)).toBe(false);
    expect(names(signal(rig, "approval", { ok: true }))).toEqual(["wait-ended", "stop-done", "ended"]);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: { got: { ok: true } } } });
  });

  test("a payload that does not fit is refused and changes nothing", () => {
    const rig = new ProcessRig(slipOf([waitFor("approval")]));
    rig.accept();
    expect(signal(rig, "approval", { ok: "yes" })).toMatchObject({
      events: [],
      verdict: { kind: "refused", fault: { code: "schema.signal", details: { path: "ok" } } },
    });
    expect(signal(rig, "approval", { ok: true, more: 1 })).toMatchObject({ events: [], verdict: { kind: "refused" } });
    expect(names(signal(rig, "approval", { ok: true }))).toContain("wait-ended");
  });

  test("a signal that comes early is kept, and the same id is the same signal", () => {
    const rig = new ProcessRig(slipOf([one("a"), waitFor("approval"), waitFor("more", {})], OUTPUT));
    rig.accept();
    expect(names(signal(rig, "approval", { ok: true }))).toEqual(["signal-kept"]);
    expect(signal(rig, "approval", { ok: true })).toMatchObject({ events: [], verdict: { kind: "received" } });
    rig.output(rig.id("a"));
    expect(rig.state.outputs["approval"]).toEqual({ json: { ok: true } });
    expect(rig.state.signals).toBeUndefined();
    expect(signal(rig, "approval", { ok: true }), "taken already").toMatchObject({ events: [], verdict: { kind: "received" } });
    expect(names(signal(rig, "more", { ok: false }, "s2"))).toContain("ended");
  });

  test("a kept signal that does not fit its wait is dropped with a history entry, and the next one is taken", () => {
    const rig = new ProcessRig(slipOf([one("a"), waitFor("approval")], OUTPUT));
    rig.accept();
    signal(rig, "approval", "no", "s1");
    signal(rig, "approval", { ok: true }, "s2");
    expect(names(rig.output(rig.id("a")))).toEqual([
      "answered",
      "stop-done",
      "stop-begun",
      "wait-begun",
      "signal-dropped",
      "wait-ended",
      "stop-done",
      "ended",
    ]);
    expect(rig.state.outcome).toMatchObject({ output: { json: { got: { ok: true } } } });
    expect(rig.state.history).toContainEqual(expect.objectContaining({ what: "signal approval dropped", code: "schema.signal" }));
  });

  test("the receipt says what became of a signal, also when it is repeated, and what is waited for instead", () => {
    const rig = new ProcessRig(slipOf([one("a"), waitFor("approval"), one("b")], OUTPUT));
    rig.accept();
    signal(rig, "approval", "no", "s1");
    expect(signalStatus(rig.state, "s1")).toEqual({ state: "kept" });
    rig.output(rig.id("a"));
    expect(signalStatus(rig.state, "s1")).toEqual({ state: "dropped" });
    signal(rig, "approva", { ok: true }, "s2");
    expect(signalStatus(rig.state, "s2")).toEqual({ state: "kept", waitsFor: ["approval"] });
    signal(rig, "approval", { ok: true }, "s3");
    expect(signalStatus(rig.state, "s3")).toEqual({ state: "taken" });
    expect(signalStatus(rig.state, "s2")).toEqual({ state: "kept" });
  });

  test("the same id with another payload or name is a conflict, and nothing changes, also when the process has ended", () => {
    const rig = new ProcessRig(slipOf([one("a"), waitFor("approval")], OUTPUT));
    rig.accept();
    const conflicts = (id: string, payload: Json, name = "approval"): void =>
      expect(signal(rig, name, payload, id)).toMatchObject({
        events: [],
        verdict: { kind: "refused", fault: { code: "signal.conflict" } },
      });
    signal(rig, "approval", "no", "s1");
    signal(rig, "approval", { ok: true }, "s2");
    conflicts("s1", { ok: true });
    conflicts("s2", { ok: true }, "approva");
    rig.output(rig.id("a"));
    expect(rig.state.phase).toBe("ended");
    conflicts("s1", { ok: true });
    conflicts("s2", { ok: false });
    for (const [id, payload] of [
      ["s1", "no"],
      ["s2", { ok: true }],
    ] as const)
      expect(signal(rig, "approval", payload, id)).toMatchObject({ events: [], verdict: { kind: "received" } });
  });

  test("what is kept and what is remembered is bounded", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    for (let count = 0; count < LIMITS.signalsKeptMax; count += 1) signal(rig, "x", count, `s${count}`);
    expect(signal(rig, "x", 0, "one-more")).toMatchObject({ events: [], verdict: { fault: { code: "signal.too-many" } } });
    const taker = new ProcessRig(
      slipOf([
        { kind: "forEach", name: "each", over: { from: ["task"] }, call: signalCall("go", { input: { literal: null } }), concurrency: 1 },
      ]),
    );
    taker.accept({ input: Array.from({ length: LIMITS.signalIdsMax + 5 }, (_, index) => index) });
    for (let count = 0; count < LIMITS.signalIdsMax + 4; count += 1) signal(taker, "go", { ok: true }, `s${count}`);
    expect(taker.state.signalIds).toHaveLength(LIMITS.signalIdsMax);
    expect(names(signal(taker, "go", { ok: true }, "last"))).toContain("ended");
  });

  test("first come, first served: signals of one name end the waits in the order in which those began", () => {
    const all: Stop = { kind: "all", name: "both", branches: { first: signalCall("go"), second: signalCall("go"), other: timerCall(10) } };
    const rig = new ProcessRig(slipOf([all], { output: { object: { one: { from: ["first"] }, two: { from: ["second"] } } } }));
    rig.accept();
    signal(rig, "go", { ok: true }, "s1");
    signal(rig, "go", { ok: false }, "s2");
    rig.after(10).tick();
    expect(rig.state.outcome).toMatchObject({ output: { json: { one: { ok: true }, two: { ok: false } } } });
  });

  test("without a signal in time the stop fails with wait.timeout, and is not tried again", () => {
    const rig = new ProcessRig(slipOf([one("a"), waitFor("approval", { timeoutMs: 1_000 })]));
    rig.accept();
    rig.output(rig.id("a"));
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + 1_000);
    const late = rig.after(1_000).tick();
    expect(asksUndo(late)).toEqual([rig.id("a")]);
    expect(rig.state.ending).toMatchObject({ status: "failed", fault: { code: "wait.timeout" }, stop: "approval" });
  });

  test("an optional wait has the output null then, and the process ends partial", () => {
    const rig = new ProcessRig(slipOf([waitFor("approval", { timeoutMs: 1_000, optional: true })], OUTPUT));
    rig.accept();
    rig.after(1_000).tick();
    expect(rig.state.outcome).toMatchObject({ status: "partial", output: { json: { got: null } } });
  });

  test("any: a signal or a timer, whichever is first, and the other wait goes", () => {
    const any: Stop = { kind: "any", name: "first", branches: { asked: signalCall("approval"), late: timerCall(1_000) } };
    const rig = new ProcessRig(slipOf([any, one("b")], { output: { object: { got: { from: ["first"] } } } }));
    rig.accept();
    expect(asksWork(rig.after(1_000).tick())).toEqual([rig.id("b")]);
    expect(rig.state.waits).toBeUndefined();
    expect(names(signal(rig, "approval", { ok: true }))).toEqual(["signal-kept"]);
  });

  test("any: a branch that is skipped cannot win against one that waits", () => {
    const any: Stop = { kind: "any", name: "first", branches: { never: timerCall(1, { when: "false" }), asked: signalCall("approval") } };
    const rig = new ProcessRig(slipOf([any], { output: { from: ["first"] } }));
    rig.accept();
    expect(rig.state.outcome).toBeUndefined();
    signal(rig, "approval", { ok: true });
    expect(rig.state.outcome).toMatchObject({ output: { json: { ok: true } } });
  });

  test("forEach counts waits against its concurrency", () => {
    const each: Stop = { kind: "forEach", name: "each", over: { from: ["task"] }, call: timerCall(100), concurrency: 2 };
    const rig = new ProcessRig(slipOf([each]));
    rig.accept({ input: [1, 2, 3] });
    expect(Object.keys(rig.state.waits ?? {})).toEqual([rig.id("each[]", 0), rig.id("each[]", 1)]);
    rig.after(100).tick();
    expect(Object.keys(rig.state.waits ?? {})).toEqual([rig.id("each[]", 2)]);
  });

  test("a cancelled process drops its waits and no longer takes a signal", () => {
    const rig = new ProcessRig(slipOf([one("a"), waitFor("approval")]));
    rig.accept();
    rig.output(rig.id("a"));
    const turned = rig.cancel();
    expect(rig.state.waits).toBeUndefined();
    expect(signal(rig, "approval", { ok: true })).toMatchObject({ events: [], verdict: { fault: { code: "process.ended" } } });
    rig.undoAll(turned);
    expect(rig.state.outcome).toMatchObject({ status: "cancelled" });
  });

  test("at its deadline a waiting process expires", () => {
    const rig = new ProcessRig(slipOf([waitFor("approval")]));
    rig.accept({ timeoutMs: 1_000 });
    rig.after(1_000).tick();
    expect(rig.state.outcome).toMatchObject({ status: "expired" });
  });

  test("a signal to what never was, or has ended, is refused", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    expect(signal(rig, "x", 1)).toMatchObject({ events: [], verdict: { fault: { code: "process.unknown" } } });
    rig.accept();
    rig.output(rig.id("a"));
    expect(signal(rig, "x", 1)).toMatchObject({ events: [], verdict: { fault: { code: "process.ended" } } });
  });

  test("kept signals and their ids go with the process into its next run", () => {
    const rig = new ProcessRig(slipOf([one("a"), waitFor("approval")], OUTPUT));
    rig.accept();
    signal(rig, "approval", { ok: true });
    rig.undoAll(rig.fault(rig.id("a")));
    rig.redrive();
    rig.output(rig.id("a"));
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: { got: { ok: true } } } });
  });
});

describe("handlers", () => {
  const A = "p:1:a:0:1";

  function timer(rig: ProcessRig, index: number, ms: number): ReturnType<ProcessRig["body"]> {
    return rig.body({ kind: "wait", workId: A, index, for: { kind: "timer", ms } });
  }

  function answers(decision: ReturnType<ProcessRig["body"]>): readonly unknown[] {
    return sends(decision.effects).flatMap(({ body }) => (body.kind === "answer" ? [body] : []));
  }

  test("a timer of a handler is answered at its moment, and the attempt's time stood still meanwhile", () => {
    const rig = new ProcessRig(slipOf([one("a", { timeoutMs: 5_000 })]));
    rig.accept({ timeoutMs: DAY_MS });
    rig.after(1_000);
    expect(names(timer(rig, 0, 3_600_000))).toEqual(["wait-begun"]);
    expect(timer(rig, 0, 3_600_000).events, "asked for again").toEqual([]);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + 1_000 + 3_600_000);
    expect(isUnanswered(rig.state, rig.nowMs)).toBe(false);
    const woken = rig.after(3_600_000).tick();
    expect(answers(woken)).toEqual([{ kind: "answer", workId: A, index: 0, result: { output: { json: null } } }]);
    expect(isUnanswered(rig.state, rig.nowMs)).toBe(true);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(rig.nowMs + 4_000);
    expect(answers(timer(rig, 0, 3_600_000)), "a repeated wait is answered again").toHaveLength(1);
  });

  test("an answer is said again for a while, and then as seldom as a waiting handler's reminder rings", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept({ timeoutMs: DAY_MS });
    timer(rig, 0, 1_000);
    timer(rig, 1, 3_600_000);
    rig.after(1_000).tick();
    expect(isUnanswered(rig.state, rig.nowMs)).toBe(true);
    rig.after(LIMITS.answerMs);
    rig.give({ kind: "told", workId: A, attempt: 1, work: { state: "waiting" } });
    expect(isUnanswered(rig.state, rig.nowMs)).toBe(false);
    expect(answers(rig.tick())).toHaveLength(1);
  });

  test("each answer lets the time of an attempt run again, until its handler only waits for others", () => {
    const rig = new ProcessRig(slipOf([one("a", { timeoutMs: 5_000 })]));
    rig.accept({ timeoutMs: DAY_MS });
    timer(rig, 0, 1_000);
    timer(rig, 1, 3_600_000);
    rig.after(1_000).tick();
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs), "the loser of a race stops no time").toBe(rig.nowMs + 5_000);
    rig.after(5_000);
    rig.give({ kind: "told", workId: A, attempt: 1, work: { state: "waiting", runningMs: 0 } });
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + 3_600_000);
    rig.after(3_594_000).tick();
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(rig.nowMs + 5_000);
  });

  test("a signal of a handler, its payload checked; a timeout is a fault for the handler", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    const schema = { json: APPROVAL };
    rig.body({ kind: "wait", workId: A, index: 0, for: { kind: "signal", name: "go", schema } });
    rig.body({ kind: "wait", workId: A, index: 1, for: { kind: "signal", name: "stop", schema, timeoutMs: 500 } });
    expect(signal(rig, "go", 1)).toMatchObject({ events: [], verdict: { fault: { code: "schema.signal" } } });
    expect(answers(signal(rig, "go", { ok: true }))).toMatchObject([{ index: 0, result: { output: { json: { ok: true } } } }]);
    expect(answers(rig.after(500).tick())).toMatchObject([{ index: 1, result: { fault: { code: "wait.timeout" } } }]);
    expect(rig.state.ending).toBeUndefined();
  });

  test("a work item's waits go with it, and stay over its attempts", () => {
    const rig = new ProcessRig(slipOf([one("a", { retry: { attemptsMax: 2, backoffMs: 10, backoffMsMax: 10, jitter: 0 } }), one("b")]));
    rig.accept();
    timer(rig, 0, 60_000);
    rig.fault(A, "agent.failed");
    expect(Object.keys(rig.state.waits ?? {})).toHaveLength(1);
    rig.after(10).tick();
    rig.output(A, "done", 2);
    expect(rig.state.waits).toBeUndefined();
    expect(rig.state.progress?.stop).toBe("b");
  });

  test("more waits than one work item may have are refused to the handler", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    rig.accept();
    expect(answers(timer(rig, LIMITS.asksPerWorkMax, 1))).toMatchObject([{ result: { fault: { code: "ask.too-many" } } }]);
  });
});
