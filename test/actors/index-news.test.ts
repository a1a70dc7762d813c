/** @module Each host tells what changes on any host, by reading a bounded part of the indexes; nothing is told twice or from before. */
import { expect, test } from "vitest";
import { IndexNews } from "../../actors/operations/index-news.ts";
import type { Change } from "../../runtime/change.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { systemOf } from "./slow-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

/** Two hosts; what the second is told. The first has run a process before. */
async function followed(handle: (name: string) => Promise<string>): Promise<{
  readonly world: World;
  readonly one: ReturnType<World["join"]>;
  readonly told: Change[];
  leave(): void;
}> {
  const world = new World();
  const [one, two] = [world.join(systemOf("one", handle), "one"), world.join(systemOf("two", handle), "two")];
  const told: Change[] = [];
  await one.operations.submit({ id: "old", route: "main", input: { n: 0 } }, CALLER, 0);
  await flush();
  const leave = two.operations.changes((changes) => void told.push(...changes));
  await world.clock.advance(LIMITS.changesLookMs);
  return { world, one, told, leave };
}

const statuses = (told: readonly Change[], id: string): readonly string[] =>
  told.filter((one) => one.id === id).map(({ status }) => status);

test("a process of another host is told when it begins and when it ends; what was there before is not", async () => {
  const door = gate<string>();
  const { world, one, told, leave } = await followed(async () => door.promise);
  expect(told).toEqual([]);
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  await world.clock.advance(3 * LIMITS.changesLookMs);
  expect(new Set(statuses(told, "p"))).toEqual(new Set(["open"]));
  expect(told.find(({ id }) => id === "p")).toEqual({ kind: "process", id: "p", route: "main", status: "open" });
  door.open("done");
  await world.until(one, "p");
  await world.clock.advance(10_000);
  expect(statuses(told, "p").at(-1)).toBe("completed");
  expect(statuses(told, "old").at(-1)).toBe("completed");
  const count = told.length;
  await world.clock.advance(10 * LIMITS.changesLookMs);
  expect(told).toHaveLength(count);
  leave();
});

test("a dead letter of another host is told, and its end when it is discarded", async () => {
  const { world, one, told, leave } = await followed(() => Promise.reject(new TypeError("broken")));
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  await world.until(one, "p", 900_000);
  await world.clock.advance(10_000);
  expect(told.find(({ kind, id }) => kind === "deadletter" && id === "p:1")).toMatchObject({ status: "open", route: "main" });
  await one.operations.discard("p:1", "known", CALLER);
  await world.clock.advance(10_000);
  expect(told.findLast(({ kind, id }) => kind === "deadletter" && id === "p:1")?.status).toBe("discarded");
  leave();
});

test("a store that does not answer loses no change", async () => {
  const { world, one, told, leave } = await followed(async (name) => name);
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  await world.until(one, "p");
  world.store.read = async () => {
    throw new Error("no connection");
  };
  await world.clock.advance(2 * LIMITS.changesLookMs);
  Reflect.deleteProperty(world.store, "read");
  await world.clock.advance(3 * LIMITS.changesLookMs);
  expect(statuses(told, "p").at(-1)).toBe("completed");
  leave();
});

test("reads end with the last follower", async () => {
  const { world, told, leave } = await followed(async (name) => name);
  await world.clock.advance(60_000);
  let reads = 0;
  const read = world.store.read.bind(world.store);
  world.store.read = async (...asked) => {
    reads += 1;
    return read(...asked);
  };
  const readsOfMinute = async (): Promise<number> => {
    const before = reads;
    await world.clock.advance(60_000);
    return reads - before;
  };
  const followedReads = await readsOfMinute();
  leave();
  const without = await readsOfMinute();
  // Each look reads the root and the newest bucket of each index.
  expect(followedReads - without).toBeGreaterThan(60_000 / LIMITS.changesLookMs);
  expect(await readsOfMinute()).toBe(without);
  expect(told.length).toBeGreaterThan(0);
});

/** An index in memory: its buckets, oldest first, each with the ids of its records; and what was read. */
function fakeIndex(buckets: Record<string, string[]>) {
  const away = new Set<string>();
  const known = new Map<string, number>();
  const reads: string[] = [];
  const news = new IndexNews("process", {
    buckets: async () => Object.keys(buckets).sort(),
    knownSequence: (bucket) => known.get(bucket),
    sequence: async (bucket) => {
      reads.push(bucket);
      return buckets[bucket]?.length ?? 0;
    },
    eventsAfter: async function* (bucket, sequence) {
      reads.push(bucket);
      if (away.has(bucket)) throw new Error("no connection");
      for (const [index, id] of (buckets[bucket] ?? []).entries())
        if (index >= sequence) yield { event: { e: "removed", ids: [id] } as const, sequence: index + 1 };
    },
  });
  return { news, away, known, reads, ids: async () => (await news.look()).map(({ id }) => id) };
}

test("a bucket that cannot be read loses no change, and delays none of another", async () => {
  const buckets = { "1.0": ["a"], "2.0": ["b"] };
  const { ids, away } = fakeIndex(buckets);
  expect(await ids()).toEqual([]);
  buckets["1.0"].push("c");
  buckets["2.0"].push("d");
  away.add("1.0");
  expect(await ids()).toEqual(["d"]);
  away.clear();
  expect(await ids()).toEqual(["c"]);
  expect(await ids()).toEqual([]);
});

test("each older bucket is read in its turn, as often as each other", async () => {
  const names = Array.from({ length: 41 }, (_, index) => `${String(index + 100)}.0`);
  const { news, reads } = fakeIndex(Object.fromEntries(names.map((name) => [name, []])));
  for (let look = 0; look < 38; look += 1) await news.look();
  const counts = new Map<string, number>();
  for (const bucket of reads) counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  // Eight of 38 each time.
  expect(new Set(names.slice(0, -3).map((name) => counts.get(name)))).toEqual(new Set([8]));
  expect(names.slice(-3).map((name) => counts.get(name))).toEqual([38, 38, 38]);
});

test("the news of an older bucket begin where a listing has read it, and not where it is first looked at", async () => {
  const buckets = { "1.0": ["a", "b"], "2.0": [], "3.0": [], "4.0": [] };
  const { ids, known } = fakeIndex(buckets);
  known.set("1.0", 1);
  expect(await ids()).toEqual(["b"]);
  // A record that was trimmed before it was looked for is not waited for.
  known.set("1.0", 5);
  expect(await ids()).toEqual([]);
  buckets["1.0"].push("c", "d", "e", "f");
  expect(await ids()).toEqual(["f"]);
});
