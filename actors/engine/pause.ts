/** @module Pauses by a clock, which may be simulated. */
import type { Clock } from "./ports.ts";

/** Resolves after this many milliseconds of the clock; cannot be cancelled. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** Resolves after this many milliseconds of the clock, or when the signal is aborted. */
export function pauseUntil(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const aborted = (): void => {
      cancel();
      resolve();
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", aborted);
      resolve();
    });
    signal.addEventListener("abort", aborted, { once: true });
  });
}
