/** @module The part of the fault table for the dead letter queue, the journal, the stores and the host. */
import type { FaultRow } from "./row.ts";

/** Faults of dead letters, the journal, the stores and the host. */
export const HOST_FAULTS = {
  "deadletter.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "No dead letter has this id.",
    fix: "List the dead letters; an id is a process id and its run, or begins with invalid-.",
  },
  "deadletter.decided": {
    retryable: false,
    httpStatus: 409,
    meaning: "Another decision was already taken for the dead letter.",
    fix: "Read the dead letter: it shows the decision, its author and the reason. A new run that fails has its own dead letter.",
  },
  "deadletter.left": {
    retryable: false,
    httpStatus: 409,
    meaning: "Compensation left effects standing, and a redrive would do them again.",
    fix: "Undo by hand what the message names, then redrive with `--undone-by-hand` (HTTP: `undoneByHand: true`).",
  },
  "deadletter.nested": {
    retryable: false,
    httpStatus: 409,
    meaning: "The dead letter belongs to a nested route; only the parent's dead letter can be decided.",
    fix: "Redrive the parent's dead letter, which the message names.",
  },
  "store.full": {
    retryable: true,
    httpStatus: 503,
    meaning: "The state store has no room, so nothing can be recorded. What is recorded is safe.",
    fix: "Give the store more memory or disk (Redis: maxmemory), and shorten the retention; the work goes on by itself.",
  },
  "store.read-only": {
    retryable: true,
    httpStatus: 503,
    meaning: "The state store takes no writes: it is a replica, or it refuses them to protect its data.",
    fix: "Point the component at the primary, or fix what the message names in the store; the work goes on by itself.",
  },
  "journal.contended": {
    retryable: true,
    httpStatus: 503,
    meaning: "A turn could not be committed because other writers interfered or the store did not answer.",
    fix: "Nothing: the request is sent again.",
  },
  "journal.broken-chain": {
    retryable: false,
    httpStatus: 500,
    meaning: "A record is missing or does not follow its predecessor: the store lost or changed records. The actor takes no more turns.",
    fix: "Restore the store, or set the actor aside: `troupe set-aside`. Use a store that keeps each acknowledged write.",
  },
  "journal.intact": {
    retryable: false,
    httpStatus: 409,
    meaning: "The journal of the actor is not broken, so it is not set aside.",
    fix: "Nothing. `troupe doctor` lists the broken actors of a running system.",
  },
  "journal.loss": {
    retryable: false,
    httpStatus: 409,
    meaning: "Setting the actor aside loses what was recorded after the break.",
    fix: "If restoring the store is not possible, accept the loss with `--accept-loss` (HTTP: `acceptLoss: true`).",
  },
  "journal.unreadable": {
    retryable: false,
    httpStatus: 500,
    meaning: "A record does not fit its schema. The actor takes no more turns.",
    fix: "Restore the key in the message from a backup, or set the actor aside: `troupe set-aside`.",
  },
  "journal.newer": {
    retryable: true,
    httpStatus: 503,
    meaning: "A record or message was written by a newer version of this software.",
    fix: "Finish the deployment; newer hosts can read it.",
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
    meaning: "The index of processes is full.",
    fix: "Shorten the retention, or decide on dead letters: a bucket is deleted when it is empty.",
  },
  "store.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The state store does not answer.",
    fix: "Start the store. Accepted tasks are kept and continue without action.",
  },
  "sidecar.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The Dapr sidecar does not answer.",
    fix: "Start the sidecar; `troupe doctor` shows what is missing.",
  },
  "port.taken": {
    retryable: false,
    httpStatus: 500,
    meaning: "The port is in use by another program.",
    fix: "Stop the other program or choose another port.",
  },
  "dapr.version": {
    retryable: true,
    httpStatus: 503,
    meaning:
      "The version of the sidecar is not accepted: it is older than 1.18, cannot be read, or is newer and TROUPE_DAPR_VERSION is strict.",
    fix: "Start a sidecar of Dapr 1.18 or 1.19; `troupe doctor --install` installs one. TROUPE_DAPR_VERSION=any turns the check off.",
  },
  "dapr.unfit": {
    retryable: true,
    httpStatus: 503,
    meaning: "The state store or the reminders behind the sidecar do not do what durable work rests on; the message says what.",
    fix: "Use a state store with first-write concurrency (sqlite, redis, postgres), and start the scheduler.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
