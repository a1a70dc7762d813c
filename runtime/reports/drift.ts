/**
 * @module Coordination drift: the ended runs of a window against those of the baseline before it, by route and version. Pure.
 *
 * A kind has drifted when all of this holds, so that neither a few processes nor one extreme process is enough:
 * - both sides have {@link LIMITS.driftProcessesMin} processes,
 * - on the greater side, {@link LIMITS.driftEventsMin} processes have more than 0 of it,
 * - the mean is {@link LIMITS.driftRatioMin} times that of the other side,
 * - the ranks of all values say so too: Wilcoxon's rank sum, corrected for ties, is {@link LIMITS.driftErrorsMin} standard errors off.
 *
 * The rank sum compares how often a value of one side is above one of the other. So it needs no assumption about their distribution, and
 * one process with 500 retries counts as one process. It counts when a kind rises; waits and refusals, which are the checks of a
 * system, also count when they fall.
 */
import { LIMITS } from "../limits.ts";
import type { DriftLine, DriftView } from "../overview.ts";
import { countOf, DRIFT_KINDS, type DriftKind, type EndedRun } from "./runs.ts";

/** The window begins at `sinceMs` and has no end; the baseline begins at `baselineMs` and ends where the window begins. */
export interface DriftTimes {
  readonly sinceMs: number;
  readonly baselineMs: number;
}

interface Group {
  readonly route: string;
  readonly version: string;
  readonly now: EndedRun[];
  readonly before: EndedRun[];
}

/** Kinds that say something when they fall, too. */
const BOTH_WAYS: readonly DriftKind[] = ["waits", "refusals"];

/** The drift of each route and version that has ended runs in the window, the most frequent first. */
export function driftOf(runs: readonly EndedRun[], { sinceMs, baselineMs }: DriftTimes, atLeast: boolean): DriftView {
  const groups = new Map<string, Group>();
  const routes = new Map<string, EndedRun[]>();
  for (const run of runs) {
    if (run.endedAtMs < baselineMs) continue;
    const { route, version } = run;
    const key = JSON.stringify([route, version]);
    const group = groups.get(key) ?? { route, version, now: [], before: [] };
    groups.set(key, group);
    if (run.endedAtMs >= sinceMs) group.now.push(run);
    else {
      group.before.push(run);
      const all = routes.get(route) ?? [];
      routes.set(route, all);
      all.push(run);
    }
  }
  const recent = [...groups.values()].filter(({ now }) => now.length > 0).sort((a, b) => b.now.length - a.now.length);
  return {
    sinceMs,
    baselineMs,
    lines: recent.slice(0, LIMITS.driftLinesMax).map((group) => lineOf(group, routes.get(group.route) ?? [])),
    atLeast: atLeast || recent.length > LIMITS.driftLinesMax,
  };
}

/** A version that the baseline has too seldom is compared with all versions of its route there. */
function lineOf({ route, version, now, before }: Group, ofRoute: readonly EndedRun[]): DriftLine {
  const isNew = before.length < LIMITS.driftProcessesMin && ofRoute.length > before.length;
  const base = isNew ? ofRoute : before;
  const rate = (kind: DriftKind): DriftLine[DriftKind] => rateOf(valuesOf(now, kind), valuesOf(base, kind), BOTH_WAYS.includes(kind));
  return {
    ...{ route, version, against: isNew ? "route" : "version", processes: now.length, processesBefore: base.length },
    comparable: Math.min(now.length, base.length) >= LIMITS.driftProcessesMin,
    ...{ retries: rate("retries"), takeovers: rate("takeovers"), waits: rate("waits"), repairs: rate("repairs") },
    ...{ fallbacks: rate("fallbacks"), refusals: rate("refusals"), ungrounded: rate("ungrounded"), failed: rate("failed") },
    ...{ durationMs: rate("durationMs"), usd: rate("usd") },
  };
}

/** The kinds of a line that have drifted. */
export function driftedKinds(line: DriftLine): readonly DriftKind[] {
  return DRIFT_KINDS.filter((kind) => line[kind].drifted);
}

/** Sorted values. */
function valuesOf(runs: readonly EndedRun[], kind: DriftKind): Float64Array {
  return Float64Array.from(runs, (run) => countOf(run, kind)).sort();
}

function rateOf(now: Float64Array, before: Float64Array, isBothWays: boolean): DriftLine[DriftKind] {
  const [mean, meanBefore] = [meanOf(now), meanOf(before)];
  const rose = mean > meanBefore;
  const [high, low] = rose ? [now, before] : [before, now];
  const drifted =
    (rose || isBothWays) &&
    Math.min(now.length, before.length) >= LIMITS.driftProcessesMin &&
    high.reduce((count, value) => count + Number(value > 0), 0) >= LIMITS.driftEventsMin &&
    Math.max(mean, meanBefore) >= LIMITS.driftRatioMin * Math.min(mean, meanBefore) &&
    errorsAbove(high, low) >= LIMITS.driftErrorsMin;
  return { now: mean, before: meanBefore, drifted };
}

function meanOf(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By how many standard errors the rank sum of `high` is above what it is when both sides are alike. Both are sorted. */
function errorsAbove(high: Float64Array, low: Float64Array): number {
  const [n, m] = [high.length, low.length];
  let [atHigh, atLow, rank, sum, ties] = [0, 0, 0, 0, 0];
  while (atHigh < n || atLow < m) {
    const value = Math.min(high[atHigh] ?? Number.POSITIVE_INFINITY, low[atLow] ?? Number.POSITIVE_INFINITY);
    const [beganHigh, beganLow] = [atHigh, atLow];
    while (high[atHigh] === value) atHigh += 1;
    while (low[atLow] === value) atLow += 1;
    const count = atHigh - beganHigh + atLow - beganLow;
    // Equal values share the mean of their ranks.
    sum += (atHigh - beganHigh) * (rank + (count + 1) / 2);
    ties += count ** 3 - count;
    rank += count;
  }
  const all = n + m;
  const variance = ((n * m) / 12) * (all + 1 - ties / (all * (all - 1)));
  return variance <= 0 ? 0 : (sum - (n * (all + 1)) / 2) / Math.sqrt(variance);
}
