/** @module The part of the limits for ids whose index entries a host opens ahead. */
import { SECOND_MS } from "../units.ts";

/** Limits of the ids that a host has in reserve. */
export const RESERVE_LIMITS = {
  /** Ids that a host has in reserve at most: their index entries stand already. */
  reservedIdsMax: 32,
  /** Tasks without a longer pause than `reservePauseMs` for which a host has one id in reserve. */
  tasksPerReservedId: 4,
  /** Pause between two tasks after which a host reserves no ids for the next ones. */
  reservePauseMs: SECOND_MS,
  /** Time in which a reserved id is used. After it, its index entry is closed. */
  reservedIdMs: 30 * SECOND_MS,
  /** Time that the entry of a reserved id waits, to be written together with others. */
  reserveLingerMs: 2,
} as const;
