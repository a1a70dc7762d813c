/**
 * @module The machine's clock and random source, for hosts that run for real.
 */
import { randomUUID } from "node:crypto";
import type { RandomSource, Clock } from "./ports.ts";

/** Node's timers take at most 2^31 - 1 ms. */
const TIMER_MS_MAX = 2_147_483_647;

/** The machine's clock. A delay of more than 24.8 days ends after 24.8 days, where Node's timers do. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};

/** Random UUIDs as tokens, and `Math.random`. */
export const systemRandom: RandomSource = {
  token: () => randomUUID(),
  jitter01: () => Math.random(),
};
