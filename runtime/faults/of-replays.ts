/** @module The part of the fault table for cassettes, replays, forks, datasets and evaluations. */
import type { FaultRow } from "./row.ts";

/** Faults of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_FAULTS = {
  "fork.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "The record has no such call or work item, or several have it, so a fork cannot begin there.",
    fix: "Take a key or a work id from the timeline of the process, or fork from `start`.",
  },
  "fork.unrecorded": {
    retryable: false,
    httpStatus: 422,
    meaning: "A forked run came to something that is not in the record and that a fork does not do, such as another write.",
    fix: "See which call the report names. What a fork shows ends there.",
  },
  "fork.budget": {
    retryable: false,
    httpStatus: 422,
    meaning: "A forked run has used up its own model calls, money or time.",
    fix: "Give the fork a larger budget, or fork from a later call.",
  },
  "fork.busy": {
    retryable: true,
    httpStatus: 503,
    meaning: "As many forks run in this host as may run at once.",
    fix: "Try again when one has ended.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
