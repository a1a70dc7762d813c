/** @module Laws of trimming: the head stone, what is removed and when, and hosts that slept meanwhile. */
import { beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../actors/memory/store.ts";
import { JournalPurge } from "../../actors/retention/journal-purge.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { contentOf, type EngineHost, engineHost, HandClock, journalOver, recordKey, snapshotKey } from "./engine-rig.ts";

const BIG = "x".repeat(LIMITS.snapshotBytesMin / 8);
/** Turns with `BIG` between two snapshots. */
const TURNS = 8;

let store: MemoryStore;
let clock: HandClock;
let host: EngineHost;
beforeEach(() => {
  store = new MemoryStore();
  clock = new HandClock();
  host = engineHost(store, "one", clock);
});

async function turns(by: EngineHost, count: number): Promise<number> {
  let total = 0;
  for (let turn = 0; turn < count; turn += 1) total = await by.add(1, BIG);
  await by.engine.trims?.idle();
  return total;
}

/** Fills the journal so that it is trimmed to its first snapshot, of record 8. */
async function trimmed(): Promise<void> {
  await turns(host, TURNS);
  await clock.advance(LIMITS.trimAgeMs);
  await turns(host, TURNS);
}

describe("law: records of a living actor below an old snapshot are removed", () => {
  test("record 1 becomes a head stone, and everything below the snapshot goes; the snapshot and its record stay", async () => {
    await trimmed();
    expect(await contentOf(store, recordKey(1))).toEqual({
      v: 1,
      headStone: true,
      first: TURNS,
      snapshot: 1,
      from: 2,
      fromSnapshot: 1,
    });
    for (let sequence = 2; sequence < TURNS; sequence += 1) expect(store.keys()).not.toContain(recordKey(sequence));
    expect(store.keys()).toEqual(expect.arrayContaining([recordKey(TURNS), recordKey(2 * TURNS), snapshotKey(1), snapshotKey(2)]));
    expect(await journalOver(store, clock).load("a")).toMatchObject({ sequence: 2 * TURNS, state: { count: 2 * TURNS } });
  });

  test("nothing is removed before the snapshot is old enough", async () => {
    await turns(host, TURNS);
    await clock.advance(LIMITS.trimAgeMs - 1);
    await turns(host, TURNS);
    expect(store.keys()).toHaveLength(2 * TURNS + 2);
  });

  test("each trim goes on where the last one ended, and a load begins at the head", async () => {
    for (let round = 0; round < 6; round += 1) {
      await turns(host, TURNS);
      await clock.advance(LIMITS.trimAgeMs);
    }
    expect(await contentOf(store, recordKey(1))).toMatchObject({ first: 5 * TURNS, snapshot: 5, from: 4 * TURNS, fromSnapshot: 4 });
    expect(store.keys().filter((key) => key.includes("snapshot"))).toEqual([snapshotKey(5), snapshotKey(6)]);
    expect(store.keys()).toHaveLength(1 + (TURNS + 1) + 2);
    expect(await turns(engineHost(store, "two", clock), 1)).toBe(6 * TURNS + 1);
  });

  test("another host goes on from a snapshot that it read, and finishes what a host that died left", async () => {
    await turns(host, TURNS);
    await clock.advance(LIMITS.trimAgeMs);
    // The first host dies after it wrote the head stone: the removal fails.
    host.store.remove = () => Promise.reject(new Error("killed"));
    await turns(host, TURNS);
    expect(await contentOf(store, recordKey(1))).toMatchObject({ first: TURNS });
    expect(store.keys()).toContain(recordKey(2));
    const other = engineHost(store, "two", clock);
    expect(await turns(other, 1)).toBe(2 * TURNS + 1);
    await clock.advance(LIMITS.trimAgeMs);
    await turns(other, TURNS);
    expect(store.keys()).not.toContain(recordKey(2));
    expect(await contentOf(store, recordKey(1))).toMatchObject({ first: 2 * TURNS, from: TURNS });
  });

  test("a snapshot of another host, with the number of a refused one, is a floor only at its own record", async () => {
    const other = engineHost(store, "two", clock);
    host.store.beforeInsert = async (key) => {
      if (key !== snapshotKey(1)) return;
      host.store.beforeInsert = async () => {};
      await turns(other, 1);
      await clock.advance(LIMITS.trimAgeMs);
    };
    await turns(host, TURNS);
    expect(await turns(host, TURNS)).toBe(2 * TURNS + 1);
    expect(await contentOf(store, snapshotKey(1))).toMatchObject({ sequence: TURNS + 1 });
    expect(await contentOf(store, recordKey(1))).toMatchObject({ first: TURNS + 1, snapshot: 1 });
  });

  test("a trimmed journal is purged whole", async () => {
    await trimmed();
    const purge = new JournalPurge(store, clock, "sys");
    const actor = { type: "sys.Counter", id: "a" };
    const tombstone = await purge.writeTombstone(actor, { outcome: "dropped", agents: [] });
    expect(tombstone).toMatchObject({ first: 2, last: 2 * TURNS, snapshots: 2 });
    if (tombstone !== undefined) await purge.clear(actor, tombstone);
    const found = await purge.look(actor);
    if (found.kind === "tombstone") await purge.level(actor, found);
    expect(store.keys()).toEqual([]);
  });

  test("the events of trimmed records are left out", async () => {
    await trimmed();
    let count = 0;
    for await (const _ of journalOver(store, clock).events("a")) count += 1;
    expect(count).toBe(TURNS + 1);
  });
});

describe("law: a host that slept reads the head", () => {
  test("a memory below the floor decides nothing: the actor is loaded again", async () => {
    const asleep = engineHost(store, "asleep", clock);
    expect(await turns(asleep, 3)).toBe(3);
    await trimmed();
    expect((await asleep.engine.turn("a", { kind: "look" }, { inputId: "look" })).state.count).toBe(2 * TURNS + 3);
  });

  test("what it wrote below the floor is taken back and decided again", async () => {
    const asleep = engineHost(store, "asleep", clock);
    await turns(asleep, 3);
    asleep.store.beforeInsert = async () => {
      asleep.store.beforeInsert = async () => {};
      await trimmed();
    };
    expect(await asleep.add(1)).toBe(2 * TURNS + 4);
    expect(store.keys()).not.toContain(recordKey(4));
    expect(await journalOver(store, clock).load("a")).toMatchObject({ state: { count: 2 * TURNS + 4 } });
  });

  test("what it wrote below the floor is taken back later, if the store does not answer then", async () => {
    const asleep = engineHost(store, "asleep", clock);
    await turns(asleep, 3);
    const { read } = asleep.store;
    asleep.store.beforeInsert = async () => {
      asleep.store.beforeInsert = async () => {};
      await trimmed();
      asleep.store.read = async () => {
        throw new Fault("store.unavailable", "the store is away");
      };
    };
    await expect(asleep.add(1)).rejects.toMatchObject({ code: "store.unavailable" });
    await clock.advance(3 * LIMITS.takeBackAgainMs);
    expect(store.keys()).toContain(recordKey(4));
    asleep.store.read = read;
    await clock.advance(LIMITS.takeBackAgainMs);
    expect(store.keys()).not.toContain(recordKey(4));
    expect(await asleep.add(1)).toBe(2 * TURNS + 4);
  });

  test("what is trimmed between its look at the head and its write is found after the write", async () => {
    const asleep = engineHost(store, "asleep", clock);
    await turns(asleep, 3);
    await turns(host, TURNS);
    await clock.advance(LIMITS.trimAgeMs);
    const { read } = asleep.store;
    asleep.store.read = async (keys) => {
      asleep.store.read = read;
      const found = await read.call(asleep.store, keys);
      // It has looked: the floor is not above what it knows.
      await turns(host, TURNS);
      return found;
    };
    expect(await asleep.add(1)).toBe(2 * TURNS + 4);
    expect(store.keys()).not.toContain(recordKey(4));
    expect(await journalOver(store, clock).load("a")).toMatchObject({ state: { count: 2 * TURNS + 4 } });
  });

  test("a decision that writes nothing, made while it slept, is made again", async () => {
    const asleep = engineHost(store, "asleep", clock);
    await turns(asleep, 3);
    const { read } = asleep.store;
    asleep.store.read = async (keys) => {
      asleep.store.read = read;
      await trimmed();
      return read.call(asleep.store, keys);
    };
    expect((await asleep.engine.turn("a", { kind: "look" }, { inputId: "look" })).state.count).toBe(2 * TURNS + 3);
  });

  test("a load that slept is made again", async () => {
    await turns(host, 3);
    const asleep = engineHost(store, "asleep", clock);
    const { read } = asleep.store;
    asleep.store.read = async (keys) => {
      const found = await read.call(asleep.store, keys);
      if (keys.includes(snapshotKey(1))) {
        asleep.store.read = read;
        await trimmed();
      }
      return found;
    };
    expect((await asleep.engine.fresh("a")).state.count).toBe(2 * TURNS + 3);
  });
});

describe("law: a gap is found at the first read that shows a later record", () => {
  test.each([
    ["next to the end", 4, 5],
    ["far behind it", 4, 60],
  ])("%s", async (_name, from, to) => {
    await turns(host, to + 40);
    for (let sequence = from; sequence < to; sequence += 1) store.drop(recordKey(sequence));
    for (const key of store.keys("sys/sys.Counter/a/snapshot")) store.drop(key);
    await expect(journalOver(store, clock).load("a")).rejects.toMatchObject({ code: "journal.broken-chain" });
  });

  test("a record that was written between two reads of one batch is none", async () => {
    await turns(host, 3);
    const reader = engineHost(store, "two", clock);
    const { read } = reader.store;
    reader.store.read = async (keys) => {
      const found = new Map(await read.call(reader.store, keys));
      if (keys.includes(recordKey(4)) && keys.length > 1) {
        reader.store.read = read;
        await turns(host, 2);
        const later = await contentOf(store, recordKey(5));
        if (later !== undefined) found.set(recordKey(5), later);
      }
      return found;
    };
    expect((await reader.engine.fresh("a")).state.count).toBe(5);
  });
});
