/** @module Which entries a listing of processes shows: each filter by itself, all of them together. */
import { describe, expect, test } from "vitest";
import { acceptedAtMs, entryFilter, type EntryFilter } from "../../runtime/process-filter.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

function entry(id: string, open: boolean, facts: IndexEntry["facts"] = {}, atMs = 100): IndexEntry {
  return { id, open, atMs, facts };
}

const ENTRIES = [
  entry("trip-1", true, { route: "trip", by: "ada", acceptedAtMs: 10, paused: true }),
  entry("trip-2", false, { route: "trip", by: "ben", acceptedAtMs: 20, status: "failed", code: "agent.refused", usd: 0.5 }),
  entry("refund-1", false, { route: "refund", by: "ada", acceptedAtMs: 30, status: "completed", usd: 2, versions: "Pay@v1/m Ask@v2/m" }),
  entry("refund-2", true, { route: "refund", by: "ada", acceptedAtMs: 40, traceId: TRACE }),
];

function wanted(filter: EntryFilter): string[] {
  return ENTRIES.filter(entryFilter(filter)).map(({ id }) => id);
}

describe("a listing of processes", () => {
  const cases: readonly (readonly [what: string, filter: EntryFilter, ids: readonly string[]])[] = [
    ["shows all without a filter", {}, ["trip-1", "trip-2", "refund-1", "refund-2"]],
    ["takes a filter that is undefined for none", { route: undefined, paused: undefined }, ["trip-1", "trip-2", "refund-1", "refund-2"]],
    ["shows the open ones", { state: "open" }, ["trip-1", "refund-2"]],
    ["shows the ended ones", { state: "ended" }, ["trip-2", "refund-1"]],
    ["shows those with an outcome", { status: "failed" }, ["trip-2"]],
    ["shows those of a route", { route: "trip" }, ["trip-1", "trip-2"]],
    ["shows those with a fault", { code: "agent.refused" }, ["trip-2"]],
    ["shows those that a subject submitted", { by: "ben" }, ["trip-2"]],
    ["begins with the moment that is given", { sinceMs: 20 }, ["trip-2", "refund-1", "refund-2"]],
    ["ends before the moment that is given", { untilMs: 30 }, ["trip-1", "trip-2"]],
    ["shows those that cost at least so much", { minUsd: 0.5 }, ["trip-2", "refund-1"]],
    ["shows those that cost nothing, too, from 0 on", { minUsd: 0 }, ["trip-1", "trip-2", "refund-1", "refund-2"]],
    ["shows the paused ones", { paused: true }, ["trip-1"]],
    ["shows all but the paused ones", { paused: false }, ["trip-2", "refund-1", "refund-2"]],
    ["finds a part of an id", { text: "fund" }, ["refund-1", "refund-2"]],
    ["finds a whole trace id, and no part of one", { text: TRACE }, ["refund-2"]],
    ["shows those that used a version", { version: "Ask@v2/m" }, ["refund-1"]],
    ["takes no part of a version", { version: "Ask@v2" }, []],
    ["shows only what all filters want", { state: "ended", by: "ada", sinceMs: 30 }, ["refund-1"]],
  ];
  test.each(cases)("%s", (_what, filter, ids) => {
    expect(wanted(filter)).toEqual(ids);
  });

  test("a part of a trace id is none", () => {
    expect(wanted({ text: TRACE.slice(1) })).toEqual([]);
  });

  test("a process that was paused when it ended is not paused", () => {
    expect(entryFilter({ paused: true })(entry("x", false, { paused: true }))).toBe(false);
  });

  test("an entry that does not say when its process was accepted counts from its own time", () => {
    expect(acceptedAtMs(entry("x", true, {}, 7))).toBe(7);
    expect(acceptedAtMs(entry("x", true, { acceptedAtMs: 3 }, 7))).toBe(3);
    expect(entryFilter({ sinceMs: 7 })(entry("x", true, {}, 7))).toBe(true);
  });
});
