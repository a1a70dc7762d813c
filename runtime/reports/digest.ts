/** @module The digest: what happened since a time, for a person who reads one page a day. It holds no contents. Pure. */
import { FAULTS, isFaultCode } from "../faults/table.ts";
import type { IndexEntry } from "../protocol/bodies.ts";
import { LIMITS } from "../limits.ts";
import type { DigestView } from "../overview.ts";
import { CANARY_STOPPED } from "../release.ts";
import { inboxLine } from "../people/view.ts";
import { DAY_MS, HOUR_MS } from "../units.ts";
import { driftedKinds, driftOf } from "./drift.ts";
import { type EndedRun, hasFailed } from "./runs.ts";
import { usdOfAll } from "../summary.ts";

/** What a digest is a sum of. Entries are those of the indexes. */
export interface DigestParts {
  readonly system: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  /** From the beginning of the baseline of drift on. */
  readonly runs: readonly EndedRun[];
  readonly baselineMs: number;
  /** Dead letters that wait for a decision. */
  readonly letters: readonly IndexEntry[];
  /** Requests that wait for people. */
  readonly requests: readonly IndexEntry[];
  /** Lines of the audit about canaries that were stopped. */
  readonly stopped: readonly IndexEntry[];
  readonly atLeast: boolean;
}

/** How often a digest is written by itself: at the full hour, at midnight UTC, or at midnight UTC before Monday. */
export const DIGEST_PERIODS = ["hourly", "daily", "weekly"] as const;
/** One of {@link DIGEST_PERIODS}. */
export type DigestPeriod = (typeof DIGEST_PERIODS)[number];

/** An event on the topic of digests. */
export interface DigestNotification {
  readonly what: "digest";
  readonly atMs: number;
  readonly view: DigestView;
  readonly markdown: string;
}

const PERIOD_MS: Readonly<Record<DigestPeriod, number>> = { hourly: HOUR_MS, daily: DAY_MS, weekly: 7 * DAY_MS };
/** The epoch began on a Thursday. */
const MONDAY_MS = 4 * DAY_MS;

/** The last whole period before a moment. */
export function lastPeriod(period: DigestPeriod, nowMs: number): { readonly sinceMs: number; readonly untilMs: number } {
  const [lengthMs, shiftMs] = [PERIOD_MS[period], period === "weekly" ? MONDAY_MS : 0];
  const untilMs = nowMs - ((nowMs - shiftMs) % lengthMs);
  return { sinceMs: untilMs - lengthMs, untilMs };
}

const OTHERS = "others";
const OWN_CODE = "The code is one of your own: see where the system defines it.";

