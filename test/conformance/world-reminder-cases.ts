/** @module Cases of reminders: when they fire, what replaces and removes them, and what they survive. */
import type { Json } from "../../runtime/faults.ts";
import { actorType, type Address } from "../../runtime/protocol.ts";
import type { Case } from "./world-case.ts";
import { ANSWER, freshActor, gate, messageTo, outcome, type WorldRig } from "./world-rig.ts";

const NAME = "run-1";
const SHORT_MS = 300;
const LONG_MS = 60_000;
const SOON_MS = 4_000;
/** Time after which a reminder that fired every SHORT_MS counts as silent. */
const QUIET_MS = 1_000;
/** How long the app is away, and which number of ticks then counts as a burst: fewer periods than ticks. */
const AWAY_MS = 1_800;
const BURST_MS = 600;
const BURST_TICKS_MIN = 4;
const REMINDERS = 50;
/** By then daprd has detected a dead app: three probes, a second apart. */
const FOUND_DEAD_MS = 4_500;
const ATTEMPTS_MAX = 3;
/** daprd retries a failed tick three more times, a second apart. */
const TRIES_MS = 4_500;
const NO_LOCK = "Turns of one actor";
const NO_RETRY = "A tick that fails";

async function set(rig: WorldRig, actor: Address, name: string, dueMs: number, periodMs: number): Promise<Json> {
  return outcome(rig.reminders.set(actor, name, dueMs, periodMs).then(() => "set"));
}

async function remove(rig: WorldRig, actor: Address, name: string): Promise<Json> {
  return outcome(rig.reminders.remove(actor, name).then(() => "removed"));
}

function ticks(rig: WorldRig, actor: Address, name = NAME): number {
  return rig.script.of(actor.id, "tick").filter((tick) => tick.name === name).length;
}

/** Whether a new actor's reminder has fired this many times in total: its first tick may come before the answer that it is set. */
function hasRung(rig: WorldRig, actor: Address, times: number, withinMs: number, name = NAME): Promise<boolean> {
  return rig.comes(() => ticks(rig, actor, name) >= times, withinMs);
}

/** Whether a reminder fires this many more times within a time. */
function rings(rig: WorldRig, actor: Address, times: number, withinMs: number, name = NAME): Promise<boolean> {
  const before = ticks(rig, actor, name);
  return rig.comes(() => ticks(rig, actor, name) >= before + times, withinMs);
}

/** Whether a reminder fires that should be silent. A tick may be in flight when it is silenced. */
async function stillRings(rig: WorldRig, actor: Address, name = NAME): Promise<boolean> {
  await rig.elapse(SHORT_MS);
  return rings(rig, actor, 1, QUIET_MS, name);
}

/** A case with a reminder that is always removed at its end. */
function withReminder(run: (rig: WorldRig, actor: Address) => Promise<Json>): Case["run"] {
  return async (rig) => {
    const actor = freshActor(rig);
    try {
      return await run(rig, actor);
    } finally {
      await outcome(rig.reminders.remove(actor, NAME));
    }
  };
}

