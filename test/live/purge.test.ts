/** @module Purge on a live Dapr and Redis, killed at each of its steps; then a new app id reads the old stream. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { EFFECTS } from "./booking.ts";
import { LiveHost } from "./host.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const TASKS = 12;
const TEST_MS = 240_000;
const WAIT_MS = 60_000;
const POLL_MS = 100;
const STATUS_GONE = 410;
const TASK_MS = 10_000;

/** Days become seconds. Tombstones and messages outlive the test, so a redelivered message meets a tombstone. */
const LIMITS_OF_TEST = {
  compensationMsMax: 2_000,
  clockDriftMsMax: 500,
  actorTrustMs: 500,
  sweepMs: 300,
  indexBucketMs: 1_000,
  tombstoneMs: 600_000,
  messageLifetimeMsDefault: 600_000,
};

const able = (await findDapr()) !== undefined && (await findRedis()) !== undefined;
if (!able) print("skip: no Dapr programs or no redis-server");

test.skipIf(!able)(
  "purged under kill -9 at every step, and read again by a new app id: 0 tasks started",
  { timeout: TEST_MS },
  async () => {
    const seed = seedOfRun();
    const env = { LIVE_LIMITS: JSON.stringify(LIMITS_OF_TEST), LIVE_RETENTION_MS: "3000" };
    const world = await World.start({ profile: "redis", seed, env });
    const ids = Array.from({ length: TASKS }, (_, index) => `topic-${index}`);
    let fresh: LiveHost | undefined;
    try {
      for (const [n, id] of ids.entries())
        await publish(world.host, { id, route: "party", input: { n, shelf: `shelf-${n % 2}`, refuse: false }, timeoutMs: TASK_MS });
      for (const id of ids) expect((await world.client.ended(id, Date.now() + WAIT_MS))?.outcome?.status).toBe("completed");
      const effects = (): number => [...world.ledger.entries.values()].reduce((count, entry) => count + entry.callsMs.length, 0);
      const before = effects();
      expect(before).toBeGreaterThanOrEqual(TASKS * EFFECTS.length);

      const lives = await purgeUnderKills(world, ids);
      print(`purge of ${TASKS} processes, killed in ${lives} lives of the app, each at one call more than the last`);
      expect(lives).toBeGreaterThan(5);

      fresh = await LiveHost.start({
        name: "fresh",
        appId: "live-anew",
        dir: world.dir,
        cluster: world.cluster,
        resourcesDir: world.resourcesDir,
        ledgerUrl: world.ledger.url,
        env: { ...env, LIVE_LOG: "debug" },
      });
      const again = (): number => [...(fresh?.log() ?? "").matchAll(/a task came again whose process was purged/g)].length;
      await until(() => again() >= TASKS);
      print(`the new app id read ${again()} old tasks`);
      expect(effects()).toBe(before);
      for (const id of ids) expect(await statusOf(world.host, id)).toBe(STATUS_GONE);
      expect(await world.client.letters()).toEqual(new Set());
      expect(fresh.log()).not.toMatch(/a task was accepted/);
    } finally {
      await fresh?.stop();
      await world.stop();
    }
  },
);

/** Lets the app be killed at its first purging call, then at its second, and so on, until it survives and everything is purged. */
async function purgeUnderKills(world: World, ids: readonly string[]): Promise<number> {
  await world.host.killApp();
  for (let life = 1; ; life += 1) {
    world.host.startApp({ LIVE_PURGE_KILL: String(life) });
    const isOver = async (): Promise<boolean> => !world.host.appRunning || (await allGone(world.host, ids));
    await until(isOver);
    if (world.host.appRunning) return life - 1;
  }
}

async function allGone(host: LiveHost, ids: readonly string[]): Promise<boolean> {
  for (const id of ids) if ((await statusOf(host, id)) !== STATUS_GONE) return false;
  // The running pass must end too, or be ended with the app.
  await sleep(2 * LIMITS_OF_TEST.sweepMs);
  return host.appRunning;
}

function statusOf(host: LiveHost, id: string): Promise<number> {
  return fetch(`${host.url}/processes/${id}`, { signal: AbortSignal.timeout(WAIT_MS / 10) }).then(
    (answer) => answer.status,
    () => 0,
  );
}

async function publish(host: LiveHost, task: unknown): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${host.daprPort}/v1.0/publish/pubsub/live.tasks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(task),
  });
  expect(answer.status).toBe(204);
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`this did not happen within ${WAIT_MS} ms: ${isTrue.toString()}`);
    await sleep(POLL_MS);
  }
}
