/** @module The part of the limits for releases of prompts and models, and checks of answers against evidence. */

/** Limits of releases of prompts and models, and checks of answers against evidence. */
export const RELEASES_LIMITS = {} as const;