const ringing: readonly Case[] = [
  {
    name: "a reminder fires when it is due and every period after, under its name",
    same: ["set", true],
    run: withReminder(async (rig, actor) => [await set(rig, actor, NAME, SHORT_MS, SHORT_MS), await rings(rig, actor, 4, SOON_MS)]),
  },
  {
    name: "a reminder does not fire before it is due",
    same: [false, true],
    run: withReminder(async (rig, actor) => {
      await set(rig, actor, NAME, 2 * QUIET_MS, LONG_MS);
      return [await hasRung(rig, actor, 1, QUIET_MS), await hasRung(rig, actor, 1, SOON_MS)];
    }),
  },
  {
    name: "a reminder that is due now fires now",
    same: true,
    run: withReminder(async (rig, actor) => {
      await set(rig, actor, NAME, 0, LONG_MS);
      return hasRung(rig, actor, 1, SOON_MS);
    }),
  },
  {
    name: "a reminder that was due in the past fires now",
    same: true,
    run: withReminder(async (rig, actor) => {
      await set(rig, actor, NAME, -LONG_MS, LONG_MS);
      return hasRung(rig, actor, 1, SOON_MS);
    }),
  },
  {
    name: "a reminder that is set again to an earlier time fires at the new time",
    same: [true, 1],
    run: withReminder(async (rig, actor) => {
      await set(rig, actor, NAME, LONG_MS, LONG_MS);
      await set(rig, actor, NAME, SHORT_MS, LONG_MS);
      const rang = await hasRung(rig, actor, 1, SOON_MS);
      await rig.elapse(QUIET_MS);
      return [rang, ticks(rig, actor)];
    }),
  },
  {
    name: "a reminder that is set again to a later time is silent at the old time",
    same: false,
    run: withReminder(async (rig, actor) => {
      await set(rig, actor, NAME, SHORT_MS, SHORT_MS);
      await rings(rig, actor, 2, SOON_MS);
      await set(rig, actor, NAME, LONG_MS, LONG_MS);
      return stillRings(rig, actor);
    }),
  },
  {
    name: "a reminder that is removed is silent",
    same: ["removed", false],
    run: withReminder(async (rig, actor) => {
      await set(rig, actor, NAME, SHORT_MS, SHORT_MS);
      await rings(rig, actor, 2, SOON_MS);
      return [await remove(rig, actor, NAME), await stillRings(rig, actor)];
    }),
  },
  {
    name: "removing an absent reminder is not an error, twice",
    same: ["removed", "removed"],
    run: withReminder(async (rig, actor) => [await remove(rig, actor, NAME), await remove(rig, actor, NAME)]),
  },
  {
    name: "two reminders of one actor fire independently",
    same: [true, true, true, false],
    run: withReminder(async (rig, actor) => {
      await Promise.all([set(rig, actor, NAME, SHORT_MS, SHORT_MS), set(rig, actor, "run-2", SHORT_MS, SHORT_MS)]);
      const both = await Promise.all([rings(rig, actor, 2, SOON_MS), rings(rig, actor, 2, SOON_MS, "run-2")]);
      await remove(rig, actor, "run-2");
      return [...both, ...(await Promise.all([rings(rig, actor, 2, SOON_MS), stillRings(rig, actor, "run-2")]))];
    }),
  },
  {
    name: "reminders with one name of two actors fire independently",
    same: [true, false, true],
    run: withReminder(async (rig, actor) => {
      const other = freshActor(rig);
      await Promise.all([set(rig, actor, NAME, SHORT_MS, SHORT_MS), set(rig, other, NAME, SHORT_MS, SHORT_MS)]);
      const rang = await rings(rig, other, 2, SOON_MS);
      await remove(rig, other, NAME);
      return [rang, ...(await Promise.all([stillRings(rig, other), rings(rig, actor, 2, SOON_MS)]))];
    }),
  },
  {
    name: "many concurrent reminders all fire",
    same: REMINDERS,
    run: async (rig) => {
      const actors = Array.from({ length: REMINDERS }, () => freshActor(rig));
      await Promise.all(actors.map((actor) => set(rig, actor, NAME, SHORT_MS, LONG_MS)));
      await rig.comes(() => actors.every((actor) => ticks(rig, actor) > 0), SOON_MS);
      const rang = actors.filter((actor) => ticks(rig, actor) > 0).length;
      await Promise.all(actors.map((actor) => remove(rig, actor, NAME)));
      return rang;
    },
  },
];

