/**
 * @module Decisions of an agent on compensation, in every status that work can have.
 */
import { describe, expect, test } from "vitest";
import { AgentRig, orders, replies } from "./agent-rig.ts";
import { names } from "./machine-rig.ts";

const UNDONE = [["w/undo", 1, { output: { json: null } }]];
const FAULT = { fault: { code: "agent.failed", message: "no" } } as const;

describe("law: compensating an unknown work item records a tombstone that refuses it if it arrives later", () => {
  test("never seen", () => {
    const rig = new AgentRig();
    const decision = rig.undoes("w");
    expect(names(decision)).toEqual(["tombstoned"]);
    expect(replies(decision)).toEqual(UNDONE);
    const late = rig.asks("w");
    expect(late.events).toEqual([]);
    expect(orders(late)).toEqual([]);
    expect(replies(late)).toMatchObject([["w", 1, { fault: { code: "work.undone" } }]]);
  });

  test("waiting in the queue: it leaves it and never runs", () => {
    const rig = new AgentRig();
    rig.asks("other");
    rig.asks("w");
    expect(replies(rig.undoes("w"))).toEqual(UNDONE);
    expect(rig.state).toMatchObject({ running: "other", ready: [] });
    expect(orders(rig.finishes("other"))).toEqual([]);
    expect(orders(rig.asks("w", { attempt: 2 }))).toEqual([]);
  });

  test("refused by the contract: nothing was begun, so nothing is to be undone", () => {
    const rig = new AgentRig();
    rig.asks("w", { fault: { code: "schema.input", message: "no" } });
    const decision = rig.undoes("w");
    expect(names(decision)).toEqual(["tombstoned"]);
    expect(replies(decision)).toEqual(UNDONE);
  });
});

describe("work that may have had an effect", () => {
  test("running: it is stopped, and its undo begins under a new token when it has settled, however it ended", () => {
    for (const result of [{ output: "after all" }, FAULT]) {
      const rig = new AgentRig();
      rig.asks("w");
      const asked = rig.undoes("w");
      expect(names(asked)).toEqual(["undo-asked"]);
      expect(orders(asked)).toEqual(["stop w"]);
      expect(replies(asked)).toEqual([]);
      const settled = rig.finishes("w", result);
      expect(names(settled)).toEqual(["readied", "begun"]);
      expect(replies(settled)).toEqual([]);
      expect(rig.work("w")).toMatchObject({ mode: "undo", status: "running" });
      expect(rig.token("w")).not.toBe("token-1");
      const done = rig.finishes("w", { output: null }, { mode: "undo" });
      expect(names(done)).toEqual(["undo-done"]);
      expect(replies(done)).toEqual(UNDONE);
      expect(rig.work("w")).toMatchObject({ status: "undone", entries: [] });
    }
  });

  test("running, and its only run began no step: there is nothing to undo, and it is not run again", () => {
    for (const result of [{ output: "after all" }, FAULT]) {
      const rig = new AgentRig();
      rig.asks("w");
      rig.asks("next");
      rig.undoes("w");
      const settled = rig.finishes("w", result, { untouched: true });
      expect([names(settled), replies(settled), orders(settled)]).toEqual([["undo-done", "begun"], UNDONE, ["run next"]]);
      const late = rig.finishes("w", { output: "late" }, { token: "token-1" });
      expect([late.verdict, late.events]).toMatchObject([{ kind: "refused", fault: { code: "work.superseded" } }, []]);
    }
  });

  test.each([
    ["an earlier attempt", (rig: AgentRig) => rig.asks("w", { attempt: 2 })],
    ["a host that was lost", (rig: AgentRig) => rig.as("host-2", () => rig.lost("w"))],
    ["a recorded step", (rig: AgentRig) => rig.records("w", "step")],
    ["a step that failed", (rig: AgentRig) => rig.failsAt("w", "step")],
  ])("running, and %s may have had an effect: its undo runs all the same", (_name, before) => {
    const rig = new AgentRig();
    rig.asks("w");
    before(rig);
    rig.undoes("w");
    expect(names(rig.finishes("w", FAULT, { untouched: true }))).toEqual(["readied", "begun"]);
  });

  test("running on another host: that host is watched, and the one that takes over undoes", () => {
    const rig = new AgentRig();
    rig.asks("w");
    expect(orders(rig.as("host-2", () => rig.undoes("w")))).toEqual(["stop w", "watch w"]);
    expect(orders(rig.as("host-2", () => rig.lost("w")))).toEqual(["run w"]);
    expect(replies(rig.as("host-2", () => rig.finishes("w", { output: null }, { mode: "undo" })))).toEqual(UNDONE);
  });

  test("parked: it is stopped and undone at once, and answers that come later change nothing", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    const asked = rig.undoes("w");
    expect(names(asked)).toEqual(["undo-asked", "readied", "begun"]);
    expect(orders(asked)).toEqual(["stop w", "run w"]);
    expect(rig.answers("w", 0)).toMatchObject({ events: [], effects: [] });
    expect(rig.askedBy("w", "C")).toMatchObject({ events: [], verdict: { kind: "refused" } });
  });

  test("done without undoable steps: nothing to do, told at once", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.records("w", "look");
    rig.finishes("w");
    const decision = rig.undoes("w");
    expect(names(decision)).toEqual(["undo-asked", "undo-done"]);
    expect(replies(decision)).toEqual(UNDONE);
  });

  test("done, and a step with an undo had failed and was caught: its effect may have happened, so its handler shows what to undo", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.failsAt("w", "book", { undoable: true });
    rig.finishes("w");
    expect(names(rig.undoes("w"))).toEqual(["undo-asked", "readied", "begun"]);
    rig.finishes("w", { output: null }, { mode: "undo" });
    expect(rig.work("w")).toMatchObject({ status: "undone", entries: [] });
    expect(rig.work("w").failures).toBeUndefined();
  });

  test("done with undoable steps, or failed: its handler shows what to undo", () => {
    for (const undoable of [true, false]) {
      const rig = new AgentRig();
      rig.asks("w");
      rig.records("w", "book", { undoable });
      rig.finishes("w", undoable ? { output: 1 } : FAULT);
      const asked = rig.undoes("w");
      expect(names(asked)).toEqual(["undo-asked", "readied", "begun"]);
      rig.records("w", "book", { kind: "undo" });
      // It says that there was something to undo: what had not still stands.
      expect(replies(rig.finishes("w", { output: null }, { mode: "undo" }))).toEqual([["w/undo", 1, { output: { json: true } }]]);
    }
  });

  test("undone work is refused if it is asked again", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.records("w", "book", { undoable: true });
    rig.finishes("w");
    rig.undoes("w");
    rig.finishes("w", { output: null }, { mode: "undo" });
    const late = rig.asks("w", { attempt: 2 });
    expect(late.events).toEqual([]);
    expect(replies(late)).toMatchObject([["w", 1, { fault: { code: "work.undone" } }]]);
  });
});

