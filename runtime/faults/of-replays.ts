/** @module The part of the fault table for cassettes, replays, forks, datasets and evaluations. */
import type { FaultRow } from "./row.ts";

/** Faults of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_FAULTS = {
  "fork.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "The record has no such stop, work item or call, or several work items have it, so a fork cannot begin there.",
    fix: "Name a work item of the message, a call of it as `troupe show <id> --conversation --json` names it, or fork from `start`.",
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
  "cassette.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "The file is no cassette of this version, or its contents were redacted.",
    fix: "Export it again with its contents: `troupe export <id> --contents`.",
  },
  "work.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "The process has no such work item, or the work item has not ended, or its records are gone.",
    fix: "Take the id from `troupe show <id> --json`; wait until the work item has ended.",
  },
  "cassette.too-large": {
    retryable: false,
    httpStatus: 413,
    meaning: "The records and contents of the process are larger than a cassette may be.",
    fix: "Look at the process with `troupe show <id> --history`; export a nested process of it alone.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
