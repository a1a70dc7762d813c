/**
 * @module Repeats what fails with a fault that may pass, as long as the caller needs the result.
 */
import { isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { pause } from "./pause.ts";
import type { Clock } from "./ports.ts";

/** How long it is repeated, and what is told about failures. */
export interface InsistParts {
  readonly clock: Clock;
  /** Aborted when the result is no longer needed. Absent: it always is. */
  readonly signal?: AbortSignal | undefined;
  readonly failed: (error: unknown) => void;
  /** Codes of retryable faults that end it nevertheless. */
  readonly final?: ReadonlySet<string> | undefined;
}

/**
 * Repeats an action with growing pauses, LIMITS.recordRetryMsMin to LIMITS.recordRetryMsMax, while it fails with a retryable fault.
 * Throws any other error, and the reason of an aborted signal.
 */
export async function insist<T>(parts: InsistParts, action: () => Promise<T>): Promise<T> {
  const { clock, signal, failed, final } = parts;
  let pauseMs: number = LIMITS.recordRetryMsMin;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      if (!isFault(error) || !error.retryable || final?.has(error.code) === true) throw error;
      failed(error);
      await pause(clock, pauseMs, signal);
      pauseMs = Math.min(2 * pauseMs, LIMITS.recordRetryMsMax);
    }
  }
}
