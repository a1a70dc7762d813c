/**
 * @module The reminders that the processes of this host share: the last resort, for what all other means have lost.
 *
 * Processes that reach the age for a reminder at about the same time get one together, which carries their runs and rings at the actor of
 * the first of them. Setting and removing a reminder, and its rings, are dear (docs/bench.md), and a host of models and people has
 * thousands of processes that wait.
 *
 * Law: a run leaves a reminder when it no longer needs one, or when a later reminder is known to carry it. The order of reminders is the
 * same for all hosts, so the last one that carries a run keeps it, no matter which hosts hold the process and what they believe.
 */
import { LIMITS } from "../../runtime/limits.ts";
import {
  isLater,
  REMINDER_UNHELD_MS,
  type RemindedRun,
  type ReminderContent,
  reminderName,
  type ReminderRank,
} from "../../runtime/process/reminder.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Ports } from "../engine/ports.ts";
import type { Held } from "./held.ts";
import type { HostWatch } from "./host-watch.ts";

/** What setting reminders needs. */
export interface SharedRemindersParts {
  readonly ports: Pick<Ports, "clock" | "random" | "reminders">;
  readonly watch: Pick<HostWatch, "isHeld">;
  readonly log: Logger;
  /** The actor type of the processes. */
  readonly type: string;
}

/** A reminder that this host has set, or is about to set. */
export interface SharedReminder {
  readonly name: string;
  /** Where it rings. */
  readonly actor: Address;
  /** When it is set first. */
  readonly rank: ReminderRank;
  /** Its runs that this host holds. */
  readonly runs: Map<string, { readonly held: Held; readonly run: number }>;
  /** Its runs that have left this host since it was set. Others may rely on it. */
  readonly away: Map<string, number>;
  /** Runs that it carries, as far as this host knows; 0: it was never set. */
  carried: number;
  ringsAtMs: number;
  setting: Promise<void> | undefined;
  cancel: (() => void) | undefined;
}

/** Sets and removes reminders. What fails is tried again. */
export class SharedReminders {
  readonly #parts: SharedRemindersParts;
  readonly #own = new Map<string, SharedReminder>();
  /** The last reminder that is known to carry a run. */
  readonly #last = new LruMap<string, ReminderRank>(LIMITS.knownElsewhereMax);
  #gathering: SharedReminder | undefined;

  constructor(parts: SharedRemindersParts) {
    this.#parts = parts;
  }

  /** The process gets a reminder, within LIMITS.reminderGatherMs, unless its run has one of this host. */
  cover(held: Held): void {
    if (held.shared?.runs.get(held.id)?.run === held.run) return;
    this.#leave(held);
    const one = this.#gathering ?? this.#begin(held.id);
    one.runs.set(held.id, { held, run: held.run });
    held.shared = one;
    if (one.runs.size >= LIMITS.remindedTogetherMax) this.#set(one);
  }

