/** @module Memories over hosts: what is forgotten leaves the store, also where a host dies in between; facts expire. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { Host } from "../../actors/host/host.ts";
import { systemOf } from "./slow-rig.ts";
import { World } from "./world-rig.ts";

const BY = { principal: ANONYMOUS };
const MEMORY = "key.Desk.ann";
let calls = 0;

function write(host: Host, content: string, more: object = {}): Promise<Fact> {
  calls += 1;
  const writer = { agent: "Desk", processId: "p", workId: "p:1:a:0:1", subject: "anonymous" };
  const draft = { call: `c${calls}`, kind: "fact" as const, content, writer, trust: "principal" as const, parents: [], ...more };
  return host.memories.write(MEMORY, draft, BY);
}

async function everything(world: World): Promise<string> {
  return JSON.stringify([...(await world.store.read(world.store.keys()))]);
}

/** Key and text of the value that an act has stored. */
async function valueOf(world: World, act: () => Promise<unknown>): Promise<readonly [key: string, text: string]> {
  await act();
  const [found] = await world.store.read(world.store.keys().filter((key) => key.includes("/value/Memory~")));
  if (found === undefined) throw new Error("nothing was stored");
  return [found[0], JSON.stringify(found[1])];
}

describe("law: what is forgotten is in no key of the store", () => {
  test("contents are read on another host, and after forgetting on none", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    const two = world.join(
      systemOf("one", async (name) => name),
      "two",
    );
    const fact = await write(one.host, "allergic to nuts", { key: "diet" });
    await write(one.host, "very allergic to nuts", { key: "diet" });
    const { facts } = await two.host.memories.read(MEMORY, { key: "diet" }, BY);
    expect(await two.host.memories.contents(facts)).toMatchObject([{ key: "diet", value: "very allergic to nuts" }]);
    expect(await everything(world)).toContain("allergic to nuts");
    await two.host.memories.forget(MEMORY, { ids: [fact.id], why: "forgotten", by: "ann" }, BY);
    expect(await everything(world)).not.toContain("allergic to nuts");
    expect(await two.host.memories.contents(facts)).toEqual([undefined]);
  });

  test("a host that dies before the values are removed has answered nothing; the repeated call removes them", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    const fact = await write(one.host, "allergic to nuts");
    const { remove } = world.store;
    world.store.remove = () => Promise.reject(new Error("the host died"));
    const lost = { ids: [fact.id], why: "forgotten" as const, by: "ann" };
    await expect(one.host.memories.forget(MEMORY, lost, BY)).rejects.toThrow("the host died");
    one.kill();
    world.store.remove = remove;
    const two = world.join(
      systemOf("one", async (name) => name),
      "two",
    );
    expect(await everything(world)).toContain("allergic to nuts");
    await two.host.memories.forget(MEMORY, lost, BY);
    expect(await everything(world)).not.toContain("allergic to nuts");
  });

  test("a fact whose time is over leaves the store though no one asks", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    await write(one.host, "3 % off", { validUntilMs: world.clock.nowMs() + 60_000 });
    expect(world.reminders.size).toBe(1);
    await world.clock.advance(60_000 + LIMITS.memoryExpiryMsMin);
    expect(await everything(world)).not.toContain("3 % off");
    await world.clock.advance(LIMITS.memoryRemoveAgainMs);
    expect(world.reminders.size).toBe(0);
  });

  test("the key of a fact is a hash in the records, so it goes with the content", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    const fact = await write(one.host, "calls at nine", { key: "mrs-nutcracker" });
    expect(await one.operations.memory(MEMORY, { key: "mrs-nutcracker" }, BY)).toMatchObject({ facts: [{ key: "mrs-nutcracker" }] });
    expect((await one.host.memories.read(MEMORY, { text: "nutcracker" }, BY)).facts).toEqual([fact]);
    await one.host.memories.forget(MEMORY, { ids: [fact.id], why: "forgotten", by: "ann" }, BY);
    expect(await everything(world)).not.toContain("nutcracker");
  });

  test("a write that was given up and comes after the removal is removed too, also if the host has died since", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    const [key, text] = await valueOf(world, () => write(one.host, "allergic to nuts"));
    const { facts } = await one.host.memories.state(MEMORY);
    await one.host.memories.forget(MEMORY, { ids: Object.keys(facts), why: "forgotten", by: "ann" }, BY);
    one.kill();
    await world.store.insert(key, text);
    world.join(
      systemOf("one", async (name) => name),
      "two",
    );
    await world.clock.advance(LIMITS.memoryRemoveAgainMs);
    expect(await everything(world)).not.toContain("allergic to nuts");
    expect(world.reminders.size).toBe(0);
  });

  test("a host that stood still within a write takes back what was forgotten meanwhile", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    const [key, text] = await valueOf(world, () => write(one.host, "allergic to nuts", { call: "standing" }));
    const { facts } = await one.host.memories.state(MEMORY);
    await one.host.memories.forget(MEMORY, { ids: Object.keys(facts), why: "forgotten", by: "ann" }, BY);
    await world.clock.advance(LIMITS.memoryRemoveAgainMs);
    await world.store.insert(key, text);
    expect(await write(one.host, "allergic to nuts", { call: "standing" })).toMatchObject({ gone: { why: "forgotten" } });
    expect(await everything(world)).not.toContain("allergic to nuts");
  });
});

test("an agent may not vouch for a fact, and a person may", async () => {
  const world = new World();
  const one = world.join(
    systemOf("one", async (name) => name),
    "one",
  );
  const { id } = await write(one.host, "opens at nine", { trust: "untrusted" });
  const robot = { principal: { ...ANONYMOUS, subject: "robot", kind: "agent" as const } };
  await expect(one.operations.promoteFact(MEMORY, id, "it said so", robot)).rejects.toMatchObject({ code: "person.forbidden" });
  expect(await one.operations.promoteFact(MEMORY, id, "seen", BY)).toMatchObject({ id, promoted: { by: "anonymous", reason: "seen" } });
});

describe("law: memories are listed and searched", () => {
  test("a memory is listed once from its first fact on, and is found by words", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    expect(await one.host.memories.list()).toEqual([]);
    await write(one.host, "drinks green tea");
    const coffee = await write(one.host, { note: "coffee with milk" } as never);
    expect(await one.host.memories.list()).toEqual([MEMORY]);
    const found = await one.host.memories.read(MEMORY, { text: "Milk in the coffee" }, BY);
    expect(found.facts.map(({ id }) => id)).toEqual([coffee.id]);
  });
});
