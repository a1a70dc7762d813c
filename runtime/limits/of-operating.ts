/** @module The part of the limits for what operators see and do: screens, pauses, digests, drift. */

import { HOUR_MS, MINUTE_MS } from "../units.ts";

/** Limits of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_LIMITS = {
  /** Bars of stops and waits in a timeline: the newest. */
  timelineBarsMax: 2_000,
  /** Entries that an overview, a sum of costs, drift or a digest counts; the newest. Above: the numbers are lower bounds. */
  countedEntriesMax: 50_000,
  /** The window of an overview and of costs, unless another one is asked for. */
  overviewMs: 24 * HOUR_MS,
  /** How often a host looks for changes that it tells to followers of lists. */
  changesLookMs: 1_000,
  /** Followers of lists at one host. Above: `stream.too-many`. */
  changesStreamsMax: 256,
  /** How long a browser stays logged in to the dashboard. Then it logs in again. */
  uiSessionMs: 12 * HOUR_MS,
  /** How long a code for one login is valid. Then: `auth.token`. */
  uiCodeMs: MINUTE_MS,
  /** A stop counts as the slowest of its run from this time on, so that short runs do not write it. */
  slowStopMsMin: 1_000,
  /** Versions of agents in the summary of a run. Further ones are left out. */
  summaryVersionsMax: 8,
} as const;
