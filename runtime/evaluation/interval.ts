/** @module Mean and 95 % confidence interval of some scores, by Student's t distribution. Pure. */

/** A mean with its interval. */
export interface Mean {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Quantiles of t for 95 % by degrees of freedom, from 1. */
const SMALL_T = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
  ...[2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];
const MANY_T_COUNT = 1.96;

/** The mean of scores from 0 to 1 with its interval; undefined without scores. One score says nothing about the others. */
export function meanOf(scores: readonly number[]): Mean | undefined {
  const count = scores.length;
  if (count === 0) return undefined;
  const mean = scores.reduce((sum, one) => sum + one, 0) / count;
  if (count === 1) return { mean, low: 0, high: 1, count };
  const variance = scores.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (count - 1);
  const half = (SMALL_T[count - 2] ?? MANY_T_COUNT) * Math.sqrt(variance / count);
  return { mean, low: Math.max(0, mean - half), high: Math.min(1, mean + half), count };
}
