/**
 * @module Decisions of an agent on compensation, in every status that work can have.
 */
import { describe, expect, test } from "vitest";
import { AgentRig, orders, REPORT, replies } from "./agent-rig.ts";
import { names } from "./machine-rig.ts";
import { LIMITS } from "../../runtime/limits.ts";

const UNDONE = [["w/undo", 1, { output: { json: REPORT } }]];
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
      rig.begins("w", "book");
      const asked = rig.undoes("w");
      expect(names(asked)).toEqual(["undo-asked"]);
      expect(orders(asked)).toEqual(["stop w"]);
      expect(replies(asked)).toEqual([]);
      const settled = rig.finishes("w", result);
      expect(names(settled)).toEqual(["readied", "begun"]);
      expect(replies(settled)).toEqual([]);
      expect(rig.work("w")).toMatchObject({ mode: "undo", status: "running" });
      expect(rig.token("w")).not.toBe("token-1");
      rig.undid("w", "book");
      const report = { ...REPORT, undone: 1 };
      const done = rig.compensates("w", { report });
      expect(names(done)).toEqual(["undo-done"]);
      expect(replies(done)).toEqual([["w/undo", 1, { output: { json: report } }]]);
      expect(rig.work("w")).toMatchObject({ status: "undone", calls: [] });
    }
  });

  test("while it settles, the end of a call is still recorded, and no new call begins", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.begins("w", "book");
    rig.undoes("w");
    expect(names(rig.ends("w", "book"))).toEqual(["call-ended"]);
    expect(rig.begins("w", "pay")).toMatchObject({ events: [], verdict: { fault: { code: "work.cancelled" } } });
    expect(rig.tries("w", "book", 1)).toMatchObject({ events: [], verdict: { fault: { code: "work.cancelled" } } });
  });

  test("running, and nothing that it began can be undone: there is nothing to undo, and nothing runs", () => {
    for (const result of [{ output: "after all" }, FAULT]) {
      const rig = new AgentRig();
      rig.asks("w");
      rig.asks("next");
      rig.records("w", "look");
      rig.undoes("w");
      const settled = rig.finishes("w", result);
      expect([names(settled), replies(settled), orders(settled)]).toEqual([["undo-done", "begun"], UNDONE, ["run next"]]);
      const late = rig.finishes("w", { output: "late" }, { token: "token-1" });
      expect([late.verdict, late.events]).toMatchObject([{ kind: "refused", fault: { code: "work.superseded" } }, []]);
    }
  });

  test("running, and its agent has an undo of its own: it runs", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.undoes("w");
    expect(names(rig.finishes("w", FAULT, { undoes: true }))).toEqual(["readied", "begun"]);
  });

  test("running on another host: that host is watched, and the one that takes over undoes", () => {
    const rig = new AgentRig();
    rig.asks("w");
    expect(orders(rig.as("host-2", () => rig.undoes("w")))).toEqual(["stop w", "watch w"]);
    expect(orders(rig.as("host-2", () => rig.lost("w")))).toEqual(["run w"]);
    expect(replies(rig.as("host-2", () => rig.compensates("w")))).toEqual(UNDONE);
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

  test("ended without a call that can be undone: nothing to do, told at once, and never run again", () => {
    for (const result of [{ output: 1 }, FAULT]) {
      const rig = new AgentRig();
      rig.asks("w");
      rig.records("w", "look");
      rig.ends("w", "fetch");
      rig.finishes("w", result);
      const decision = rig.undoes("w");
      expect(names(decision)).toEqual(["undo-asked", "undo-done"]);
      expect(replies(decision)).toEqual(UNDONE);
    }
  });

  test("ended, and it changed the state of its actor, which nothing changes back: the report says that it stands", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.finishes("w", { output: 1 }, { state: { content: { n: 1 }, base: 0 } });
    expect(replies(rig.undoes("w"))).toEqual([["w/undo", 1, { output: { json: { ...REPORT, stateStands: true } } }]]);
  });

  test("the agent's own undo runs once, and the state that it sets is committed with its end, also where something is left", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.begins("w", "book");
    rig.finishes("w", { output: 1 }, { state: { content: { n: 1 }, base: 0 }, undoes: true });
    rig.undoes("w");
    rig.compensates("w", FAULT, { state: { content: { n: 0 }, base: 1 }, agentUndid: true });
    expect(rig.state).toMatchObject({ state: { json: { n: 0 } }, stateVersion: 2 });
    expect(rig.work("w")).toMatchObject({ agentUndid: true });
    expect(rig.work("w").setState).toBeUndefined();
    rig.undoes("w", 2);
    expect(rig.work("w")).toMatchObject({ status: "running", agentUndid: true });
  });

  test("a state that another work changed meanwhile lets the undo run again on the new one", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.finishes("w", { output: 1 }, { undoes: true });
    rig.undoes("w");
    const again = rig.compensates("w", { report: REPORT }, { state: { content: 1, base: 7 }, agentUndid: true });
    expect(names(again)).toEqual(["readied", "begun"]);
    expect(rig.work("w").agentUndid).toBeUndefined();
  });

  test("ended, with a call that succeeded or failed: its undo runs", () => {
    for (const end of [{ output: 1 }, FAULT]) {
      const rig = new AgentRig();
      rig.asks("w");
      rig.begins("w", "book");
      rig.ends("w", "book", end);
      rig.finishes("w");
      expect(names(rig.undoes("w"))).toEqual(["undo-asked", "readied", "begun"]);
      expect(names(rig.undid("w", "book"))).toEqual(["call-undone"]);
      expect(rig.undid("w", "book")).toMatchObject({ events: [], verdict: { kind: "received" } });
    }
  });

  test("undone work is refused if it is asked again", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.begins("w", "book");
    rig.finishes("w");
    rig.undoes("w");
    rig.compensates("w");
    const late = rig.asks("w", { attempt: 2 });
    expect(late.events).toEqual([]);
    expect(replies(late)).toMatchObject([["w", 1, { fault: { code: "work.undone" } }]]);
  });
});

