/**
 * @module Decisions of an agent on what its handlers record: once each, and kept for as long as a replay or an undo may need it.
 */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { AgentRig } from "./agent-rig.ts";
import { names } from "./machine-rig.ts";

function one<T>(list: readonly T[] | undefined): T {
  const [first] = list ?? [];
  if (first === undefined) throw new Error("the list is empty");
  return first;
}

describe("a record is written once", () => {
  test("what a handler records again, because it never heard that it was written, is not written twice", () => {
    const rig = new AgentRig();
    rig.asks("w");
    expect(names(rig.records("w", "look"))).toEqual(["step-done"]);
    expect(rig.records("w", "look")).toMatchObject({ events: [], verdict: { kind: "received" } });
    for (const count of [0, 1]) {
      expect(names(rig.begins("w", "book", { count }))).toEqual(["call-begun"]);
      expect(rig.begins("w", "book", { count })).toMatchObject({ events: [], verdict: { kind: "received" } });
      expect(names(rig.ends("w", "book", undefined, { count }))).toEqual(["call-ended"]);
      expect(rig.ends("w", "book", undefined, { count })).toMatchObject({ events: [], verdict: { kind: "received" } });
    }
    expect(names(rig.tries("w", "fetch", 1))).toEqual(["call-tried"]);
    expect(rig.tries("w", "fetch", 1)).toMatchObject({ events: [] });
    expect(names(rig.tries("w", "fetch", 2))).toEqual(["call-tried"]);
    expect(rig.work("w").calls).toMatchObject([
      { key: "book/hash/0", undo: true, open: false, input: { json: "input" }, output: { json: "made" } },
      { key: "book/hash/1", undo: true, open: false, output: { json: "made" } },
      { key: "fetch/hash/0", undo: false, open: false, tried: { attempt: 1, tries: 2 } },
    ]);
  });

  test("what failed is recorded once for each attempt, under the token that counts", () => {
    const rig = new AgentRig();
    rig.asks("w");
    expect(names(rig.failsAt("w", "look"))).toEqual(["failed"]);
    expect(rig.failsAt("w", "look")).toMatchObject({ events: [], verdict: { kind: "received" } });
    expect(names(rig.failsAt("w", "look", { kind: "wait" }))).toEqual(["failed"]);
    expect(names(rig.ends("w", "book", { fault: { code: "agent.failed", message: "no room" } }))).toEqual(["call-ended"]);
    expect(rig.ends("w", "book", { fault: { code: "agent.failed", message: "no room" } })).toMatchObject({ events: [] });
    const stale = rig.token("w");
    rig.asks("w", { attempt: 2 });
    expect(rig.failsAt("w", "look", { token: stale })).toMatchObject({
      events: [],
      verdict: { kind: "refused", fault: { code: "work.superseded" } },
    });
    expect(names(rig.failsAt("w", "look"))).toEqual(["failed"]);
    expect(rig.work("w").failures?.map(({ kind, attempt }) => [kind, attempt])).toEqual([
      ["step", 1],
      ["wait", 1],
      ["call", 1],
      ["step", 2],
    ]);
  });

  test("a call stays open until something says how it ended", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.begins("w", "pay");
    const open = (): boolean | undefined => rig.work("w").calls[0]?.open;
    expect(open()).toBe(true);
    rig.ends("w", "pay", { fault: { code: "call.timeout", message: "silence" }, open: true });
    expect(open()).toBe(true);
    rig.asks("w", { attempt: 2 });
    rig.ends("w", "pay", { fault: { code: "agent.failed", message: "no" } });
    expect(open()).toBe(false);
    rig.asks("w", { attempt: 3 });
    expect(names(rig.begins("w", "pay"))).toEqual(["call-begun"]);
    expect(open()).toBe(true);
    rig.ends("w", "pay");
    expect(open()).toBe(false);
    expect(rig.work("w").calls).toHaveLength(1);
  });

  test("what is recorded behind a failure belongs to its attempt alone", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.records("w", "before");
    rig.failsAt("w", "look");
    rig.records("w", "behind");
    rig.begins("w", "tidy");
    rig.askedBy("w", "B");
    expect(rig.work("w").steps.map(({ name, onlyIn }) => [name, onlyIn])).toEqual([
      ["before", undefined],
      ["behind", 1],
    ]);
    expect(rig.work("w")).toMatchObject({ calls: [{ onlyIn: 1 }], waits: [{ onlyIn: 1 }] });
    rig.asks("w", { attempt: 2 });
    rig.ends("w", "tidy");
    expect(rig.work("w").calls[0]?.onlyIn).toBeUndefined();
  });

  test("failures are bounded: one more is told with what failed, and not recorded", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.failsAt("w", "poll");
    const work = rig.work("w");
    const failures = Array.from({ length: LIMITS.failuresPerWorkMax - 1 }, (_, index) => ({ ...one(work.failures), key: `poll ${index}` }));
    rig.state = { ...rig.state, works: { w: { ...work, failures } } };
    expect(names(rig.failsAt("w", "last"))).toEqual(["failed"]);
    const over = rig.failsAt("w", "over");
    expect(over).toMatchObject({
      events: [],
      verdict: { kind: "refused", fault: { code: "step.too-many", message: expect.stringMatching(/no room$/) } },
    });
    expect(rig.work("w").failures).toHaveLength(LIMITS.failuresPerWorkMax);
  });

  test("records are dropped with a success, and kept with a fault, a call that may have to be undone, or an agent's own undo", () => {
    const rig = new AgentRig();
    rig.asks("failed");
    rig.failsAt("failed", "look");
    rig.finishes("failed");
    expect(rig.work("failed").failures).toBeUndefined();
    rig.asks("plain");
    rig.records("plain", "s");
    rig.ends("plain", "look");
    rig.finishes("plain");
    expect(rig.work("plain")).toMatchObject({ calls: [], steps: [], input: { json: null } });
    rig.asks("undoable");
    rig.begins("undoable", "book");
    rig.ends("undoable", "book", { fault: { code: "agent.failed", message: "no answer" } });
    rig.finishes("undoable");
    expect(rig.work("undoable")).toMatchObject({ calls: [{ tool: "book" }], input: { json: "in" } });
    rig.asks("own");
    rig.finishes("own", undefined, { undoes: true });
    expect(rig.work("own")).toMatchObject({ undoes: true, input: { json: "in" }, result: { output: { json: "out" } } });
  });
});
