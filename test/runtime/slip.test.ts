/** @module Slips as data. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs, callsOf, outputNames, RETRY_DEFAULT, RETRY_UNDO, RetryPolicy, Slip, type Stop } from "../../runtime/slip.ts";
import party from "../agents/fixtures/travel.ts";

const call = {
  target: { kind: "agent", agent: "A" } as const,
  input: { from: ["task"] },
  timeoutMs: 1,
  retry: RETRY_DEFAULT,
  optional: false,
};

describe("a slip is strict data", () => {
  const whole: unknown = JSON.parse(JSON.stringify(party.slip));
  test("what a system pins is valid, and unchanged after a round trip through JSON", () => {
    expect(Slip.parse(whole)).toEqual(whole);
  });
  test("unknown keys, versions and targets are refused", () => {
    expect(Slip.safeParse({ ...party.slip, extra: 1 }).success).toBe(false);
    expect(Slip.safeParse({ ...party.slip, v: 2 }).success).toBe(false);
    const bad = { version: 1, stops: [{ kind: "one", name: "a", call: { ...call, target: { url: "x" } } }], output: { literal: 1 } };
    expect(Slip.safeParse({ ...party.slip, routes: { bad } }).success).toBe(false);
  });
});

test("the default policies are valid", () => {
  expect(RetryPolicy.parse(RETRY_DEFAULT)).toEqual(RETRY_DEFAULT);
  expect(RetryPolicy.parse(RETRY_UNDO)).toEqual(RETRY_UNDO);
});

test("a pause doubles, never exceeds its maximum, and only its random share varies", () => {
  expect([1, 2, 3, 20].map((attempt) => backoffMs({ ...RETRY_DEFAULT, jitter: 0 }, attempt, 0.7))).toEqual([200, 400, 800, 30_000]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, jitter01) => {
      const pause = backoffMs(RETRY_DEFAULT, attempt, jitter01);
      const full = backoffMs(RETRY_DEFAULT, attempt, 0);
      expect(pause).toBeLessThanOrEqual(RETRY_DEFAULT.backoffMsMax);
      expect(pause).toBeGreaterThanOrEqual(Math.floor(full / 2));
    }),
  );
});

test("outputs have the names of the branches of all, and the stop's name elsewhere", () => {
  const all: Stop = { kind: "all", name: "all-1", branches: { x: call, y: call } };
  const any: Stop = { kind: "any", name: "best", branches: { x: call, y: call } };
  const each: Stop = { kind: "forEach", name: "each", over: { literal: [] }, call, concurrency: 1 };
  expect([all, any, each].map(outputNames)).toEqual([["x", "y"], ["best"], ["each"]]);
  expect([all, any, each].map((stop) => callsOf(stop).map(([path]) => path))).toEqual([["x", "y"], ["best.x", "best.y"], ["each"]]);
});
