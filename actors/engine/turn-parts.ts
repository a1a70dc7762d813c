/**
 * @module What goes into a turn of the turn engine and what comes out of it.
 */
import type { Verdict } from "../../runtime/machine.ts";
import type { Effect } from "../../runtime/protocol.ts";

/** Counts the writes of this host over all actors. With the incarnation, the count identifies a writer forever. */
export interface WriterIdentity {
  readonly incarnation: string;
  nextCount(): number;
}

/** The result of a turn. Its effects are ordered but not yet performed. */
export interface TurnResult<S> {
  readonly state: S;
  /** The state before the turn. */
  readonly before: S;
  /** Sequence of the journal after the turn. */
  readonly sequence: number;
  /** The host that wrote the last record before the turn; undefined without a record. */
  readonly writer: string | undefined;
  readonly effects: readonly Effect[];
  readonly verdict: Verdict;
  /** Whether a record was written. One that waits was not. */
  readonly wrote: boolean;
  /** The decision threw, or its record was too large. Nothing was decided. */
  readonly failed?: true;
}

/** The host's hooks into a turn. */
export interface TurnHooks<S> {
  /**
   * Called before a record is written, with the state that the record leads to. If it throws, nothing is written. Returns undefined if
   * there is nothing to wait for.
   */
  beforeCommit?(actorId: string, next: S, before: S): Promise<void> | undefined;
}

/**
 * Options of a turn beside its input. The record contains `inputId`, for readers of the journal: of inputs that are recorded together,
 * that of the last one.
 */
export interface TurnOptions {
  readonly inputId: string;
  /** The actor is probably new: decide on an empty journal first; the write is refused if it is not. */
  readonly expectNew?: boolean;
  /** If this leads to the first record of the actor, it may wait for the next one (waiting-records.ts). */
  readonly mayWait?: boolean;
}
