/** @module The contract of a state store, on every store: the guarantees that the journal depends on. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import type { Leases } from "../../actors/engine/ports.ts";
import { StoreLeases } from "../../actors/engine/store-leases.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { KINDS, missing, start, type Kind, type Rig } from "./store-rigs.ts";

const START_MS = 90_000;
const TEST_MS = 90_000;
const RACERS = 32;
const KEYS = 64;
/** Characters around the text of a large record. */
const ENVELOPE_CHARS = 16;

let serial = 0;
function fresh(name: string): string {
  serial += 1;
  return `sys/sys.Some:Actor/${name}-${serial}`;
}

for (const kind of KINDS) {
  const reason = missing(kind);
  if (reason !== undefined && process.env["CI"] === undefined) {
    process.stdout.write(`skip: state store on ${kind}: ${reason}\n`);
    continue;
  }
  describe(`state store on ${kind}`, () => contract(kind, reason));
}

function contract(kind: Kind, reason: string | undefined): void {
  let rig: Rig;
  beforeAll(async () => {
    if (reason !== undefined) throw new Error(`CI must test every store: ${reason}`);
    rig = await start(kind);
  }, START_MS);
  afterAll(async () => rig?.stop(), START_MS);
  const one = async (key: string): Promise<Json | undefined> => (await rig.store.read([key])).get(key);

  writes(() => rig, one);
  contents(() => rig, one);
  purging(() => rig, one);
  removing(() => rig);
  leases(() => rig);
  // These two disrupt the store, so they come last.
  if (!kind.startsWith("sqlite")) outage(() => rig, one);
  if (kind !== "memory") restart(() => rig, one);
}

function restart(rig: () => Rig, one: One): void {
  test(
    "a restart of everything keeps what was written",
    async () => {
      const keys = Array.from({ length: 8 }, (_, index) => `${fresh("kept")}/${index + 1}`);
      for (const key of keys) expect(await rig().store.insert(key, JSON.stringify({ key }))).toBe("inserted");
      await rig().restart?.();
      const found = await eventually(() => rig().store.read(keys));
      expect([...found.keys()].sort()).toEqual([...keys].sort());
      expect(await eventually(async () => settled(await rig().store.insert(keys[0] ?? "", "1")))).toBe("refused");
      expect(await one(keys[0] ?? "")).toEqual({ key: keys[0] });
    },
    TEST_MS,
  );
}

function leases(rig: () => Rig): void {
  const made = (): Leases => new StoreLeases(rig().store, fresh("leases").replaceAll("/", "-"));

  test("a lease shows its last count, and a host that leaves has neither a lease nor a place in the list", async () => {
    const hosts = made();
    for (const count of [1, 2, 3]) await hosts.renew("one~a:1", count);
    await hosts.renew("two", 1);
    await hosts.change(["one~a:1"], []);
    await hosts.change(["two"], []);
    await hosts.change(["two"], []);
    expect(await hosts.members()).toEqual(["one~a:1", "two"]);
    expect([...(await hosts.read(["one~a:1", "two", "three"]))]).toEqual([
      ["one~a:1", 3],
      ["two", 1],
    ]);
    await hosts.change([], ["one~a:1", "three"]);
    expect([await hosts.members(), (await hosts.read(["one~a:1"])).size]).toEqual([["two"], 0]);
    await hosts.renew("one~a:1", 4);
    expect((await hosts.read(["one~a:1"])).get("one~a:1")).toBe(4);
  });

  test("hosts that join at the same time are all in the list", async () => {
    const hosts = made();
    const names = Array.from({ length: 6 }, (_, index) => `host-${index}`);
    await Promise.all(names.map((name) => hosts.change([name], [])));
    expect([...(await hosts.members())].sort()).toEqual(names);
  });
}

type One = (key: string) => Promise<Json | undefined>;

