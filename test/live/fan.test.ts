/**
 * @module A `forEach` of hundreds of items whose app is killed with kill -9 among the items, and again among their compensations: each
 * effect happens once, and is undone once. `LIVE_ITEMS=10000` for the full figure.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import type { Entry } from "./ledger.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const ITEMS = Number(process.env["LIVE_ITEMS"] ?? 600);
/** Bounds for a machine that is busy with other work. */
const ITEM_MS_MAX = 250;
const BEGIN_MS = 120_000;
const POLL_MS = 20;

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

/** Waits until so many effects of a process are as wanted. */
async function until(world: World, id: string, count: number, isWanted: (entry: Entry) => boolean): Promise<void> {
  const end = performance.now() + BEGIN_MS + ITEMS * ITEM_MS_MAX;
  while (world.ledger.of(id).filter(isWanted).length < count) {
    if (performance.now() > end) throw new Error(`${id} has not come so far: ${world.host.log().slice(-4_000)}`);
    await sleep(POLL_MS);
  }
}

async function killAndStart({ host }: World): Promise<void> {
  await host.killApp();
  host.startApp();
  await host.healthy();
}

for (const profile of ["embedded", "redis"] as const) {
  const there = able && (profile !== "redis" || (await findRedis()) !== undefined);
  test.skipIf(!there)(
    `${ITEMS} items are done once and undone once, though the app is killed in between (${profile})`,
    { timeout: BEGIN_MS + 4 * ITEMS * ITEM_MS_MAX },
    async () => {
      const world = await World.start({ profile, seed: seedOfRun() });
      try {
        const items = Array.from({ length: ITEMS }, (_, index) => `seat ${index}`);
        for (const [id, refuse] of [
          ["kept", false],
          ["refused", true],
        ] as const) {
          const beganAt = performance.now();
          await world.client.submit({ id, route: "fan", input: { process: id, items, refuse } });
          await until(world, id, ITEMS / 3, ({ applied }) => applied);
          await killAndStart(world);
          if (refuse) {
            await until(world, id, ITEMS / 3, ({ undone }) => undone);
            await killAndStart(world);
          }
          const view = await world.client.ended(id, Date.now() + BEGIN_MS + ITEMS * ITEM_MS_MAX);
          expect(view?.outcome?.status).toBe(refuse ? "failed" : "completed");
          if (!refuse) expect(view?.outcome?.output).toEqual(items.map((what) => ({ what })));
          const seats = world.ledger.of(id).filter(({ effect }) => effect.startsWith("seat "));
          expect(seats.map(({ effect }) => effect).toSorted()).toEqual(items.toSorted());
          expect(seats.filter(({ applied, undone }) => !applied || undone !== refuse)).toEqual([]);
          print(`${ITEMS} items (${profile}), ${id}: ${((performance.now() - beganAt) / ITEMS).toFixed(1)} ms an item`);
        }
      } finally {
        await world.stop();
      }
    },
  );
}
