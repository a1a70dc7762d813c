/** @module The laws of the journal, each a named test: the fence, the read-back, the chain, snapshots, loading. */
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { Loaded } from "../../actors/engine/journal.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { JournalRecord, TurnFailed, Writer } from "../../runtime/record.ts";
import {
  contentOf,
  type CounterEvent,
  type CounterState,
  GatedStore,
  HandClock,
  journalOver,
  recordKey,
  snapshotKey,
} from "./engine-rig.ts";

const ME: Writer = { incarnation: "me", count: 1 };

function record(
  sequence: number,
  previous: Writer | null,
  writer: Writer = { incarnation: "me", count: sequence },
  pad = "",
): JournalRecord<CounterEvent | TurnFailed> {
  return { v: 1, sequence, input: "i", events: [{ e: "added", by: 1, pad }], effects: [], writer, previous, atMs: 5 };
}

/** A journal of so many records by one writer. */
async function filled(count: number, pad = ""): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (let sequence = 1; sequence <= count; sequence += 1) {
    await store.insert(
      recordKey(sequence),
      JSON.stringify(record(sequence, sequence === 1 ? null : { incarnation: "me", count: sequence - 1 }, undefined, pad)),
    );
  }
  return store;
}

describe("law: one turn = one record = one atomic write; the sequence is the fence", () => {
  test("the record is stored under system, type, id and sequence, and has the specified content", async () => {
    const store = new MemoryStore();
    await journalOver(store).commit("a", record(1, null));
    expect(store.keys()).toEqual(["sys/sys.Counter/a/1"]);
    expect(await contentOf(store, recordKey(1))).toEqual({
      v: 1,
      sequence: 1,
      input: "i",
      events: [{ e: "added", by: 1, pad: "" }],
      effects: [],
      writer: ME,
      previous: null,
      atMs: 5,
    });
  });

  test("of two writers of one sequence one commits, and the other learns that it lost", async () => {
    const store = new MemoryStore();
    expect(await journalOver(store).commit("a", record(1, null))).toMatchObject({ kind: "committed" });
    expect(await journalOver(store).commit("a", record(1, null, { incarnation: "other", count: 1 }))).toEqual({ kind: "lost" });
    expect(await contentOf(store, recordKey(1))).toMatchObject({ writer: ME });
  });
});

describe("law: after a refused or unanswered write, read the key back", () => {
  test("ours: committed", async () => {
    const store = new MemoryStore();
    store.loseNext("after");
    expect(await journalOver(store).commit("a", record(1, null))).toMatchObject({ kind: "committed" });
  });

  test("another's: lost", async () => {
    const store = new MemoryStore();
    await journalOver(store).commit("a", record(1, null));
    store.loseNext("after");
    expect(await journalOver(store).commit("a", record(1, null, { incarnation: "other", count: 1 }))).toEqual({ kind: "lost" });
  });

  test("absent: written again", async () => {
    const store = new MemoryStore();
    store.loseNext("before", "before");
    expect(await journalOver(store).commit("a", record(1, null))).toMatchObject({ kind: "committed" });
    expect(store.keys()).toEqual([recordKey(1)]);
  });

  test("no conclusive answer: no result but a coded fault, after a bounded number of attempts", async () => {
    const store = new GatedStore(new MemoryStore());
    store.inner.loseNext(...Array.from({ length: LIMITS.commitAttemptsMax }, () => "before" as const));
    await expect(journalOver(store).commit("a", record(1, null))).rejects.toMatchObject({ code: "journal.contended" });
    expect(store.inserts).toHaveLength(LIMITS.commitAttemptsMax);
  });

  test("a silent store is retried after growing pauses, then store.unavailable", async () => {
    const store = new MemoryStore();
    const clock = new HandClock();
    store.setAvailable(false);
    const committed = journalOver(store, clock)
      .commit("a", record(1, null))
      .catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await committed).toMatchObject({ code: "store.unavailable" });
    const again = journalOver(store, clock).commit("a", record(1, null));
    await clock.advance(LIMITS.commitRetryMs);
    store.setAvailable(true);
    await clock.advance(60_000);
    expect(await again).toMatchObject({ kind: "committed" });
  });

  test("a record of the same incarnation but another count is another's", async () => {
    const store = new MemoryStore();
    await journalOver(store).commit("a", record(1, null));
    expect(await journalOver(store).commit("a", record(1, null, { incarnation: "me", count: 2 }))).toEqual({ kind: "lost" });
  });
});

