/** @module What follows a turn of a process manager, and in which order, as tables. */
import { describe, expect, test } from "vitest";
import type { FaultCode } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { refusedResult, reminderStep, settlement } from "../../runtime/process/settlement.ts";
import type { Call, Stop } from "../../runtime/slip.ts";
import type { Effect } from "../../runtime/protocol.ts";
import { sends, T0 } from "./machine-rig.ts";
import { call, one, ProcessRig, slipOf, type TaskParts } from "./process-rig.ts";

const PARENT = { processId: "parent", workId: "parent:1:a:0:1" };
const TIMER: Call = { ...call("A"), target: { kind: "timer" }, input: { literal: 5000 } };

function open(stop: Stop = one("a"), parts: TaskParts = {}): ProcessRig {
  const made = new ProcessRig(slipOf([stop]));
  made.accept(parts);
  return made;
}

function done(parts: TaskParts = {}): { readonly made: ProcessRig; readonly effects: readonly Effect[] } {
  const made = open(one("a"), parts);
  return { made, effects: made.output(made.id("a")).effects };
}

function failed(): { readonly made: ProcessRig; readonly effects: readonly Effect[] } {
  const made = open();
  let { effects } = made.fault(made.id("a"));
  for (const id of made.open) ({ effects } = made.output(id, { undone: 0, left: [], stands: [], stateStands: false }));
  return { made, effects };
}

function sleeping(): ProcessRig {
  return open({ kind: "one", name: "nap", call: TIMER });
}

describe("the order of effects", () => {
  test("the index entry is closed after the outcome and all other effects", () => {
    const { made, effects } = done({ parent: PARENT });
    const { steps, direct } = settlement({ state: made.state, effects }, false, T0);
    expect(steps.map((step) => step.map((effect) => (effect.kind === "index" ? effect.index : effect.kind)))).toEqual([
      ["notify", "send"],
      ["Directory"],
    ]);
    expect(direct).toBe(true);
  });

  test("effects without an index entry are one step, and none are no step", () => {
    const made = open();
    const effects = made.outbox();
    expect(settlement({ state: made.state, effects }, false, T0).steps).toEqual([effects]);
    expect(settlement({ state: made.state, effects: [] }, false, T0).steps).toEqual([]);
  });

  test.each([
    ["open, first", open(), false, false],
    ["open, repeated", open(), true, true],
    ["ended, first", done().made, false, true],
  ] as const)("%s: the broker is passed over: %#", (_, made, repeats, expected) => {
    expect(settlement({ state: made.state, effects: [] }, repeats, T0).direct).toBe(expected);
  });
});

describe("the timer", () => {
  test.each([
    ["unanswered: until its attempt is out of time", open(), undefined, { delayMs: 60_000 }],
    ["waiting for a timer", sleeping(), undefined, { delayMs: 5000 }],
    ["ended", done().made, undefined, "none"],
    ["a failed turn, which would repeat at once", open(), true, "keep"],
    ["due later than a reminder can be", open(one("a", { timeoutMs: LIMITS.reminderAwayMsMax + 1 })), undefined, "none"],
  ] as const)("%s", (_, made, hasFailed, expected) => {
    const turn = { state: made.state, effects: [], ...(hasFailed === true ? { failed: true as const } : {}) };
    expect(settlement(turn, false, T0).timer).toEqual(expected);
  });

  test("a moment that has passed is due at once", () => {
    expect(settlement({ state: sleeping().state, effects: [] }, false, T0 + 9000).timer).toEqual({ delayMs: 0 });
  });
});

describe("the reminder", () => {
  const ended = done();
  const child = done({ parent: PARENT });
  const letter = failed();
  const voided = new ProcessRig(slipOf([one("a")]));
  voided.tick();
  const reply = child.effects.filter((effect) => effect.kind === "send");

  test.each([
    ["open and unanswered", open(), [], true, { kind: "keep" }],
    ["open and waiting", sleeping(), [], true, { kind: "away", name: "run-1", atMs: T0 + 5000 }],
    ["open and waiting, effects not performed", sleeping(), [], false, { kind: "away", name: "run-1", atMs: T0 + 5000 }],
    ["ended, all performed", ended.made, ended.effects, true, { kind: "remove", name: "run-1", ifCurrent: false }],
    ["ended, not performed", ended.made, ended.effects, false, { kind: "keep" }],
    ["ended by an earlier turn", ended.made, [], true, { kind: "keep" }],
    ["ended child, all performed", child.made, child.effects, true, { kind: "remove", name: "run-1", ifCurrent: true }],
    ["ended child that only answers its parent again", child.made, reply, true, { kind: "keep" }],
    ["dead letter, all performed", letter.made, letter.effects, true, { kind: "remove", name: "run-1", ifCurrent: true }],
    ["void", voided, [], true, { kind: "remove", name: "run-1", ifCurrent: false }],
  ] as const)("%s", (_, made, effects, arePerformed, expected) => {
    expect(reminderStep({ state: made.state, effects }, arePerformed, T0)).toEqual(expected);
  });

  test.each([
    ["unanswered", open(), [], true],
    ["unanswered, with effects", open(), open().outbox(), false],
    ["waiting: the reminder is moved", sleeping(), [], false],
    ["ended: the reminder may be removed", done().made, [], false],
  ] as const)("nothing follows a turn: %s", (_, made, effects, expected) => {
    expect(settlement({ state: made.state, effects }, false, T0).isDone).toBe(expected);
  });
});

describe("a refused request", () => {
  const process = { type: "sys.ProcessManager", id: "p" };
  const made = open();
  const work = sends(made.outbox())[0];
  made.cancel();
  const undo = sends(made.outbox())[0];

  test.each([
    ["work", work, "agent.refused", { workId: "p:1:a:0:1", attempt: 1 }],
    ["work", work, "message.expired", undefined],
    ["work", work, "work.undone", undefined],
    ["undo", undo, "agent.unknown", { workId: "p:1:a:0:1/undo", attempt: 1 }],
    ["undo", undo, "agent.refused", undefined],
    ["task", made.taskMessage(), "process.conflict", undefined],
    ["task", made.taskMessage({ parent: PARENT }), "process.conflict", { workId: PARENT.workId, attempt: 1 }],
    ["task", made.taskMessage({ parent: PARENT }), "work.undone", undefined],
  ] as const)("%s, %s", (kind, message, code: FaultCode, request) => {
    if (message?.body.kind !== kind) throw new Error(`the outbox has a message of kind ${kind}`);
    const fault = { code, message: "no" };
    const body = refusedResult(message, fault, process)?.body;
    expect(body).toEqual(request === undefined ? undefined : { kind: "result", ...request, result: { fault } });
  });
});
