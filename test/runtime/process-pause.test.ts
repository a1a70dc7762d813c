/** @module Decisions on pauses: nothing new begins, answers are kept, due times move, and the limit holds. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { requestId } from "../../runtime/ids.ts";
import type { Decision } from "../../runtime/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { HOUR_MS, SECOND_MS } from "../../runtime/units.ts";
import { names, sends } from "./machine-rig.ts";
import { asksUndo, call, one, ProcessRig, slipOf } from "./process-rig.ts";

let ids = 0;

function order(rig: ProcessRig, kind: "pause" | "resume", tree = true): Decision<ProcessEvent> {
  ids += 1;
  return rig.give({ kind: "message", message: rig.message(`order-${ids}`, { kind, reason: "why", tree }) });
}

function accepted(...stops: Parameters<typeof slipOf>[0]): ProcessRig {
  const rig = new ProcessRig(slipOf(stops));
  rig.accept({ timeoutMs: 20 * HOUR_MS });
  return rig;
}

describe("while paused", () => {
  test("an answer is kept, and the next stop begins when the process goes on", () => {
    const rig = accepted(one("a"), one("b"));
    expect(sends(order(rig, "pause").effects)).toEqual([]);
    const kept = rig.output(rig.id("a"));
    expect([names(kept), sends(kept.effects)]).toEqual([["held-back"], []]);
    expect(rig.open).toEqual([rig.id("a")]);
    rig.nowMs += 5 * SECOND_MS;
    const resumed = order(rig, "resume");
    expect(names(resumed)).toEqual(["resumed", "taken-back", "answered", "stop-done", "stop-begun", "asked"]);
    expect(sends(resumed.effects).map(({ body }) => body.kind)).toEqual(["work"]);
    rig.output(rig.id("b"));
    expect(rig.state.outcome).toMatchObject({ status: "completed" });
  });

  test("the same answer twice is kept once", () => {
    const rig = accepted(one("a"));
    order(rig, "pause");
    rig.output(rig.id("a"));
    expect(names(rig.output(rig.id("a")))).toEqual([]);
    expect(rig.state.heldBack).toHaveLength(1);
  });

  test("attempts do not time out, and begin no further one; their time goes on after the pause", () => {
    const rig = accepted(one("a", { retry: { attemptsMax: 2, backoffMs: 1_000, backoffMsMax: 1_000, jitter: 0 } }));
    const dueMs = rig.work(rig.id("a"))?.dueAtMs ?? 0;
    rig.nowMs += 10 * SECOND_MS;
    order(rig, "pause");
    rig.nowMs += HOUR_MS;
    expect([names(rig.tick()), sends(rig.tick().effects)]).toEqual([[], []]);
    order(rig, "resume");
    expect(rig.work(rig.id("a"))?.dueAtMs).toBe(dueMs + HOUR_MS);
  });

  test("timers and waits for signals stand still; a signal is taken", () => {
    const timer = call("A", { target: { kind: "timer" }, input: { literal: 60_000 } });
    const rig = accepted({ kind: "one", name: "nap", call: timer }, one("b"));
    order(rig, "pause");
    rig.nowMs += HOUR_MS;
    expect(names(rig.tick())).toEqual([]);
    order(rig, "resume");
    expect(names(rig.tick())).toEqual([]);
    rig.nowMs += 60 * SECOND_MS;
    expect(names(rig.tick())).toContain("wait-ended");
  });

  test("a handler's question is kept, and its agent is asked after the pause", () => {
    const rig = new ProcessRig(slipOf([one("a")], { agents: { A: { asks: ["B"] } } }));
    rig.accept();
    order(rig, "pause");
    expect(sends(rig.question(rig.id("a"), 0, "B").effects)).toEqual([]);
    expect(rig.open).toEqual([rig.id("a")]);
    expect(sends(order(rig, "resume").effects).filter(({ body }) => body.kind === "work")).toHaveLength(2);
  });

  test("no compensation begins, and none times out", () => {
    const rig = accepted(one("a"), one("b"));
    rig.output(rig.id("a"));
    const undo = asksUndo(rig.fault(rig.id("b")));
    order(rig, "pause");
    for (const id of undo) expect(asksUndo(rig.output(`${id}/undo`, null))).toEqual([]);
    rig.nowMs += 2 * HOUR_MS;
    expect(asksUndo(rig.tick())).toEqual([]);
    rig.undoAll(order(rig, "resume"));
    for (let round = 0; round < 4 && rig.state.phase === "open"; round += 1) rig.undoAll(rig.tick());
    expect(rig.state.outcome).toMatchObject({ status: "failed" });
  });
});

describe("orders", () => {
  test("the deadline stands still; how long agents remember work items does not move", () => {
    const rig = accepted(one("a"));
    const [deadlineMs, body] = [rig.state.task?.deadlineAtMs ?? 0, sends(rig.tick().effects)[0]?.body];
    order(rig, "pause");
    rig.nowMs += 2 * HOUR_MS;
    const again = sends(order(rig, "resume").effects)[0];
    expect(rig.state.task?.deadlineAtMs).toBe(deadlineMs + 2 * HOUR_MS);
    expect(again).toMatchObject({ expiresAtMs: deadlineMs + 2 * HOUR_MS, body: { kind: "work" } });
    const retained = again?.body.kind === "work" ? again.body.retainUntilMs : 0;
    expect(retained).toBe(deadlineMs + LIMITS.compensationMsMax);
    expect(body).toBeUndefined();
  });

  test("a repeated order changes nothing, and one that comes late is refused", () => {
    const rig = accepted(one("a"));
    const message = rig.message("same", { kind: "pause", reason: "why", tree: true });
    rig.give({ kind: "message", message });
    order(rig, "resume");
    expect(names(rig.give({ kind: "message", message }))).toEqual([]);
    expect(rig.state.paused).toBeUndefined();
    const late = rig.message("late", { kind: "pause", reason: "why", tree: true }, rig.nowMs);
    expect(rig.give({ kind: "message", message: late }).verdict).toMatchObject({ fault: { code: "message.expired" } });
  });

  test("a pause ends by itself at its limit, and the run may not be paused again", () => {
    const rig = accepted(one("a"), one("b"));
    order(rig, "pause");
    rig.output(rig.id("a"));
    rig.nowMs += LIMITS.pauseMsMax - 1;
    expect(names(rig.tick())).toEqual([]);
    rig.nowMs += 1;
    expect(sends(rig.tick().effects).map(({ body }) => body.kind)).toEqual(["work"]);
    expect(rig.state.history.map(({ what }) => what)).toContain("resumed by itself: the pause reached its limit");
    expect(order(rig, "pause").verdict).toMatchObject({ kind: "refused", fault: { code: "pause.spent" } });
  });

  test("a cancellation ends the pause and compensates", () => {
    const rig = accepted(one("a"), one("b"));
    rig.output(rig.id("a"));
    order(rig, "pause");
    rig.undoAll(rig.cancel());
    expect(rig.state.outcome).toMatchObject({ status: "cancelled", fault: { code: "process.cancelled" } });
  });

  test("acts are in the audit, each once", () => {
    const rig = accepted(one("a"));
    const entries = [order(rig, "pause"), order(rig, "resume"), order(rig, "pause")].flatMap(({ effects }) =>
      effects.flatMap((effect) => (effect.kind === "index" && effect.index === "Audit" ? [effect.entry] : [])),
    );
    expect(new Set(entries.map(({ id }) => id)).size).toBe(3);
    expect(entries.map(({ facts }) => facts["what"])).toEqual(expect.arrayContaining(["pause", "resume"]));
  });

  test("a process that has ended, and one that is unknown, is refused", () => {
    expect(order(new ProcessRig(slipOf([one("a")])), "pause").verdict).toMatchObject({ fault: { code: "process.unknown" } });
    const rig = accepted(one("a"));
    rig.output(rig.id("a"));
    expect(order(rig, "pause").verdict).toMatchObject({ fault: { code: "process.ended" } });
  });
});

describe("nested routes", () => {
  const inner = { version: 1, stops: [one("a"), one("b")], output: { from: ["b"] } };
  const nested = call("A", { target: { kind: "route", route: "inner" } });
  const slip = slipOf([{ kind: "one", name: "sub", call: nested }], { routes: { inner } });
  const SUB = "p:1:sub:0:1";

  test("get the order with their request, under an id of its own, and the newest one counts", () => {
    const parent = new ProcessRig(slip);
    parent.accept();
    const [paused] = sends(order(parent, "pause").effects);
    expect(paused).toMatchObject({ body: { kind: "task", tree: { paused: true, by: "ada", reason: "why" } } });
    const [resumed] = sends(order(parent, "resume").effects);
    expect(resumed?.id).not.toBe(paused?.id);

    const child = new ProcessRig(slip, "c");
    const give = (message: typeof paused): void => {
      if (message?.body.kind === "task") {
        const task = child.taskMessage({ route: "inner", parent: { processId: "p", workId: SUB } });
        const body = { ...task.body, ...(message.body.tree === undefined ? {} : { tree: message.body.tree }) };
        child.give({ kind: "message", message: { ...task, body } as typeof task, bucket: "b" });
      }
    };
    give(paused);
    expect([child.state.paused !== undefined, child.open]).toEqual([true, []]);
    give(resumed);
    expect([child.state.paused, child.open]).toEqual([undefined, [child.id("a")]]);
    give(paused);
    expect(child.state.paused).toBeUndefined();
  });

  test("are left alone where only the process is paused", () => {
    const parent = new ProcessRig(slip);
    parent.accept();
    expect(sends(order(parent, "pause", false).effects)).toEqual([]);
    expect(parent.state.tree).toBeUndefined();
  });
});

test("a person's decision on a paused process is taken at once, and its deadline stands still", () => {
  const slip = slipOf([one("ask", {}, "Boss"), one("b")], {
    agents: { Boss: { person: { roles: [], escalate: [], onExpiry: "fail", deadlineMs: 60_000 } } },
  });
  const rig = new ProcessRig(slip);
  rig.accept();
  order(rig, "pause");
  rig.nowMs += HOUR_MS;
  expect(names(rig.tick())).toEqual([]);
  const wait = Object.values(rig.state.waits ?? {})[0];
  const hash = wait?.for.kind === "person" ? wait.for.hash : "";
  const message = rig.message("d", {
    kind: "decide",
    requestId: requestId("p", 1),
    hash,
    decisionId: "d",
    decision: { do: "approve" },
  });
  const decided = rig.give({ kind: "message", message: { ...message, principal: { ...message.principal, subject: "grace" } } });
  expect(decided.verdict).toEqual({ kind: "received" });
  expect(names(decided)).toEqual(["wait-ended"]);
  expect(rig.open).toEqual([]);
  order(rig, "resume");
  expect(rig.open).toEqual([rig.id("b")]);
});
