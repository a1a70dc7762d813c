/** @module The index client, alone over ports that the test controls. */
import { describe, expect, test } from "vitest";
import { IndexClient } from "../../actors/host/index-client.ts";
import type { Reminders, Transport } from "../../actors/engine/ports.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { Fault, type Json, wireFault } from "../../runtime/faults.ts";
import { bucketOf, entryIn, hostsOf, indexMachine, type IndexState } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { countedRandom, flush, HandClock } from "./engine-rig.ts";
import { gate } from "./world-rig.ts";

/** Index actors without a journal, and what was sent to them. */
class Indexes {
  readonly states = new Map<string, IndexState>();
  readonly sent: [string, number][] = [];
  silent = false;
  hold: Promise<void> | undefined;

  readonly deliver = async (message: Message): Promise<Awaited<ReturnType<Transport["deliver"]>>> => {
    const { id } = message.to;
    this.sent.push([id, message.body.kind === "entries" ? message.body.entries.length : 0]);
    await this.hold;
    if (this.silent) throw new Fault("sidecar.unavailable", "silent");
    const state = this.states.get(id) ?? indexMachine.initial(id);
    const context = {
      system: "sys",
      actorId: id,
      nowMs: 0,
      incarnation: "",
      sequence: 1,
      jitter01: 0,
      token: "",
      values: new Map<string, Json>(),
    };
    const decision = indexMachine.decide(state, { kind: "message", message }, context);
    if (decision.verdict.kind === "refused") return { refused: decision.verdict.fault };
    this.states.set(
      id,
      decision.events.reduce((now, event) => indexMachine.evolve(now, event), state),
    );
    return { receipt: { messageId: message.id, sequence: 1 } };
  };
}

