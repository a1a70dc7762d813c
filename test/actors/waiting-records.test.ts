/** @module A first record that waits for the next one: when it is written, what ends the wait, and that no fault of the store loses it. */
import { describe, expect, test } from "vitest";
import type { TurnResult } from "../../actors/engine/turn-parts.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { contentOf, type CounterState, engineHost, type EngineHost, flush, recordKey } from "./engine-rig.ts";

/** A turn that orders a run, whose record may wait. */
function begin({ engine }: EngineHost, by: number, also = false): Promise<TurnResult<CounterState>> {
  return engine.turn("a", { kind: "run", by, also }, { inputId: "begin", expectNew: true, mayWait: true });
}

async function eventsOf(store: MemoryStore, sequence: number): Promise<unknown> {
  const record = (await contentOf(store, recordKey(sequence))) as {
    readonly events: readonly { readonly by?: number; readonly e: string }[];
  };
  return record.events.map(({ by, e }) => by ?? e);
}

const refusals = Array.from({ length: LIMITS.commitAttemptsMax }, () => "before" as const);

describe("a first record that waits", () => {
  test("is one with the next, and the state of this host is that after it already", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    const begun = await begin(host, 1);
    expect(begun).toMatchObject({ wrote: false, effects: [{ kind: "run" }], state: { count: 1 }, before: { count: 0 } });
    expect(host.engine.peek("a")?.count).toBe(1);
    expect(host.store.inserts).toEqual([]);
    expect(await host.add(10)).toBe(11);
    expect(store.keys()).toEqual([recordKey(1)]);
    expect(await eventsOf(store, 1)).toEqual([1, 10]);
    expect((await engineHost(store, "two").engine.fresh("a")).state.count).toBe(11);
    await host.clock.advance(LIMITS.firstRecordWaitMs);
    expect(store.keys()).toEqual([recordKey(1)]);
  });

  test("is written by itself when nothing follows soon", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    await host.clock.advance(LIMITS.firstRecordWaitMs - 1);
    expect(store.keys()).toEqual([]);
    await host.clock.advance(1);
    expect(await eventsOf(store, 1)).toEqual([1]);
    expect(await host.add(10)).toBe(11);
    expect(await eventsOf(store, 2)).toEqual([10]);
  });

  test("is written before someone reads the current state", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    expect(await host.engine.fresh("a")).toMatchObject({ sequence: 1, state: { count: 1 } });
    expect(await eventsOf(store, 1)).toEqual([1]);
  });

  test("is not lost when the next one cannot be written, nor when the actor leaves the cache", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    store.loseNext(...refusals);
    await expect(host.add(10)).rejects.toMatchObject({ code: "journal.contended" });
    host.engine.forget("a");
    expect(await host.add(100)).toBe(101);
    expect(await eventsOf(store, 1)).toEqual([1, 100]);
  });

  test("is written later when the store does not answer", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    store.setAvailable(false);
    await host.clock.advance(LIMITS.recordRetryMsMax);
    store.setAvailable(true);
    expect(store.keys()).toEqual([]);
    await host.clock.advance(4 * LIMITS.recordRetryMsMax);
    expect(await eventsOf(store, 1)).toEqual([1]);
  });

  test("is given up after actorTrustMs: its process may be purged by then", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    store.setAvailable(false);
    await host.clock.advance(2 * LIMITS.actorTrustMs);
    store.setAvailable(true);
    await host.clock.advance(4 * LIMITS.recordRetryMsMax);
    expect(store.keys()).toEqual([]);
    expect(await host.add(10)).toBe(10);
  });

  test("is written before an input is answered that changes nothing", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    expect(await host.engine.turn("a", { kind: "look" }, { inputId: "look" })).toMatchObject({ sequence: 1, state: { count: 1 } });
    expect(await eventsOf(store, 1)).toEqual([1]);
  });

  test("ends with the first record of another host", async () => {
    const store = new MemoryStore();
    const [host, other] = [engineHost(store, "one"), engineHost(store, "other")];
    await begin(host, 1);
    expect(await other.add(100)).toBe(100);
    expect(await host.add(10)).toBe(110);
    await host.clock.advance(LIMITS.firstRecordWaitMs);
    expect((await other.engine.fresh("a")).state.count).toBe(110);
  });

  test("ends with the first record of another host also when it would have been written by itself", async () => {
    const store = new MemoryStore();
    const [host, other] = [engineHost(store, "one"), engineHost(store, "other")];
    await begin(host, 1);
    await other.add(100);
    await host.clock.advance(LIMITS.firstRecordWaitMs);
    expect(host.engine.peek("a")).toBeUndefined();
    expect(await host.add(10)).toBe(110);
  });

  test("is written once, also if the answer to the record that contains it is late", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    let answer = (): void => {};
    host.store.afterInsert = () => new Promise((resolve) => (answer = resolve));
    const added = host.add(10);
    await flush();
    await host.clock.advance(LIMITS.firstRecordWaitMs);
    answer();
    host.store.afterInsert = async () => {};
    expect(await added).toBe(11);
    await flush();
    expect(store.keys()).toEqual([recordKey(1)]);
  });

  test("is written by itself before a turn that fails is recorded", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    const failed = await host.engine.turn("a", { kind: "throw" }, { inputId: "invalid" });
    expect(failed).toMatchObject({ failed: true, sequence: 2, state: { count: 1 } });
    expect([await eventsOf(store, 1), await eventsOf(store, 2)]).toEqual([[1], ["turn-failed"]]);
  });

  test("is written by itself if both together are too large", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    const pad = "x".repeat(LIMITS.recordBytesMax);
    const failed = await host.engine.turn("a", { kind: "add", by: 1, pad }, { inputId: "huge" });
    expect(failed.verdict).toMatchObject({ kind: "refused", fault: { code: "record.too-large" } });
    expect(await host.add(10)).toBe(11);
    expect([await eventsOf(store, 1), await eventsOf(store, 3)]).toEqual([[1], [10]]);
  });
});

describe("does not wait", () => {
  test("a record that is not asked to", async () => {
    const host = engineHost(new MemoryStore(), "one");
    expect(await host.engine.turn("a", { kind: "run", by: 1 }, { inputId: "begin", expectNew: true })).toMatchObject({ wrote: true });
  });

  test("a record that orders something that others learn of", async () => {
    expect(await begin(engineHost(new MemoryStore(), "one"), 1, true)).toMatchObject({ wrote: true });
  });

  test("a record that orders nothing", async () => {
    const host = engineHost(new MemoryStore(), "one");
    const options = { inputId: "add", expectNew: true, mayWait: true };
    expect(await host.engine.turn("a", { kind: "add", by: 1 }, options)).toMatchObject({ wrote: true });
  });

  test("a later record", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await host.add(1);
    expect(await begin(host, 1)).toMatchObject({ wrote: true });
    // Also if this host does not know yet that there is an earlier one.
    const other = engineHost(store, "other");
    await begin(other, 1);
    expect(await other.add(10)).toBe(12);
    expect((await host.engine.fresh("a")).state.count).toBe(12);
  });

  test("a second record, while the first one waits", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await begin(host, 1);
    expect(await begin(host, 10)).toMatchObject({ wrote: true, state: { count: 11 } });
    expect(await eventsOf(store, 1)).toEqual([1, 10]);
  });
});
