/** @module The laws of the turn engine, each a named test: two owners, stale caches, failed turns, values, the mutex. */
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../actors/memory/store.ts";
import { KeyedMutex } from "../../actors/engine/mutex.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { contentOf, engineHost, flush, HandClock, recordKey } from "./engine-rig.ts";

describe("law: two owners cannot both win", () => {
  test("one commit succeeds; the other host drops its cache, reloads and decides again", async () => {
    const store = new MemoryStore();
    const [one, two] = [engineHost(store, "one"), engineHost(store, "two")];
    expect(await one.add(1)).toBe(1);
    expect(await two.add(10)).toBe(11);
    expect(await one.add(100)).toBe(111);
    expect(await two.add(1_000)).toBe(1_111);
    expect(store.keys()).toHaveLength(4);
  });

  test("a turn says which host wrote the record before it", async () => {
    const store = new MemoryStore();
    const [one, two] = [engineHost(store, "one"), engineHost(store, "two")];
    const writer = async (host: typeof one): Promise<string | undefined> =>
      (await host.engine.turn("a", { kind: "add", by: 1 }, { inputId: "add" })).writer;
    expect([await writer(one), await writer(one), await writer(two), await writer(one)]).toEqual([undefined, "one", "one", "two"]);
  });

  test("in the same moment", async () => {
    const store = new MemoryStore();
    const hosts = ["one", "two", "three"].map((name) => engineHost(store, name));
    for (let round = 0; round < 10; round += 1) await Promise.all(hosts.map((host) => host.add(1)));
    expect((await hosts[0]?.engine.fresh("a"))?.state.count).toBe(30);
  });

  test("a host that froze between decision and write decides again on what happened meanwhile", async () => {
    const store = new MemoryStore();
    const [frozen, other] = [engineHost(store, "frozen"), engineHost(store, "other")];
    await frozen.add(1);
    let wake = (): void => {};
    frozen.store.beforeInsert = () => new Promise((resolve) => (wake = resolve));
    const late = frozen.add(10);
    await flush();
    expect(await other.add(100)).toBe(101);
    frozen.store.beforeInsert = async () => {};
    wake();
    expect(await late).toBe(111);
  });

  test("an unanswered write that was made is not made twice", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    store.loseNext("after");
    expect(await host.add(1)).toBe(1);
    store.loseNext("before", "after");
    expect(await host.add(1)).toBe(2);
    expect(store.keys()).toHaveLength(2);
  });

  test("after a write whose fate is unknown nothing cached is used: it may have been made late", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await host.add(1);
    store.loseNext(...Array.from({ length: LIMITS.commitAttemptsMax }, () => "before" as const));
    await expect(host.add(10)).rejects.toMatchObject({ code: "journal.contended" });
    expect(await engineHost(store, "two").add(100)).toBe(101);
    expect(await host.add(1_000)).toBe(1_101);
  });

  test("a host that loses every write ends with journal.contended", async () => {
    const store = new MemoryStore();
    const [host, other] = [engineHost(store, "one"), engineHost(store, "other")];
    host.store.beforeInsert = async () => void (await other.add(1));
    await expect(host.add(10)).rejects.toMatchObject({ code: "journal.contended" });
    expect((await other.engine.fresh("a")).state.count).toBe(LIMITS.commitAttemptsMax);
  });
});

describe("law: a decision that writes nothing counts only after the next key was read and found absent", () => {
  test("a stale cache is detected and the decision made again", async () => {
    const store = new MemoryStore();
    const [one, two] = [engineHost(store, "one"), engineHost(store, "two")];
    await one.add(1);
    await two.add(10);
    const looked = await one.engine.turn("a", { kind: "look" }, { inputId: "look" });
    expect(looked).toMatchObject({ state: { count: 11 }, sequence: 2, wrote: false });
  });

  test("the next key is read even when nothing happened", async () => {
    const host = engineHost(new MemoryStore(), "one");
    await host.add(1);
    host.store.reads.length = 0;
    await host.engine.turn("a", { kind: "look" }, { inputId: "look" });
    expect(host.store.reads).toEqual([[recordKey(2)]]);
  });

  test("without the store there is no answer", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await host.add(1);
    store.setAvailable(false);
    await expect(host.engine.turn("a", { kind: "look" }, { inputId: "look" })).rejects.toMatchObject({ code: "store.unavailable" });
  });

  test("an actor that is expected to be new, and is not, is detected by the write or by the next key", async () => {
    const store = new MemoryStore();
    await engineHost(store, "one").add(1);
    const expectNew = { inputId: "i", expectNew: true };
    expect((await engineHost(store, "two").engine.turn("a", { kind: "add", by: 10 }, expectNew)).state.count).toBe(11);
    expect((await engineHost(store, "three").engine.turn("a", { kind: "look" }, expectNew)).state.count).toBe(11);
  });
});

