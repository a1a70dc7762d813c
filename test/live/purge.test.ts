/** @module Purge on a live Dapr and Redis, killed at each of its steps; then a new app id reads the old stream. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { EFFECTS } from "./booking.ts";
import { sweepsIn } from "./hooks.ts";
import { LiveHost } from "./host.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const TASKS = 12;
/** Bounds for a machine that is busy with other work; what is waited for comes much earlier. */
const TEST_MS = 480_000;
const WAIT_MS = 120_000;
const POLL_MS = 100;
const STATUS_GONE = 410;
/** A process may be purged only after its deadline, so this is also what the test waits for. */
const TASK_MS = 20_000;

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
      // The app of now has an order to die at a further purging call, and later sweeps may make one.
      await world.host.killApp();
      world.host.startApp();
      await world.host.healthy();

      fresh = await LiveHost.start({
        name: "fresh",
        appId: "live-anew",
        dir: world.dir,
        cluster: world.cluster,
        resourcesDir: world.resourcesDir,
        ledgerUrl: world.ledger.url,
        env: { ...env, LIVE_LOG: "debug" },
      });
      const again = (): number => [...(fresh?.log() ?? "").matchAll(/received again a task whose process was purged/g)].length;
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

/** Kills the app at its first purging call, then at its second, and so on, until it lives and all is purged. */
async function purgeUnderKills({ host }: World, ids: readonly string[]): Promise<number> {
  await host.killApp();
  for (let life = 1; ; life += 1) {
    const from = host.log().length;
    const sweeps = (): readonly number[] => sweepsIn(host.log().slice(from));
    host.startApp({ LIVE_PURGE_KILL: String(life) });
    await until(async () => !host.appRunning || (await allGone(host, ids)));
    const before = sweeps().length;
    await until(() => !host.appRunning || isQuiet(sweeps().slice(before)));
    if (host.appRunning) return life - 1;
  }
}

/** Whether a whole sweep made no purging call. The first one of these may have begun earlier, so it takes two. */
function isQuiet(sweeps: readonly number[]): boolean {
  return sweeps.length > 1 && sweeps.at(-1) === sweeps.at(-2);
}

async function allGone(host: LiveHost, ids: readonly string[]): Promise<boolean> {
  for (const id of ids) if ((await statusOf(host, id)) !== STATUS_GONE) return false;
  return true;
}

/** The status of the process's view; 0 when the app is not there. */
function statusOf(host: LiveHost, id: string): Promise<number> {
  return fetch(`${host.url}/processes/${id}`, { signal: AbortSignal.timeout(WAIT_MS) }).then(
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
