/**
 * @module The reminders of the processes that a host holds: the last resort, for what all other means have lost.
 *
 * A process has a reminder from an age of some seconds on. It rings at most `reminderMs` after anything is due. A process that only waits for
 * a later moment, for a person or for a signal owes nothing until then: its reminder rings after that moment, and at least each
 * `reminderQuietMs`. A decision or a signal wakes it by itself, as a message.
 */
import { LIMITS } from "../../runtime/limits.ts";
import { REMINDER_UNHELD_MS, reminderName } from "../../runtime/process/reminder.ts";
import type { Logger } from "../engine/log.ts";
import type { Ports } from "../engine/ports.ts";
import { type Held, NEVER, quietDueMs } from "./held.ts";
import type { HostWatch } from "./host-watch.ts";

/** What setting reminders needs. */
export interface HeldRemindersParts {
  readonly ports: Pick<Ports, "clock" | "random"> & { readonly reminders: Pick<Ports["reminders"], "set"> };
  readonly watch: Pick<HostWatch, "isHeld">;
  readonly log: Logger;
  /** The actor type of the processes. */
  readonly type: string;
  /** A reminder could not be set, and `remindAtMs` says when to try again. */
  readonly failed: (held: Held) => void;
}

/** Sets reminders, and plans when they are set anew. */
export class HeldReminders {
  readonly #parts: HeldRemindersParts;

  constructor(parts: HeldRemindersParts) {
    this.#parts = parts;
  }

  /** After a turn: a reminder that rings too late for what is due now is set anew, unless the process has ended by then. */
  plan(held: Held): void {
    if (held.remindAtMs !== NEVER || held.reminder !== "set" || held.ringsByMs <= this.#wantedByMs(held)) return;
    held.remindAtMs = this.#nowMs + (quietDueMs(held, this.#nowMs) === NEVER ? LIMITS.reminderMs : LIMITS.quietLineMs);
  }

  /** Its reminder has rung. A process that still only waits gets one that rings seldom. */
  rang(held: Held): void {
    const isQuiet = quietDueMs(held, this.#nowMs) !== NEVER;
    held.ringsByMs = this.#nowMs + held.reminderMs;
    if (isQuiet && held.remindAtMs === NEVER && held.reminderMs < LIMITS.reminderQuietMs) held.remindAtMs = this.#nowMs;
    else this.plan(held);
  }

  /** The moment to set it has come. */
  set(held: Held): void {
    const { ports, watch } = this.#parts;
    // Without a lease of this host its reminders stay near until it has one again.
    held.remindAtMs = watch.isHeld ? NEVER : this.#nowMs + REMINDER_UNHELD_MS;
    if (!held.isOpen || held.setting !== undefined || this.#isSet(held)) return;
    const { run } = held;
    const [dueMs, periodMs] = this.#times(held);
    const ringsByMs = this.#nowMs + dueMs;
    held.reminder = "unknown";
    held.setting = ports.reminders
      .set({ type: this.#parts.type, id: held.id }, reminderName(run), dueMs, periodMs)
      .then(() => {
        if (held.run === run) Object.assign(held, { reminder: "set", reminderMs: periodMs, ringsByMs });
      })
      .catch((error: unknown) => {
        this.#parts.log.debug({ err: error, processId: held.id }, "the reminder of a process was not set; it is set again");
        held.remindAtMs = this.#nowMs + LIMITS.askAgainMs;
        this.#parts.failed(held);
      })
      .finally(() => {
        held.setting = undefined;
      });
  }

  /** Whether it has the reminder that it would get: it has ended what it did when a nearer one was planned. */
  #isSet(held: Held): boolean {
    const isSeldom = held.reminderMs === LIMITS.reminderQuietMs || quietDueMs(held, this.#nowMs) === NEVER;
    return this.#parts.watch.isHeld && held.reminder === "set" && isSeldom && held.ringsByMs <= this.#wantedByMs(held);
  }

  /** When it rings first, from now, and then its period. Spread, so that those of many processes do not ring together. */
  #times(held: Held): readonly [dueMs: number, periodMs: number] {
    const spread = 1 - this.#parts.ports.random.jitter01() / 2;
    if (!this.#parts.watch.isHeld) return [REMINDER_UNHELD_MS * spread, REMINDER_UNHELD_MS];
    const quietMs = quietDueMs(held, this.#nowMs) - this.#nowMs;
    if (quietMs === NEVER) return [LIMITS.reminderMs * spread, LIMITS.reminderMs];
    return [Math.min(LIMITS.reminderQuietMs * spread, quietMs + LIMITS.reminderMs * spread), LIMITS.reminderQuietMs];
  }

  /** When its reminder must ring at the latest. */
  #wantedByMs(held: Held): number {
    const nowMs = this.#nowMs;
    const dueMs = quietDueMs(held, nowMs);
    return dueMs === NEVER ? nowMs + LIMITS.reminderMs : Math.min(dueMs + LIMITS.reminderMs, nowMs + LIMITS.reminderQuietMs);
  }

  get #nowMs(): number {
    return this.#parts.ports.clock.nowMs();
  }
}
