/** @module Forgetting over memories: everything that was derived goes, also when the host dies in the midst of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashText } from "../../runtime/canonical.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { FactRef } from "../../runtime/memory/fact.ts";
import type { Host } from "../../actors/host/host.ts";
import { flush } from "./engine-rig.ts";
import { FragileStore } from "./purge-rig.ts";
import { BY, contentsOf, derive, documentOf, everything, HANDBOOK, Shelf, systemOf } from "./sources-rig.ts";
import { World } from "./world-rig.ts";

const PROPERTY_MS = 60_000;
const RUNS = 1_000;
const MEMORIES = ["agent.Reader", "key.Desk.ann", "key.Desk.bob"];

/** One write of a random derivation: in which memory, from which earlier writes, and whether it is a version of the newest fact there. */
const Step = fc.record({ memory: fc.nat(2), parents: fc.array(fc.nat(20), { maxLength: 3 }), isVersion: fc.boolean() });

interface Written {
  readonly ref: FactRef;
  readonly parents: readonly FactRef[];
  readonly marker: string;
  readonly content: string;
}

/** A word that is like no other one. */
function wordOf(index: number): string {
  return `z${hashText(String(index)).slice(0, 14)}`;
}

/** Writes facts whose contents hold the contents of all that they were derived from. */
async function written(
  host: Host,
  steps: readonly { memory: number; parents: readonly number[]; isVersion: boolean }[],
): Promise<readonly Written[]> {
  const first = await documentOf(host, "a");
  if (first === undefined) throw new Error("no document");
  const made: Written[] = [{ ref: first, parents: [], marker: "zq-document", content: "zq-document" }];
  for (const [index, { memory: at, parents, isVersion }] of steps.entries()) {
    const memory = MEMORIES[at] ?? "";
    const from = [...new Set(parents)].flatMap((number) => made[number % made.length] ?? []);
    const marker = wordOf(index);
    const content = [marker, ...from.map((one) => one.content)].join(" ");
    const ref = await derive(
      host,
      memory,
      content,
      from.map((one) => one.ref),
      isVersion ? { key: `key-${at}` } : {},
    );
    made.push({ ref, parents: from.map((one) => one.ref), marker, content });
  }
  return made;
}

describe("law: nothing of a forgotten fact is left", () => {
  test(
    `in any key of the store, listing or search, over ${RUNS} random derivations, and the rest stays`,
    { timeout: PROPERTY_MS },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(Step, { minLength: 2, maxLength: 9 }), fc.nat(9), async (steps, chosen) => {
          const shelf = new Shelf();
          shelf.set({ a: "zq-document" });
          const world = new World();
          const { host } = world.join(systemOf(shelf), "one");
          await host.sources.sync("handbook", "ann");
          const made = await written(host, steps);
          const target = made[chosen % made.length];
          if (target === undefined) return;
          await host.memories.read(target.ref.memory, { text: target.marker }, BY);
          const { memory, id } = target.ref;
          // A fact is forgotten in all its versions.
          const meant = made.filter((one) => one.ref.memory === memory && one.ref.id === id);
          const lost = await host.memories.forget(memory, { ids: [id], why: "forgotten", by: "ann" }, BY);
          const text = await everything(world);
          for (const { marker } of meant) expect(text).not.toContain(marker);
          const stays = staying(made, meant);
          for (const { content } of stays) expect(text).toContain(JSON.stringify(content).slice(1, -1));
          for (const one of [...MEMORIES, HANDBOOK]) {
            expect(JSON.stringify(await contentsOf(host, one))).not.toMatch(new RegExp(meant.map(({ marker }) => marker).join("|")));
            for (const { marker } of meant)
              expect((await host.memories.read(one, { text: marker, kinds: ["fact", "document"] }, BY)).facts).toEqual([]);
          }
          expect(lost.facts.length).toBe(made.length - stays.length);
          await world.clock.advance(LIMITS.memoryRemoveAgainMs);
          expect(world.reminders.size).toBe(0);
        }),
        { numRuns: RUNS },
      );
    },
  );
});

/** What need not go: a fact goes with a parent, and with an earlier version of a parent, which that one stands for. */
function staying(made: readonly Written[], meant: readonly Written[]): readonly Written[] {
  const lost = new Set(meant);
  for (const one of made) {
    const isLost = one.parents.some((parent) =>
      [...lost].some(({ ref }) => ref.memory === parent.memory && ref.id === parent.id && ref.version <= parent.version),
    );
    if (isLost) lost.add(one);
  }
  return made.filter((one) => !lost.has(one));
}

