/** @module The part of the fault table for cassettes, replays, forks, datasets and evaluations. */
import type { FaultRow } from "./row.ts";

/** Faults of cassettes, replays, forks, datasets and evaluations. */
export const REPLAYS_FAULTS = {
  "cassette.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "The file is no cassette of this version, or its contents were redacted.",
    fix: "Export it again with `troupe export <id>`, without --redact for a replay.",
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
