/** @module Cases of reminders: what they survive when the app, the sidecar or the scheduler fails. */
import type { Json } from "../../runtime/faults.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Case } from "./world-case.ts";
import { outcome, type WorldRig } from "./world-rig.ts";
import { NAME, QUIET_MS, remove, rings, set, SHORT_MS, SOON_MS, stillRings, ticks, withReminder } from "./world-reminder-rig.ts";

const LONG_MS = 60_000;
/** How long the app is away, and which number of ticks then counts as a burst: fewer periods than ticks. */
const AWAY_MS = 1_800;
const BURST_MS = 600;
const BURST_TICKS_MIN = 4;
/** By then daprd has detected a dead app: three probes, a second apart. */
const FOUND_DEAD_MS = 4_500;
const ATTEMPTS_MAX = 3;

/** The burst of ticks after a time in which none could be delivered. */
async function burst(rig: WorldRig, actor: Address, away: () => Promise<void>, back: () => Promise<void>): Promise<boolean> {
  await set(rig, actor, NAME, SHORT_MS, SHORT_MS);
  await rings(rig, actor, 1, SOON_MS);
  await away();
  await rig.elapse(AWAY_MS);
  const before = ticks(rig, actor);
  await back();
  await rig.comes(() => ticks(rig, actor) > before, SOON_MS);
  const [first] = rig.script.of(actor.id, "tick").slice(before);
  await rig.elapse(BURST_MS);
  const soon = rig.script
    .of(actor.id, "tick")
    .filter((tick) => first !== undefined && tick.atMs >= first.atMs && tick.atMs < first.atMs + BURST_MS);
  return soon.length >= BURST_TICKS_MIN;
}

/**
 * Changes a reminder just after the app died; returns whether it fires when the app is back. daprd may have detected the dead app by
 * then.
 */
async function whileDead(rig: WorldRig, actor: Address, act: () => Promise<Json>): Promise<Json> {
  for (let attempt = 1; ; attempt += 1) {
    await set(rig, actor, NAME, SHORT_MS, SHORT_MS);
    await rings(rig, actor, 1, SOON_MS);
    await rig.app.kill();
    const answer = await act();
    await rig.app.start();
    const isDone = answer !== "thrown: sidecar.unavailable";
    if (isDone || attempt === ATTEMPTS_MAX) return [answer, await rings(rig, actor, 1, QUIET_MS)];
  }
}

/** Whether a reminder fires again after a part was killed and restarted. */
async function survives(rig: WorldRig, actor: Address, part: { kill(): Promise<void>; start(): Promise<void> }): Promise<boolean> {
  await set(rig, actor, NAME, SHORT_MS, SHORT_MS);
  await rings(rig, actor, 1, SOON_MS);
  await part.kill();
  await part.start();
  return rings(rig, actor, 3, 3 * SOON_MS);
}

/** The cases of reminders whose app, sidecar, scheduler or placement fails. */
export const REMINDER_OUTAGE_CASES: readonly Case[] = [
  {
    name: "ticks that were missed while the app was dead are delivered one after another when it is back",
    alone: true,
    same: true,
    run: withReminder((rig, actor) =>
      burst(
        rig,
        actor,
        () => rig.app.kill(),
        () => rig.app.start(),
      ),
    ),
  },
  {
    name: "ticks that were missed while the app was frozen are delivered one after another when it resumes",
    alone: true,
    same: true,
    run: withReminder((rig, actor) =>
      burst(
        rig,
        actor,
        () => rig.app.freeze(),
        () => rig.app.wake(),
      ),
    ),
  },
  {
    name: "ticks that were missed while the sidecar was dead are delivered one after another when it is back",
    alone: true,
    same: true,
    run: withReminder((rig, actor) =>
      burst(
        rig,
        actor,
        () => rig.sidecar.kill(),
        () => rig.sidecar.start(),
      ),
    ),
  },
  {
    name: "a reminder that is removed while the app is dead stays removed",
    alone: true,
    same: ["removed", false],
    run: withReminder((rig, actor) => whileDead(rig, actor, () => remove(rig, actor, NAME))),
  },
  {
    name: "a reminder that is set again while the app is dead delivers no ticks of the old one",
    alone: true,
    same: ["set", false],
    run: withReminder((rig, actor) => whileDead(rig, actor, () => set(rig, actor, NAME, LONG_MS, LONG_MS))),
  },
  {
    name: "while an app is known to be dead, no reminder of its types is set",
    alone: true,
    differs: { row: "Reminders of a dead app", simulated: "set", embedded: "thrown: sidecar.unavailable" },
    run: withReminder(async (rig, actor) => {
      await rig.app.kill();
      await rig.elapse(FOUND_DEAD_MS);
      const answer = await outcome(rig.hastyReminders.set(actor, NAME, LONG_MS, LONG_MS).then(() => "set"));
      await rig.app.start();
      return answer;
    }),
  },
  {
    name: "a reminder survives the death of the app",
    alone: true,
    same: true,
    run: withReminder((rig, actor) => survives(rig, actor, rig.app)),
  },
  {
    name: "a reminder survives the death of the sidecar",
    alone: true,
    same: true,
    run: withReminder((rig, actor) => survives(rig, actor, rig.sidecar)),
  },
  {
    name: "a reminder survives the death of the scheduler",
    alone: true,
    same: true,
    run: withReminder((rig, actor) => survives(rig, actor, rig.scheduler)),
  },
  {
    name: "a reminder survives the death of placement",
    alone: true,
    same: true,
    run: withReminder((rig, actor) => survives(rig, actor, rig.placement)),
  },
  {
    name: "with the sidecar dead no reminder is set or removed",
    alone: true,
    same: ["thrown: sidecar.unavailable", "thrown: sidecar.unavailable"],
    run: withReminder(async (rig, actor) => {
      await rig.sidecar.kill();
      const during = [await set(rig, actor, NAME, LONG_MS, LONG_MS), await remove(rig, actor, NAME)];
      await rig.sidecar.start();
      return during;
    }),
  },
  {
    name: "with the scheduler dead no reminder is set",
    alone: true,
    same: "thrown: sidecar.unavailable",
    run: withReminder(async (rig, actor) => {
      await rig.scheduler.kill();
      const during = await set(rig, actor, NAME, LONG_MS, LONG_MS);
      await rig.scheduler.start();
      return during;
    }),
  },
  {
    name: "reminders that the scheduler lost are silent, and can be set again",
    alone: true,
    same: [false, "removed", "set", true],
    run: withReminder(async (rig, actor) => {
      await set(rig, actor, NAME, SHORT_MS, SHORT_MS);
      await rings(rig, actor, 1, SOON_MS);
      await rig.loseReminders();
      return [
        await stillRings(rig, actor),
        await remove(rig, actor, NAME),
        await set(rig, actor, NAME, SHORT_MS, SHORT_MS),
        await rings(rig, actor, 2, SOON_MS),
      ];
    }),
  },
];