describe("law: what was forgotten is gone everywhere, also when a host dies at any write", () => {
  test("another host finishes it, and what was not recorded as forgotten is all there", async () => {
    for (let write = 1, done = false; !done; write += 1) {
      for (const kind of ["before", "after", "half"] as const) {
        const store = new FragileStore();
        const world = new World(store);
        const shelf = new Shelf();
        shelf.set({ a: "zq-document" });
        const one = world.join(systemOf(shelf), "one");
        await one.host.sources.sync("handbook", "ann");
        const document = await documentOf(one.host, "a");
        if (document === undefined) throw new Error("no document");
        const first = await derive(one.host, "agent.Reader", "zq-document first", [document]);
        const second = await derive(one.host, "key.Desk.ann", "zq-document second", [first]);
        await derive(one.host, "agent.Reader", "zq-document third", [second]);
        await derive(one.host, "agent.Reader", "stays", []);
        store.writes = 0;
        let died = false;
        store.onWrite = (count) => {
          if (count !== write) return undefined;
          died = true;
          return { kind, die: () => one.kill() };
        };
        const forgotten = one.host.memories.forget(HANDBOOK, { ids: [document.id], why: "forgotten", by: "ann" }, BY);
        await Promise.race([forgotten, flush(400)]);
        store.onWrite = () => undefined;
        if (died) await world.clock.advance(10);
        const two = world.join(systemOf(shelf), "two");
        await world.clock.advance(LIMITS.memoryUnfinishedMs);
        await flush(200);
        await world.clock.advance(2 * LIMITS.memoryUnfinishedMs);
        await flush(200);
        const isForgotten = Object.keys((await two.host.memories.state(HANDBOOK)).facts).length === 0;
        const text = await everything(world);
        expect(text, `write ${write} ${kind}`).toContain("stays");
        if (isForgotten) expect(text, `write ${write} ${kind}`).not.toContain("zq-document");
        else for (const part of ["first", "second", "third"]) expect(text, `write ${write} ${kind}`).toContain(`zq-document ${part}`);
        // The reminder was set before the first removal, which the other host made later: it rings twice.
        await world.clock.advance(2 * LIMITS.memoryRemoveAgainMs);
        await flush(200);
        expect([...world.reminders.keys()], `write ${write} ${kind}`).toEqual([]);
        if (!died) {
          expect(isForgotten).toBe(true);
          done = true;
        }
      }
    }
  });
});

test("a comparison counts the readers that the memories no longer name, each memory once", async () => {
  const shelf = new Shelf();
  const texts = Array.from({ length: LIMITS.factsLostMax + 1 }, (_, index) => [`d${index}`, `text ${index}`]);
  shelf.pageSize = texts.length;
  shelf.set(Object.fromEntries(texts));
  const { host } = new World().join(systemOf(shelf), "one");
  await host.sources.sync("handbook", "ann");
  const document = await documentOf(host, "d0");
  for (let index = 0; index < LIMITS.memoryReadsMax + 3; index += 1) {
    const reader = { agent: "Reader", processId: `p${index}`, workId: `p${index}:1:a:0:1` };
    await host.memories.read(HANDBOOK, { refs: [{ id: document?.id ?? "", version: 1 }], reader }, BY);
  }
  shelf.documents.clear();
  const told = await host.sources.sync("handbook", "ann");
  expect(told).toMatchObject({ vanished: texts.length, readersDropped: 3 });
  expect(told.readers).toHaveLength(LIMITS.memoryReadsMax);
});

describe("law: a write that is on its way brings nothing of it back", () => {
  test("a fact derived from a forgotten one of another memory is refused, also if that memory was told before", async () => {
    const world = new World();
    const { host } = world.join(systemOf(new Shelf()), "one");
    const origin = await derive(host, "key.Desk.ann", "origin", []);
    await host.memories.link("key.Desk.ann", [{ id: origin.id, version: 1 }], "agent.Reader", BY);
    await host.memories.forget("key.Desk.ann", { ids: [origin.id], why: "forgotten", by: "ann" }, BY);
    const writer = { agent: "Reader", processId: "p", workId: "p:1:a:0:1", subject: "anonymous" };
    const late = { call: "late", kind: "fact" as const, content: "late", writer, trust: "model" as const, parents: [origin] };
    await expect(host.memories.write("agent.Reader", late, BY)).rejects.toMatchObject({ code: "memory.unknown" });
    expect(await everything(world)).not.toContain('"late"}');
  });
});
