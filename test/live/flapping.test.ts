/** @module An app that dies repeatedly under a running daprd: after each restart its actors are placed and its topics are read. */
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

/** daprd's default Redis pool of 20 connections on two CPUs was exhausted after the second time. */
const DEATHS = 4;
/** Only catches an app that does not come back, on a busy machine too. */
const BACK_MS_MAX = 60_000;
const TEST_MS = 480_000;

const able = (await findDapr()) !== undefined && (await findRedis()) !== undefined;
if (!able) print("skip: no Dapr programs or no redis-server");

test.skipIf(!able)("after every death that daprd has noticed a task completes again (redis)", { timeout: TEST_MS }, async () => {
  const world = await World.start({ profile: "redis", seed: seedOfRun() });
  try {
    const took: number[] = [];
    for (let death = 1; death <= DEATHS; death += 1) {
      const before = world.daprLog().length;
      await world.host.killApp();
      await expect.poll(() => world.daprLog().slice(before)).toContain("App entered un-healthy status");
      world.host.startApp();
      const backMs = await world.host.healthy();
      // A host that is alone goes on without its sidecar's placement, so a task may end before daprd has noticed anything.
      await expect.poll(() => world.daprLog().slice(before), { timeout: BACK_MS_MAX }).toContain("App entered healthy status");
      const id = `after-${death}`;
      await world.client.submit({ id, route: "party", input: { n: death, shelf: "s", refuse: false } }, backMs + 2 * BACK_MS_MAX);
      const view = await world.client.ended(id, backMs + 2 * BACK_MS_MAX);
      took.push((view?.outcome?.atMs ?? Number.POSITIVE_INFINITY) - backMs);
    }
    print(`flapping: milliseconds from the first 200 to the end of a task, after each death: ${took.join(", ")}`);
    expect(Math.max(...took)).toBeLessThan(BACK_MS_MAX);
  } finally {
    await world.stop();
  }
});
