/** @module Sums over entries of the directory: what is counted, what is not, and what is counted once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OverviewView } from "../../runtime/overview.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { costsOf, countEntries } from "../../runtime/sums.ts";
import { HOUR_MS } from "../../runtime/units.ts";

const SINCE_MS = 500_000 * HOUR_MS;

function entry(id: string, part: Partial<IndexEntry> = {}): IndexEntry {
  return { id, open: false, atMs: SINCE_MS, facts: { route: "trip", status: "completed" }, ...part };
}
const ended = (id: string, facts: IndexEntry["facts"], atMs = SINCE_MS): IndexEntry =>
  entry(id, { atMs, facts: { route: "trip", status: "completed", ...facts } });
const open = (id: string, facts: IndexEntry["facts"] = {}, atMs = 0): IndexEntry =>
  entry(id, { open: true, atMs, facts: { route: "trip", ...facts } });

/** Entries that stand before their process, and stay when it is refused or never comes. */
const NEVER = [entry("a", { facts: { status: "void" } }), open("b", { status: "void" }), entry("c", { facts: { status: "refused" } })];

describe("the numbers of an overview", () => {
  test("nothing is nothing", () => {
    expect(countEntries([], SINCE_MS)).toEqual({ open: 0, paused: 0, redriven: 0, usd: 0, tokens: 0, ended: [], perHour: [] });
  });

  test("open processes of any age, those that are paused, and the oldest by its acceptance", () => {
    const entries = [
      open("young", { acceptedAtMs: 30 }, 10),
      open("old", { acceptedAtMs: 20, paused: true }, 40),
      open("plain", {}, 25),
      ended("over", { paused: true, acceptedAtMs: 1 }),
    ];
    expect(countEntries(entries, SINCE_MS)).toMatchObject({
      ...{ open: 3, paused: 1 },
      oldestOpen: { id: "old", route: "trip", acceptedAtMs: 20 },
    });
  });

  test("ended ones by outcome and hour, from the beginning of the window on", () => {
    const entries = [
      ended("before", { usd: 9 }, SINCE_MS - 1),
      ended("first", { usd: 0.5, inputTokens: 10, outputTokens: 2 }),
      ended("late", { status: "failed", usd: 1 }, SINCE_MS + 2 * HOUR_MS + 5),
      ended("same", { status: "cancelled" }, SINCE_MS + HOUR_MS - 1),
    ];
    expect(countEntries(entries, SINCE_MS)).toEqual({
      ...{ open: 0, paused: 0, redriven: 0, usd: 1.5, tokens: 12 },
      ended: [
        { status: "completed", count: 1 },
        { status: "failed", count: 1 },
        { status: "cancelled", count: 1 },
      ],
      perHour: [
        { atMs: SINCE_MS, ended: 2, failed: 0, usd: 0.5 },
        { atMs: SINCE_MS + 2 * HOUR_MS, ended: 1, failed: 1, usd: 1 },
      ],
    });
  });

  test("processes that never were are not counted, and the answer fits its schema", () => {
    const counted = countEntries([...NEVER, ended("d", {})], SINCE_MS);
    expect(counted).toMatchObject({ open: 0, ended: [{ status: "completed", count: 1 }] });
    expect(counted).not.toHaveProperty("oldestOpen");
    const rest = { system: "s", atMs: SINCE_MS, sinceMs: SINCE_MS, waitingForPeople: 0, dead: 0, problems: [], atLeast: false };
    expect(OverviewView.safeParse({ ...rest, ...counted }).success).toBe(true);
  });

  test("what earlier runs of a redriven process spent is spent, and it is counted as redriven", () => {
    const earlier = { earlierRuns: 1, earlierUsd: 2, earlierInputTokens: 20, earlierOutputTokens: 5, earlierModelCalls: 3 };
    const entries = [ended("again", { usd: 1, inputTokens: 10, modelCalls: 1, ...earlier }), ended("once", { usd: 4 })];
    expect(countEntries(entries, SINCE_MS)).toMatchObject({ redriven: 1, usd: 7, tokens: 35, perHour: [{ usd: 7 }] });
    expect(costsOf(entries, SINCE_MS)).toMatchObject({
      total: { processes: 2, usd: 7, inputTokens: 30, outputTokens: 5, modelCalls: 4 },
      dearest: [
        { id: "once", usd: 4 },
        { id: "again", usd: 3, tokens: 35 },
      ],
    });
  });

  test("what a nested route spent is counted once, with its parent", () => {
    const entries = [ended("p", { usd: 3, inputTokens: 30 }), ended("child-1", { parent: "p", usd: 2, inputTokens: 20 })];
    expect(countEntries(entries, SINCE_MS)).toMatchObject({
      ...{ usd: 3, tokens: 30, ended: [{ status: "completed", count: 2 }] },
      perHour: [{ ended: 2, usd: 3 }],
    });
  });
});

