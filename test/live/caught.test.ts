/**
 * @module Handlers that catch a step's error, killed with kill -9: a further execution gets the same failure in place of the call and
 * continues to the same step; compensation is complete. `LIVE_ROUNDS=20` for more.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/index.ts";
import type { TaskOrder } from "./client.ts";
import type { Entry } from "./ledger.ts";
import { makeRandom, print, seedOfRun } from "./random.ts";
import { outcomesInJournal } from "./verdict.ts";
import { World } from "./world.ts";

const ROUNDS = 3;
const rounds = Number(process.env["LIVE_ROUNDS"] ?? ROUNDS);
const ROUND_MS = 40_000;
const TEST_MS = 60_000 + rounds * ROUND_MS;
const TASKS = 12;
/** One task of this many is refused in the end, and compensated. */
const TASKS_PER_REFUSAL = 3;
const ANSWER_MS_MAX = 400;
/** Longer than a request that was sent before the kill takes to reach the ledger. */
const DOWN_MS = 300;
const POLL_MS = 20;
const END_MS = 60_000;

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

interface Seen {
  /** Processes that called a step again after the kill. */
  again: number;
  /** Processes that were between their two effects, or behind them. */
  behind: number;
}

function effectOf(entries: readonly Entry[], name: string): Entry | undefined {
  return entries.find(({ effect }) => effect === name);
}

async function round(world: World, number: number, random: () => number, seen: Seen): Promise<void> {
  const orders = Array.from({ length: TASKS }, (_, n): TaskOrder => ({
    id: `r${number}n${n}`,
    route: "rescue",
    input: { refuse: n % TASKS_PER_REFUSAL === 0 },
  }));
  await Promise.all(orders.map((order) => world.client.submit(order)));
  await sleep(random() * 2 * ANSWER_MS_MAX);
  await world.host.killApp();
  for (const { id } of orders) if (effectOf(world.ledger.of(id), "instead")?.applied === true) seen.behind += 1;
  await sleep(DOWN_MS);
  // What was asked of the ledger before the kill still happens.
  while (world.ledger.open > 0) await sleep(POLL_MS);
  world.host.startApp();
  await world.host.healthy();
  for (const [n, { id }] of orders.entries()) {
    const view = await world.client.ended(id, Date.now() + END_MS);
    const refuse = n % TASKS_PER_REFUSAL === 0;
    expect(view?.outcome, JSON.stringify(view)).toMatchObject({ status: refuse ? "failed" : "completed" });
    expect(await outcomesInJournal(world, id)).toBe(1);
    const entries = world.ledger.of(id);
    expect(entries.map(({ effect, applied, undone }) => [effect, applied, undone]).toSorted(), id).toEqual([
      ["instead", true, refuse],
      ["try", true, refuse],
    ]);
    const [first, second] = ["try", "instead"].map((name) => effectOf(entries, name));
    if (entries.some(({ applyCalls }) => applyCalls > 1)) seen.again += 1;
    // Once the handler has continued, the failed call is not made again.
    if (!refuse) expect(Math.max(...(first?.callsMs ?? [])), id).toBeLessThanOrEqual(Math.min(...(second?.callsMs ?? [])));
  }
}

test.skipIf(!able)("a caught failure is delivered again after kill -9, and both paths are undone", { timeout: TEST_MS }, async () => {
  const seed = seedOfRun();
  const random = makeRandom(seed);
  const world = await World.start({ profile: "embedded", seed, answerMsMax: ANSWER_MS_MAX });
  const seen: Seen = { again: 0, behind: 0 };
  try {
    for (let number = 0; number < rounds; number += 1) await round(world, number, random, seen);
    print(
      `caught (seed ${seed}): ${rounds} kills, ${TASKS * rounds} processes; ${seen.behind} were killed behind ` +
        `a caught failure, ${seen.again} made a call again`,
    );
  } finally {
    await world.stop();
  }
});
