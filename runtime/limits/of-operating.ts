/** @module The part of the limits for what operators see and do: screens, pauses, digests, drift. */
import { HOUR_MS } from "../units.ts";

/** Limits of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_LIMITS = {
  /** A stop counts as the slowest of its run from this time on, so that short runs do not write it. */
  slowStopMsMin: 1_000,
  /** Versions of agents in the summary of a run. Further ones are left out. */
  summaryVersionsMax: 8,
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
