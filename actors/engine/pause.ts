/**
 * @module Waiting by a clock that may be a simulation's.
 */
import type { Clock } from "./ports.ts";

/** Resolves after so many milliseconds of the clock; cannot be cut short. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
