/** @module The part of the limits for cassettes, replays, forks, datasets and evaluations. */

import { KIB_BYTES, MIB_BYTES, SECOND_MS } from "../units.ts";

/** Limits of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_LIMITS = {
  /** Bytes of records and contents in one cassette. Above: `cassette.too-large`. */
  cassetteBytesMax: 64 * MIB_BYTES,
  /** Bytes of one content that a replay shows of a difference. Above: cut. */
  divergenceBytesMax: 4 * KIB_BYTES,
  /** How long a replay lets a handler go on that reaches no further record, in real time. Then it diverges. */
  replayIdleMs: 500,
  /** How long a replay of one work item may take, in real time. Then it is given up. */
  replayWorkMsMax: 10 * SECOND_MS,
  /** Work items that one replay runs. Further ones are named as skipped. */
  replayWorksMax: 10_000,
} as const;
