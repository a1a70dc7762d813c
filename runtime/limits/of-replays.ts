/** @module The part of the limits for cassettes, replays, forks, datasets and evaluations. */

/** Limits of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_LIMITS = {} as const;
