/**
 * @module Requests to people through `kill -9`: of the app at each step of a request and with two deciders at once, and of everything while
 * requests on three levels of nested routes are open. `LIVE_KILLS=50` for more.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/index.ts";
import type { InboxEntry } from "../../runtime/people/view.ts";
import { type Answered, Deciders } from "./deciders.ts";
import { makeRandom, print, seedOfRun } from "./random.ts";
import { outcomesInJournal } from "./verdict.ts";
import { World } from "./world.ts";

/** What has just happened to a request when the app is killed. `raced`: two people decide at once. */
const STEPS = ["asked", "told", "decided", "edited", "expired", "raced"] as const;
type Step = (typeof STEPS)[number];

const kills = Number(process.env["LIVE_KILLS"] ?? 2 * STEPS.length);
const KILL_MS = 20_000;
const TEST_MS = 60_000 + kills * KILL_MS;
const END_MS = 60_000;
/** What is asked for, and what an edit makes of it. */
const ASKED_CENTS = 1_200;
const EDITED_CENTS = 900;
/** Longest time between the step and the kill. */
const ASKED_MS = 150;
const TOLD_MS = 40;
const DECIDED_MS = 80;
/** Around the deadline of a request. */
const EXPIRED_MS = 400;

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

interface Play {
  readonly world: World;
  readonly people: Deciders;
  readonly id: string;
  readonly random: () => number;
}

async function killApp({ world }: Play): Promise<void> {
  await world.host.killApp();
  world.host.startApp();
  await world.host.healthy();
}

async function submit({ world, id }: Play, route = "refund"): Promise<void> {
  await world.client.submit({ id, route, input: { process: id, amount: ASKED_CENTS } });
}

async function asked({ people, id }: Play): Promise<InboxEntry> {
  const [request] = await people.listed(`process=${id}`, 1);
  if (request === undefined) throw new Error("no request");
  return request;
}

const APPROVE = { do: "approve", reason: "fine" };
const DENY = { do: "deny", reason: "no" };

/** Decides in several ways at once, while the app is killed. */
async function decideAndKill(play: Play, decisions: readonly object[]): Promise<readonly Answered[]> {
  const request = await asked(play);
  const decided = Promise.all(decisions.map((decision) => play.people.decide(request, decision)));
  await sleep(play.random() * DECIDED_MS);
  await killApp(play);
  return decided;
}

/** Plays one request with a kill at a step. Returns under which amount it may have paid: undefined for none. */
async function playStep(step: Step, play: Play): Promise<number | undefined> {
  const { people, id, random } = play;
  const edit = { do: "edit", input: { process: id, amount: EDITED_CENTS }, reason: "one item" };
  await submit(play, step === "expired" ? "hasty" : "refund");
  switch (step) {
    case "asked":
    case "told": {
      if (step === "told") await asked(play);
      await sleep(random() * (step === "told" ? TOLD_MS : ASKED_MS));
      await killApp(play);
      expect(await people.decide(await asked(play), APPROVE)).toEqual({ status: 202, code: "" });
      return ASKED_CENTS;
    }
    case "decided":
      expect(await decideAndKill(play, [APPROVE])).toEqual([{ status: 202, code: "" }]);
      return ASKED_CENTS;
    case "edited":
      expect(await decideAndKill(play, [edit])).toEqual([{ status: 202, code: "" }]);
      return EDITED_CENTS;
    case "expired": {
      const { dueAtMs = 0 } = await asked(play);
      await sleep(Math.max(0, dueAtMs - Date.now() + (random() - 0.5) * EXPIRED_MS));
      await killApp(play);
      return undefined;
    }
    case "raced": {
      const [first, firstPays] = random() < 0.5 ? [APPROVE, ASKED_CENTS] : [DENY, undefined];
      const answers = await decideAndKill(play, [first, edit]);
      expect(answers.map(({ code }) => code).toSorted()).toEqual(["", "person.decided"]);
      return answers[0]?.status === 202 ? firstPays : EDITED_CENTS;
    }
  }
}

const STATES: Readonly<Record<string, string>> = { approved: "approve", edited: "edit", denied: "deny" };

