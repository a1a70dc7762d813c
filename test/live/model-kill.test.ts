/**
 * @module Model agents, killed with kill -9 in the midst of model and tool calls: recorded calls are not made again, each call has one key
 * at a provider that does not deduplicate, and each try is in the records and in the account of the process. `LIVE_ROUNDS=100` for more.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/index.ts";
import { StopsView } from "../../runtime/process-view.ts";
import { THINK_CALLS_MAX } from "./booking.ts";
import type { TaskOrder } from "./client.ts";
import { ModelProvider } from "./provider.ts";
import { makeRandom, print, seedOfRun } from "./random.ts";
import { outcomesInJournal } from "./verdict.ts";
import { World } from "./world.ts";

const ROUNDS = 4;
const rounds = Number(process.env["LIVE_ROUNDS"] ?? ROUNDS);
const ROUND_MS = 40_000;
const TEST_MS = 60_000 + rounds * ROUND_MS;
const TASKS = 6;
/** Tool calls of one conversation, each after a model call; one more model call answers. */
const EFFECTS = 2;
const ANSWER_MS_MAX = 500;
const END_MS = 60_000;
/** A reply that the provider has sent for so long is recorded. */
const SETTLED_MS = 800;

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs, run `npm start -- doctor --install`");

async function stopsOf(world: World, id: string): Promise<StopsView["stops"]> {
  const answer = await fetch(`${world.host.url}/processes/${id}/stops`);
  return StopsView.parse(await answer.json()).stops;
}

/** Checks one process. Returns how many of its tries were lost with a host. */
async function check(world: World, provider: ModelProvider, id: string): Promise<number> {
  const view = await world.client.ended(id, Date.now() + END_MS);
  expect(view?.outcome, JSON.stringify(view)).toMatchObject({ status: "completed", output: { price: EFFECTS } });
  expect(await outcomesInJournal(world, id)).toBe(1);
  const effects = world.ledger.of(id);
  expect(effects.map(({ effect, applied, undone }) => [effect, applied, undone]).toSorted(), id).toEqual(
    Array.from({ length: EFFECTS }, (_, index) => [`item ${index}`, true, false]),
  );
  const calls = (await stopsOf(world, id)).flatMap((stop) => stop.calls ?? []).filter(({ kind }) => kind === "model");
  expect(calls, "one call for each turn of the conversation").toHaveLength(EFFECTS + 1);
  expect(calls.every(({ state, name }) => state === "ended" && name === "default")).toBe(true);
  const requests = [...provider.times].filter(([key]) => key.startsWith(`${id}:`));
  expect(requests, "one key for each call").toHaveLength(EFFECTS + 1);
  const [tries, sent] = [calls.map(({ tries: count = 0 }) => count), requests.map(([, times]) => times)].map((counts) =>
    counts.reduce((sum, count) => sum + count, 0),
  );
  // A try is recorded before it is made, so there may be one that was never sent, but none that is not recorded.
  expect(sent).toBeLessThanOrEqual(tries ?? 0);
  const { spent, limit } = view?.budget ?? {};
  expect(limit).toEqual({ modelCalls: THINK_CALLS_MAX });
  expect(spent?.total, "each try is in the account").toMatchObject({ modelCalls: tries });
  return (tries ?? 0) - calls.length;
}

test.skipIf(!able)("model agents go on after kill -9 with what was recorded, and buy nothing twice", { timeout: TEST_MS }, async () => {
  const seed = seedOfRun();
  const random = makeRandom(seed);
  const provider = await ModelProvider.start(EFFECTS, () => random() * ANSWER_MS_MAX);
  const world = await World.start({
    ...{ profile: "embedded", seed, answerMsMax: ANSWER_MS_MAX },
    env: { LIVE_MODEL_URL: provider.url },
  });
  try {
    const lost: number[] = [];
    for (let number = 0; number < rounds; number += 1) {
      const orders = Array.from({ length: TASKS }, (_, n): TaskOrder => {
        const id = `r${number}n${n}`;
        return { id, route: "think", input: { process: id } };
      });
      await Promise.all(orders.map((order) => world.client.submit(order)));
      await sleep(random() * (EFFECTS + 1) * ANSWER_MS_MAX);
      const answered = new Set(
        provider.seen.filter(({ answeredAtMs = Infinity }) => answeredAtMs < Date.now() - SETTLED_MS).map(({ key }) => key),
      );
      const before = new Map(provider.times);
      await world.host.killApp();
      world.host.startApp();
      await world.host.healthy();
      for (const { id } of orders) lost.push(await check(world, provider, id));
      for (const key of answered) expect(provider.times.get(key), `${key} was recorded, and was not made again`).toBe(before.get(key));
    }
    expect(Math.max(...lost), "a call is lost at most once for each kill").toBeLessThanOrEqual(1);
    const count = lost.reduce((sum, one) => sum + one, 0);
    print(`models (seed ${seed}): ${rounds} kills, ${TASKS * rounds} processes; ${count} tries were lost with their host and made again`);
  } finally {
    await world.stop();
    await provider.stop();
  }
});