describe("a repeated compensation", () => {
  function undoing(): AgentRig {
    const rig = new AgentRig();
    rig.asks("w");
    rig.records("w", "book", { undoable: true });
    rig.finishes("w");
    rig.undoes("w");
    return rig;
  }

  test("while it runs here has it run, elsewhere watched; nothing is written", () => {
    const rig = undoing();
    expect(rig.undoes("w")).toMatchObject({ events: [] });
    expect(orders(rig.undoes("w"))).toEqual(["run w"]);
    expect(orders(rig.as("host-2", () => rig.undoes("w")))).toEqual(["watch w"]);
  });

  test("after it ended tells the same again", () => {
    const rig = undoing();
    const done = rig.finishes("w", { output: null }, { mode: "undo" });
    expect(rig.undoes("w")).toMatchObject({ events: [], effects: done.effects });
  });

  test("after it failed tells the fault; a further attempt undoes what is not undone yet", () => {
    const rig = undoing();
    rig.records("w", "one of two", { kind: "undo" });
    expect(replies(rig.finishes("w", FAULT, { mode: "undo" }))).toEqual([["w/undo", 1, FAULT]]);
    expect(replies(rig.undoes("w"))).toEqual([["w/undo", 1, FAULT]]);
    const again = rig.undoes("w", 2);
    expect(names(again)).toEqual(["undo-asked", "readied", "begun"]);
    expect(rig.work("w").entries).toMatchObject([{ kind: "step" }, { kind: "undo" }]);
    expect(replies(rig.finishes("w", { output: null }, { mode: "undo" }))).toEqual([["w/undo", 2, { output: { json: true } }]]);
  });

  test("under a further attempt while it runs is answered under that attempt", () => {
    const rig = undoing();
    expect(names(rig.undoes("w", 2))).toEqual(["undo-asked"]);
    expect(replies(rig.finishes("w", FAULT, { mode: "undo" }))).toEqual([["w/undo", 2, FAULT]]);
  });

  test("a stale token cannot end it", () => {
    const rig = undoing();
    expect(rig.finishes("w", { output: null }, { mode: "undo", token: "token-1" })).toMatchObject({
      events: [],
      verdict: { fault: { code: "work.superseded" } },
    });
  });
});