/** One decision, and the act exactly under the arguments that were approved. */
async function check({ world, people, id }: Play, step: Step, amount: number | undefined): Promise<void> {
  const view = await world.client.ended(id, Date.now() + END_MS);
  expect(view?.outcome, `${step} ${id}: ${JSON.stringify(view)}`).toMatchObject({
    status: "completed",
    output: { amount: amount ?? 0, code: amount === undefined ? "person.denied" : "" },
  });
  expect(await outcomesInJournal(world, id)).toBe(1);
  const effects = world.ledger.of(id).map(({ effect, applied, undone }) => [effect, applied, undone]);
  expect(effects, `${step} ${id}`).toEqual(amount === undefined ? [] : [[`pay ${amount}`, true, false]]);
  const [request] = await people.listed(`process=${id}&state=decided`, 1);
  expect(view?.requests?.map(({ id: name, state }) => [name, state])).toEqual([[request?.id, request?.state]]);
  await people.listed(`process=${id}`, 0);
  const done = STATES[request?.state ?? ""];
  expect(await people.audit(request?.id ?? "")).toEqual(done === undefined ? [] : [done]);
  if (step === "expired") expect(request?.state).toBe("expired");
}

test.skipIf(!able)(
  `${kills} kills at the steps of requests: one decision each, and the act under the approved arguments`,
  { timeout: TEST_MS },
  async () => {
    const seed = seedOfRun();
    const random = makeRandom(seed);
    const world = await World.start({ profile: "embedded", seed });
    const people = new Deciders(() => world.host.url);
    try {
      for (let number = 0; number < kills; number += 1) {
        const step = STEPS[number % STEPS.length] ?? "asked";
        const play = { world, people, id: `k${number}`, random };
        await check(play, step, await playStep(step, play));
      }
      print(`requests (seed ${seed}): ${kills} kills at ${STEPS.join(", ")}; one decision each, each act under what was approved`);
    } finally {
      await world.stop();
    }
  },
);

/** Everything but the store is killed and started again. */
async function restartAll(world: World): Promise<void> {
  const { cluster, host } = world;
  await Promise.all([host.killApp(), host.sidecar.kill("SIGKILL"), cluster.scheduler.kill("SIGKILL"), cluster.placement.kill("SIGKILL")]);
  await cluster.placement.start();
  await cluster.scheduler.start();
  host.startApp();
  await host.startSidecar();
  await host.sidecar.waitReady(END_MS);
  await host.healthy();
}

test.skipIf(!able)(
  "requests on three levels of nested routes outlive a restart of everything, and are answered",
  { timeout: TEST_MS },
  async () => {
    const world = await World.start({ profile: "embedded", seed: seedOfRun() });
    const people = new Deciders(() => world.host.url);
    try {
      const id = "nested";
      await world.client.submit({ id, route: "outer", input: { process: id, level: 1 } });
      const before = await people.listed("person=Oracle", 4);
      expect(before.map(({ route, stop, agent = "" }) => `${route} ${stop} ${agent}`).toSorted()).toEqual([
        "inner handler Asker",
        "inner stop ",
        "middle stop ",
        "outer stop ",
      ]);
      await restartAll(world);
      const open = await people.listed("person=Oracle", 4);
      expect(new Set(open.map(({ id: request }) => request))).toEqual(new Set(before.map(({ id: request }) => request)));
      const answer = async (request: InboxEntry): Promise<void> => {
        const output = { word: `${request.route} ${request.stop}` };
        expect(await people.decide(request, { do: "answer", output })).toEqual({ status: 202, code: "" });
      };
      for (const request of open.slice(0, 2)) await answer(request);
      await restartAll(world);
      for (const request of await people.listed("person=Oracle", 2)) await answer(request);
      expect((await world.client.ended(id, Date.now() + END_MS))?.outcome).toMatchObject({
        status: "completed",
        output: { word: "outer stop", below: { word: "middle stop", below: ["inner stop", "inner handler"] } },
      });
      await people.listed("person=Oracle", 0);
    } finally {
      await world.stop();
    }
  },
);
