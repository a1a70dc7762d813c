/** @module Which entries of the directory a listing wants: each filter alone, all together, and facts that are absent. */
import { describe, expect, test } from "vitest";
import { acceptedAtMs, entryFilter, type EntryFilter, isNested, isProcess, numberOf } from "../../runtime/process-filter.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";

const ENDED: IndexEntry = {
  ...{ id: "trip-7", open: false, atMs: 900 },
  facts: {
    ...{ route: "trip", status: "failed", code: "agent.failed", by: "ann", traceId: "ab12", acceptedAtMs: 500, usd: 0.5 },
    versions: "Planner@v1/large Writer@v2/small",
  },
};
const OPEN: IndexEntry = { id: "trip-8", open: true, atMs: 700, facts: { route: "trip", paused: true, by: "bob", acceptedAtMs: 600 } };
/** Of a process that was submitted and is not recorded yet. */
const BARE: IndexEntry = { id: "bare", open: true, atMs: 400, facts: {} };
const ALL = [ENDED, OPEN, BARE];

function wanted(filter: EntryFilter): readonly string[] {
  return ALL.filter(entryFilter(filter)).map(({ id }) => id);
}

describe("a filter", () => {
  test.each<readonly [EntryFilter, readonly string[]]>([
    [{}, ["trip-7", "trip-8", "bare"]],
    [{ state: "open" }, ["trip-8", "bare"]],
    [{ state: "ended" }, ["trip-7"]],
    [{ status: "failed" }, ["trip-7"]],
    [{ status: "completed" }, []],
    [{ route: "trip" }, ["trip-7", "trip-8"]],
    [{ code: "agent.failed" }, ["trip-7"]],
    [{ by: "bob" }, ["trip-8"]],
    // Accepted, not ended: a bare entry is as old as it says itself.
    [{ sinceMs: 500 }, ["trip-7", "trip-8"]],
    [{ sinceMs: 501 }, ["trip-8"]],
    [{ untilMs: 500 }, ["bare"]],
    [{ sinceMs: 500, untilMs: 501 }, ["trip-7"]],
    [{ endedSinceMs: 900 }, ["trip-7"]],
    [{ endedSinceMs: 901 }, []],
    [{ endedSinceMs: 0 }, ["trip-7"]],
    [{ minUsd: 0.5 }, ["trip-7"]],
    [{ minUsd: 0.51 }, []],
    [{ minUsd: 0 }, ["trip-7", "trip-8", "bare"]],
    [{ paused: true }, ["trip-8"]],
    [{ paused: false }, ["trip-7", "bare"]],
    [{ text: "trip" }, ["trip-7", "trip-8"]],
    [{ text: "ab12" }, ["trip-7"]],
    [{ text: "ab1" }, []],
    [{ version: "Writer@v2/small" }, ["trip-7"]],
    [{ version: "Writer@v2" }, []],
    [{ route: "trip", state: "open", paused: true, by: "bob" }, ["trip-8"]],
    [{ route: "trip", state: "open", by: "ann" }, []],
    [{ status: undefined, route: undefined, paused: undefined }, ["trip-7", "trip-8", "bare"]],
  ])("%j wants %j", (filter, ids) => {
    expect(wanted(filter)).toEqual(ids);
  });

  test("an ended process is not paused, even if its entry still says so", () => {
    const entry: IndexEntry = { ...ENDED, facts: { ...ENDED.facts, paused: true } };
    expect([entryFilter({ paused: true })(entry), entryFilter({ paused: false })(entry)]).toEqual([false, true]);
  });
});

test("an entry of a process that never was is none, and a nested route is known by its parent", () => {
  const statuses = ["completed", "void", "refused", undefined].map((status) =>
    isProcess({ ...BARE, facts: status === undefined ? {} : { status } }),
  );
  expect(statuses).toEqual([true, false, false, true]);
  expect([isNested(ENDED), isNested({ facts: { parent: "p" } })]).toEqual([false, true]);
});

test("facts of another form count as absent", () => {
  expect([acceptedAtMs({ ...BARE, facts: { acceptedAtMs: "soon" } }), numberOf("7"), numberOf(undefined), numberOf(7)]).toEqual([
    400, 0, 0, 7,
  ]);
});
