/** @module The part of the fault table for releases of prompts and models, and checks of answers against evidence. */
import type { FaultRow } from "./row.ts";

/** Faults of releases of prompts and models, and checks of answers against evidence. */
export const RELEASES_FAULTS = {
  "prompt.unknown": {
    retryable: true,
    httpStatus: 503,
    meaning: "A work item began with a version of its agent's prompt that the code of this host does not have.",
    fix: "Keep a version in the code until the work items that began with it have ended; put it back and redrive.",
  },
  "release.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "The content of the file or key of releases cannot be used. The last good one stays in force.",
    fix: "Correct what the message names; it is read again by itself.",
  },
  "release.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "The agent has no release with a canary.",
    fix: "List the releases; a canary is there only while the file or key of releases names one.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
