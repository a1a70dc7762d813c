/**
 * @module The storm: `kill -9` of app, daprd, placement, scheduler and store while tasks are running. Nothing is lost, nothing is applied
 * twice.
 *
 * A small storm; the full figures come from `node test/live/long.ts` (docs/chaos.md).
 */
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { makeRandom, print, seedOfRun } from "./random.ts";
import { storm } from "./storm.ts";
import { judge, report } from "./verdict.ts";
import { World } from "./world.ts";

const KILLS = 20;
const PROCESSES = 70;
const TEST_MS = 300_000;

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

for (const profile of ["redis", "embedded"] as const) {
  const there = able && (profile !== "redis" || (await findRedis()) !== undefined);
  if (able && !there) print("skip: no redis-server");
  test.skipIf(!there)(
    `in a storm of kill -9 every accepted task ends in one outcome, with each effect once or undone (${profile})`,
    { timeout: TEST_MS },
    async () => {
      const seed = seedOfRun();
      print(`storm on ${profile}: seed ${seed} (LIVE_SEED)`);
      const world = await World.start({ profile, seed });
      try {
        const { orders, notAccepted, kills } = await storm(world, { kills: KILLS, processes: PROCESSES, random: makeRandom(seed) });
        const verdict = await judge(world, orders);
        report(profile, kills, verdict);
        expect({ notAccepted, lost: verdict.lost, doubled: verdict.doubled, wrong: verdict.wrong }).toEqual({
          notAccepted: [],
          lost: [],
          doubled: [],
          wrong: [],
        });
        expect(verdict.gaveUp.length).toBeLessThanOrEqual(PROCESSES / 10);
        expect(verdict.completed + verdict.failed).toBe(PROCESSES);
      } finally {
        await world.stop();
      }
    },
  );
}