  #begin(id: string): SharedReminder {
    const { ports, type } = this.#parts;
    const name = `shared-${ports.random.token()}`;
    const rank = { atMs: ports.clock.nowMs(), key: rankKey(id, name) };
    const kept = { runs: new Map(), away: new Map(), carried: 0, ringsAtMs: 0, setting: undefined, cancel: undefined };
    const one = { name, actor: { type, id }, rank, ...kept };
    this.#own.set(name, one);
    this.#gathering = one;
    this.#later(one, LIMITS.reminderGatherMs);
    return one;
  }

  #later(one: SharedReminder, ms: number): void {
    one.cancel?.();
    one.cancel = this.#parts.ports.clock.after(ms, () => this.#set(one));
  }

  #set(one: SharedReminder): void {
    if (this.#gathering === one) this.#gathering = undefined;
    one.cancel?.();
    one.cancel = undefined;
    if (one.runs.size === 0) return this.#reduce(one);
    const { watch, log } = this.#parts;
    // Without a lease of this host its reminders stay near until it has one again.
    const near = !watch.isHeld;
    const held = [...one.runs].map(([id, { run }]) => ({ id, run }));
    const runs = [...held, ...[...one.away].map(([id, run]) => ({ id, run }))];
    const content: ReminderContent = { atMs: one.rank.atMs, near, runs };
    one.carried = runs.length;
    one.setting = this.#put(one.actor, one.name, content, this.#dueMs(one))
      .then(
        () => {
          for (const run of runs) if (this.#isOf(one, run)) this.carries(one.rank, run);
          this.#endSingle(one);
          return near ? REMINDER_UNHELD_MS : undefined;
        },
        (error: unknown) => {
          log.debug({ err: error, processId: one.actor.id }, "a reminder of processes was not set; it is set again");
          return LIMITS.askAgainMs;
        },
      )
      .then((againMs) => {
        one.setting = undefined;
        if (againMs !== undefined && this.#own.has(one.name)) this.#later(one, againMs);
        this.#reduce(one);
      });
  }

  /** The time to its next ring. Setting it again does not put that off. */
  #dueMs(one: SharedReminder): number {
    const { ports, watch } = this.#parts;
    const nowMs = ports.clock.nowMs();
    if (!watch.isHeld) return REMINDER_UNHELD_MS;
    if (one.ringsAtMs === 0) one.ringsAtMs = nowMs + LIMITS.reminderMs * (1 - ports.random.jitter01() / 2);
    const missed = Math.max(0, Math.ceil((nowMs - one.ringsAtMs) / LIMITS.reminderMs));
    one.ringsAtMs += missed * LIMITS.reminderMs;
    return one.ringsAtMs - nowMs;
  }

  /** Reminders of single runs, which hosts without a lease set at once, are not needed beside this one. */
  #endSingle(one: SharedReminder): void {
    for (const { held, run } of one.runs.values()) if (held.isReminded && held.run === run) this.#endSingleOf(held);
  }

  #endSingleOf(held: Held): void {
    held.isReminded = false;
    this.#remove({ type: this.#parts.type, id: held.id }, reminderName(held.run));
  }

  /** The run has ended, and its last effects are performed. */
  ended(held: Held): void {
    const { id, run, shared } = held;
    if (held.isReminded) this.#endSingleOf(held);
    if (shared?.runs.get(id)?.run !== run) return this.#leave(held);
    held.shared = undefined;
    shared.runs.delete(id);
    this.#last.delete(runKey(id, run));
    this.#reduce(shared);
  }

  /**
   * Sets a reminder anew when half of what it carries has ended, and removes it when all has: what has ended costs a turn at each ring on
   * another host.
   */
  #reduce(one: SharedReminder): void {
    if (one === this.#gathering || one.setting !== undefined) return;
    const left = one.runs.size + one.away.size;
    if (one.runs.size === 0) {
      this.#forget(one);
      if (one.carried > 0 && left === 0) this.#remove(one.actor, one.name);
    } else if (one.carried > 0 && 2 * left <= one.carried) this.#set(one);
  }

  #forget(one: SharedReminder): void {
    one.cancel?.();
    this.#own.delete(one.name);
  }

  /** The run is no longer held here, or is held anew. Its reminder stays for its holder, and goes when it rings without need. */
  left(held: Held): void {
    held.isReminded = false;
    this.#leave(held);
  }

  #leave(held: Held): void {
    const { shared, id } = held;
    held.shared = undefined;
    const known = shared?.runs.get(id);
    if (shared === undefined || known === undefined) return;
    shared.runs.delete(id);
    if (shared.carried === 0) return;
    shared.away.set(id, known.run);
    if (shared.runs.size === 0) this.#forget(shared);
  }

  /** Notes that a reminder carries a run. */
  carries(rank: ReminderRank, { id, run }: RemindedRun): void {
    const key = runKey(id, run);
    const known = this.#last.get(key);
    if (known === undefined || isLater(rank, known)) this.#last.set(key, rank);
  }

  /** Whether a run may leave a reminder that rings: it has ended here, or a later reminder is known to carry it. */
  mayLeave(name: string, rank: ReminderRank, { id, run }: RemindedRun): boolean {
    const known = this.#last.get(runKey(id, run));
    if (known !== undefined && isLater(known, rank)) return true;
    const one = this.#own.get(name);
    return one !== undefined && one.carried > 0 && !this.#isOf(one, { id, run });
  }

  #isOf(one: SharedReminder, { id, run }: RemindedRun): boolean {
    return one.runs.get(id)?.run === run || one.away.get(id) === run;
  }

  /**
   * After a ring, the reminder carries the runs that it keeps, or is removed. A near one rings seldom from then on if this host has a
   * lease. Throws `sidecar.unavailable`; the next ring does it again.
   */
  async keep(actor: Address, name: string, { atMs, near, runs }: ReminderContent, kept: readonly RemindedRun[]): Promise<void> {
    const isNear = near && !this.#parts.watch.isHeld;
    if (runs.length === 0 || (kept.length === runs.length && isNear === near)) return;
    if (kept.length > 0) return this.#put(actor, name, { atMs, near: isNear, runs: [...kept] });
    await this.#parts.ports.reminders.remove(actor, name);
    const one = this.#own.get(name);
    if (one !== undefined) this.#forget(one);
  }

  #put(actor: Address, name: string, content: ReminderContent, dueMs?: number): Promise<void> {
    const periodMs = content.near ? REMINDER_UNHELD_MS : LIMITS.reminderMs;
    return this.#parts.ports.reminders.set(actor, name, dueMs ?? periodMs, periodMs, content);
  }

  /** One that is not removed rings, and is removed then. */
  #remove(actor: Address, name: string): void {
    const { ports, log } = this.#parts;
    ports.reminders
      .remove(actor, name)
      .catch((error: unknown) => log.debug({ err: error, processId: actor.id }, "a reminder was not removed; it is when it rings"));
  }

  /** Cancels all timers. */
  stop(): void {
    for (const one of this.#own.values()) one.cancel?.();
    this.#own.clear();
    this.#gathering = undefined;
  }
}

/** The key of a reminder in the order of all of them. */
export function rankKey(actorId: string, name: string): string {
  return `${actorId}/${name}`;
}

function runKey(id: string, run: number): string {
  return `${id}:${run}`;
}
