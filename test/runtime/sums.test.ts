/** @module Sums over entries: a system in numbers, and what it has spent. */
import { describe, expect, test } from "vitest";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { costsOf, countEntries } from "../../runtime/sums.ts";
import { HOUR_MS } from "../../runtime/units.ts";

const SINCE_MS = 100 * HOUR_MS;
const DEAREST_MAX = 20;
const LINES_MAX = 100;

function open(id: string, acceptedAtMs: number, facts: IndexEntry["facts"] = {}): IndexEntry {
  return { id, open: true, atMs: acceptedAtMs, facts: { route: "trip", acceptedAtMs, ...facts } };
}

function ended(id: string, atMs: number, facts: IndexEntry["facts"] = {}): IndexEntry {
  return { id, open: false, atMs, facts: { route: "trip", status: "completed", acceptedAtMs: 1, ...facts } };
}

describe("a system in numbers", () => {
  test("without entries is all zeros", () => {
    expect(countEntries([], SINCE_MS)).toEqual({ open: 0, paused: 0, usd: 0, tokens: 0, ended: [], perHour: [] });
  });

  test("counts open ones of any age, the paused among them, and names the oldest", () => {
    const entries = [open("young", SINCE_MS + 5), open("old", 3, { paused: true }), open("between", 9), ended("gone", SINCE_MS)];
    expect(countEntries(entries, SINCE_MS)).toMatchObject({
      ...{ open: 3, paused: 1 },
      oldestOpen: { id: "old", route: "trip", acceptedAtMs: 3 },
    });
  });

  test("counts ended ones by their end, however long ago they were accepted", () => {
    const entries = [
      ended("at-the-beginning", SINCE_MS, { usd: 0.25, inputTokens: 10, outputTokens: 1 }),
      ended("failed", SINCE_MS + HOUR_MS, { status: "failed", usd: 0.5 }),
      ended("before", SINCE_MS - 1, { usd: 100, inputTokens: 100 }),
      // A process that ended and was paused before it did is not paused now.
      ended("paused-once", SINCE_MS + 1, { paused: true }),
    ];
    expect(countEntries(entries, SINCE_MS)).toMatchObject({
      ...{ open: 0, paused: 0, usd: 0.75, tokens: 11 },
      ended: [
        { status: "completed", count: 2 },
        { status: "failed", count: 1 },
      ],
    });
  });

  test("what is open has no part in what was spent", () => {
    expect(countEntries([open("a", SINCE_MS, { usd: 3, inputTokens: 7 })], SINCE_MS)).toMatchObject({ usd: 0, tokens: 0, ended: [] });
  });

  test("has a line for each hour in which something ended, the oldest first", () => {
    const entries = [
      ended("c", SINCE_MS + 2 * HOUR_MS, { status: "failed", usd: 1 }),
      ended("a", SINCE_MS + 1),
      ended("b", SINCE_MS + HOUR_MS - 1, { usd: 2 }),
    ];
    expect(countEntries(entries, SINCE_MS).perHour).toEqual([
      { atMs: SINCE_MS, ended: 2, failed: 0, usd: 2 },
      { atMs: SINCE_MS + 2 * HOUR_MS, ended: 1, failed: 1, usd: 1 },
    ]);
  });
});

describe("what was spent", () => {
  const COST = { modelCalls: 2, toolCalls: 1, inputTokens: 30, outputTokens: 4, usd: 0.5 };

  test("is the sum over processes that ended since then: in all, by route and by version", () => {
    const entries = [
      ended("a", SINCE_MS, { ...COST, versions: "Pay@v1/m" }),
      ended("b", SINCE_MS + 5, { ...COST, usd: 2, route: "refund", versions: "Pay@v2/m" }),
      ended("c", SINCE_MS + 9, { route: "refund" }),
      ended("before", SINCE_MS - 1, COST),
      open("open", SINCE_MS, COST),
    ];
    const { total, byRoute, byVersion, dearest, sinceMs } = costsOf(entries, SINCE_MS);
    expect(sinceMs).toBe(SINCE_MS);
    expect(total).toEqual({ name: "total", processes: 3, modelCalls: 4, toolCalls: 2, inputTokens: 60, outputTokens: 8, usd: 2.5 });
    expect(byRoute.map(({ name, processes, usd }) => [name, processes, usd])).toEqual([
      ["refund", 2, 2],
      ["trip", 1, 0.5],
    ]);
    expect(byVersion.map(({ name, usd }) => [name, usd])).toEqual([
      ["Pay@v2/m", 2],
      ["Pay@v1/m", 0.5],
      ["", 0],
    ]);
    expect(dearest).toEqual([
      { id: "b", route: "refund", usd: 2, tokens: 34 },
      { id: "a", route: "trip", usd: 0.5, tokens: 34 },
    ]);
  });

  test("names the dearest processes in any order of the entries", () => {
    const prices = Array.from({ length: 5 * DEAREST_MAX }, (_, index) => 1 + ((index * 37) % (5 * DEAREST_MAX)));
    const entries = prices.map((usd) => ended(`p-${usd}`, SINCE_MS, { usd }));
    const { dearest } = costsOf(entries, SINCE_MS);
    expect(dearest.map(({ usd }) => usd)).toEqual(Array.from({ length: DEAREST_MAX }, (_, index) => 5 * DEAREST_MAX - index));
  });

  test("of many routes has one line for the others, and the lines add up to the total", () => {
    const entries = Array.from({ length: 2 * LINES_MAX }, (_, index) => ended(`p-${index}`, SINCE_MS, { route: `r-${index}`, usd: 1 }));
    const { total, byRoute } = costsOf([...entries, ended("again", SINCE_MS, { route: "r-0", usd: 1 })], SINCE_MS);
    expect(byRoute).toHaveLength(LINES_MAX + 1);
    expect(byRoute[0]).toMatchObject({ name: "(others)", processes: LINES_MAX });
    expect(byRoute.find(({ name }) => name === "r-0")).toMatchObject({ processes: 2, usd: 2 });
    expect(byRoute.reduce((sum, { processes }) => sum + processes, 0)).toBe(total.processes);
  });
});
