/** @module The part of the limits for what operators see and do: screens, pauses, digests, drift. */

/** Limits of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_LIMITS = {
  /** A stop counts as the slowest of its run from this time on, so that short runs do not write it. */
  slowStopMsMin: 1_000,
  /** Versions of agents in the summary of a run. Further ones are left out. */
  summaryVersionsMax: 8,
} as const;
