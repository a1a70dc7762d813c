/**
 * @module Decisions of an agent on a work item whose process was terminated: it is cancelled in every status, and nothing of it begins
 * afterwards.
 */
import { expect, test } from "vitest";
import { AgentRig, orders } from "./agent-rig.ts";
import { names } from "./machine-rig.ts";

const FAULT = { fault: { code: "agent.failed", message: "no" } } as const;

test("unknown: a request that comes later is refused", () => {
  const rig = new AgentRig();
  expect(names(rig.drops("w"))).toEqual(["tombstoned"]);
  expect(orders(rig.asks("w"))).toEqual([]);
});

test("running: it is stopped, and settled when its handler has ended", () => {
  const rig = new AgentRig();
  rig.asks("w");
  expect([names(rig.drops("w")), names(rig.drops("w"))]).toEqual([["dropped"], []]);
  expect(names(rig.finishes("w", { output: "after all" }))).toEqual(["undo-done"]);
  expect(rig.work("w").status).toBe("undone");
});

// Another host had taken the request of the next attempt before the termination, and recorded it after the drop.
test("failed: the request of its next attempt begins nothing", () => {
  const rig = new AgentRig();
  rig.asks("w");
  rig.asks("next");
  rig.finishes("w", FAULT);
  const dropped = rig.drops("w");
  expect([names(dropped), orders(dropped)]).toEqual([["dropped", "undo-done"], []]);
  expect(rig.state.running).toBe("next");
  const late = rig.asks("w", { attempt: 2 });
  expect([late.events, orders(late)]).toEqual([[], []]);
  expect(names(rig.drops("w"))).toEqual([]);
});

test("failed, and its next attempt is queued: it never runs", () => {
  const rig = new AgentRig();
  rig.asks("w");
  rig.finishes("w", FAULT);
  rig.asks("other");
  rig.asks("w", { attempt: 2 });
  expect(names(rig.drops("w"))).toEqual(["dropped", "undo-done"]);
  expect(orders(rig.finishes("other"))).toEqual([]);
});

test("succeeded: it stays as it is", () => {
  const rig = new AgentRig();
  rig.asks("w");
  rig.finishes("w", { output: 1 });
  expect(rig.drops("w").events).toEqual([]);
  expect(rig.work("w").status).toBe("done");
});
