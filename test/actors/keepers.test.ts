/** @module The reminder keeper and the failure detector, each alone over ports that the test controls. */
import { describe, expect, test } from "vitest";
import { ReminderKeeper } from "../../actors/host/reminder-keeper.ts";
import type { Reminders } from "../../actors/engine/ports.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush, HandClock } from "./engine-rig.ts";

const ACTOR = { type: "sys.ProcessManager", id: "p" };

class SeenReminders implements Reminders {
  readonly calls: string[] = [];
  /** Where the reminder stands: its delay when it was set last. */
  readonly standing = new Map<string, number>();
  before: (call: string) => Promise<void> = async () => {};

  async set(_actor: typeof ACTOR, name: string, dueMs: number): Promise<void> {
    this.calls.push(`set ${dueMs}`);
    await this.before(`set ${dueMs}`);
    this.standing.set(name, dueMs);
  }

  async remove(_actor: typeof ACTOR, name: string): Promise<void> {
    this.calls.push("remove");
    await this.before("remove");
    this.standing.delete(name);
  }
}

const yes = async (): Promise<boolean> => true;
const NEAR = LIMITS.reminderNearMs;

describe("law: reminders", () => {
  function keeper(): { readonly reminders: SeenReminders; readonly keeper: ReminderKeeper; readonly clock: HandClock } {
    const reminders = new SeenReminders();
    const clock = new HandClock();
    return { reminders, clock, keeper: new ReminderKeeper(reminders, clock) };
  }

  test("near is set once while it stands, again after it was moved, removed or forgotten", async () => {
    const { reminders, keeper: kept, clock } = keeper();
    await kept.near(ACTOR, "run-1");
    await kept.near(ACTOR, "run-1");
    expect(reminders.calls).toEqual([`set ${NEAR}`]);
    await kept.away(ACTOR, "run-1", clock.nowMs() + 60_000, yes, false);
    await kept.near(ACTOR, "run-1");
    await kept.remove(ACTOR, "run-1", yes);
    await kept.near(ACTOR, "run-1");
    kept.forget(ACTOR);
    await kept.near(ACTOR, "run-1");
    expect(reminders.calls).toEqual([`set ${NEAR}`, "set 60000", `set ${NEAR}`, "remove", `set ${NEAR}`, `set ${NEAR}`]);
  });

  test("a host that does not have it near moves it only when it has just rung there: another host may rely on it", async () => {
    const { reminders, keeper: kept, clock } = keeper();
    const move = (rang: boolean): Promise<void> => kept.away(ACTOR, "run-1", clock.nowMs() + 60_000, yes, rang);
    await move(false);
    expect(reminders.calls).toEqual([]);
    await move(true);
    expect(reminders.calls.splice(0)).toEqual(["set 60000"]);
    await kept.near(ACTOR, "run-1");
    kept.forget(ACTOR);
    await move(false);
    expect(reminders.calls.splice(0)).toEqual([`set ${NEAR}`]);
    // What is near as another run's is not known as this one's.
    await kept.near(ACTOR, "run-2");
    await move(false);
    expect(reminders.calls).toEqual([`set ${NEAR}`]);
  });

  test(
    "a host that has just read another one's record does not move it, for as long as that one may believe it " +
      "near; reading the record again begins no new wait",
    async () => {
      const { reminders, keeper: kept, clock } = keeper();
      const move = (): Promise<void> => kept.away(ACTOR, "run-1", clock.nowMs() + 60_000, yes, true);
      kept.foreign(ACTOR, 3);
      await move();
      await clock.advance(LIMITS.reminderTrustMs - 1);
      kept.foreign(ACTOR, 3);
      await move();
      expect(reminders.calls).toEqual([]);
      await clock.advance(1);
      kept.foreign(ACTOR, 3);
      await move();
      expect(reminders.calls.splice(0)).toEqual(["set 60000"]);
      kept.foreign(ACTOR, 4);
      await move();
      expect(reminders.calls).toEqual([]);
    },
  );

  test("what is renewed is set also where it is believed near", async () => {
    const { reminders, keeper: kept } = keeper();
    await kept.near(ACTOR, "run-1");
    await kept.renew(ACTOR, "run-1");
    await kept.near(ACTOR, "run-1");
    expect(reminders.calls).toEqual([`set ${NEAR}`, `set ${NEAR}`]);
  });

  test("it is believed near for as long as it goes on ringing here, and not a moment longer", async () => {
    const { reminders, keeper: kept, clock } = keeper();
    await kept.near(ACTOR, "run-1");
    for (let ring = 0; ring < 3; ring += 1) {
      await clock.advance(LIMITS.reminderTrustMs - 1);
      kept.rang(ACTOR, "run-1");
      await kept.near(ACTOR, "run-1");
    }
    expect(reminders.calls).toEqual([`set ${NEAR}`]);
    // The ring of another run, and that of a reminder which this host has not near, show nothing.
    await clock.advance(LIMITS.reminderTrustMs - 1);
    kept.rang(ACTOR, "run-2");
    kept.rang({ ...ACTOR, id: "q" }, "run-1");
    await clock.advance(1);
    await kept.away(ACTOR, "run-1", clock.nowMs() + 60_000, yes, false);
    await kept.near(ACTOR, "run-1");
    await kept.near({ ...ACTOR, id: "q" }, "run-1");
    expect(reminders.calls).toEqual([`set ${NEAR}`, `set ${NEAR}`, `set ${NEAR}`]);
  });

  test("a reminder that the sidecar did not accept is not trusted", async () => {
    const { reminders, keeper: kept } = keeper();
    reminders.before = () => Promise.reject(new Fault("sidecar.unavailable", "no"));
    await expect(kept.near(ACTOR, "run-1")).rejects.toMatchObject({ code: "sidecar.unavailable" });
    reminders.before = async () => {};
    await kept.near(ACTOR, "run-1");
    expect(reminders.standing.get("run-1")).toBe(NEAR);
  });

  test("away is never further than its limit, and not worth a call when it is near", async () => {
    const { reminders, keeper: kept, clock } = keeper();
    await kept.away(ACTOR, "run-1", clock.nowMs() + LIMITS.reminderAwayMsMin - 1, yes, true);
    expect(reminders.calls).toEqual([]);
    await kept.away(ACTOR, "run-1", clock.nowMs() + 10 * LIMITS.reminderAwayMsMax, yes, true);
    expect(reminders.calls).toEqual([`set ${LIMITS.reminderAwayMsMax}`]);
  });

  test("away is not moved by a decision that no longer stands; one that stopped standing meanwhile brings it back", async () => {
    const { reminders, keeper: kept, clock } = keeper();
    await kept.away(ACTOR, "run-1", clock.nowMs() + 60_000, async () => false, true);
    expect(reminders.calls).toEqual([]);
    const answers = [true, false];
    await kept.away(ACTOR, "run-1", clock.nowMs() + 60_000, async () => answers.shift() ?? false, true);
    expect(reminders.calls).toEqual(["set 60000", `set ${NEAR}`]);
  });

  test("a turn that brings it near while it is being moved away wins, whichever call arrives first", async () => {
    const { reminders, keeper: kept, clock } = keeper();
    let land = (): void => {};
    reminders.before = (call) => (call === "set 60000" ? new Promise((resolve) => (land = resolve)) : Promise.resolve());
    let current = true;
    const moving = kept.away(ACTOR, "run-1", clock.nowMs() + 60_000, async () => current, true);
    await flush(2);
    await kept.near(ACTOR, "run-1");
    current = false;
    land();
    await moving;
    expect(reminders.standing.get("run-1")).toBe(NEAR);
  });

  test("it is not removed by a decision that no longer stands; one that stopped standing meanwhile sets it again", async () => {
    const { reminders, keeper: kept } = keeper();
    await kept.near(ACTOR, "run-1");
    await kept.remove(ACTOR, "run-1", async () => false);
    expect(reminders.standing.has("run-1")).toBe(true);
    let land = (): void => {};
    reminders.before = (call) => (call === "remove" ? new Promise((resolve) => (land = resolve)) : Promise.resolve());
    let current = true;
    const removing = kept.remove(ACTOR, "run-1", async () => current);
    await flush(2);
    await kept.near(ACTOR, "run-1");
    current = false;
    land();
    await removing;
    expect(reminders.standing.get("run-1")).toBe(NEAR);
  });
});
