/** @module The part of the fault table for what operators see and do: screens, pauses, digests, drift. */
import type { FaultRow } from "./row.ts";

/** Faults of what operators see and do: screens, pauses, digests, drift. */
export const OPERATING_FAULTS = {
  "process.terminated": {
    retryable: false,
    httpStatus: 409,
    meaning: "An operator terminated the process without compensation.",
    fix: "Undo by hand what its details list under `left`.",
  },
  "process.paused": {
    retryable: true,
    httpStatus: 409,
    meaning: "The process is paused and keeps as many answers as it can until it goes on.",
    fix: "Resume the process; it asks for the answer again.",
  },
  "pause.spent": {
    retryable: false,
    httpStatus: 409,
    meaning: "The run was paused for as long as it may be, or its compensation has too little time left for a pause.",
    fix: "Cancel or terminate the process if it must not go on.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