describe("law: a turn that throws, or would be too large, commits a small turn-failed record", () => {
  test("a throwing decision leaves its record, changes nothing and is refused", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await host.add(1);
    const failed = await host.engine.turn("a", { kind: "throw" }, { inputId: "invalid" });
    expect(failed).toMatchObject({
      state: { count: 1 },
      sequence: 2,
      effects: [],
      verdict: { kind: "refused", fault: { code: "turn.failed", message: "TypeError: a defect" } },
      wrote: true,
    });
    expect(await contentOf(store, recordKey(2))).toMatchObject({
      events: [{ e: "turn-failed", input: "invalid", code: "turn.failed", message: "TypeError: a defect" }],
      effects: [],
    });
    expect(await host.add(1)).toBe(2);
    expect(await engineHost(store, "two").add(1)).toBe(3);
  });

  test("a record that is too large", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    const failed = await host.engine.turn("a", { kind: "add", by: 1, pad: "x".repeat(LIMITS.recordBytesMax) }, { inputId: "huge" });
    expect(failed).toMatchObject({ state: { count: 0 }, verdict: { fault: { code: "record.too-large" } } });
    expect(store.bytes()).toBeLessThan(1_000);
    expect((await host.engine.fresh("a")).sequence).toBe(1);
  });

  test("a value that is too large", async () => {
    const host = engineHost(new MemoryStore(), "one");
    const failed = await host.engine.turn("a", { kind: "keep", content: "x".repeat(LIMITS.valueBytesMax) }, { inputId: "huge" });
    expect(failed.verdict).toMatchObject({ fault: { code: "value.too-large" } });
  });

  test("an error before the write, such as the reminder's, leaves nothing", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one", new HandClock(), { beforeCommit: () => Promise.reject(new TypeError("the reminder is silent")) });
    await expect(host.add(1)).rejects.toThrow("the reminder is silent");
    expect(store.keys()).toEqual([]);
  });
});

describe("law: large content is stored in value keys, before the record and only once", () => {
  const content = "c".repeat(2 * LIMITS.valueInlineBytesMax);
  const keep = (host: ReturnType<typeof engineHost>): Promise<unknown> =>
    host.engine.turn("a", { kind: "keep", content }, { inputId: "keep" });

  test("the value first, then the record; the same content again is not written again", async () => {
    const host = engineHost(new MemoryStore(), "one");
    await keep(host);
    expect(host.store.inserts.map((key) => key.split("/")[1])).toEqual(["value", "sys.Counter"]);
    await keep(host);
    expect(host.store.inserts).toHaveLength(3);
  });

  test("without the value there is no record", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    store.loseNext(...Array.from({ length: LIMITS.commitAttemptsMax }, () => "before" as const));
    await expect(keep(host)).rejects.toMatchObject({ code: "store.unavailable" });
    expect(store.keys()).toEqual([]);
  });

  test("another host's decision loads it; one that is missing is retryable, and nothing is recorded", async () => {
    const store = new MemoryStore();
    await keep(engineHost(store, "one"));
    const read = (name: string) => engineHost(store, name).engine.turn("a", { kind: "read" }, { inputId: "read" });
    expect((await read("two")).state.count).toBe(content.length);
    const [valueKey = ""] = store.keys("sys/value/");
    const text = JSON.stringify(await contentOf(store, valueKey));
    store.drop(valueKey);
    await expect(read("three")).rejects.toMatchObject({ code: "value.missing" });
    expect(store.keys("sys/sys.Counter/")).toHaveLength(2);
    store.corrupt(valueKey, text);
    expect((await read("three")).state.count).toBe(2 * content.length);
  });
});

describe("law: a value is purged with its owner", () => {
  const content = "x".repeat(LIMITS.valueInlineBytesMax);

  test("the same content of two actors is stored once for each, and one remains when the other is removed", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    for (const actor of ["a", "b", "b"]) await host.engine.turn(actor, { kind: "keep", content }, { inputId: "keep" });
    const [ofA = "", ...others] = store.keys("sys/value/");
    expect([ofA, ...others].map((key) => key.split("/")[2])).toEqual(["a", "b"]);
    store.drop(ofA);
    expect((await engineHost(store, "two").engine.turn("b", { kind: "read" }, { inputId: "read" })).state.count).toBe(content.length);
  });

  test("a stored value is trusted for a while only: its actor may have been purged since", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    const keep = (): Promise<unknown> => host.engine.turn("a", { kind: "keep", content }, { inputId: "keep" });
    await keep();
    const [key = ""] = store.keys("sys/value/");
    store.drop(key);
    await host.clock.advance(LIMITS.actorTrustMs);
    await keep();
    expect(store.keys("sys/value/")).toEqual([key]);
  });
});

describe("law: storage grows with what happened", () => {
  test("the bytes of stop 1,000, snapshots counted, are those of stop 10", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    const bytesAt: number[] = [0];
    for (let turn = 1; turn <= 1_100; turn += 1) {
      await host.add(1, "x".repeat(200));
      bytesAt.push(store.bytes());
    }
    const rate = (from: number, to: number): number => ((bytesAt[to] ?? 0) - (bytesAt[from] ?? 0)) / (to - from);
    expect(rate(900, 1_100) / rate(1, 101)).toBeLessThanOrEqual(1.1);
  });
});

describe("one turn at a time per actor", () => {
  test("in order of arrival; other actors do not wait", async () => {
    const mutex = new KeyedMutex(10);
    const order: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const runs = [
      mutex.run("a", async () => {
        await gate;
        order.push("a1");
      }),
      mutex.run("a", async () => void order.push("a2")),
      mutex.run("b", async () => void order.push("b1")),
    ];
    await flush(2);
    expect(order).toEqual(["b1"]);
    open();
    await Promise.all(runs);
    expect(order).toEqual(["b1", "a1", "a2"]);
    expect(mutex.size).toBe(0);
  });

  test("a failed turn lets the next one in", async () => {
    const mutex = new KeyedMutex(10);
    const failed = mutex.run("a", () => Promise.reject(new TypeError("no")));
    const next = mutex.run("a", async () => "next");
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("next");
  });

  test("a queue that is too long is refused with actor.busy", async () => {
    const mutex = new KeyedMutex(2);
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const runs = [mutex.run("a", () => gate), mutex.run("a", () => gate)];
    await expect(mutex.run("a", () => gate)).rejects.toMatchObject({ code: "actor.busy" });
    open();
    await Promise.all(runs);
    expect(await mutex.run("a", async () => 1)).toBe(1);
  });
});
