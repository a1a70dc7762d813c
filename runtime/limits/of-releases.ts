/** @module The part of the limits for releases of prompts and models, and checks of answers against evidence. */

import { DAY_MS, KIB_BYTES, SECOND_MS } from "../units.ts";

/** Limits of releases of prompts and models, and checks of answers against evidence. */
export const RELEASES_LIMITS = {
  /** Versions of the prompt of one agent. Above: `definition.invalid`. */
  promptVersionsMax: 64,
  /** Bytes of a file or key of releases. Above: `release.invalid`, and the last good one stays. */
  releaseBytesMax: 256 * KIB_BYTES,
  /** Problems that are told of one content at most. */
  releaseProblemsMax: 16,
  /** Pause between two looks of a host at the releases, their stops, and the processes that ended. */
  releaseLookMs: 1 * SECOND_MS,
  /** How long a host believes that a canary is not stopped. Above, without a further look: it chooses stable. */
  releaseTrustMs: 4 * SECOND_MS,
  /** How far back the processes of a release are counted. Older ones are left out. */
  releaseCountedMs: 7 * DAY_MS,
} as const;