describe("costs", () => {
  test("by route and version, the dearest first; equal ones by their number", () => {
    const entries = [
      ended("a", { usd: 1, modelCalls: 2, toolCalls: 1, inputTokens: 5, outputTokens: 6, versions: "A@v1/m" }),
      ended("b", { usd: 4, route: "party", versions: "A@v2/m" }),
      ...["c", "d"].map((id) => ended(id, { route: "free" })),
      ended("e", { route: "rare" }),
      ended("before", { usd: 100 }, SINCE_MS - 1),
      open("f", { usd: 100 }, SINCE_MS + 1),
      ...NEVER,
    ];
    const { total, byRoute, byVersion, dearest } = costsOf(entries, SINCE_MS);
    expect(total).toEqual({ name: "total", processes: 5, modelCalls: 2, toolCalls: 1, inputTokens: 5, outputTokens: 6, usd: 5 });
    expect(byRoute.map(({ name, processes, usd }) => [name, processes, usd])).toEqual([
      ["party", 1, 4],
      ["trip", 1, 1],
      ["free", 2, 0],
      ["rare", 1, 0],
    ]);
    expect(byVersion.map(({ name, usd }) => [name, usd])).toEqual([
      ["A@v2/m", 4],
      ["A@v1/m", 1],
      ["", 0],
    ]);
    expect(dearest).toEqual([
      { id: "b", route: "party", usd: 4, tokens: 0 },
      { id: "a", route: "trip", usd: 1, tokens: 11 },
    ]);
  });

  test("of a nested route stand in the line of its route, and in the total through its parent", () => {
    const entries = [ended("p", { usd: 3 }), ended("child-1", { parent: "p", route: "inner", usd: 2 })];
    const { total, byRoute, dearest } = costsOf(entries, SINCE_MS);
    expect([total.processes, total.usd, dearest.map(({ id }) => id)]).toEqual([1, 3, ["p"]]);
    expect(byRoute.map(({ name, usd }) => [name, usd])).toEqual([
      ["trip", 3],
      ["inner", 2],
    ]);
  });

  test("names are data: routes that every object inherits have lines of their own", () => {
    const { byRoute } = costsOf(
      ["constructor", "__proto__", "toString"].map((route, index) => ended(String(index), { route })),
      SINCE_MS,
    );
    expect(byRoute.map(({ name }) => name).sort()).toEqual(["__proto__", "constructor", "toString"]);
  });

  test("however many there are, the dearest 20 are kept, lines are bounded, and no process is lost from the lines", () => {
    const some = fc.array(fc.record({ usd: fc.integer({ min: 0, max: 1_000 }), route: fc.integer({ min: 0, max: 300 }) }), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(some, (all) => {
        const entries = all.map(({ usd, route }, index) => ended(String(index), { usd, route: `r${route}` }));
        const { total, byRoute, dearest } = costsOf(entries, SINCE_MS);
        const sorted = all.map(({ usd }) => usd).filter((usd) => usd > 0);
        expect(dearest.map(({ usd }) => usd)).toEqual(sorted.sort((a, b) => b - a).slice(0, 20));
        expect(byRoute.length).toBeLessThanOrEqual(101);
        expect(byRoute.reduce((sum, { processes }) => sum + processes, 0)).toBe(all.length);
        expect(byRoute.reduce((sum, { usd }) => sum + usd, 0)).toBe(total.usd);
      }),
      { numRuns: 50 },
    );
  });
});
