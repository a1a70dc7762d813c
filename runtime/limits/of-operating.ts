/** @module The part of the limits for what operators see and do: screens, pauses, digests, drift. */

import { HOUR_MS, MINUTE_MS } from "../units.ts";

/** Limits of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_LIMITS = {
  /** How long a browser stays logged in to the dashboard. Then it logs in again. */
  uiSessionMs: 12 * HOUR_MS,
  /** How long a code for one login is valid. Then: `auth.token`. */
  uiCodeMs: MINUTE_MS,
  /** A stop counts as the slowest of its run from this time on, so that short runs do not write it. */
  slowStopMsMin: 1_000,
  /** Versions of agents in the summary of a run. Further ones are left out. */
  summaryVersionsMax: 8,
} as const;
