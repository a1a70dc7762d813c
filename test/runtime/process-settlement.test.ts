/** @module What follows a turn of a process manager, and in which order, as tables. */
import { describe, expect, test } from "vitest";
import type { FaultCode } from "../../runtime/faults.ts";
import { isComplete, mayChange, refusedResult, settlement } from "../../runtime/process/settlement.ts";
import type { Stop } from "../../runtime/slip.ts";
import type { Effect } from "../../runtime/protocol.ts";
import { sends } from "./machine-rig.ts";
import { one, ProcessRig, slipOf, type TaskParts } from "./process-rig.ts";

const PARENT = { processId: "parent", workId: "parent:1:a:0:1" };

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

describe("the order of effects", () => {
  test("the index entry is closed after the outcome and all other effects", () => {
    const { made, effects } = done({ parent: PARENT });
    const { steps, direct } = settlement({ state: made.state, effects }, false);
    expect(steps.map((step) => step.map((effect) => (effect.kind === "index" ? effect.index : effect.kind)))).toEqual([
      ["notify", "send"],
      ["Directory"],
    ]);
    expect(direct).toBe(true);
  });

  test("effects without an index entry are one step, and none are no step", () => {
    const made = open();
    const effects = made.outbox();
    expect(settlement({ state: made.state, effects }, false).steps).toEqual([effects]);
    expect(settlement({ state: made.state, effects: [] }, false).steps).toEqual([]);
  });

  test.each([
    ["open, first", open(), false, false],
    ["open, repeated", open(), true, true],
    ["ended, first", done().made, false, true],
  ] as const)("%s: the broker is passed over: %#", (_, made, repeats, expected) => {
    expect(settlement({ state: made.state, effects: [] }, repeats).direct).toBe(expected);
  });
});

describe("a process that is not open: whether a turn performs all that is left, and whether its end can change", () => {
  const ended = done();
  const child = done({ parent: PARENT });
  const letter = failed();
  const voided = new ProcessRig(slipOf([one("a")]));
  voided.tick();
  const reply = child.effects.filter((effect) => effect.kind === "send");

  test.each([
    ["open", open(), [], false, false],
    ["ended", ended.made, ended.effects, true, false],
    ["ended by an earlier turn", ended.made, [], false, false],
    ["ended child", child.made, child.effects, true, true],
    ["ended child that only answers its parent again", child.made, reply, false, true],
    ["dead letter", letter.made, letter.effects, true, true],
    ["void", voided, [], true, false],
  ] as const)("%s", (_, made, effects, isAll, changes) => {
    expect([isComplete({ state: made.state, effects }), mayChange(made.state)]).toEqual([isAll, changes]);
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
