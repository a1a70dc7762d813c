/** @module The reminders of held processes alone: when each is set, over a clock that the test drives. */
import { describe, expect, test } from "vitest";
import { type Held, NEVER, newHeld } from "../../actors/host/held.ts";
import { HeldReminders } from "../../actors/host/held-reminders.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { REMINDER_UNHELD_MS } from "../../runtime/process/reminder.ts";
import { flush, HandClock } from "./engine-rig.ts";

const { reminderMs, reminderQuietMs, quietLineMs } = LIMITS;

/** An open process with what it waits for, its reminders so far, and the rig that sets them. */
function rig(dueInMs: number | undefined, { jitter01 = 0 } = {}) {
  const clock = new HandClock();
  const sets: [name: string, dueMs: number, periodMs: number][] = [];
  const failed: Held[] = [];
  const state = { isHeld: true, fails: false };
  const held = { ...newHeld("p", NEVER), run: 1, isOpen: true, reminder: "none" as Held["reminder"] };
  const wait = (ms: number | undefined): void => {
    held.isUnanswered = ms === undefined;
    held.dueAtMs = ms === undefined ? NEVER : clock.nowMs() + ms;
  };
  wait(dueInMs);
  const reminders = new HeldReminders({
    ports: {
      clock,
      random: { jitter01: () => jitter01, token: () => "token" },
      reminders: {
        set: async (_actor, name, dueMs, periodMs) => {
          if (state.fails) throw new Error("the sidecar is away");
          sets.push([name, dueMs, periodMs]);
        },
      },
    },
    watch: state,
    log: SILENT,
    type: "shop.ProcessManager",
    failed: (one) => failed.push(one),
  });
  /** Sets it, as the holder does at `remindAtMs`. */
  const set = async (): Promise<void> => {
    reminders.set(held);
    await flush();
  };
  return { clock, sets, failed, state, held, reminders, set, wait };
}

describe("a reminder rings", () => {
  test("each 10 minutes for a process that has work to be done", async () => {
    const { sets, set } = rig(undefined);
    await set();
    expect(sets).toEqual([["run-1", reminderMs, reminderMs]]);
  });

  test("each hour for one that only waits for a person, spread over the second half of the first", async () => {
    const one = rig(86_400_000);
    await one.set();
    const other = rig(86_400_000, { jitter01: 1 });
    await other.set();
    expect([...one.sets, ...other.sets]).toEqual([
      ["run-1", reminderQuietMs, reminderQuietMs],
      ["run-1", reminderQuietMs / 2, reminderQuietMs],
    ]);
  });

  test("at most 10 minutes after the moment for which it waits", async () => {
    const { sets, set } = rig(20 * 60_000);
    await set();
    expect(sets).toEqual([["run-1", 20 * 60_000 + reminderMs, reminderQuietMs]]);
  });

  test("each few seconds while its host has no lease", async () => {
    const { sets, set, state, held, clock } = rig(86_400_000);
    state.isHeld = false;
    await set();
    expect(sets).toEqual([["run-1", REMINDER_UNHELD_MS, REMINDER_UNHELD_MS]]);
    expect(held.remindAtMs).toBe(clock.nowMs() + REMINDER_UNHELD_MS);
    state.isHeld = true;
    await set();
    expect([sets.at(-1), held.remindAtMs]).toEqual([["run-1", reminderQuietMs, reminderQuietMs], NEVER]);
  });
});

describe("a reminder is set anew", () => {
  test("when a process that waited has had work to be done for 10 minutes", async () => {
    const { sets, set, held, reminders, clock, wait } = rig(86_400_000);
    await set();
    wait(undefined);
    reminders.plan(held);
    expect(held.remindAtMs).toBe(clock.nowMs() + reminderMs);
    await clock.advance(reminderMs);
    await set();
    expect(sets.slice(1)).toEqual([["run-1", reminderMs, reminderMs]]);
  });

  test("not when it waits again by then", async () => {
    const { sets, set, held, reminders, clock, wait } = rig(86_400_000);
    await set();
    wait(undefined);
    reminders.plan(held);
    await clock.advance(reminderMs);
    wait(86_400_000);
    await set();
    expect([sets.length, held.remindAtMs]).toEqual([1, NEVER]);
  });

  test("soon, when it waits for an earlier moment than the one it rings after", async () => {
    const { sets, set, held, reminders, clock, wait } = rig(86_400_000);
    await set();
    wait(60_000);
    reminders.plan(held);
    expect(held.remindAtMs).toBe(clock.nowMs() + quietLineMs);
    await clock.advance(quietLineMs);
    await set();
    expect(sets.slice(1)).toEqual([["run-1", 60_000 - quietLineMs + reminderMs, reminderQuietMs]]);
    wait(2 * 60_000);
    reminders.plan(held);
    expect(held.remindAtMs).toBe(NEVER);
  });

  test("when it rings and the process only waits, to ring seldom from then on", async () => {
    const { sets, set, held, reminders, clock, wait } = rig(undefined);
    await set();
    await clock.advance(reminderMs);
    wait(86_400_000);
    reminders.rang(held);
    expect(held.remindAtMs).toBe(clock.nowMs());
    await set();
    expect(sets.slice(1)).toEqual([["run-1", reminderQuietMs, reminderQuietMs]]);
    await clock.advance(reminderQuietMs);
    reminders.rang(held);
    expect(held.remindAtMs).toBe(NEVER);
  });

  test("not when it rings while there is work to be done", async () => {
    const { set, held, reminders, clock } = rig(undefined);
    await set();
    await clock.advance(reminderMs);
    reminders.rang(held);
    expect(held.remindAtMs).toBe(NEVER);
  });

  test("after a pause when it could not be set", async () => {
    const { sets, set, held, failed, state, clock } = rig(86_400_000);
    state.fails = true;
    await set();
    expect([sets, failed, held.remindAtMs, held.reminder]).toEqual([[], [held], clock.nowMs() + LIMITS.askAgainMs, "unknown"]);
    state.fails = false;
    await set();
    expect([sets.length, held.reminder]).toEqual([1, "set"]);
  });
});
