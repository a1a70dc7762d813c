/** @module The part of the limits for what operators see and do: screens, pauses, digests, drift. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../units.ts";

/** Limits of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_LIMITS = {
  /** Looks of one subject at one thing within this time are one line of the audit. */
  lookMs: 10 * MINUTE_MS,
  /** Looks that a host knows to be noted. Others are noted again, under the same id. */
  looksKnownMax: 10_000,
  /** Bars of stops and waits in a timeline: the newest. */
  timelineBarsMax: 2_000,
  /** Entries that an overview, a sum of costs, drift or a digest counts; the newest. Above: the numbers are lower bounds. */
  countedEntriesMax: 50_000,
  /** The window of an overview and of costs, unless another one is asked for. */
  overviewMs: 24 * HOUR_MS,
  /** Age up to which the numbers of an overview, or of costs, take older buckets of the indexes as they were read. */
  overviewAgeMs: 10_000,
  /** How often a host looks for changes that it tells to followers of lists. */
  changesLookMs: 1_000,
  /** Followers of lists at one host. Above: `stream.too-many`. */
  changesStreamsMax: 256,
  /** Changes in one event for followers of lists. Further ones are not named: the lists are to be read again. */
  changesToldMax: 64,
  /** How long a browser stays logged in to the dashboard. Then it logs in again. */
  uiSessionMs: 12 * HOUR_MS,
  /** How long a code for one login is valid. Then: `auth.token`. */
  uiCodeMs: MINUTE_MS,
  /** A stop counts as the slowest of its run from this time on, so that short runs do not write it. */
  slowStopMsMin: 1_000,
  /** Versions of agents in the summary of a run. Further ones are left out. */
  summaryVersionsMax: 8,
  /** Processes on each side of a comparison of drift. Below: nothing counts as drifted. */
  driftProcessesMin: 20,
  /** Processes with more than 0 of a kind, on the greater side. Below: the kind does not count as drifted. */
  driftEventsMin: 5,
  /** How many times the smaller mean the greater one is. Below: the kind does not count as drifted. */
  driftRatioMin: 1.5,
  /** Standard errors of the rank sum. Below: the kind does not count as drifted. At 3.5, chance does it in 1 of 4,000 comparisons. */
  driftErrorsMin: 3.5,
  /** Lines of a drift view. The routes and versions with the fewest processes are left out. */
  driftLinesMax: 100,
  /** Length of the window of drift and digest, if none is given. */
  driftWindowMs: 1 * DAY_MS,
  /** Length of the baseline of drift in windows, if none is given. */
  driftBaselineWindows: 7,
  /** Length of a window or a baseline. Above: `body.invalid`. */
  reportWindowMsMax: 400 * DAY_MS,
  /** Ended processes that a drift view or a digest counts, the last accepted ones. Above: the numbers are lower bounds. */
  reportProcessesMax: 20_000,
  /** Open dead letters and requests that a digest counts, the newest ones. Above: the numbers are lower bounds. */
  reportEntriesMax: 2_000,
  /** How long before a window a process may have been accepted that ended in it. Those accepted earlier are not counted. */
  reportLookBackMs: 1 * DAY_MS,
  /** Lines of each section of a digest. Further ones are counted or left out. */
  digestLinesMax: 5,
  /** How often a host measures drift for its metrics, and the window of that; the baseline is the day before it. */
  driftGaugeMs: 10 * MINUTE_MS,
  driftGaugeWindowMs: 1 * HOUR_MS,
  /** Routes of the metrics of drift. Further ones are left out. */
  driftGaugeRoutesMax: 50,
  /** How often a host looks whether a digest is due. */
  digestLookMs: 1 * MINUTE_MS,
  /** Time for which one run may be paused in all. Then it goes on by itself; a further pause is refused: `pause.spent`. */
  pauseMsMax: 12 * HOUR_MS,
  /** Time that the compensation of a process keeps, however long it was paused. */
  pauseLeavesMs: 6 * HOUR_MS,
  /** Answers that a paused process keeps until it goes on. Above: refused with `process.paused`, and asked for again after the pause. */
  heldBackMax: 512,
  /** Of them, those that one turn takes when the process goes on. The others follow in further turns. */
  takenBackPerTurn: 64,
  /** Dead letters of one bulk decision. Above: `body.invalid`. */
  lettersDecidedMax: 100,
} as const;
