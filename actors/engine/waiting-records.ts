/**
 * @module Records that are decided and wait for the next record of their actor, with which they are written as one. In memory only.
 *
 * Only the first record of an actor waits, and only if it orders nothing but a run on this host. What waits is applied to what the store
 * has for as long as the store has no record of the actor: a failed write does not lose it, and the record of another host ends it.
 */
import type { Decision, Machine } from "../../runtime/machine.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Loaded } from "./journal.ts";
import type { Clock } from "./ports.ts";

/** What the first record of an actor will contain. */
export interface WaitingRecord<E> {
  readonly inputId: string;
  readonly events: readonly E[];
  readonly effects: readonly string[];
  readonly atMs: number;
}

/** The waiting first records of the actors of one type. */
export class WaitingRecords<S, E> {
  readonly #evolve: Machine<S, never, E>["evolve"];
  readonly #clock: Clock;
  readonly #waiting = new Map<string, WaitingRecord<E>>();

  constructor({ evolve }: Pick<Machine<S, never, E>, "evolve">, clock: Clock) {
    this.#evolve = evolve;
    this.#clock = clock;
  }

  /** Whether a decision may wait: no other host and no other actor learns of it, and it refers to no stored value. */
  mayWait({ events, effects, stored }: Decision<E>, { sequence, purged, waits }: Loaded<S>): boolean {
    const isFirst = sequence === 0 && purged !== true && waits !== true;
    return isFirst && events.length > 0 && stored.length === 0 && effects.length > 0 && effects.every(({ kind }) => kind === "run");
  }

  /** Whether a record of an actor waits. It does not for longer than LIMITS.actorTrustMs: its process may be purged by then. */
  has(actorId: string): boolean {
    const record = this.#waiting.get(actorId);
    if (record === undefined) return false;
    if (this.#clock.nowMs() - record.atMs < LIMITS.actorTrustMs) return true;
    this.#waiting.delete(actorId);
    return false;
  }

  add(actorId: string, loaded: Loaded<S>, record: Omit<WaitingRecord<E>, "atMs">): Loaded<S> {
    const waiting = { ...record, atMs: this.#clock.nowMs() };
    this.#waiting.set(actorId, waiting);
    return this.#applied(loaded, waiting);
  }

  /** The actor with what waits. If the store has a record of it, nothing waits longer. */
  apply(actorId: string, loaded: Loaded<S>): Loaded<S> {
    const record = this.has(actorId) ? this.#waiting.get(actorId) : undefined;
    if (record === undefined || loaded.waits === true) return loaded;
    if (loaded.sequence === 0 && loaded.purged !== true) return this.#applied(loaded, record);
    this.#waiting.delete(actorId);
    return loaded;
  }

  /** What is to be written with the next record of an actor, which was loaded so. */
  of(actorId: string, { waits }: Loaded<S>): WaitingRecord<E> | undefined {
    return waits === true ? this.#waiting.get(actorId) : undefined;
  }

  /** It was written, or never will be. */
  remove(actorId: string): void {
    this.#waiting.delete(actorId);
  }

  #applied(loaded: Loaded<S>, { events }: WaitingRecord<E>): Loaded<S> {
    return { ...loaded, state: events.reduce((state, event) => this.#evolve(state, event), loaded.state), waits: true };
  }
}
