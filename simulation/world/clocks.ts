/** @module The clocks of hosts: each runs too fast or slow, until it is as wrong as hosts are promised that clocks are at most. */
import { LIMITS } from "../../runtime/limits.ts";
import { ALL_FAULTS } from "./faults.ts";

/** Two clocks, each ahead or behind by this and by the greatest offset, differ by no more than hosts are promised. */
const AHEAD_MS_MAX = LIMITS.clockDriftMsMax / 2 - ALL_FAULTS.clockOffsetMs;

/** How far a clock has come ahead after a time; negative: how far behind. */
export function aheadMs(rate: number, afterMs: number): number {
  return Math.max(-AHEAD_MS_MAX, Math.min(AHEAD_MS_MAX, afterMs * (rate - 1)));
}

/** How fast a clock runs after a time. */
export function rateAfter(rate: number, afterMs: number): number {
  return Math.abs(aheadMs(rate, afterMs)) < AHEAD_MS_MAX ? rate : 1;
}
