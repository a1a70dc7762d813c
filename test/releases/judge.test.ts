/** @module What ended processes amount to, and which rules that breaks. */
import { describe, expect, it } from "vitest";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { AgentRelease } from "../../runtime/release.ts";
import { addTallies, brokenRules, NO_TALLIES, tally, type Tallies } from "../../runtime/releases/judge.ts";

const COUNTED = { agent: "Refunds", stable: "v1/fast", canary: "v2/fast", sinceMs: 1_000 };

type Facts = IndexEntry["facts"];

function ended(versions: string, facts: Facts = {}, open = false): IndexEntry {
  return { id: "p", open, atMs: 2_000, facts: { acceptedAtMs: 1_500, status: "completed", versions, ...facts } };
}

const many = (count: number, versions: string, facts: Facts = {}): IndexEntry[] =>
  Array.from({ length: count }, () => ended(versions, facts));

function told(rule: Readonly<Record<string, unknown>>, entries: readonly IndexEntry[]): readonly string[] {
  const release = AgentRelease.parse({ stable: {}, canary: { version: { prompt: "v2" }, share: 0.1, stop: [rule] } });
  return brokenRules(release, tally(entries, COUNTED));
}

const STABLE = "Refunds@v1/fast";
const CANARY = "Refunds@v2/fast Writer@-/fast";

describe("the counts of a release", () => {
  it("tell both versions apart", () => {
    const tallies = tally([...many(3, STABLE, { repairs: 2 }), ...many(2, CANARY, { status: "failed", usd: 0.5 })], COUNTED);
    expect(tallies.stable).toMatchObject({ processes: 3, sums: { repairs: 6, failed: 0 } });
    expect(tallies.canary).toMatchObject({ processes: 2, sums: { failed: 2, usd: 1 } });
  });

  it.each<[why: string, entry: IndexEntry]>([
    ["is open", ended(CANARY, {}, true)],
    ["began before the release", ended(CANARY, { acceptedAtMs: 999 })],
    ["used another version", ended("Refunds@v3/fast")],
    ["used both versions", ended(`${STABLE} ${CANARY}`)],
    ["used no model agent", { ...ended(CANARY), facts: { acceptedAtMs: 1_500, status: "completed" } }],
  ])("leave out a process that %s", (_why, entry) => {
    expect(tally([entry], COUNTED)).toEqual(NO_TALLIES);
  });

  it("count an expired process as failed, a cancelled and a partial one not", () => {
    const entries = ["expired", "failed", "cancelled", "partial"].map((status) => ended(CANARY, { status }));
    expect(tally(entries, COUNTED).canary).toMatchObject({ processes: 4, sums: { failed: 2 } });
  });

  it("add up over buckets", () => {
    const [a, b] = [many(3, CANARY, { repairs: 1 }), many(4, CANARY, { repairs: 3 })];
    expect(addTallies(tally(a, COUNTED), tally(b, COUNTED))).toEqual(tally([...a, ...b], COUNTED));
  });
});

describe("a rule with a number", () => {
  const rule = { of: "failed", above: 0.2, processesMin: 20 };

  it("is broken above it, from the minimum of processes on", () => {
    const bad = (count: number): IndexEntry[] => many(count, CANARY, { status: "failed" });
    expect(told(rule, bad(19))).toEqual([]);
    expect(told(rule, bad(20))).toEqual(["failed is 1 per process in 20 processes of the canary, above 0.2"]);
  });

  it("is not broken at it", () => {
    expect(told(rule, [...many(4, CANARY, { status: "failed" }), ...many(16, CANARY)])).toEqual([]);
    expect(told(rule, [...many(5, CANARY, { status: "failed" }), ...many(16, CANARY)])).toHaveLength(1);
  });
});

describe("a rule against the stable version", () => {
  const rule = { of: "failed", above: 1, than: "stable", processesMin: 20 };
  const stable = [...many(10, STABLE, { status: "failed" }), ...many(190, STABLE)];

  it("is not broken by what chance explains", () => {
    expect(told(rule, [...stable, ...many(3, CANARY, { status: "failed" }), ...many(17, CANARY)])).toEqual([]);
  });

  it("is broken by what chance does not explain", () => {
    const [broken] = told(rule, [...stable, ...many(12, CANARY, { status: "failed" }), ...many(8, CANARY)]);
    expect(broken).toBe("failed is 0.6 per process in 20 processes of the canary, above 1 times the 0.05 of 200 stable ones");
  });

  it("waits until as many stable processes have ended", () => {
    expect(told(rule, [...many(19, STABLE), ...many(40, CANARY, { status: "failed" })])).toEqual([]);
    expect(told(rule, [...many(20, STABLE), ...many(40, CANARY, { status: "failed" })])).toHaveLength(1);
  });
});

/** Numbers from 0 to 1 by a seed (mulberry32). */
function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How many of `runs` canaries are stopped within 1,000 tasks at a share of 10 %, judged after each task. */
function stoppedOf(
  runs: number,
  rates: { readonly stable: number; readonly canary: number },
): { readonly stopped: number; readonly at: number } {
  const release = AgentRelease.parse({
    canary: { version: { prompt: "v2" }, share: 0.1, stop: [{ of: "failed", above: 1, than: "stable" }] },
  });
  const single = (canary: boolean, failed: boolean): Tallies =>
    tally([ended(canary ? CANARY : STABLE, failed ? { status: "failed" } : {})], COUNTED);
  const ones = [single(false, false), single(false, true), single(true, false), single(true, true)] as const;
  const ends: number[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const random = drawn(run);
    let sum = NO_TALLIES;
    for (let task = 1; task <= 1_000; task += 1) {
      const isCanary = random() < 0.1;
      const failed = random() < (isCanary ? rates.canary : rates.stable);
      sum = addTallies(sum, ones[isCanary ? (failed ? 3 : 2) : failed ? 1 : 0]);
      if (brokenRules(release, sum).length === 0) continue;
      ends.push(task);
      break;
    }
  }
  return { stopped: ends.length, at: ends.sort((a, b) => a - b)[Math.floor(ends.length / 2)] ?? 0 };
}

describe("judged after each of 1,000 tasks, a canary at 10 %", () => {
  it("that is no worse is seldom stopped", () => {
    const { stopped } = stoppedOf(200, { stable: 0.05, canary: 0.05 });
    expect(stopped).toBeLessThanOrEqual(10);
  });

  it("that fails ten times as often is stopped each time", () => {
    const { stopped, at } = stoppedOf(200, { stable: 0.05, canary: 0.5 });
    expect(stopped).toBe(200);
    expect(at).toBeLessThan(400);
  });
});
