/**
 * @module What the ended processes of the two versions of a release amount to, and which rules for stopping that breaks. Pure.
 *
 * A rule with a number is a plain threshold: its author has said what is too much, for any reason. A rule against the stable version
 * compares two samples, so the excess must also be more than three standard errors of the difference.
 */
import type { IndexEntry } from "../protocol/bodies.ts";
import type { AgentRelease, StopRule } from "../release.ts";

/** Standard errors that the excess over the stable version must have. The rules are looked at again and again, so it is no less. */
const ERRORS_MIN = 3;

type Count = StopRule["of"];
type Sums = Readonly<Record<Count, number>>;

/** Sums over the ended processes of one version. */
export interface Tally {
  readonly processes: number;
  readonly sums: Sums;
  /** Sums of the squares. */
  readonly squares: Sums;
}

/** The ended processes of both versions. */
export interface Tallies {
  readonly stable: Tally;
  readonly canary: Tally;
}

const NONE: Tally = { processes: 0, sums: sumsOf(() => 0), squares: sumsOf(() => 0) };
/** No process has ended. */
export const NO_TALLIES: Tallies = { stable: NONE, canary: NONE };

/** The versions whose processes are counted, as summaries name them, and from when on. */
export interface Counted {
  readonly agent: string;
  readonly stable: string;
  readonly canary: string;
  readonly sinceMs: number;
}

/**
 * Sums up index entries of processes that were accepted since the release began and have ended. A process that used both versions, because
 * the release changed under it, says nothing about either.
 */
export function tally(entries: readonly IndexEntry[], { agent, stable, canary, sinceMs }: Counted): Tallies {
  let sum = NO_TALLIES;
  for (const { open, facts } of entries) {
    const { versions, acceptedAtMs } = facts;
    if (open || typeof versions !== "string" || typeof acceptedAtMs !== "number" || acceptedAtMs < sinceMs) continue;
    const used = versions.split(" ");
    const [isStable, isCanary] = [used.includes(`${agent}@${stable}`), used.includes(`${agent}@${canary}`)];
    if (isStable === isCanary) continue;
    const part = isStable ? "stable" : "canary";
    sum = { ...sum, [part]: withProcess(sum[part], facts) };
  }
  return sum;
}

/** Adds up tallies. */
export function addTallies(a: Tallies, b: Tallies): Tallies {
  return { stable: added(a.stable, b.stable), canary: added(a.canary, b.canary) };
}

function withProcess(sum: Tally, facts: IndexEntry["facts"]): Tally {
  const sums = sumsOf((count) => countOf(facts, count));
  return added(sum, { processes: 1, sums, squares: sumsOf((count) => sums[count] ** 2) });
}

function sumsOf(value: (count: Count) => number): Sums {
  return {
    failed: value("failed"),
    repairs: value("repairs"),
    fallbacks: value("fallbacks"),
    refusals: value("refusals"),
    ungrounded: value("ungrounded"),
    usd: value("usd"),
    retries: value("retries"),
  };
}

function countOf(facts: IndexEntry["facts"], count: Count): number {
  if (count === "failed") return facts["status"] === "failed" || facts["status"] === "expired" ? 1 : 0;
  const value = facts[count];
  return typeof value === "number" ? value : 0;
}

function added(a: Tally, b: Tally): Tally {
  const both = (of: "sums" | "squares"): Sums => sumsOf((count) => a[of][count] + b[of][count]);
  return { processes: a.processes + b.processes, sums: both("sums"), squares: both("squares") };
}

/** The rules that are broken, each as a sentence. */
export function brokenRules({ canary }: AgentRelease, tallies: Tallies): readonly string[] {
  return (canary?.stop ?? []).flatMap((rule) => {
    const broken = judged(rule, tallies);
    return broken === undefined ? [] : [broken];
  });
}

function judged({ of, above, than, processesMin }: StopRule, { stable, canary }: Tallies): string | undefined {
  if (canary.processes < processesMin) return undefined;
  const mean = meanOf(canary, of);
  const seen = `${of} is ${rounded(mean)} per process in ${canary.processes} processes of the canary`;
  if (than === "number") return mean > above ? `${seen}, above ${above}` : undefined;
  if (stable.processes < processesMin) return undefined;
  const limit = above * meanOf(stable, of);
  const error = Math.sqrt(errorOf(canary, of) + above ** 2 * errorOf(stable, of));
  if (mean <= limit || mean - limit <= ERRORS_MIN * error) return undefined;
  return `${seen}, above ${above} times the ${rounded(meanOf(stable, of))} of ${stable.processes} stable ones`;
}

function meanOf({ processes, sums }: Tally, of: Count): number {
  return processes === 0 ? 0 : sums[of] / processes;
}

/** The square of the standard error of a mean. */
function errorOf({ processes, sums, squares }: Tally, of: Count): number {
  if (processes === 0) return 0;
  const mean = sums[of] / processes;
  return Math.max(0, squares[of] / processes - mean ** 2) / processes;
}

const DIGITS = 3;

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
