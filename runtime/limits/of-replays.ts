/** @module The part of the limits for cassettes, replays, forks, datasets and evaluations. */

/** Limits of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_LIMITS = {
  /** JSON paths named for one difference of two runs. Further ones are left out. */
  diffPathsMax: 64,
} as const;