describe("a repeated compensation", () => {
  function undoing(): AgentRig {
    const rig = new AgentRig();
    rig.asks("w");
    rig.begins("w", "book");
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
    const done = rig.compensates("w");
    expect(rig.undoes("w")).toMatchObject({ events: [], effects: done.effects });
  });

  test("after it failed tells the fault; a further attempt undoes what is not undone yet", () => {
    const rig = undoing();
    rig.undid("w", "book");
    expect(replies(rig.compensates("w", FAULT))).toEqual([["w/undo", 1, FAULT]]);
    expect(replies(rig.undoes("w"))).toEqual([["w/undo", 1, FAULT]]);
    const again = rig.undoes("w", 2);
    expect(names(again)).toEqual(["undo-asked", "readied", "begun"]);
    expect(rig.work("w").calls).toMatchObject([{ tool: "book", undone: true }]);
    expect(replies(rig.compensates("w"))).toEqual([["w/undo", 2, { output: { json: REPORT } }]]);
  });

  test("under a further attempt while it runs is answered under that attempt", () => {
    const rig = undoing();
    expect(names(rig.undoes("w", 2))).toEqual(["undo-asked"]);
    expect(replies(rig.compensates("w", FAULT))).toEqual([["w/undo", 2, FAULT]]);
  });

  test("takeovers count over the handler and all attempts of the undo, until something is recorded", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.begins("w", "book");
    for (let n = 0; n < LIMITS.takeoversMax; n += 1) rig.as(`host-${n}`, () => rig.lost("w"));
    rig.finishes("w");
    rig.undoes("w");
    const crashed = [["w/undo", 1, { fault: { code: "work.crashed" } }]];
    expect(replies(rig.as("last", () => rig.lost("w")))).toMatchObject(crashed);
    rig.undoes("w", 2);
    rig.undid("w", "book");
    expect(rig.work("w").takeovers).toBe(0);
    expect(orders(rig.as("next", () => rig.lost("w")))).toEqual(["run w"]);
  });

  test("a stale token cannot end it", () => {
    const rig = undoing();
    expect(rig.compensates("w", { report: REPORT }, { token: "token-1" })).toMatchObject({
      events: [],
      verdict: { fault: { code: "work.superseded" } },
    });
  });
});

describe("law: an effect that nothing reverts is in the report", () => {
  const LASTS = { stands: true } as const;
  const stands = (rig: AgentRig): unknown => replies(rig.undoes("w"));
  const told = (tools: readonly string[]): unknown => [["w/undo", 1, { output: { json: { ...REPORT, stands: tools } } }]];

  test("of a work item that succeeded, although its records are dropped; each tool once; steps and other tools do not count", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.records("w", "step");
    rig.ends("w", "read");
    for (const count of [0, 1]) rig.ends("w", "charge", undefined, { count, ...LASTS });
    rig.finishes("w");
    expect(rig.work("w").calls).toEqual([]);
    expect(stands(rig)).toEqual(told(["charge"]));
  });

  test("of one that failed; a call that failed for certain has no effect, one whose end is unsure may have", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.ends("w", "charge", undefined, LASTS);
    rig.ends("w", "refused", FAULT, LASTS);
    rig.ends("w", "late", { fault: { code: "call.timeout", message: "late" } }, LASTS);
    rig.finishes("w", FAULT);
    expect(stands(rig)).toEqual(told(["late", "charge"]));
  });

  test("a call that began and whose end is unknown may have had its effect", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.begins("w", "charge", { undo: false, ...LASTS });
    rig.undoes("w");
    expect(replies(rig.finishes("w", FAULT))).toEqual(told(["charge"]));
  });

  test("the agent's own undo answers for all calls", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.ends("w", "charge", undefined, LASTS);
    rig.finishes("w", undefined, { undoes: true });
    rig.undoes("w");
    rig.compensates("w", { report: { ...REPORT, undone: 1 } }, { agentUndid: true });
    expect(stands(rig)).toEqual([["w/undo", 1, { output: { json: { ...REPORT, undone: 1 } } }]]);
  });
});
