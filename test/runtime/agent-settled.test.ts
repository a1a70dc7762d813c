/** @module Settled work items outside of the agent's state: what leaves it, what is looked up, and what comes back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settledRef } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { withLimits } from "../../simulation/world/limits.ts";
import { AgentRig, HOUR_MS, replies, REPORT } from "./agent-rig.ts";
import { names } from "./machine-rig.ts";

const MAX = 8;
const LEAVING_MAX = 4;
const FAULT = { fault: { code: "agent.failed", message: "no" } } as const;

let restore: () => void = () => {};
beforeAll(() => {
  restore = withLimits({ agentSettledMax: MAX, agentLeavingMax: LEAVING_MAX });
});
afterAll(() => restore());

/** Runs work items to their ends, a millisecond after one another. */
function settle(rig: AgentRig, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) {
    rig.after(1);
    rig.asks(`w${number}`);
    rig.finishes(`w${number}`, { output: number });
  }
}

/** An actor whose first work items have left its state. `first` runs the very first one. */
function crowded(first: (rig: AgentRig) => void = (rig) => settle(rig, 0, 1)): AgentRig {
  const rig = new AgentRig();
  first(rig);
  settle(rig, 1, MAX + 1);
  expect(rig.state.works).not.toHaveProperty("w0");
  return rig;
}

describe("law: the state of an actor does not grow with the work items that have settled", () => {
  test("the oldest leave it, each with an entry, and the last stay", () => {
    const rig = crowded();
    const left = rig.log.flatMap((event) => (event.e === "settled" ? event.workIds : []));
    expect(left).toEqual(Array.from({ length: LEAVING_MAX }, (_, index) => `w${index}`));
    expect(left.every((id) => rig.values.has(settledRef(id, 1)))).toBe(true);
    settle(rig, MAX + 2, 10 * LEAVING_MAX);
    expect(Object.keys(rig.state.works).length).toBeLessThanOrEqual(MAX + 1);
    expect(JSON.stringify(rig.values.get(settledRef("w0", 1))).length).toBeLessThan(100);
  });

  test("what settles with a record leaves with a later one: the record may be refused, and the entry would stay", () => {
    const rig = new AgentRig();
    rig.asks("w0");
    rig.askedBy("w0", "B");
    settle(rig, 1, MAX);
    rig.answers("w0", 0);
    const ended = rig.finishes("w0", { output: "last" });
    expect(names(ended)).toEqual(["work-done"]);
    expect(ended.stored).toEqual([]);
  });

  test("open work items stay, however many have settled", () => {
    const rig = new AgentRig();
    rig.asks("open");
    rig.askedBy("open", "B");
    settle(rig, 0, 3 * MAX);
    expect(rig.work("open").status).toBe("parked");
  });

  test("new work is not looked up", () => {
    const rig = crowded();
    rig.lookedUp.length = 0;
    settle(rig, MAX + 2, MAX);
    expect(rig.lookedUp).toEqual([]);
  });
});

