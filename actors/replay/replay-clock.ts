/** @module The clock of a replay: its time stands still, and what would wait for minutes gives up soon. */
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";

/** A clock that stands at a time. */
export function replayClock(nowMs: number): Clock {
  return {
    nowMs: () => nowMs,
    after: (delayMs, callback) => {
      if (delayMs === 0) {
        const soon = setImmediate(callback);
        return () => clearImmediate(soon);
      }
      const later = setTimeout(callback, Math.min(delayMs, LIMITS.replayIdleMs));
      return () => clearTimeout(later);
    },
  };
}
