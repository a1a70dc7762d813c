/** @module The part of the fault table with what the dead letter queue, the journal, the stores and the host report. */
import type { FaultRow } from "./row.ts";

/** Faults of dead letters, the journal, the stores and the host. */
export const HOST_FAULTS = {
  "deadletter.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no such dead letter.",
    fix: "List the dead letters; an id is that of a process and its run, or begins with invalid-.",
  },
  "deadletter.decided": {
    retryable: false,
    httpStatus: 409,
    meaning: "The dead letter was decided already, by another decision.",
    fix: "Look at the letter: it says who decided what and why. A new run that fails has a letter of its own.",
  },
  "deadletter.nested": {
    retryable: false,
    httpStatus: 409,
    meaning: "The dead letter is that of a nested route, whose failure belongs to its parent.",
    fix: "Redrive the parent's letter, which the message names.",
  },
  "journal.contended": {
    retryable: true,
    httpStatus: 503,
    meaning: "A turn could not be committed against other writers or a silent store.",
    fix: "Nothing: it is asked again.",
  },
  "journal.broken-chain": {
    retryable: false,
    httpStatus: 500,
    meaning:
      "A record's predecessor is not the one it was written after: the store lost or changed records. The actor takes no more turns.",
    fix: "Restore the store. Use one that keeps what it acknowledged.",
  },
  "journal.unreadable": {
    retryable: false,
    httpStatus: 500,
    meaning: "A record does not fit its schema. The actor takes no more turns.",
    fix: "Look at the key in the message; restore it from a backup.",
  },
  "journal.newer": {
    retryable: true,
    httpStatus: 503,
    meaning: "A record or message was written by a newer version of this software.",
    fix: "Finish the deployment: newer hosts will answer.",
  },
  "record.too-large": {
    retryable: false,
    httpStatus: 413,
    meaning: "A turn would write a record larger than its limit.",
    fix: "Use smaller values or fewer items at once.",
  },
  "turn.failed": {
    retryable: false,
    httpStatus: 500,
    meaning: "A turn threw an unexpected error.",
    fix: "This is a defect: report it with the trace id.",
  },
  "index.full": {
    retryable: true,
    httpStatus: 503,
    meaning: "The index of processes has no room.",
    fix: "Shorten the retention, or decide on dead letters: a bucket leaves when nothing stands in it any more.",
  },
  "store.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The state store does not answer.",
    fix: "Start the store; nothing accepted is lost and work goes on by itself.",
  },
  "sidecar.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The Dapr sidecar does not answer.",
    fix: "Start the sidecar; `troupe doctor` says what is there.",
  },
  "port.taken": {
    retryable: false,
    httpStatus: 500,
    meaning: "The port is in use by another program.",
    fix: "Stop the other program or choose another port.",
  },
  "dapr.version": {
    retryable: false,
    httpStatus: 500,
    meaning: "The sidecar is not Dapr 1.18, which this was tested with.",
    fix: "Start the sidecar in version 1.18; `troupe doctor --install` gets one.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