describe("law: a settled work item is remembered outside of the state as within", () => {
  test("a repeated request gets the recorded reply, and nothing is recorded", () => {
    const rig = crowded();
    const log = rig.log.length;
    const again = rig.asks("w0");
    expect(again).toMatchObject({ events: [], verdict: { kind: "received" } });
    expect(replies(again)).toEqual([["w0", 1, { output: { json: 0 } }]]);
    expect(rig.asks("w0", { attempt: 2 }).events).toEqual([]);
    expect(rig.log).toHaveLength(log);
  });

  test("a further attempt after a fault begins with what was recorded", () => {
    const rig = crowded((one) => {
      one.asks("w0");
      one.records("w0", "paid", { output: 7 });
      one.finishes("w0", FAULT);
    });
    const again = rig.asks("w0", { attempt: 2 });
    expect(names(again)).toEqual(["recalled", "attempt-asked", "readied", "begun"]);
    expect(rig.work("w0")).toMatchObject({ attempt: 2, status: "running", steps: [{ name: "paid", output: { json: 7 } }] });
  });

  test("its undo runs with its calls; afterwards it is compensated for good, also when it has left again", () => {
    const rig = crowded((one) => {
      one.asks("w0");
      one.begins("w0", "pay");
      one.ends("w0", "pay");
      one.finishes("w0", { output: "paid" });
    });
    const undone = rig.undoes("w0");
    expect(names(undone)).toEqual(["recalled", "undo-asked", "readied", "begun"]);
    expect(rig.work("w0")).toMatchObject({ mode: "undo", calls: [{ tool: "pay", undo: true, output: { json: "made" } }] });
    rig.undid("w0", "pay");
    rig.compensates("w0", { report: { ...REPORT, undone: 1 } });
    settle(rig, MAX + 2, 2 * MAX);
    expect(rig.state.works).not.toHaveProperty("w0");
    expect(replies(rig.undoes("w0"))).toMatchObject([["w0/undo", 1, { output: { json: { undone: 1 } } }]]);
    expect(replies(rig.asks("w0", { attempt: 2 }))).toMatchObject([["w0", 1, { fault: { code: "work.undone" } }]]);
  });

  test("an undo that finds nothing to run reports what the entry says", () => {
    const rig = crowded((one) => {
      one.asks("w0");
      one.begins("w0", "mail", { undo: false, stands: true });
      one.ends("w0", "mail", undefined, { stands: true });
      one.finishes("w0", { output: "sent" }, { state: { content: 1, base: 0 } });
    });
    const report = { undone: 0, left: [], stands: ["mail"], stateStands: true };
    expect(replies(rig.undoes("w0"))).toEqual([["w0/undo", 1, { output: { json: report } }]]);
  });

  test("a request that comes after its compensation finds the tombstone, also if it was made at another host, whose clock is ahead", () => {
    const rig = crowded((one) => void one.undoes("w0"));
    rig.nowMs += LIMITS.clockDriftMsMax - 1_000;
    expect(replies(rig.asks("w0"))).toMatchObject([["w0", 1, { fault: { code: "work.undone" } }]]);
  });

  test("a first request that comes after a later one left is looked up", () => {
    const rig = crowded((one) => {
      one.asks("w0", { attempt: 2 });
      one.finishes("w0", { output: "second" });
    });
    rig.nowMs += LIMITS.clockDriftMsMax - 1_000;
    expect(replies(rig.asks("w0"))).toEqual([["w0", 2, { output: { json: "second" } }]]);
  });
});

test("an undo that has expired on any clock is not looked up: its entries may be half removed", () => {
  const rig = crowded();
  const body = { kind: "undo", workId: "w0", undoId: "w0/undo", attempt: 1, agent: "A", retainUntilMs: rig.nowMs } as const;
  const message = rig.message("w0/undo:1", body, rig.nowMs - LIMITS.clockDriftMsMax);
  rig.lookedUp.length = 0;
  expect(rig.give({ kind: "message", message })).toMatchObject({ events: [], verdict: { fault: { code: "message.expired" } } });
  expect(rig.lookedUp).toEqual([]);
});

describe("law: what no message can be about leaves without an entry", () => {
  function expired(first: (rig: AgentRig) => void): AgentRig {
    const rig = new AgentRig();
    first(rig);
    rig.after(HOUR_MS + LIMITS.clockDriftMsMax + 1);
    return rig;
  }

  function paid(rig: AgentRig): void {
    rig.asks("w0");
    rig.begins("w0", "pay");
    rig.ends("w0", "pay");
    rig.finishes("w0");
  }

  test("expired, with nothing to undo", () => {
    const rig = expired((one) => settle(one, 0, 1));
    settle(rig, 1, MAX + 1);
    expect(rig.log).toContainEqual({ e: "forgotten", workIds: ["w0"] });
    expect(rig.values.has(settledRef("w0", 1))).toBe(false);
    expect(rig.lookedUp).toEqual([]);
  });

  test("expired, with something to undo: only if its process is gone", () => {
    const rig = expired(paid);
    settle(rig, 1, MAX + 1);
    expect(rig.values.has(settledRef("w0", 1))).toBe(true);
    const gone = expired(paid);
    gone.purged.add("p");
    settle(gone, 1, MAX + 1);
    expect(gone.log).toContainEqual({ e: "forgotten", workIds: ["w0"] });
    expect(gone.values.has(settledRef("w0", 1))).toBe(false);
  });
});
