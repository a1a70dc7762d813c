/** @module The part of the limits for what operators see and do: screens, pauses, digests, drift. */

/** Limits of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_LIMITS = {} as const;
