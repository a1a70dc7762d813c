/** @module The broken actors that a host has met. One broken actor stops alone; an error is logged once, and `troupe doctor` names it. */
import { faultFrom, isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Logger } from "./log.ts";
import type { Clock } from "./ports.ts";

/** An actor whose journal is broken, and when this host found it. */
export interface BrokenActor {
  readonly actor: Address;
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
}

/** Whether a fault says that the journal of an actor is broken for good. */
export function isBroken(error: unknown): boolean {
  return isFault(error) && (error.code === "journal.broken-chain" || error.code === "journal.unreadable");
}

/** The last LIMITS.brokenActorsMax broken actors. */
export class Quarantine {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #known = new Map<string, BrokenActor>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Notes a broken actor. Other errors are ignored. */
  note(actor: Address, error: unknown): void {
    const key = `${actor.type}/${actor.id}`;
    if (!isBroken(error) || this.#known.has(key)) return;
    const { code, message } = faultFrom(error, "journal.broken-chain");
    this.#known.set(key, { actor, code, message, atMs: this.#clock.nowMs() });
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > LIMITS.brokenActorsMax && oldest !== undefined) this.#known.delete(oldest);
    this.#log.error({ actor, fault: { code, message } }, "the journal of an actor is broken; it takes no more turns (troupe doctor)");
  }

  /** The actor was read: it is not broken, or no longer. */
  clear(actor: Address): void {
    this.#known.delete(`${actor.type}/${actor.id}`);
  }

  /** All of them. */
  list(): readonly BrokenActor[] {
    return [...this.#known.values()];
  }
}
