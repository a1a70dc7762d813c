/** @module How an attempt's time is told by receipts: queued, running, waiting. */
import { expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import type { WorkStatus } from "../../runtime/protocol.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { one, ProcessRig, slipOf } from "./process-rig.ts";

const A = "p:1:a:0:1";
const TIMEOUT_MS = 5_000;

function asked(): ProcessRig {
  const rig = new ProcessRig(slipOf([one("a", { timeoutMs: TIMEOUT_MS })]));
  rig.accept();
  return rig;
}

function told(rig: ProcessRig, work: WorkStatus | undefined, attempt = 1): ReturnType<ProcessRig["give"]> {
  return rig.give({ kind: "told", workId: A, attempt, work });
}

test("work in a queue is never out of time, however long it waits", () => {
  const rig = asked();
  for (let round = 1; round <= 100; round += 1) {
    expect(sends(rig.after(TIMEOUT_MS).tick().effects)).toHaveLength(1);
    expect(told(rig, { state: "queued" }).events).toMatchObject([{ e: "told", state: "queued", dueAtMs: rig.nowMs + TIMEOUT_MS }]);
  }
  expect(rig.state.works[A]?.standing).toBe("queued");
  expect(rig.state.works[A]?.attempt).toBe(1);
});

test("the time of an attempt counts from the start of its handler", () => {
  const rig = asked();
  rig.after(TIMEOUT_MS).tick();
  expect(told(rig, { state: "running", runningMs: 2_000 }).events).toMatchObject([{ e: "told", dueAtMs: T0 + TIMEOUT_MS + 3_000 }]);
  rig.after(3_000).tick();
  expect(told(rig, { state: "running", runningMs: TIMEOUT_MS }).events).toMatchObject([
    { e: "failed", fault: { code: "stop.timeout" } },
    {},
    {},
  ]);
});

test("a handler that runs for an unknown time has had all of it", () => {
  const rig = asked();
  rig.after(TIMEOUT_MS).tick();
  expect(names(told(rig, { state: "running" }))).toContain("failed");
});

test("where no receipt says how it stands, it is out of time a bound later", () => {
  const rig = asked();
  rig.after(TIMEOUT_MS).tick();
  expect(told(rig, undefined).events).toEqual([]);
  expect(names(rig.after(LIMITS.probeMs).tick())).toContain("failed");
});

test("before its time is up a receipt is recorded where it is news, and history says it", () => {
  const rig = asked();
  expect(told(rig, { state: "queued" }).events).toHaveLength(1);
  expect(told(rig, { state: "queued" }).events).toEqual([]);
  expect(told(rig, { state: "running", runningMs: 1 }).events).toHaveLength(1);
  expect(told(rig, { state: "running" }, 2).events, "of another attempt").toEqual([]);
  expect(rig.state.history.map(({ what }) => what)).toEqual(["asked", "queued", "running"]);
  expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + TIMEOUT_MS);
});

test("a nudge sends a request again, also on a host whose clock is behind that of the host that asked", () => {
  const rig = asked();
  rig.after(-60_000);
  expect(sends(rig.give({ kind: "tick" }).effects)).toEqual([]);
  expect(sends(rig.give({ kind: "tick", nudged: true }).effects)).toHaveLength(1);
});
