/** @module Every reminder is lost with the scheduler's folder, and every open process is found through the index. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import type { TaskOrder } from "./client.ts";
import { print, seedOfRun } from "./random.ts";
import { judge } from "./verdict.ts";
import { World } from "./world.ts";

const PARTIES = 20;
/** Each fails twice, and pauses 2 s before each further attempt. */
const NAPS = 10;
const OPEN_MS = 700;
const NAP_END_MS = 60_000;
const TEST_MS = 180_000;

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

for (const profile of ["embedded", "redis"] as const) {
  const there = able && (profile !== "redis" || (await findRedis()) !== undefined);
  test.skipIf(!there)(
    `with the scheduler's folder deleted while work is open and the app is down, all work ends (${profile})`,
    { timeout: TEST_MS },
    async () => {
      const world = await World.start({ profile, seed: seedOfRun() });
      try {
        const naps: TaskOrder[] = Array.from({ length: NAPS }, (_, n) => ({
          id: `nap-${n}`,
          route: "nap",
          input: { attempts: 3, ms: 20 },
        }));
        const parties: TaskOrder[] = Array.from({ length: PARTIES }, (_, n) => ({
          id: `party-${n}`,
          route: "party",
          input: { n, shelf: `s${n % 3}`, refuse: n % 4 === 0 },
        }));
        await Promise.all(naps.map((order) => world.client.submit(order)));
        await sleep(OPEN_MS);
        await Promise.all(parties.map((order) => world.client.submit(order)));
        await world.host.killApp();
        await world.cluster.dropSchedulerData();
        world.host.startApp();
        const backMs = await world.host.healthy();
        const verdict = await judge(world, parties);
        expect([verdict.lost, verdict.doubled, verdict.wrong]).toEqual([[], [], []]);
        const views = await Promise.all(naps.map((order) => world.client.ended(order.id, backMs + NAP_END_MS)));
        expect(views.map((view) => view?.outcome?.status)).toEqual(naps.map(() => "completed"));
        const lastMs = Math.max(...views.map((view) => view?.outcome?.atMs ?? Number.POSITIVE_INFINITY)) - backMs;
        print(
          `scheduler lost (${profile}): ${PARTIES + NAPS} open processes ended; the last with pending retries ` +
            `${lastMs} ms after the app was back`,
        );
      } finally {
        await world.stop();
      }
    },
  );
}
