/** @module The system clock and random source, for production hosts. */
import { randomUUID } from "node:crypto";
import type { RandomSource, Clock } from "./ports.ts";

/** Maximum delay of Node's timers: 2^31 - 1 ms. */
const TIMER_MS_MAX = 2_147_483_647;

/** The system clock. A delay above 24.8 days ends after 24.8 days, the maximum of Node's timers. */
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