const names: readonly Case[] = [
  {
    name: "a reminder whose name has odd characters fires under that name",
    same: ["set", true, "removed"],
    run: withReminder(async (rig, actor) => {
      const odd = "run é😀+&=:;,.@!~'()*|<[{^$`-_";
      return [await set(rig, actor, odd, SHORT_MS, SHORT_MS), await hasRung(rig, actor, 1, SOON_MS, odd), await remove(rig, actor, odd)];
    }),
  },
  {
    name: "a name with a slash, a question mark, a hash or a line break is refused",
    differs: {
      row: "Names of reminders",
      simulated: ["set", "set", "set", "set"],
      embedded: Array.from({ length: 4 }, () => "thrown: sidecar.unavailable"),
    },
    run: withReminder(async (rig, actor) => {
      const names = ["run/1", "run?1", "run#1", "run\n1"];
      const answers = await Promise.all(names.map((name) => set(rig, actor, name, LONG_MS, LONG_MS)));
      await Promise.all(names.map((name) => remove(rig, actor, name)));
      return answers;
    }),
  },
  {
    name: "a reminder with a percent sign in its name is set and fires under that name",
    differs: { row: "Names of reminders", simulated: ["set", true], embedded: ["set", false] },
    run: withReminder(async (rig, actor) => {
      const answer = await set(rig, actor, "run%1", 0, LONG_MS);
      const rang = await hasRung(rig, actor, 1, QUIET_MS, "run%1");
      await remove(rig, actor, "run%1");
      return [answer, rang];
    }),
  },
  {
    name: "a reminder of a type without a host is not set",
    same: "thrown: sidecar.unavailable",
    run: (rig) => set(rig, { type: actorType(rig.system, "Unserved"), id: "n-1" }, NAME, LONG_MS, LONG_MS),
  },
];

/** How often a one-shot reminder is delivered whose first ticks fail. */
async function once(rig: WorldRig, failures: number): Promise<number> {
  const actor = freshActor(rig);
  let left = failures;
  rig.script.on(actor.id, () => {
    left -= 1;
    return left >= 0 ? { kind: "fault", code: "store.unavailable" } : ANSWER;
  });
  await rig.setOnce(actor, NAME, 0);
  await rig.elapse(TRIES_MS + QUIET_MS);
  return ticks(rig, actor);
}

const failing: readonly Case[] = [
  {
    name: "a reminder whose tick fails fires again at its next period",
    same: true,
    run: withReminder(async (rig, actor) => {
      let fails = 1;
      rig.script.on(actor.id, () => {
        fails -= 1;
        return fails >= 0 ? { kind: "fault", code: "store.unavailable" } : ANSWER;
      });
      await set(rig, actor, NAME, SHORT_MS, SHORT_MS);
      return rings(rig, actor, 3, SOON_MS);
    }),
  },
  {
    name: "a failed tick is retried this often before the next period",
    differs: { row: NO_RETRY, simulated: 1, embedded: 4 },
    run: withReminder(async (rig, actor) => {
      rig.script.on(actor.id, () => ({ kind: "fault", code: "store.unavailable" }));
      await set(rig, actor, NAME, 0, LONG_MS);
      await rig.elapse(TRIES_MS);
      return ticks(rig, actor);
    }),
  },
  {
    name: "a tick that is answered by an empty 200 counts as handled",
    same: 1,
    run: withReminder(async (rig, actor) => {
      rig.script.on(actor.id, () => ({ kind: "status", status: 200, body: "" }));
      await set(rig, actor, NAME, 0, LONG_MS);
      await rig.elapse(2 * QUIET_MS);
      return rig.script.tries(actor.id, "tick").length;
    }),
  },
  { name: "a one-shot reminder whose tick fails twice is delivered a third time", same: 3, run: (rig) => once(rig, 2) },
  { name: "a one-shot reminder whose tick fails four times is dropped", same: 4, run: (rig) => once(rig, 4) },
  {
    name: "a tick waits for the running turn",
    differs: { row: NO_LOCK, simulated: false, embedded: true },
    run: withReminder(async (rig, actor) => {
      const { opened, open } = gate();
      rig.script.on(actor.id, async ({ kind }) => {
        if (kind === "turn") await opened;
        return ANSWER;
      });
      const turn = outcome(rig.transport.deliver(messageTo(actor)));
      await rig.comes(() => rig.script.count(actor.id, "turn") === 1, SOON_MS);
      await set(rig, actor, NAME, 0, SHORT_MS);
      const rang = await hasRung(rig, actor, 1, QUIET_MS);
      open();
      await turn;
      return !rang;
    }),
  },
];

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

const outages: readonly Case[] = [
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

/** The cases of reminders. */
export const REMINDER_CASES: readonly Case[] = [...ringing, ...names, ...failing, ...outages];
