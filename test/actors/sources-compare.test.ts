/** @module Sources and their memories: what is compared when, what failures change, and two hosts at once. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { gate, World } from "./world-rig.ts";
import { flush } from "./engine-rig.ts";
import { BY, contentsOf, derive, documentOf, everything, HANDBOOK, Shelf, systemOf, versionOf } from "./sources-rig.ts";

function rig(options: ConstructorParameters<typeof Shelf>[0] = {}) {
  const shelf = new Shelf(options);
  const world = new World();
  const join = (name: string) => world.join(systemOf(shelf), name);
  const { host } = join("one");
  return { shelf, world, host, join };
}

describe("a comparison", () => {
  test("takes the documents of all pages, and says what it found", async () => {
    const { shelf, host } = rig();
    shelf.set({ a: "apples", b: "bananas", c: "cherries", d: "dates" });
    expect(await host.sources.sync("handbook", "ann")).toMatchObject({
      comparison: 1,
      listed: 4,
      added: 4,
      changed: 0,
      vanished: 0,
      unread: [],
    });
    expect([...(await contentsOf(host, HANDBOOK))].sort()).toEqual(["apples", "bananas", "cherries", "dates"]);
    expect(Object.values((await host.memories.state(HANDBOOK)).facts)[0]?.fact).toMatchObject({
      kind: "document",
      trust: "untrusted",
      label: ["source:handbook"],
      source: { name: "handbook", id: "a", hash: versionOf("apples") },
    });
  });

  test("of a source that is vouched for gives documents the trust of a tool, and no label", async () => {
    const { shelf, host } = rig({ untrusted: false });
    shelf.set({ a: "apples" });
    await host.sources.sync("handbook", "ann");
    const [held] = Object.values((await host.memories.state(HANDBOOK)).facts);
    expect(held?.fact.trust).toBe("tool");
    expect(held?.fact.label).toBeUndefined();
  });

  test("reads only what is new, and takes out what changed or vanished with all of its content", async () => {
    const { shelf, world, host } = rig();
    shelf.set({ a: "apples", b: "bananas", c: "cherries" });
    await host.sources.sync("handbook", "ann");
    shelf.reads.length = 0;
    shelf.set({ b: "blackberries" });
    shelf.documents.delete("c");
    expect(await host.sources.sync("handbook", "ann")).toMatchObject({ listed: 2, added: 0, changed: 1, vanished: 1 });
    expect(shelf.reads).toEqual(["b"]);
    expect([...(await contentsOf(host, HANDBOOK))].sort()).toEqual(["apples", "blackberries"]);
    expect(await everything(world)).not.toMatch(/bananas"|cherries"/);
    expect(await host.sources.sync("handbook", "ann")).toMatchObject({ listed: 2, added: 0, changed: 0, vanished: 0 });
  });

  test("law: what changed is gone before its new content is read, and so is what was derived from it", async () => {
    const { shelf, host } = rig();
    shelf.set({ a: "apples", b: "bananas" });
    await host.sources.sync("handbook", "ann");
    const [a, b] = [await documentOf(host, "a"), await documentOf(host, "b")];
    if (a === undefined || b === undefined) throw new Error("no documents");
    const summary = await derive(host, "agent.Reader", "likes apples", [a]);
    await derive(host, "key.Desk.ann", "buy apples", [summary, b]);
    await derive(host, "key.Desk.ann", "buy bananas", [b]);
    shelf.set({ a: "avocados" });
    const seen: unknown[] = [];
    shelf.onRead = async () =>
      void seen.push(await contentsOf(host, HANDBOOK), await contentsOf(host, "agent.Reader"), await contentsOf(host, "key.Desk.ann"));
    expect(await host.sources.sync("handbook", "ann")).toMatchObject({ changed: 1, derived: 2 });
    expect(seen).toEqual([["bananas"], [], ["buy bananas"]]);
  });

  test("lists the work items that had read what is gone", async () => {
    const { shelf, host, world } = rig();
    shelf.set({ a: "apples are red" });
    await host.sources.sync("handbook", "ann");
    const member = world.members[0];
    if (member === undefined) throw new Error("no host");
    await member.operations.submit({ id: "t1", route: "main", input: { text: "apples" } }, BY, 0);
    expect((await world.until(member, "t1")).output).toEqual({ text: "apples are red" });
    shelf.documents.clear();
    const { readers } = await host.sources.sync("handbook", "ann");
    expect(readers).toMatchObject([{ processId: "t1", agent: "Reader", memory: HANDBOOK }]);
  });

  test("of an unknown source is refused with the names of those that there are", async () => {
    await expect(rig().host.sources.sync("hand", "ann")).rejects.toMatchObject({
      code: "source.unknown",
      message: expect.stringContaining("handbook"),
    });
  });
});

describe("law: only a complete listing changes anything", () => {
  test.each([
    ["throws at once", 0],
    ["throws at its second page", 1],
  ])("a listing that %s changes nothing, is recorded, and the next one does", async (_what, page) => {
    const { shelf, host } = rig();
    shelf.set({ a: "apples", b: "bananas", c: "cherries", d: "dates" });
    await host.sources.sync("handbook", "ann");
    shelf.documents.delete("a");
    shelf.set({ b: "blackberries" });
    shelf.onList = (cursor) => {
      if (Number(cursor ?? 0) === page * shelf.pageSize) throw new Error("the folder is away");
    };
    shelf.documents.set("e", "elderberries");
    await expect(host.sources.sync("handbook", "ann")).rejects.toMatchObject({ code: "source.unavailable" });
    expect([...(await contentsOf(host, HANDBOOK))].sort()).toEqual(["apples", "bananas", "cherries", "dates"]);
    expect((await host.memories.state(HANDBOOK)).comparisons).toMatchObject({
      number: 2,
      failures: 1,
      fault: { code: "source.unavailable" },
      last: { listed: 4 },
    });
    shelf.onList = () => {};
    await host.sources.sync("handbook", "ann");
    expect([...(await contentsOf(host, HANDBOOK))].sort()).toEqual(["blackberries", "cherries", "dates", "elderberries"]);
    expect((await host.memories.state(HANDBOOK)).comparisons).toMatchObject({ failures: 0 });
    expect((await host.memories.state(HANDBOOK)).comparisons?.fault).toBeUndefined();
  });

  test("a listing that hangs is given up after its time", async () => {
    const { shelf, host, world } = rig();
    shelf.onList = () => new Promise(() => {});
    const ended = expect(host.sources.sync("handbook", "ann")).rejects.toMatchObject({ code: "source.unavailable" });
    await flush(20);
    await world.clock.advance(LIMITS.sourceCallMs);
    await ended;
  });

  test("a listing that never ends is no listing", async () => {
    const { shelf, host } = rig();
    shelf.set(Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`d${index}`, "text"])));
    shelf.pageSize = 0;
    await expect(host.sources.sync("handbook", "ann")).rejects.toMatchObject({ code: "source.unavailable" });
  });

  test("a document that cannot be read is not there, is named, and is read again next time", async () => {
    const { shelf, host } = rig();
    shelf.set({ a: "apples", b: "bananas" });
    await host.sources.sync("handbook", "ann");
    shelf.set({ a: "avocados", c: "cherries" });
    shelf.onRead = (id) => {
      if (id === "a") throw new Error("locked");
    };
    expect(await host.sources.sync("handbook", "ann")).toMatchObject({ added: 1, changed: 1, unread: ["a"] });
    expect([...(await contentsOf(host, HANDBOOK))].sort()).toEqual(["bananas", "cherries"]);
    shelf.onRead = () => {};
    expect(await host.sources.sync("handbook", "ann")).toMatchObject({ added: 1, changed: 0, unread: [] });
    expect([...(await contentsOf(host, HANDBOOK))].sort()).toEqual(["avocados", "bananas", "cherries"]);
  });

  test("a document that is too large is left out, and the others are taken", async () => {
    const { shelf, host } = rig();
    shelf.set({ a: "x".repeat(LIMITS.factBytesMax), b: "bananas" });
    expect(await host.sources.sync("handbook", "ann")).toMatchObject({ unread: ["a"] });
    expect(await contentsOf(host, HANDBOOK)).toEqual(["bananas"]);
  });
});

describe("the schedule", () => {
  test("compares at the start and then at its pace, on one host although each has it", async () => {
    const { shelf, world, host, join } = rig({ everyMs: 10_000 });
    const two = join("two");
    shelf.set({ a: "apples" });
    host.sources.start();
    two.host.sources.start();
    await world.clock.advance(1);
    await flush(50);
    expect(shelf.listings).toBe(1);
    await world.clock.advance(10_000);
    await flush(50);
    await world.clock.advance(10_000);
    await flush(50);
    expect(shelf.listings).toBe(3);
    await host.stop(0);
    await two.host.stop(0);
    await world.clock.advance(60_000);
    expect(shelf.listings).toBe(3);
  });

  test("pauses for longer after each failure", async () => {
    const { shelf, world, host } = rig({ everyMs: 10_000 });
    shelf.onList = () => {
      throw new Error("away");
    };
    host.sources.start();
    for (let passed = 0; passed < 160_000; passed += 5_000) {
      await world.clock.advance(5_000);
      await flush(20);
    }
    // After 0, 20, 60 and 140 seconds.
    expect(shelf.listings).toBe(4);
    await host.stop(0);
  });
});

describe("law: an old listing brings nothing back", () => {
  test("a host that was frozen with a listing is fenced out by the comparison that began after it", async () => {
    const { shelf, host, join } = rig();
    const two = join("two");
    shelf.set({ a: "apples", b: "bananas" });
    const reading = gate();
    shelf.onRead = (id) => (id === "b" ? reading.promise : undefined);
    const first = host.sources.sync("handbook", "ann");
    const failed = expect(first).rejects.toMatchObject({ code: "work.superseded" });
    await flush(50);
    shelf.documents.delete("b");
    shelf.onRead = () => {};
    expect(await two.host.sources.sync("handbook", "bob")).toMatchObject({ comparison: 2, listed: 1 });
    shelf.documents.set("b", "bananas");
    reading.open();
    await failed;
    expect(await contentsOf(host, HANDBOOK)).toEqual(["apples"]);
    expect((await host.memories.state(HANDBOOK)).comparisons).toMatchObject({ number: 2, failures: 0 });
  });

  test("a comparison that is asked for while one runs follows it, once for all who ask", async () => {
    const { shelf, host } = rig();
    const listing = gate();
    shelf.onList = () => (shelf.listings === 1 ? listing.promise : undefined);
    const first = host.sources.sync("handbook", "ann");
    await flush(20);
    const [second, third] = [host.sources.sync("handbook", "bob"), host.sources.sync("handbook", "eve")];
    shelf.set({ a: "apples" });
    listing.open();
    expect(await first).toMatchObject({ comparison: 1, listed: 0 });
    expect(await second).toMatchObject({ comparison: 2, added: 1 });
    expect(await third).toMatchObject({ comparison: 2 });
    expect(shelf.listings).toBe(2);
  });
});