describe("law: a broken chain quarantines the actor with a code", () => {
  const loading = (store: MemoryStore): Promise<unknown> =>
    journalOver(store)
      .load("a")
      .catch((error: unknown) => error);

  test("a record that follows another writer's is detected", async () => {
    const store = await filled(3);
    store.corrupt(recordKey(2), JSON.stringify(record(2, ME, { incarnation: "stranger", count: 9 })));
    expect(await loading(store)).toMatchObject({ code: "journal.broken-chain", details: { key: recordKey(3) } });
  });

  test("a record under another's sequence is detected", async () => {
    const store = await filled(2);
    store.corrupt(recordKey(2), JSON.stringify(record(7, ME)));
    expect(await loading(store)).toMatchObject({ code: expect.stringMatching(/^journal\.(broken-chain|unreadable)$/) });
  });

  test("a record that does not match its schema is unreadable, with the key and the place", async () => {
    for (const content of [
      { v: 1, nonsense: true },
      { ...record(2, ME), extra: 1 },
      { ...record(2, ME), events: [{ e: "unknown" }] },
      { ...record(2, ME), events: [{ e: "added", by: "1", pad: "" }] },
      "text",
      null,
    ]) {
      const store = await filled(3);
      store.corrupt(recordKey(2), JSON.stringify(content));
      expect(await loading(store)).toMatchObject({ code: "journal.unreadable", details: { key: recordKey(2) } });
    }
  });

  test("a record of a newer version is retryable, never a dead letter", async () => {
    const store = await filled(2);
    store.corrupt(recordKey(2), JSON.stringify({ ...record(2, ME), v: 2, whatIsNew: true }));
    expect(await loading(store)).toMatchObject({ code: "journal.newer", details: { version: 2 } });
  });

  test("a snapshot of a newer version, or one that does not match, is reported", async () => {
    const store = await filled(2);
    store.corrupt(snapshotKey(1), JSON.stringify({ v: 2 }));
    expect(await loading(store)).toMatchObject({ code: "journal.newer" });
    store.corrupt(snapshotKey(1), JSON.stringify({ v: 1, number: 1, sequence: 1, writer: ME, state: { count: 1 } }));
    expect(await loading(store)).toMatchObject({ code: "journal.unreadable", details: { key: snapshotKey(1) } });
  });

  test("a snapshot that belongs to another history is detected by the chain", async () => {
    const store = await filled(3);
    store.corrupt(
      snapshotKey(1),
      JSON.stringify({
        v: 1,
        number: 1,
        sequence: 2,
        writer: { incarnation: "stranger", count: 1 },
        atMs: 5,
        state: { id: "a", count: 2, ballast: "" },
      }),
    );
    expect(await loading(store)).toMatchObject({ code: "journal.broken-chain" });
  });
});

describe("loading", () => {
  test.each([
    0,
    1,
    LIMITS.loadFirstRecords - 1,
    LIMITS.loadFirstRecords,
    LIMITS.loadFirstRecords + 1,
    LIMITS.loadBatchRecords,
    LIMITS.loadFirstRecords + LIMITS.loadBatchRecords,
    LIMITS.loadFirstRecords + LIMITS.loadBatchRecords + 1,
    3 * LIMITS.loadBatchRecords,
  ])("a journal of %i records", async (count) => {
    const loaded = await journalOver(await filled(count)).load("a");
    expect(loaded).toMatchObject({ sequence: count, state: { count }, writer: count === 0 ? null : { incarnation: "me", count } });
  });

  test("an actor without a journal is recognized with one key", async () => {
    const store = new GatedStore(new MemoryStore());
    await journalOver(store).load("a");
    expect(store.reads).toEqual([[recordKey(1)]]);
  });

  test.each([1, 2, 3, 4, 7, 100])(
    "begins at the last of %i snapshots, and reads no record before it once it knows that there is one",
    async (snapshots) => {
      const inner = await filled(snapshots + 2);
      for (let number = 1; number <= snapshots; number += 1) {
        const state: CounterState = { id: "a", count: number, ballast: "" };
        await inner.insert(
          snapshotKey(number),
          JSON.stringify({ v: 1, number, sequence: number, writer: { incarnation: "me", count: number }, atMs: 5, state }),
        );
      }
      const store = new GatedStore(inner);
      expect(await journalOver(store).load("a")).toMatchObject({
        sequence: snapshots + 2,
        snapshotNumber: snapshots,
        state: { count: snapshots + 2 },
      });
      // The first two reads show that the journal exists, and that it is not a short one without a snapshot.
      const records = store.reads
        .slice(2)
        .flat()
        .filter((key) => !key.includes("snapshot") && key !== recordKey(1));
      expect(records.every((key) => Number(key.split("/").at(-1)) > snapshots)).toBe(true);
      expect(store.reads.length).toBeLessThanOrEqual(4 + Math.ceil(Math.log2(snapshots + 1)) + 1);
    },
  );
});

