/** @module The part of the limits for cassettes, replays, forks, datasets and evaluations. */

import { HOUR_MS, KIB_BYTES, MIB_BYTES, MINUTE_MS, SECOND_MS } from "../units.ts";

/** Limits of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_LIMITS = {
  /** JSON paths named for one difference of two runs. Further ones are left out. */
  diffPathsMax: 64,
  /** Parts of contents among which arguments of calls are looked for. Further ones are left out, and such arguments shown by their hash. */
  diffPartsMax: 50_000,
  /** Model calls that one fork makes, unless it is given another number. Above: it stops with `fork.budget`. */
  forkModelCallsDefault: 100,
  /** US dollars that one fork may cost, unless it is given another amount. Above: it stops with `fork.budget`. */
  forkUsdDefault: 1,
  /** Real time of one fork, unless it is given another. Above: it stops with `fork.budget`. */
  forkMsDefault: 5 * MINUTE_MS,
  /** Model calls, dollars and milliseconds that a fork may be given at most. Above: `body.invalid`. */
  forkModelCallsMax: 10_000,
  forkUsdMax: 1_000,
  forkMsMax: 1 * HOUR_MS,
  /** Forks that run at once in one host. Above: `fork.busy`. */
  forksAtOnceMax: 4,
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
