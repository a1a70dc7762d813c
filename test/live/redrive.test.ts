/** @module Redrive under `kill -9` of the app: one run for each decision, no effect twice. `LIVE_ROUNDS=50` for the full figure. */
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { makeRandom, print, seedOfRun } from "./random.ts";
import { redriveUnderKill } from "./redrive.ts";
import { World } from "./world.ts";

const ROUNDS = 6;
const ROUND_MS_MAX = 30_000;
const BEGIN_MS = 90_000;

const rounds = Number(process.env["LIVE_ROUNDS"] ?? ROUNDS);
const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

for (const profile of ["redis", "embedded"] as const) {
  const there = able && (profile !== "redis" || (await findRedis()) !== undefined);
  test.skipIf(!there)(
    `a redrive while the app is killed opens one run for each decision, and no effect happens twice (${profile})`,
    { timeout: BEGIN_MS + rounds * ROUND_MS_MAX },
    async () => {
      const seed = seedOfRun();
      print(`redrive on ${profile}: seed ${seed} (LIVE_SEED)`);
      const random = makeRandom(seed);
      const world = await World.start({ profile, seed });
      try {
        const ids = Array.from({ length: rounds }, (_, index) => `r${index}`);
        for (const [n, id] of ids.entries())
          await world.client.submit({ id, route: "party", input: { n, shelf: `s${n % 4}`, refuse: true } });
        for (const id of ids) expect((await world.client.ended(id, Date.now() + BEGIN_MS))?.outcome?.status).toBe("failed");
        await world.client.lettersCome(
          ids.map((id) => `${id}:1`),
          Date.now() + BEGIN_MS,
        );
        const struck = { decision: 0, run: 0, nothing: 0 };
        for (const id of ids) {
          const done = await redriveUnderKill(world, id, random);
          expect(done.wrong).toEqual([]);
          struck[done.struck] += 1;
        }
        // Every dead letter is decided, and no decision is requested twice.
        expect([...(await world.client.lettersGone(Date.now() + BEGIN_MS))]).toEqual([]);
        print(
          `redrive on ${profile}: ${rounds} kills, ${struck.decision} before the receipt, ${struck.run} in the new ` +
            `run, ${struck.nothing} after it; ${rounds} runs, no effect twice`,
        );
      } finally {
        await world.stop();
      }
    },
  );
}
