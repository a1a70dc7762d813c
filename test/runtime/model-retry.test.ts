/** @module Which failed attempts of a model call are made again, and after which pause. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULTS, type FaultCode, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type FailedAttempt, MODEL_RETRY_DEFAULT, nextTryMs } from "../../runtime/model/retry.ts";

function failed(code: FaultCode, more: Partial<FailedAttempt> & { readonly retryAfterMs?: number } = {}): FailedAttempt {
  const { retryAfterMs, ...rest } = more;
  const fault: WireFault = { code, message: "", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return { tries: 1, elapsedMs: 0, fault, policy: MODEL_RETRY_DEFAULT, jitter01: 0, ...rest };
}

describe("transient faults of models", () => {
  test("are exactly the retryable ones of the table; others are never followed by the same request", () => {
    const again = Object.keys(FAULTS).filter((code) => nextTryMs(failed(code as FaultCode)) !== undefined);
    const retryable = Object.entries(FAULTS).flatMap(([code, row]) => (row.retryable && code.startsWith("model.") ? [code] : []));
    expect(again).toEqual(retryable);
    expect(again).toEqual(expect.arrayContaining(["model.malformed", "model.rate-limited", "model.unavailable"]));
  });

  test("are tried again after a pause that doubles, up to its maximum, at most so often and so long", () => {
    const pauses = [1, 2, 3, 4, 5].map((tries) => nextTryMs(failed("model.unavailable", { tries })));
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, undefined]);
    const many = { ...MODEL_RETRY_DEFAULT, triesMax: 100 };
    expect(nextTryMs(failed("model.unavailable", { tries: 99, policy: many }))).toBe(LIMITS.modelBackoffMsMax);
    expect(nextTryMs(failed("model.unavailable", { elapsedMs: LIMITS.modelElapsedMsMax - 500 }))).toBe(500);
    expect(nextTryMs(failed("model.unavailable", { elapsedMs: LIMITS.modelElapsedMsMax - 499 }))).toBeUndefined();
  });

  test("with a Retry-After: never earlier, at most 10 % later, and given up above the limit", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 * LIMITS.modelRetryAfterMsMax }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ms, jitter01) => {
          const pause = nextTryMs(failed("model.rate-limited", { retryAfterMs: ms, jitter01 }));
          if (ms > LIMITS.modelRetryAfterMsMax) return pause === undefined;
          return pause !== undefined && pause >= ms && pause <= Math.ceil(ms * 1.1);
        },
      ),
    );
  });
});
