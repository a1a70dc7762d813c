/** @module Pauses by a clock, which may be simulated. */
import type { Clock } from "./ports.ts";

/** Resolves after this many milliseconds of the clock; cannot be cancelled. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
