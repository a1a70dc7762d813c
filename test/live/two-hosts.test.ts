/**
 * @module Two hosts: a process begins on the host that generated its id and moves to its placement if it lasts; a host is killed around
 * that moment. `LIVE_ROUNDS=20` for the full figure.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { TaskOrder } from "./client.ts";
import { makeRandom, percentile, print, seedOfRun } from "./random.ts";
import { judge, outcomesInJournal } from "./verdict.ts";
import { World } from "./world.ts";

const ROUNDS = 2;
const rounds = Number(process.env["LIVE_ROUNDS"] ?? ROUNDS);
const ROUND_MS = 60_000;
const TEST_MS = 60_000 + rounds * ROUND_MS;
const TASKS = 16;
/** Longer than a process stays where it began. */
const NAP_MS = 2 * LIMITS.begunTrustMs;
const DOWN_MS = 300;
const END_MS = 60_000;
const AGAIN_MS = 100;

const able = (await findDapr()) !== undefined && (await findRedis()) !== undefined;
if (!able) print("skip: no Dapr programs or no redis-server");

const Receipt = z.looseObject({ id: z.string() });

/**
 * Submits without an id, so that the host generates one; retries while the host refuses temporarily. A submission without a receipt is
 * not searched for.
 */
async function named(url: string, route: string, input: unknown): Promise<TaskOrder> {
  const end = performance.now() + END_MS;
  for (;;) {
    const answer = await fetch(`${url}/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ route, input }),
      signal: AbortSignal.timeout(END_MS),
    });
    if (answer.status === 202) return { id: Receipt.parse(await answer.json()).id, route, input };
    if (answer.status !== 503 || performance.now() > end) throw new Error(`${answer.status} ${await answer.text()}`);
    await sleep(AGAIN_MS);
  }
}

async function round(world: World, random: () => number, tookMs: number[]): Promise<void> {
  const url = (index: number): string => world.hosts[index % world.hosts.length]?.url ?? "";
  const parties = await Promise.all(
    Array.from({ length: TASKS }, (_, n) => named(url(n), "party", { n, shelf: `s${n % 4}`, refuse: n % 4 === 3 })),
  );
  const naps = await Promise.all(Array.from({ length: TASKS }, (_, n) => named(url(n), "nap", { attempts: 1, ms: NAP_MS })));
  await sleep(random() * NAP_MS);
  const victim = world.hosts[Math.floor(random() * world.hosts.length)] ?? world.host;
  await victim.killApp();
  await sleep(DOWN_MS);
  victim.startApp();
  await victim.healthy();

  const verdict = await judge(world, parties);
  expect([verdict.lost, verdict.doubled, verdict.wrong]).toEqual([[], [], []]);
  for (const { id } of naps) {
    const view = await world.client.ended(id, Date.now() + END_MS);
    expect(view?.outcome, JSON.stringify(view)).toMatchObject({ status: "completed" });
    expect(await outcomesInJournal(world, id)).toBe(1);
    expect(world.ledger.of(id).map(({ effect, undone }) => [effect, undone])).toEqual([["nap", false]]);
    tookMs.push((view?.outcome?.atMs ?? Number.NaN) - (view?.acceptedAtMs ?? 0));
  }
}

test.skipIf(!able)(
  "tasks without an id on two hosts, one of them killed with kill -9: each ends once, no effect twice",
  { timeout: TEST_MS },
  async () => {
    const seed = seedOfRun();
    const random = makeRandom(seed);
    const world = await World.start({ profile: "redis", hosts: 2, seed });
    const tookMs: number[] = [];
    try {
      for (let count = 0; count < rounds; count += 1) await round(world, random, tookMs);
      print(
        `two hosts (seed ${seed}): ${rounds} kills, ${2 * TASKS * rounds} processes, naps of ${NAP_MS} ms took ` +
          `p50 ${percentile(tookMs, 0.5)} ms, max ${percentile(tookMs, 1)} ms`,
      );
    } finally {
      await world.stop();
    }
  },
);
