/** @module The part of the limits for journals, and for what a host caches of them. */
import { HOUR_MS, KIB_BYTES, MIB_BYTES, MINUTE_MS } from "../units.ts";

/** Limits of journals, turns and caches. */
export const JOURNAL_LIMITS = {
  /** How long the first record of an agent's actor may wait for what its handler records next, before it is written by itself. */
  firstRecordWaitMs: 10,
  /** A snapshot is taken when the bytes since the last one exceed this multiple of the snapshot's own size. */
  snapshotRecordsToStateRatio: 16,
  /** Bytes of records below which no snapshot is taken: short journals need none. */
  snapshotBytesMin: 64 * KIB_BYTES,
  /** Records fetched by the first read when an actor is loaded. Most journals are shorter; further reads fetch more. */
  loadFirstRecords: 8,
  /** Records fetched by each further read when an actor is loaded. */
  loadBatchRecords: 32,
  /** Distances behind the end of a journal at which a load looks for later records, from this, doubling: they would show a gap. */
  loadAheadMin: 1,
  /** The greatest of these distances. */
  loadAheadMax: 256,
  /** Attempts to commit one turn after refused or unanswered writes. Above: `journal.contended`, retryable. */
  commitAttemptsMax: 8,
  /** Actors whose state a host caches between turns; the least recently used is evicted first. */
  cachedActorsMax: 4_096,
  /** How long a host trusts cached actors and values without reading the store. A purge comes much later. */
  actorTrustMs: 10 * MINUTE_MS,
  /** Age of a snapshot below which the journal of a living actor may be trimmed. No host believes its memory for nearly so long. */
  trimAgeMs: 1 * HOUR_MS,
  /** Broken actors that a host remembers, for `troupe doctor`; the oldest is forgotten. */
  brokenActorsMax: 1_024,
  /** Values that a host caches; the least recently used is evicted first. */
  cachedValuesMax: 4_096,
  /** Heap that the cached values take, estimated from their structure: 1 MiB of `{},{},...` takes 28 MiB. Above: as for their number. */
  cachedValuesBytesMax: 64 * MIB_BYTES,
  /** Heap that the bodies of a host's requests take until they are handled, estimated as for values. Above: `body.too-many`, retryable. */
  inFlightBytesMax: 256 * MIB_BYTES,
  /** Rounds of loading values for one decision. Above: the turn fails. */
  valueLoadsMax: 64,
  /** Inputs that may wait for one actor's turn on one host. Above: `actor.busy`, retryable. */
  actorTurnsQueuedMax: 1_024,
} as const;
