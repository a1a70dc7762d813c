/** @module Compensation beside an agent that does not answer, and what reports of compensation say. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import type { CompensationReport } from "../../runtime/protocol/bodies.ts";
import { names } from "./machine-rig.ts";
import { asksUndo, one, ProcessRig, slipOf } from "./process-rig.ts";

const [A, B, C, D, E] = ["a", "b", "c", "d", "e"].map((name) => `p:1:${name}:0:1`) as [string, string, string, string, string];

/** Five stops, of which four are done; the agent of `c` and `b` is gone. The fifth fails. */
function failed(): { readonly rig: ProcessRig; readonly turned: ReturnType<ProcessRig["tick"]> } {
  const rig = new ProcessRig(slipOf([one("a"), one("b", {}, "C"), one("c"), one("d"), one("e")]));
  rig.accept();
  for (const id of [A, B, C, D]) rig.output(id);
  return { rig, turned: rig.fault(E) };
}

function reported(rig: ProcessRig, workId: string, report: Partial<CompensationReport>): ReturnType<ProcessRig["tick"]> {
  return rig.output(`${workId}/undo`, { undone: 0, left: [], stands: [], stateStands: false, ...report });
}

describe("law: a removed agent does not hold up the compensation of others", () => {
  test("an agent that gives no receipt is set aside, others go on in order, and its own in their order beside them", () => {
    const { rig, turned } = failed();
    expect(asksUndo(turned)).toEqual([E]);
    expect(asksUndo(reported(rig, E, {}))).toEqual([D]);
    expect(asksUndo(reported(rig, D, {}))).toEqual([C]);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(rig.nowMs + LIMITS.undoAnswerMs);
    const aside = rig.after(LIMITS.undoAnswerMs).tick();
    expect(asksUndo(aside).filter((id) => id !== C)).toEqual([A]);
    expect(names(reported(rig, A, { undone: 1 }))).toEqual(["undone"]);
    expect(rig.state.outcome, "what is left is waited for").toBeUndefined();
    expect(asksUndo(reported(rig, C, { undone: 1 })), "it is back").toEqual([B]);
    reported(rig, B, { undone: 1 });
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
  });

  test("an agent that the system no longer has is set aside at once, is tried again, and the dead letter says what is left", () => {
    const { rig } = failed();
    reported(rig, E, {});
    reported(rig, D, {});
    expect(names(rig.fault(`${C}/undo`, "agent.unknown"))).toEqual(["attempt-failed", "set-aside", "asked"]);
    expect(rig.open).toEqual([`${C}/undo`, `${A}/undo`]);
    reported(rig, A, { undone: 1 });
    for (const id of [C, B])
      for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
        if (rig.state.works[`${id}/undo`]?.status === "waiting") rig.after(LIMITS.undoBackoffMsMax).tick();
        rig.fault(`${id}/undo`, "agent.unknown", rig.state.works[`${id}/undo`]?.attempt);
      }
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(rig.letter["left"]).toEqual(["C at c", "C at b"]);
  });

  test("an agent that has the compensation is waited for, however long it takes", () => {
    const { rig } = failed();
    reported(rig, E, {});
    reported(rig, D, {});
    rig.give({ kind: "told", workId: `${C}/undo`, attempt: 1 });
    expect(rig.after(LIMITS.undoAnswerMs).tick().events).toEqual([]);
    expect(rig.open).toEqual([`${C}/undo`]);
  });
});

describe("history says what a compensation did", () => {
  test("undone, nothing to undo, or that the state stands", () => {
    const { rig } = failed();
    reported(rig, E, { undone: 2 });
    reported(rig, D, {});
    reported(rig, C, { stateStands: true });
    reported(rig, B, { undone: 1, stateStands: true });
    reported(rig, A, {});
    const said = rig.state.history.filter(({ what }) => what.includes("undo") || what.includes("stands")).map(({ what }) => what);
    expect(said.filter((what) => what !== "undo asked")).toEqual([
      "undone",
      "nothing to undo",
      "its state stands",
      "undone, but its state stands",
      "nothing to undo",
    ]);
    expect(rig.state.torn).toEqual(["e#0", "b#0"]);
  });

  test("an effect that nothing reverts stands: in the history, the state of the work item, and the dead letter", () => {
    const { rig } = failed();
    reported(rig, E, { stands: ["charge"] });
    reported(rig, D, { undone: 1, stands: ["mail", "charge"] });
    reported(rig, C, { stands: ["charge"], stateStands: true });
    reported(rig, B, { undone: 1, stands: ["charge"], stateStands: true });
    reported(rig, A, {});
    const said = rig.state.history.map(({ what }) => what).filter((what) => what.includes("stand"));
    expect(said).toEqual([
      "its effect stands: charge",
      "undone, but an effect stands: mail, charge",
      "its effect and its state stand: charge",
      "undone, but an effect and its state stand: charge",
    ]);
    expect(rig.letter["stands"]).toEqual([
      "charge of E at e",
      "mail of D at d",
      "charge of D at d",
      "charge of C at c",
      "charge of C at b",
    ]);
  });

  test("what had to be left is a dead letter's, and others are undone", () => {
    const { rig } = failed();
    reported(rig, E, {});
    expect(asksUndo(reported(rig, D, { undone: 1, left: ["call of tool charge"] }))).toEqual([C]);
    for (const id of [C, B, A]) reported(rig, id, { undone: 1 });
    expect(rig.state.outcome).toMatchObject({
      status: "failed",
      fault: { code: "compensation.failed", details: { left: ["call of tool charge"] } },
    });
    expect(rig.letter["left"]).toEqual(["call of tool charge of D at d"]);
  });
});
