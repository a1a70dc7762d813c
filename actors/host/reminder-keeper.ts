/**
 * @module Keeps the reminders of processes armed, and remembers them so that most turns need no call.
 *
 * This memory may be wrong, because another host may have moved a reminder. It is therefore only used to skip a call that would
 * arm a reminder which this host has already armed. A host does not move a reminder that another host may rely on: if it does not
 * know where the reminder is, or has just read that host's record. A reminder is never further away than
 * LIMITS.reminderAwayMsMax, which bounds the cost of any mistake.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Address } from "../../runtime/protocol.ts";
import { LruMap } from "../engine/lru.ts";
import type { Reminders, Clock } from "../engine/ports.ts";

interface Near {
  readonly name: string;
  readonly atMs: number;
}

/** The last record of an actor that another host wrote, and when this host first read it. */
interface Foreign {
  readonly sequence: number;
  readonly atMs: number;
}

/** Sets, moves and removes reminders of processes. All but `forget`, `foreign` and `rang` throw `sidecar.unavailable`. */
export class ReminderKeeper {
  readonly #reminders: Reminders;
  readonly #clock: Clock;
  /** Actors whose reminder this host has armed to fire soon, with the time when it was set or last fired. */
  readonly #near = new LruMap<string, Near>(LIMITS.knownRemindersMax);
  readonly #foreign = new LruMap<string, Foreign>(LIMITS.knownRemindersMax);

  constructor(reminders: Reminders, clock: Clock) {
    this.#reminders = reminders;
    this.#clock = clock;
  }

  /** Ensures that the reminder fires soon; undefined if this host has already armed it. Throws `sidecar.unavailable`. */
  near(actor: Address, name: string): Promise<void> | undefined {
    return this.#isNear(actor, name) ? undefined : this.#bringNear(actor, name);
  }

  async #bringNear(actor: Address, name: string): Promise<void> {
    await this.#reminders.set(actor, name, LIMITS.reminderNearMs, LIMITS.reminderNearMs);
    this.#near.set(keyOf(actor), { name, atMs: this.#clock.nowMs() });
  }

  /** An armed reminder fires here repeatedly. If it does not, the actor or its reminder has moved. */
  #isNear(actor: Address, name: string): boolean {
    const near = this.#near.get(keyOf(actor));
    return near?.name === name && this.#clock.nowMs() - near.atMs < LIMITS.reminderTrustMs;
  }

  /** The reminder fired here: if this host had armed it, it is still armed. */
  rang(actor: Address, name: string): void {
    if (this.#near.get(keyOf(actor))?.name === name) this.#near.set(keyOf(actor), { name, atMs: this.#clock.nowMs() });
  }

  /** Arms the reminder to fire soon, without consulting this host's memory. Throws `sidecar.unavailable`. */
  renew(actor: Address, name: string): Promise<void> {
    this.forget(actor);
    return this.#bringNear(actor, name);
  }

  /**
   * Notes that another host wrote the actor's last record, with that sequence, and armed the reminder for it. Reading the same record
   * again does not restart the wait; a host with more actors than its cache does that.
   */
  foreign(actor: Address, sequence: number): void {
    this.forget(actor);
    if (this.#foreign.get(keyOf(actor))?.sequence !== sequence) this.#foreign.set(keyOf(actor), { sequence, atMs: this.#clock.nowMs() });
  }

  /** Whether the writer of the last record may still rely on the armed reminder and start work from its own timer. */
  #isReliedOn(actor: Address): boolean {
    const foreign = this.#foreign.get(keyOf(actor));
    return foreign !== undefined && this.#clock.nowMs() - foreign.atMs < LIMITS.reminderTrustMs;
  }

  /**
   * Moves the reminder to a later time, at most LIMITS.reminderAwayMsMax from now. It does so only if the reminder has just fired here
   * (`rang`) or this host has armed it, and no other host has just written. Otherwise another host may rely on it; the host where it
   * fires moves it. `isCurrent` tells whether the decision to move is still valid. It is called before and after the move, so that a
   * host that was suspended in between arms the reminder again.
   */
  async away(actor: Address, name: string, atMs: number, isCurrent: () => Promise<boolean>, rang: boolean): Promise<void> {
    const delayMs = Math.min(atMs - this.#clock.nowMs(), LIMITS.reminderAwayMsMax);
    if (delayMs < LIMITS.reminderAwayMsMin || !(await isCurrent())) return;
    if (this.#isReliedOn(actor) || (!rang && !this.#isNear(actor, name))) return;
    this.forget(actor);
    await this.#reminders.set(actor, name, delayMs, LIMITS.reminderNearMs);
    // Another turn may have armed it meanwhile, and its call may have arrived before this one.
    if (!(await isCurrent())) await this.renew(actor, name);
  }

  /** Removes a reminder that is no longer needed; `isCurrent` as in {@link away}. */
  async remove(actor: Address, name: string, isCurrent: () => Promise<boolean>): Promise<void> {
    if (!(await isCurrent())) return;
    this.forget(actor);
    await this.#reminders.remove(actor, name);
    // Another turn may have armed it meanwhile, and its call may have arrived before this one.
    if (!(await isCurrent())) await this.renew(actor, name);
  }

  /** Forgets where the actor's reminder is. */
  forget(actor: Address): void {
    this.#near.delete(keyOf(actor));
  }
}

function keyOf(actor: Address): string {
  return `${actor.type}/${actor.id}`;
}