describe("the index client", () => {
  const entry = (id: string): IndexEntry => ({ id, open: true, atMs: 1, facts: {} });

  function client(deliver?: Transport["deliver"]): { readonly indexes: Indexes; readonly clock: HandClock; readonly client: IndexClient } {
    const indexes = new Indexes();
    const clock = new HandClock();
    const unused = (): never => {
      throw new Error("not used");
    };
    const inspect = async (actor: { readonly id: string }): Promise<Json> =>
      JSON.parse(JSON.stringify(indexes.states.get(actor.id) ?? indexMachine.initial(actor.id))) as Json;
    const transport: Transport = {
      deliver: deliver ?? indexes.deliver,
      inspect,
      publish: unused,
      heartbeat: unused,
      nudge: unused,
      notification: unused,
    };
    const reminders: Reminders = { set: unused, remove: unused };
    return {
      indexes,
      clock,
      client: new IndexClient({ store: new MemoryStore(), reminders, transport, clock, random: countedRandom("c") }, "sys", "Directory"),
    };
  }

  test("entries that may wait are not written with the end of each write, but with others, or when their time is over", async () => {
    const { indexes, clock, client: index } = client();
    let release = (): void => {};
    indexes.hold = new Promise((resolve) => (release = resolve));
    const urgent = index.enter("b", entry("p"));
    const patient = [index.enter("b", entry("q"), 100), index.enter("b", entry("r"), 100)];
    indexes.hold = undefined;
    release();
    await urgent;
    await flush();
    expect(indexes.sent).toEqual([["b", 1]]);
    await clock.advance(100);
    await Promise.all(patient);
    expect(indexes.sent).toEqual([
      ["b", 1],
      ["b", 2],
    ]);
    const waits = index.enter("b", entry("s"), 100);
    await index.enter("b", entry("t"));
    await waits;
    expect(indexes.sent.at(-1)).toEqual(["b", 2]);
  });

  test("one that may wait less takes along those that may wait longer", async () => {
    const { indexes, clock, client: index } = client();
    const entered = [index.enter("b", entry("p"), 100), index.enter("b", entry("q"), 25), index.enter("b", entry("r"), 100)];
    await clock.advance(25);
    expect(indexes.sent).toEqual([["b", 3]]);
    await Promise.all(entered);
  });

  test("an entry is in when the index gave its receipt, in a bucket that the root names", async () => {
    const { indexes, clock, client: index } = client();
    const bucket = await index.open(entry("p"));
    expect(bucket).toBe(bucketOf(clock.nowMs(), 0));
    expect(await index.buckets()).toEqual([bucket]);
    expect(await index.read(bucket)).toEqual([entry("p")]);
    await index.open(entry("q"));
    expect(indexes.sent.filter(([id]) => id === "root")).toHaveLength(1);
  });

  test("entries that wait while a write is in flight go together in the next, up to a maximum", async () => {
    const { indexes, client: index } = client();
    let go = (): void => {};
    indexes.hold = new Promise((resolve) => (go = resolve));
    const opened = Array.from({ length: 300 }, (_, number) => index.open(entry(`p${number}`)));
    await flush(2);
    indexes.hold = undefined;
    go();
    await Promise.all(opened);
    expect(indexes.sent.filter(([id]) => id !== "root").map(([, count]) => count)).toEqual([
      1,
      LIMITS.indexBatchMax,
      300 - 1 - LIMITS.indexBatchMax,
    ]);
  });

  test("a full bucket is followed by the next of the same slice; a new slice begins its own", async () => {
    const { clock, client: index } = client();
    await Promise.all(Array.from({ length: LIMITS.indexBucketEntriesMax }, (_, number) => index.open(entry(`p${number}`))));
    const next = await index.open(entry("more"));
    expect(next).toBe(bucketOf(clock.nowMs(), 1));
    await clock.advance(LIMITS.indexBucketMs);
    expect(await index.open(entry("later"))).toBe(bucketOf(clock.nowMs(), 0));
    expect((await index.buckets()).length).toBe(3);
  });

  test("ids that objects inherit stand in a bucket as others, also of one batch, and after a snapshot", async () => {
    const ids = [...Object.getOwnPropertyNames(Object.prototype), "then", "plain"];
    const { indexes, client: index } = client();
    const buckets = await Promise.all(ids.map((id) => index.open(entry(id))));
    const bucket = buckets[0] ?? "";
    expect((await index.read(bucket)).map(({ id }) => id).sort()).toEqual(ids.toSorted());
    const state = indexMachine.states.parse(JSON.parse(JSON.stringify(indexes.states.get(bucket))));
    for (const id of ids) expect(entryIn(state, id)).toEqual(entry(id));
    expect(entryIn(indexMachine.initial(bucket), "constructor")).toBeUndefined();
    const emptied = indexMachine.evolve(state, { e: "removed", ids });
    expect(emptied.shards).toEqual({});
  });

  test("an entry that a bucket refuses does not affect its batch", async () => {
    const { indexes, client: whole } = client();
    const { deliver } = indexes;
    const bad: Transport["deliver"] = async (message) =>
      message.body.kind === "entries" && message.body.entries.some(({ id }) => id === "bad")
        ? { refused: wireFault("turn.failed", "bad") }
        : deliver(message);
    const index = client(bad).client;
    const entered = await Promise.allSettled(["a", "b", "bad", "c"].map((id) => index.open(entry(id))));
    expect(entered.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    const [bucket = ""] = await whole.buckets();
    expect((await whole.read(bucket)).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  test("a silent index fails the entry, and the bucket is registered anew with the next", async () => {
    const { indexes, client: index } = client();
    indexes.silent = true;
    await expect(index.open(entry("p"))).rejects.toMatchObject({ code: "sidecar.unavailable" });
    indexes.silent = false;
    const bucket = await index.open(entry("p"));
    expect(await index.buckets()).toEqual([bucket]);
  });

  test("the run decides which of two entries is older, never the time: hosts' clocks drift", async () => {
    const { client: index } = client();
    const of = (run: number, open: boolean, atMs: number): IndexEntry => ({ id: "p", open, atMs, facts: { run } });
    const bucket = await index.open(of(1, true, 9_000));
    await index.enter(bucket, of(1, false, 5));
    await index.enter(bucket, of(1, true, 9_001));
    expect((await index.read(bucket))[0]?.open).toBe(false);
    await index.enter(bucket, of(2, true, 1));
    await index.enter(bucket, of(1, false, 9_999));
    expect((await index.read(bucket))[0]).toEqual(of(2, true, 1));
  });

  test("an entry names each host that prepared its run, until one has taken the run over", async () => {
    const { client: index } = client();
    const of = (host: string, more: IndexEntry["facts"] = {}): IndexEntry => ({
      id: "p",
      open: true,
      atMs: 1,
      facts: { run: 1, host, ...more },
    });
    const bucket = await index.open(of("A"));
    const hosts = async (): Promise<readonly string[]> => (await index.read(bucket)).flatMap(hostsOf);
    await index.enter(bucket, of("B"));
    await index.enter(bucket, of("A"));
    expect(await hosts()).toEqual(["B", "A"]);
    await index.enter(bucket, of("C", { at: 7 }));
    expect(await hosts()).toEqual(["C"]);
    await index.enter(bucket, of("A"));
    expect(await hosts()).toEqual(["C"]);
  });

  test("so too within one batch: what was written late stands behind what is newer", async () => {
    const { indexes, client: index } = client();
    const of = (run: number, open: boolean): IndexEntry => ({ id: "p", open, atMs: 1, facts: { run } });
    const bucket = await index.open(of(1, true));
    const go = gate();
    indexes.hold = go.promise;
    // While this write is under way, the next ones wait and go together.
    const entered = [index.enter(bucket, entry("q")), index.enter(bucket, of(2, true)), index.enter(bucket, of(1, false))];
    go.open();
    await Promise.all(entered);
    expect(indexes.sent.at(-1)).toEqual([bucket, 2]);
    expect((await index.read(bucket)).find(({ id }) => id === "p")).toEqual(of(2, true));
  });

  test("a late open entry does not reopen a closed one, and closing twice writes once", async () => {
    const { indexes, client: index } = client();
    const bucket = await index.open(entry("p"));
    await index.enter(bucket, { ...entry("p"), open: false, atMs: 5 });
    await index.enter(bucket, entry("p"));
    expect((await index.read(bucket))[0]?.open).toBe(false);
    const before = indexes.states.get(bucket);
    await index.enter(bucket, { ...entry("p"), open: false, atMs: 5 });
    expect(indexes.states.get(bucket)).toEqual(before);
  });
});