/** The digest of a time. Each of its lists is short; what a list leaves out is in its total. */
export function digestOf(parts: DigestParts): DigestView {
  const { system, sinceMs, untilMs, runs, baselineMs, letters, requests, stopped, atLeast } = parts;
  const ended = runs.filter(({ endedAtMs }) => endedAtMs >= sinceMs && endedAtMs < untilMs);
  // What a nested route has spent is in its parent.
  const submitted = ended.filter(({ isNested }) => isNested !== true);
  return {
    ...{ system, sinceMs, untilMs },
    processes: routesOf(ended),
    waiting: requests.length,
    people: peopleOf(requests),
    dead: letters.length,
    deadLetters: causesOf(letters, sinceMs),
    releases: releasesOf(stopped, sinceMs),
    drift: driftsOf(
      runs.filter(({ endedAtMs }) => endedAtMs < untilMs),
      { sinceMs, baselineMs },
    ),
    slowest: slowestOf(ended),
    usd: submitted.reduce((sum, { summary }) => sum + usdOfAll(summary), 0),
    dearest: submitted
      .map(({ id, route, summary }) => ({ id, route, usd: usdOfAll(summary) }))
      .filter(({ usd }) => usd > 0)
      .sort((a, b) => b.usd - a.usd)
      .slice(0, LIMITS.digestLinesMax),
    atLeast,
  };
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly [key: string, of: readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(one);
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

function routesOf(ended: readonly EndedRun[]): DigestView["processes"] {
  const all = grouped(ended, ({ route }) => route);
  const shown = all.length > LIMITS.digestLinesMax ? all.slice(0, LIMITS.digestLinesMax - 1) : all;
  const rest = all.slice(shown.length).flatMap(([, of]) => of);
  const groups = rest.length === 0 ? shown : [...shown, [OTHERS, rest] as const];
  return groups.map(([route, of]) => ({
    ...{
      route,
      ended: of.length,
      failed: of.filter(hasFailed).length,
      redriven: of.filter(({ summary }) => (summary.earlierRuns ?? 0) > 0).length,
    },
    usd: of.reduce((sum, { summary }) => sum + usdOfAll(summary), 0),
  }));
}

/** Escalated ones first, then those that have waited longest. */
function peopleOf(requests: readonly IndexEntry[]): DigestView["people"] {
  return requests
    .flatMap((entry) => inboxLine(entry) ?? [])
    .map(({ id, person, route, stop, agent, tool, askedAtMs, escalated }) => ({
      ...{ request: id, person: person ?? "", sinceMs: askedAtMs, escalated: escalated > 0 },
      // Why a person is asked is a content; what is asked for is not.
      about: [tool === undefined ? "" : `call of ${tool} by `, agent ?? "", stop === "" ? "" : ` at ${stop}`, ` of ${route}`]
        .join("")
        .trim(),
    }))
    .sort((a, b) => Number(b.escalated) - Number(a.escalated) || a.sinceMs - b.sinceMs)
    .slice(0, LIMITS.digestLinesMax);
}

function causesOf(letters: readonly IndexEntry[], sinceMs: number): DigestView["deadLetters"] {
  return grouped(letters, ({ facts: { code } }) => (typeof code === "string" ? code : ""))
    .slice(0, LIMITS.digestLinesMax)
    .map(([code, of]) => ({
      ...{ code, count: of.length, fresh: of.filter(({ atMs }) => atMs >= sinceMs).length },
      example: of.reduce((newest, one) => (one.atMs > newest.atMs ? one : newest)).id,
      fix: isFaultCode(code) ? FAULTS[code].fix : OWN_CODE,
    }));
}

function releasesOf(stopped: readonly IndexEntry[], sinceMs: number): DigestView["releases"] {
  return stopped
    .filter(({ atMs, facts }) => atMs >= sinceMs && facts["what"] === CANARY_STOPPED)
    .map(({ atMs, facts: { target, what, why, who } }) => ({
      ...{ agent: String(target), what: `${String(what)} by ${String(who)}`, atMs, why: String(why ?? "") },
    }))
    .slice(0, LIMITS.digestLinesMax);
}

/** The most frequent routes first. */
function driftsOf(runs: readonly EndedRun[], times: { readonly sinceMs: number; readonly baselineMs: number }): DigestView["drift"] {
  return driftOf(runs, times, false)
    .lines.flatMap((line) =>
      driftedKinds(line).map((kind) => ({
        route: line.route,
        version: line.version,
        what: kind,
        now: line[kind].now,
        before: line[kind].before,
      })),
    )
    .slice(0, LIMITS.digestLinesMax);
}

function slowestOf(ended: readonly EndedRun[]): DigestView["slowest"] {
  const slow = ended.flatMap(({ route, summary: { slowestStop, slowestMs } }) =>
    slowestStop === undefined || slowestMs === undefined ? [] : [{ route, stop: slowestStop, ms: slowestMs }],
  );
  return grouped(slow, ({ route, stop }) => JSON.stringify([route, stop]))
    .flatMap(([, of]) => {
      const [first] = of;
      const times = of.map(({ ms }) => ms).sort((a, b) => a - b);
      const [p50Ms, maxMs] = [times[Math.floor((times.length - 1) / 2)], times.at(-1)];
      if (first === undefined || p50Ms === undefined || maxMs === undefined) return [];
      const { route, stop } = first;
      return [{ line: { route, stop, count: of.length, p50Ms, maxMs }, sum: times.reduce((sum, ms) => sum + ms, 0) }];
    })
    .sort((a, b) => b.sum - a.sum)
    .slice(0, LIMITS.digestLinesMax)
    .map(({ line }) => line);
}
