/**
 * @module Tries, when a host starts, what the promises rest on: the state store refuses a second first write of a key, and a reminder can
 * be set and removed.
 */
import { Fault, faultFrom } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Logger } from "../engine/log.ts";
import { pause } from "../engine/pause.ts";
import type { Clock, InsertResult, Reminders, StateStore } from "../engine/ports.ts";

/** Name of the reminder that is tried. Its actor ignores it, should it ever fire. */
const REMINDER = "start-check";

/**
 * Writes a key twice and removes it. `key` must be new.
 * @throws `dapr.unfit` if the second write replaces the first; `store.unavailable` if the store does not answer
 */
export async function requireFirstWrite(store: StateStore, component: string, key: string): Promise<void> {
  try {
    const first = await written(store, key, "first", await store.insert(key, JSON.stringify("first")));
    if (!first) throw new Fault("store.unavailable", `the state store ${component} did not keep the key ${key}`);
    if (await written(store, key, "second", await store.insert(key, JSON.stringify("second"))))
      throw new Fault(
        "dapr.unfit",
        `the state store ${component} replaces a key that was written before although the write asked for first-write concurrency, so ` +
          "two hosts could both win",
      );
  } finally {
    // A key that stays costs a few bytes.
    await store.remove([key]).catch(() => undefined);
  }
}

/** Whether the store holds this text, after a write with that result. */
async function written(store: StateStore, key: string, text: string, result: InsertResult): Promise<boolean> {
  return result === "unknown" ? (await store.read([key])).get(key) === text : result === "inserted";
}

/** What {@link tryReminders} needs. */
export interface ReminderTrial {
  readonly reminders: Reminders;
  /** An actor that this host serves, and that ignores reminders. */
  readonly actor: Address;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stopped: () => boolean;
}

/**
 * Sets and removes a reminder, until it works or the host stops. Says so if it does not work for LIMITS.reminderTrialMs. Work goes on
 * meanwhile: a reminder is only the last resort of a process. Never throws.
 */
export async function tryReminders({ reminders, actor, clock, log, stopped }: ReminderTrial): Promise<void> {
  const begunMs = clock.nowMs();
  let said = false;
  while (!stopped()) {
    try {
      await reminders.set(actor, REMINDER, LIMITS.reminderMs, LIMITS.reminderMs);
      await reminders.remove(actor, REMINDER);
      if (said) log.info({}, "reminders can be set again");
      return;
    } catch (error) {
      const { message } = faultFrom(error, "sidecar.unavailable");
      if (!said && clock.nowMs() - begunMs >= LIMITS.reminderTrialMs) {
        said = true;
        const fault = new Fault("dapr.unfit", `no reminder can be set: ${message}`);
        log.warn({ fault: fault.toWire() }, "reminders do not work; start the scheduler. A host that stops now is not woken by Dapr");
      }
    }
    await pause(clock, LIMITS.recoveryRetryMs);
  }
}
