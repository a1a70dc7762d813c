/** @module Pauses by a clock, which may be simulated. */
import type { Clock } from "./ports.ts";

/** Resolves after this many milliseconds of the clock, or when the signal is aborted. Without a signal it cannot be cancelled. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const aborted = (): void => {
      cancel();
      resolve();
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    });
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