describe("law: snapshots have insert-only keys, never go backwards, and are taken when the bytes since the last reach their size", () => {
  const BIG = "x".repeat(LIMITS.snapshotBytesMin / 8);

  async function run(
    journal: ReturnType<typeof journalOver>,
    loaded: Loaded<CounterState>,
    turns: number,
    incarnation: string,
  ): Promise<Loaded<CounterState> | "lost"> {
    let now = loaded;
    for (let turn = 0; turn < turns; turn += 1) {
      const next = record(now.sequence + 1, now.writer, { incarnation, count: now.sequence + 1 }, BIG);
      const outcome = await journal.commit("a", next);
      if (outcome.kind === "lost") return "lost";
      now = await journal.snapshotIfDue("a", journal.advance(now, next, outcome.bytes));
    }
    return now;
  }

  test("none before enough bytes of records; then one, numbered without gaps", async () => {
    const store = new MemoryStore();
    const journal = journalOver(store);
    const seven = await run(journal, journal.empty("a"), 7, "me");
    expect(store.keys("sys/sys.Counter/a/snapshot")).toEqual([]);
    if (seven === "lost") throw new Error("no other writer");
    const after = await run(journal, seven, 17, "me");
    expect(store.keys("sys/sys.Counter/a/snapshot")).toEqual([snapshotKey(1), snapshotKey(2), snapshotKey(3)]);
    expect(after).toMatchObject({ snapshotNumber: 3, sequence: 24 });
    expect(await journal.load("a")).toMatchObject({ sequence: 24, snapshotNumber: 3, state: { count: 24 } });
  });

  test("a large state is written again only after as many times its size in records", async () => {
    const store = new MemoryStore();
    const journal = journalOver(store);
    const ballast: JournalRecord<CounterEvent> = {
      ...record(1, null),
      events: [{ e: "ballast", text: "y".repeat(LIMITS.snapshotBytesMin) }],
    };
    const { bytes } = (await journal.commit("a", ballast)) as { readonly bytes: number };
    let loaded = await journal.snapshotIfDue("a", journal.advance(journal.empty("a"), ballast, bytes));
    expect(store.keys("sys/sys.Counter/a/snapshot")).toEqual([]);
    const needed = LIMITS.snapshotRecordsToStateRatio * LIMITS.snapshotBytesMin;
    for (let turn = 0; store.keys("sys/sys.Counter/a/snapshot").length === 0; turn += 1) {
      expect(turn).toBeLessThan(1_000);
      const next = await run(journal, loaded, 1, "me");
      if (next === "lost") throw new Error("no other writer");
      loaded = next;
    }
    expect(store.bytes("sys/sys.Counter/a/") - store.bytes("sys/sys.Counter/a/snapshot")).toBeGreaterThanOrEqual(needed);
  });

  test("with two writers a later number never has an earlier sequence, and a late writer learns the number", async () => {
    const store = new MemoryStore();
    const [one, two] = [journalOver(store), journalOver(store)];
    const early = await run(one, one.empty("a"), 7, "one");
    if (early === "lost") throw new Error("no other writer");
    // The eighth record of the first writer is committed; before its snapshot the second goes on.
    const eighth = record(8, early.writer, { incarnation: "one", count: 8 }, BIG);
    const { bytes } = (await one.commit("a", eighth)) as { readonly bytes: number };
    const second = await run(two, await two.load("a"), 3, "two");
    expect(second).toMatchObject({ snapshotNumber: 1 });
    const late = await one.snapshotIfDue("a", one.advance(early, eighth, bytes));
    expect(late).toMatchObject({ sequence: 8, snapshotNumber: 1, bytesSince: 0 });
    expect(await run(one, late, 1, "one")).toBe("lost");
    expect(await contentOf(store, snapshotKey(1))).toMatchObject({ sequence: 9 });
    expect(store.keys("sys/sys.Counter/a/snapshot")).toEqual([snapshotKey(1)]);
  });

  test("an unanswered snapshot is tried again with the next record", async () => {
    const store = new MemoryStore();
    const journal = journalOver(store);
    const seven = await run(journal, journal.empty("a"), 7, "me");
    if (seven === "lost") throw new Error("no other writer");
    const next = record(8, seven.writer, undefined, BIG);
    const { bytes } = (await journal.commit("a", next)) as { readonly bytes: number };
    store.loseNext("before");
    const eight = await journal.snapshotIfDue("a", journal.advance(seven, next, bytes));
    expect(eight.snapshotNumber).toBe(0);
    expect(await run(journal, eight, 1, "me")).toMatchObject({ snapshotNumber: 1 });
  });
});
