/** @module Percentiles and rates of one side at one number of callers. */

/** The measurements of one round of load. */
export interface Round {
  /** Milliseconds from call to outcome, one for each process that completed. */
  readonly latenciesMs: readonly number[];
  readonly errors: readonly string[];
  /** From the first call to the last outcome. */
  readonly seconds: number;
}

/** All rounds of one side together. */
export interface Summary {
  readonly processes: number;
  readonly errors: number;
  /** Time of a process without contention: on a shared machine the steadiest figure. */
  readonly p10Ms: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly perSecond: number;
  /** Median of each round: how noisy the machine was. */
  readonly roundP50Ms: readonly number[];
  readonly roundPerSecond: readonly number[];
}

const DIGITS = 3;

/** The value below which the given share of a sorted list lies (nearest rank); NaN for an empty list. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The median of a list; NaN for an empty list. */
export function median(values: readonly number[]): number {
  return percentile(sort(values), 0.5);
}

export function summarise(rounds: readonly Round[]): Summary {
  const all = sort(rounds.flatMap((round) => round.latenciesMs));
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  return {
    processes: all.length,
    errors: rounds.reduce((sum, round) => sum + round.errors.length, 0),
    p10Ms: rounded(percentile(all, 0.1)),
    p50Ms: rounded(percentile(all, 0.5)),
    p90Ms: rounded(percentile(all, 0.9)),
    p99Ms: rounded(percentile(all, 0.99)),
    maxMs: rounded(all.at(-1) ?? Number.NaN),
    perSecond: rounded(all.length / seconds),
    roundP50Ms: rounds.map((round) => rounded(median(round.latenciesMs))),
    roundPerSecond: rounds.map((round) => rounded(round.latenciesMs.length / round.seconds)),
  };
}

export function rounded(value: number): number {
  return Number(value.toFixed(DIGITS));
}

function sort(values: readonly number[]): number[] {
  return [...Float64Array.from(values).sort()];
}
