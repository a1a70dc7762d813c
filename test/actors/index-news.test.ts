/** @module Each host tells what changes on any host, by reading a bounded part of the indexes; nothing is told twice or from before. */
import { expect, test } from "vitest";
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
