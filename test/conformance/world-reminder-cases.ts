/** @module Cases of reminders: when they fire, and what replaces and removes them. */
import { actorType } from "../../runtime/protocol.ts";
import type { Case } from "./world-case.ts";
import { ANSWER, freshActor, gate, messageTo, outcome, type WorldRig } from "./world-rig.ts";
import { hasRung, NAME, QUIET_MS, remove, rings, set, SHORT_MS, SOON_MS, stillRings, ticks, withReminder } from "./world-reminder-rig.ts";

const LONG_MS = 60_000;
const REMINDERS = 50;
/** daprd retries a failed tick three more times, a second apart. */
const TRIES_MS = 4_500;
const NO_LOCK = "Turns of one actor";
const NO_RETRY = "A tick that fails";

const ringing: readonly Case[] = [
  {
    name: "a reminder fires when it is due and every period after, under its name",
    same: ["set", true],
    run: withReminder(async (rig, actor) => [await set(rig, actor, NAME, SHORT_MS, SHORT_MS), await rings(rig, actor, 4, SOON_MS)]),
  },
  {
    name: "a reminder brings back what it carries, at each ring, and nothing of what it carried before it was set again",
    same: ["set", true, "set", true, false],
    run: withReminder(async (rig, actor) => {
      const [one, two] = [{ host: "h", runs: [{ id: "a.b~c", run: 1 }] }, [0.123456789, "é😀<&>", null]];
      return [
        await set(rig, actor, NAME, SHORT_MS, SHORT_MS, one),
        await rings(rig, actor, 2, SOON_MS, `${NAME} ${JSON.stringify(one)}`),
        await set(rig, actor, NAME, SHORT_MS, SHORT_MS, two),
        await rings(rig, actor, 2, SOON_MS, `${NAME} ${JSON.stringify(two)}`),
        await stillRings(rig, actor, `${NAME} ${JSON.stringify(one)}`),
      ];
    }),
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

/** The cases of reminders. */
export const REMINDER_CASES: readonly Case[] = [...ringing, ...names, ...failing];