function writes(rig: () => Rig, one: One): void {
  test("a key is written once; a second write is refused and changes nothing", async () => {
    const key = `${fresh("once")}/1`;
    expect(await one(key)).toBeUndefined();
    expect(await rig().store.insert(key, '{"first":true}')).toBe("inserted");
    expect(await rig().store.insert(key, '{"first":false}')).toBe("refused");
    expect(await rig().store.insert(key, '{"first":true}')).toBe("refused");
    expect(await one(key)).toEqual({ first: true });
  });

  test("of concurrent inserts of one key exactly one wins, and its content stands", async () => {
    const key = `${fresh("race")}/1`;
    const results = await Promise.all(
      Array.from({ length: RACERS }, async (_, racer) => rig().store.insert(key, JSON.stringify({ racer }))),
    );
    const winners = results.flatMap((result, racer) => (result === "inserted" ? [racer] : []));
    expect(winners).toHaveLength(1);
    expect(results.filter((result) => result === "refused")).toHaveLength(RACERS - 1);
    expect(await one(key)).toEqual({ racer: winners[0] });
  });

  test("a refused insert does not affect the others of its group", async () => {
    const actors = Array.from({ length: RACERS }, () => fresh("beside"));
    const taken = actors.filter((_, index) => index % 4 === 0);
    for (const actor of taken) expect(await rig().store.insert(`${actor}/1`, '"taken"')).toBe("inserted");
    const results = await Promise.all(actors.map(async (actor) => rig().store.insert(`${actor}/1`, '"new"')));
    expect(results).toEqual(actors.map((actor) => (taken.includes(actor) ? "refused" : "inserted")));
    const found = await rig().store.read(actors.map((actor) => `${actor}/1`));
    expect(actors.map((actor) => found.get(`${actor}/1`))).toEqual(actors.map((actor) => (taken.includes(actor) ? "taken" : "new")));
  });

  test("a write whose answer is lost is unknown, and reading back shows its result", async () => {
    const { losing, store } = rig();
    const key = `${fresh("lost")}/1`;
    losing.loseNextAnswer();
    expect(await losing.store.insert(key, '"mine"')).toBe("unknown");
    expect((await store.read([key])).get(key)).toBe("mine");
    expect(await losing.store.insert(key, '"mine"')).toBe("refused");
  });
}

