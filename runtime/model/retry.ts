/**
 * @module Which failed attempts of a model call are made again as they were, and after which pause. Pure.
 *
 * Only faults of the provider or the way to it are transient. A bad answer is never followed by the same request: the loop of the agent
 * decides then (its repair ladder).
 */
import { isRetryable, type WireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { backoffMs } from "../slip.ts";

/** How the transient faults of one model call are handled. */
export interface ModelRetry {
  /** Attempts, including the first. */
  readonly triesMax: number;
  /** Pause before the second attempt in milliseconds. It doubles with each attempt; up to half of it is subtracted at random. */
  readonly backoffMs: number;
  readonly backoffMsMax: number;
  /** Time from the first attempt after which no further one begins, in milliseconds. */
  readonly elapsedMsMax: number;
  /** A provider that asks for a longer pause is not waited for, in milliseconds. */
  readonly retryAfterMsMax: number;
}

/** The policy of calls that set none. */
export const MODEL_RETRY_DEFAULT: ModelRetry = {
  triesMax: LIMITS.modelTriesDefault,
  backoffMs: LIMITS.modelBackoffMs,
  backoffMsMax: LIMITS.modelBackoffMsMax,
  elapsedMsMax: LIMITS.modelElapsedMsMax,
  retryAfterMsMax: LIMITS.modelRetryAfterMsMax,
};

/** A failed attempt. */
export interface FailedAttempt {
  /** Attempts so far, including this one. */
  readonly tries: number;
  /** Time since the first attempt. */
  readonly elapsedMs: number;
  readonly fault: WireFault;
  readonly policy: ModelRetry;
  readonly jitter01: number;
}

/** Share of a pause that the provider asked for by which the next attempt may be later, so that not all callers come at once. */
const LATE_RATIO = 0.05;
const BACKOFF_JITTER_RATIO = 0.5;

/** Returns the pause before the next attempt in milliseconds; undefined to give up. A `retryAfterMs` is never undercut. */
export function nextTryMs({ tries, elapsedMs, fault, policy, jitter01 }: FailedAttempt): number | undefined {
  if (!fault.code.startsWith("model.") || !isRetryable(fault) || tries >= policy.triesMax) return undefined;
  const { retryAfterMs } = fault;
  if (retryAfterMs !== undefined && retryAfterMs > policy.retryAfterMsMax) return undefined;
  const pauseMs =
    retryAfterMs === undefined
      ? backoffMs({ ...policy, jitter: BACKOFF_JITTER_RATIO }, tries, jitter01)
      : retryAfterMs * (1 + LATE_RATIO * jitter01);
  return elapsedMs + pauseMs > policy.elapsedMsMax ? undefined : Math.ceil(pauseMs);
}
