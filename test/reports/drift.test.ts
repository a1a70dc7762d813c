/** @module Drift: what a rule that is robust against small numbers finds, and what it does not. */
import { describe, expect, test } from "vitest";
import type { RunSummary } from "../../runtime/summary.ts";
import { driftedKinds, driftOf } from "../../runtime/reports/drift.ts";
import { DRIFT_KINDS, type EndedRun } from "../../runtime/reports/runs.ts";
import { makeRandom } from "../live/random.ts";

const TIMES = { sinceMs: 1_000, baselineMs: 100 };

interface Some {
  readonly count: number;
  readonly atMs: number;
  readonly summary?: (index: number) => RunSummary;
  readonly version?: string;
  readonly failed?: (index: number) => boolean;
}

function some({ count, atMs, summary = () => ({}), version = "", failed = () => false }: Some): EndedRun[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ id: `p${atMs}-${index}`, route: "trip", version, endedAtMs: atMs },
    ...{ status: failed(index) ? ("failed" as const) : ("completed" as const), summary: summary(index) },
  }));
}

const now = (part: Omit<Some, "atMs">): EndedRun[] => some({ ...part, atMs: 1_500 });
const before = (part: Omit<Some, "atMs">): EndedRun[] => some({ ...part, atMs: 500 });
const drifted = (...runs: readonly EndedRun[][]): readonly string[] =>
  driftOf(runs.flat(), TIMES, false).lines.flatMap((line) => driftedKinds(line));

describe("drift", () => {
  test("finds that more processes retry, and tells both means", () => {
    const view = driftOf(
      [
        ...now({ count: 60, summary: (index) => (index % 3 === 0 ? { retries: 2 } : {}) }),
        ...before({ count: 200, summary: (index) => (index % 20 === 0 ? { retries: 1 } : {}) }),
      ],
      TIMES,
      false,
    );
    expect(view.lines).toHaveLength(1);
    expect(view.lines[0]).toMatchObject({ route: "trip", against: "version", processes: 60, processesBefore: 200 });
    expect(view.lines[0]?.retries).toEqual({ now: 40 / 60, before: 0.05, drifted: true });
    expect(view.lines.flatMap(driftedKinds)).toEqual(["retries"]);
  });

  test.each(DRIFT_KINDS)("finds a rise of %s", (kind) => {
    const high: Omit<Some, "atMs" | "count"> =
      kind === "failed" ? { failed: (index) => index % 2 === 0 } : { summary: (index) => ({ [kind]: 6 + (index % 5) }) };
    const low: Omit<Some, "atMs" | "count"> = kind === "failed" ? {} : { summary: (index) => ({ [kind]: 2 + (index % 3) }) };
    expect(drifted(now({ count: 40, ...high }), before({ count: 40, ...low }))).toEqual([kind]);
  });

  test("one process with 500 retries is no drift, nor are four that fail", () => {
    const calm = before({ count: 200 });
    expect(drifted(now({ count: 50, summary: (index) => (index === 0 ? { retries: 500 } : {}) }), calm)).toEqual([]);
    expect(drifted(now({ count: 25, failed: (index) => index < 4 }), calm)).toEqual([]);
  });

  test("needs 20 processes on each side", () => {
    const all = { failed: () => true };
    expect(drifted(now({ count: 19, ...all }), before({ count: 500 }))).toEqual([]);
    expect(drifted(now({ count: 500, ...all }), before({ count: 19 }))).toEqual([]);
    expect(drifted(now({ count: 20, ...all }), before({ count: 20 }))).toEqual(["failed"]);
  });

  test("a difference that is certain but small is no drift", () => {
    const slow = (ms: number) => (index: number) => ({ durationMs: ms + (index % 7) });
    expect(drifted(now({ count: 2_000, summary: slow(1_300) }), before({ count: 2_000, summary: slow(1_000) }))).toEqual([]);
    expect(drifted(now({ count: 2_000, summary: slow(1_600) }), before({ count: 2_000, summary: slow(1_000) }))).toEqual(["durationMs"]);
  });

  test("a fall counts for waits and refusals, which are the checks of a system, and for nothing else", () => {
    const every = (kind: string) => ({ summary: () => ({ [kind]: 2 }) });
    expect(DRIFT_KINDS.filter((kind) => drifted(now({ count: 50 }), before({ count: 50, ...every(kind) })).includes(kind))).toEqual([
      "waits",
      "refusals",
    ]);
    expect(drifted(now({ count: 50 }), before({ count: 50, failed: () => true }))).toEqual([]);
  });

  test("a new version is compared with the route, an old one with itself", () => {
    const repairing = { summary: () => ({ repairs: 1 }) };
    const view = driftOf(
      [
        ...now({ count: 30, version: "Writer@v2/fast", ...repairing }),
        ...now({ count: 40, version: "Writer@v1/fast" }),
        ...before({ count: 300, version: "Writer@v1/fast" }),
      ],
      TIMES,
      false,
    );
    expect(view.lines.map(({ version, against, processes, processesBefore }) => [version, against, processes, processesBefore])).toEqual([
      ["Writer@v1/fast", "version", 40, 300],
      ["Writer@v2/fast", "route", 30, 300],
    ]);
    expect(view.lines.map(driftedKinds)).toEqual([[], ["repairs"]]);
  });

  test("leaves out what ended before the baseline", () => {
    const old = some({ count: 100, atMs: 50, failed: () => true });
    expect(driftOf([...old, ...now({ count: 30 })], TIMES, true)).toMatchObject({ lines: [{ processesBefore: 0 }], atLeast: true });
  });

  test("finds no drift in values of one distribution, and finds a doubling", () => {
    const seed = 4;
    const random = makeRandom(seed);
    // Heavy tails, as durations have, and rare events.
    const draw = (share: number): RunSummary => ({
      durationMs: Math.round(1_000 * Math.exp(1.5 * (random() + random() + random() - 1.5) * 2)),
      ...(random() < share ? { retries: 1 + Math.floor(3 * random()) } : {}),
    });
    const look = (share: number): readonly string[] =>
      drifted(now({ count: 100, summary: () => draw(share) }), before({ count: 400, summary: () => draw(0.1) }));
    const quiet = Array.from({ length: 400 }, () => look(0.1).length).reduce((sum, count) => sum + count, 0);
    expect(quiet, `found without a cause in 800 comparisons, seed ${seed}`).toBeLessThanOrEqual(1);
    const found = Array.from({ length: 50 }, () => look(0.3)).filter((kinds) => kinds.includes("retries")).length;
    expect(found, `found of 50, seed ${seed}`).toBeGreaterThanOrEqual(45);
  });
});
