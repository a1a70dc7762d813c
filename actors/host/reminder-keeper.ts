/**
 * @module Keeps the reminders of processes where they must be, and remembers what it set so that most turns set nothing.
 *
 * What this host remembers may be wrong (another host may have moved a reminder), so it is only used to leave out a call
 * that would bring a reminder near again while this host's own near reminder still stands; and what another host may rely on,
 * a host that does not know where the reminder is, or has just read that host's record, does not move. A reminder is never
 * further away than LIMITS.reminderAwayMsMax, which bounds what any mistake can cost.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Address } from "../../runtime/protocol.ts";
import { LruMap } from "../engine/lru.ts";
import type { Reminders, Clock } from "../engine/ports.ts";

interface Near {
  readonly name: string;
  readonly atMs: number;
}

/** The last record of an actor, where another host wrote it, and when it was first read here. */
interface Foreign {
  readonly sequence: number;
  readonly atMs: number;
}

/** Sets, moves and removes reminders of processes. All but `forget`, `foreign` and `rang` throw `sidecar.unavailable`. */
export class ReminderKeeper {
  readonly #reminders: Reminders;
  readonly #clock: Clock;
  /** The reminder of an actor that this host has near, and when it was set or rang last. */
  readonly #near = new LruMap<string, Near>(LIMITS.knownRemindersMax);
  readonly #foreign = new LruMap<string, Foreign>(LIMITS.knownRemindersMax);

  constructor(reminders: Reminders, clock: Clock) {
    this.#reminders = reminders;
    this.#clock = clock;
  }

  /** Makes sure that the reminder rings soon; undefined where this host has it near. Throws `sidecar.unavailable`. */
  near(actor: Address, name: string): Promise<void> | undefined {
    return this.#isNear(actor, name) ? undefined : this.#bringNear(actor, name);
  }

  async #bringNear(actor: Address, name: string): Promise<void> {
    await this.#reminders.set(actor, name, LIMITS.reminderNearMs, LIMITS.reminderNearMs);
    this.#near.set(keyOf(actor), { name, atMs: this.#clock.nowMs() });
  }

  /** What is near rings here again and again. Where it does not, the actor or its reminder has been moved. */
  #isNear(actor: Address, name: string): boolean {
    const near = this.#near.get(keyOf(actor));
    return near?.name === name && this.#clock.nowMs() - near.atMs < LIMITS.reminderTrustMs;
  }

  /** The reminder rang here: where this host had it near, it still is. */
  rang(actor: Address, name: string): void {
    if (this.#near.get(keyOf(actor))?.name === name) this.#near.set(keyOf(actor), { name, atMs: this.#clock.nowMs() });
  }

  /** Brings the reminder near whatever this host believes. Throws `sidecar.unavailable`. */
  renew(actor: Address, name: string): Promise<void> {
    this.forget(actor);
    return this.#bringNear(actor, name);
  }

  /**
   * Another host wrote the actor's last record, of that sequence, and had the reminder near for it. Reading the same record
   * again, as a host does that holds more actors than its cache, begins no new wait.
   */
  foreign(actor: Address, sequence: number): void {
    this.forget(actor);
    if (this.#foreign.get(keyOf(actor))?.sequence !== sequence) this.#foreign.set(keyOf(actor), { sequence, atMs: this.#clock.nowMs() });
  }

  /** The writer of the last record may still believe the reminder near, and order work from a timer of its own. */
  #isReliedOn(actor: Address): boolean {
    const foreign = this.#foreign.get(keyOf(actor));
    return foreign !== undefined && this.#clock.nowMs() - foreign.atMs < LIMITS.reminderTrustMs;
  }

  /**
   * Moves the reminder away to a moment, at most LIMITS.reminderAwayMsMax from now, where it has just rung here (`rang`) or this
   * host has it near, and no other host has just written. Elsewhere another host may have it near and rely on that; when it
   * rings, whoever hears it moves it. `isCurrent` tells whether the decision to move still stands; it is asked before and
   * after, so that a host that slept in between brings the reminder back.
   */
  async away(actor: Address, name: string, atMs: number, isCurrent: () => Promise<boolean>, rang: boolean): Promise<void> {
    const delayMs = Math.min(atMs - this.#clock.nowMs(), LIMITS.reminderAwayMsMax);
    if (delayMs < LIMITS.reminderAwayMsMin || !(await isCurrent())) return;
    if (this.#isReliedOn(actor) || (!rang && !this.#isNear(actor, name))) return;
    this.forget(actor);
    await this.#reminders.set(actor, name, delayMs, LIMITS.reminderNearMs);
    // Another turn may have brought it near meanwhile, and its call may have arrived before this one.
    if (!(await isCurrent())) await this.renew(actor, name);
  }

  /** Removes a reminder that no state needs any more; `isCurrent` as in {@link away}. */
  async remove(actor: Address, name: string, isCurrent: () => Promise<boolean>): Promise<void> {
    if (!(await isCurrent())) return;
    this.forget(actor);
    await this.#reminders.remove(actor, name);
    // Another turn may have brought it near meanwhile, and its call may have arrived before this one.
    if (!(await isCurrent())) await this.renew(actor, name);
  }

  /** This host no longer knows where the actor's reminder is. */
  forget(actor: Address): void {
    this.#near.delete(keyOf(actor));
  }
}

function keyOf(actor: Address): string {
  return `${actor.type}/${actor.id}`;
}