function purging(rig: () => Rig, one: One): void {
  const first = async (name: string): Promise<string> => {
    const key = `${fresh(name)}/1`;
    expect(await rig().store.insert(key, '{"version":1}')).toBe("inserted");
    return key;
  };
  const tagOf = async (key: string): Promise<string> => (await rig().store.tagged(key))?.tag ?? "absent";

  test("a replacement replaces the version that it names, and no other", async () => {
    const { store } = rig();
    const key = await first("replaced");
    const tag = await tagOf(key);
    expect(await store.tagged(key)).toEqual({ content: { version: 1 }, tag });
    expect(await store.replace(key, '{"version":2}', tag)).toBe(true);
    expect(await one(key)).toEqual({ version: 2 });
    expect(await store.replace(key, '{"version":3}', tag)).toBe(false);
    expect(await store.replace(key, undefined, tag)).toBe(false);
    expect(await one(key)).toEqual({ version: 2 });
    expect(await tagOf(key)).not.toBe(tag);
    // A replaced key is still insert-only for all other writers.
    expect(await store.insert(key, '{"version":4}')).toBe("refused");
    expect(await store.replace(key, undefined, await tagOf(key))).toBe(true);
    expect(await store.tagged(key)).toBeUndefined();
  });

  test("of two replacements of one version one wins", async () => {
    const { store } = rig();
    const key = await first("race");
    const tag = await tagOf(key);
    const won = await Promise.all(Array.from({ length: RACERS }, async (_, racer) => store.replace(key, JSON.stringify({ racer }), tag)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await one(key)).toEqual({ racer: won.indexOf(true) });
  });

  test("a key that was removed and written again is not removed under its old version", async () => {
    const { store } = rig();
    const key = await first("again");
    expect(await store.replace(key, '"tombstone"', await tagOf(key))).toBe(true);
    const old = await tagOf(key);
    expect(await store.replace(key, undefined, old)).toBe(true);
    expect(await store.insert(key, '"anew"')).toBe("inserted");
    expect(await store.replace(key, undefined, old)).toBe(false);
    expect(await one(key)).toBe("anew");
  });

  test("a replacement or removal whose answer is lost reports failure, and reading back shows its result", async () => {
    const { losing } = rig();
    const key = await first("lost");
    const tag = await tagOf(key);
    losing.loseNextAnswer();
    expect(await losing.store.replace(key, '"tombstone"', tag)).toBe(false);
    expect(await one(key)).toBe("tombstone");
    expect(await losing.store.replace(key, '"tombstone"', tag)).toBe(false);
    losing.loseNextAnswer();
    await losing.store.remove([key]).catch((error: unknown) => expect(error).toMatchObject({ code: "store.unavailable" }));
    expect(await one(key)).toBeUndefined();
  });
}

function removing(rig: () => Rig): void {
  test("removes all existing keys; an absent key is not an error", async () => {
    const { store } = rig();
    const base = fresh("removed");
    const keys = Array.from({ length: 2 * KEYS + 1 }, (_, index) => `${base}/${index + 1}`);
    await Promise.all(keys.map(async (key) => store.insert(key, "1")));
    await store.remove([...keys.slice(1), `${base}/absent`, `${base}:ä b?c#d/%2F`]);
    expect([...(await store.read(keys)).keys()]).toEqual([keys[0]]);
    await store.remove([]);
    await store.remove(keys);
    expect((await store.read(keys)).size).toBe(0);
    expect(await store.insert(keys[1] ?? "", '"anew"')).toBe("inserted");
  });
}

function contents(rig: () => Rig, one: One): void {
  test("keys with slashes, colons and other special characters stay distinct", async () => {
    const base = fresh("keys");
    const keys = ["", "/a", "/a/b", ":a", "/a:b", "/a%2Fb", "/ä b", "/a?b#c", "/a+b&c=d", "/😀"].map((end) => `${base}${end}`);
    for (const [index, key] of keys.entries()) expect(await rig().store.insert(key, String(index))).toBe("inserted");
    for (const [index, key] of keys.entries()) expect(await one(key)).toBe(index);
    const found = await rig().store.read(keys);
    expect(keys.map((key) => found.get(key))).toEqual(keys.map((_, index) => index));
  });

  test("values come back unchanged", async () => {
    const values: readonly Json[] = [
      null,
      false,
      0,
      "",
      [],
      {},
      "é€😀\u2028\u0000",
      "half \ud800 a pair",
      "base64:",
      { z: 1, a: 2 },
      [0.123456789, Math.PI, 1.2345e-7, -123456.7891011],
      '<a href="x">&amp;</a>',
      [1e21, 0.1, 5e-324, 1.7976931348623157e308, Number.MAX_SAFE_INTEGER],
      JSON.parse('{"__proto__":{"a":1},"constructor":2}') as Json,
    ];
    const base = fresh("values");
    const keys = values.map((_, index) => `${base}/${index + 1}`);
    for (const [index, key] of keys.entries()) expect(await rig().store.insert(key, JSON.stringify(values[index]))).toBe("inserted");
    const found = await rig().store.read(keys);
    // Compared as texts: comparing objects would miss a lost key named __proto__.
    for (const [index, key] of keys.entries()) {
      expect(JSON.stringify(found.get(key))).toBe(JSON.stringify(values[index]));
      expect(JSON.stringify(await one(key))).toBe(JSON.stringify(values[index]));
    }
  });

  test("a record of the maximum size comes back complete, also when every character is escaped on the way", async () => {
    for (const letter of ["x", "<", "é", '"', "\\", "\u0001"]) {
      const key = `${fresh("large")}/1`;
      const text = JSON.stringify({
        text: letter.repeat(Math.floor(LIMITS.recordBytesMax / (Buffer.byteLength(JSON.stringify(letter)) - 2)) - ENVELOPE_CHARS),
      });
      expect(await rig().store.insert(key, text)).toBe("inserted");
      expect(JSON.stringify(await one(key)) === text).toBe(true);
      expect(JSON.stringify((await rig().store.read([key, `${key}x`])).get(key)) === text).toBe(true);
    }
  });

  test("reads 64 keys at once and omits absent ones", async () => {
    const base = fresh("many");
    const keys = Array.from({ length: KEYS }, (_, index) => `${base}/${index + 1}`);
    await Promise.all(keys.filter((_, index) => index % 2 === 0).map(async (key) => rig().store.insert(key, JSON.stringify({ key }))));
    const found = await rig().store.read(keys);
    expect([...found.keys()].sort()).toEqual(keys.filter((_, index) => index % 2 === 0).sort());
    for (const [key, value] of found) expect(value).toEqual({ key });
    expect((await rig().store.read([])).size).toBe(0);
  });
}

/** SQLite is part of daprd: there is no separate process to kill. */
function outage(rig: () => Rig, one: One): void {
  test(
    "a killed store is unavailable, not empty",
    async () => {
      const key = `${fresh("outage")}/1`;
      expect(await rig().store.insert(key, '"before"')).toBe("inserted");
      await rig().backend?.kill();
      await expect(rig().store.read([key])).rejects.toMatchObject({ code: "store.unavailable" });
      await expect(rig().store.read([key, `${key}1`])).rejects.toMatchObject({ code: "store.unavailable" });
      expect(await rig().store.insert(key, '"during"')).toBe("unknown");
      expect(await rig().store.replace(key, '"during"', "1")).toBe(false);
      await expect(rig().store.tagged(key)).rejects.toMatchObject({ code: "store.unavailable" });
      await expect(rig().store.remove([key])).rejects.toMatchObject({ code: "store.unavailable" });
      expect(await rig().store.insert(`${fresh("outage")}/1`, '"during"')).toBe("unknown");
      const together = await Promise.all(Array.from({ length: 4 }, async () => rig().store.insert(`${fresh("outage")}/1`, '"during"')));
      expect(new Set(together)).toEqual(new Set(["unknown"]));
      await rig().backend?.revive();
      expect(await eventually(() => one(key))).toBe("before");
      expect(await eventually(async () => settled(await rig().store.insert(key, '"after"')))).toBe("refused");
    },
    TEST_MS,
  );
}

function settled<T>(result: T): T {
  if (result === "unknown") throw new Error("still unknown");
  return result;
}

/** Retries an action while a store restarts. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const PAUSE_MS = 100;
  const ATTEMPTS_MAX = 100;
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (count >= ATTEMPTS_MAX) throw error;
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
}
