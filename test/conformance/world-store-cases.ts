/** @module Cases of the state store: one write per key, absent is not unavailable, and the results of disrupted writes. */
import type { InsertResult } from "../../actors/engine/ports.ts";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Case } from "./world-case.ts";
import { freshKey, outcome, type WorldRig } from "./world-rig.ts";

const RACERS = 32;
const KEYS = 64;
/** More than the number of requests in flight. */
const FILLERS = 8;
/** Time within which the slowest world has made a late write. */
const LATE_MS_MAX = 20_000;
const LOOK_MS = 100;
/** Characters around the text of a large record. */
const ENVELOPE_CHARS = 16;
const VALUES: readonly Json[] = [
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
  [0.123456789, 1.2345e-7, -123456.7891011, 1e21, 5e-324],
  '<a href="x">&amp;</a>',
];

/** The content of one key; `absent` without one. */
export async function read(rig: WorldRig, key: string): Promise<Json> {
  const found = await rig.store.read([key]);
  return found.has(key) ? (found.get(key) ?? null) : "absent";
}

/** Inserts many keys at once. */
export async function insertAll(rig: WorldRig, keys: readonly string[], text: (index: number) => string): Promise<readonly InsertResult[]> {
  return Promise.all(keys.map((key, index) => rig.store.insert(key, text(index))));
}

/** Waits until a key exists; returns whether it does. */
async function comesTrue(rig: WorldRig, key: string): Promise<boolean> {
  for (let ms = 0; ms < LATE_MS_MAX; ms += LOOK_MS) {
    if ((await read(rig, key)) !== "absent") return true;
    await rig.elapse(LOOK_MS);
  }
  return false;
}

const plain: readonly Case[] = [
  {
    name: "a key that was never written is absent",
    same: ["absent", 0],
    run: async (rig) => [await read(rig, freshKey(rig)), (await rig.store.read([freshKey(rig), freshKey(rig)])).size],
  },
  {
    name: "an inserted key is there for the very next read",
    same: [
      ["inserted", 1],
      ["inserted", 2],
      ["inserted", 3],
    ],
    run: async (rig) => {
      const seen: Json[] = [];
      for (let value = 1; value <= 3; value += 1) {
        const key = freshKey(rig);
        seen.push([await rig.store.insert(key, String(value)), await read(rig, key)]);
      }
      return seen;
    },
  },
  {
    name: "a second insert of a key is refused, and the first stays",
    same: ["inserted", "refused", "first"],
    run: async (rig) => {
      const key = freshKey(rig);
      return [await rig.store.insert(key, '"first"'), await rig.store.insert(key, '"second"'), await read(rig, key)];
    },
  },
  {
    name: "a second insert of the same text is refused too",
    alone: true,
    same: ["inserted", "refused"],
    run: async (rig) => {
      const key = freshKey(rig);
      return [await rig.store.insert(key, '"same"'), await rig.store.insert(key, '"same"')];
    },
  },
  {
    name: "of concurrent inserts of one key, one wins and its text stays",
    same: { won: 1, refused: RACERS - 1, stands: true },
    run: async (rig) => {
      const key = freshKey(rig);
      const results = await insertAll(
        rig,
        Array.from({ length: RACERS }, () => key),
        String,
      );
      const winner = results.indexOf("inserted");
      return {
        won: results.filter((result) => result === "inserted").length,
        refused: results.filter((result) => result === "refused").length,
        stands: (await read(rig, key)) === winner,
      };
    },
  },
  {
    name: "concurrent inserts of many keys are all made",
    same: { inserted: RACERS, found: RACERS },
    run: async (rig) => {
      const keys = Array.from({ length: RACERS }, () => freshKey(rig));
      const results = await insertAll(rig, keys, String);
      return { inserted: results.filter((result) => result === "inserted").length, found: (await rig.store.read(keys)).size };
    },
  },
  {
    name: "a refused insert does not affect its neighbours",
    same: { refused: 4, inserted: 12, kept: true },
    run: async (rig) => {
      const keys = Array.from({ length: 16 }, () => freshKey(rig));
      await insertAll(rig, keys.slice(0, 4), () => '"taken"');
      const results = await insertAll(rig, keys, () => '"new"');
      const found = await rig.store.read(keys);
      return {
        refused: results.filter((result) => result === "refused").length,
        inserted: results.filter((result) => result === "inserted").length,
        kept: keys.every((key, index) => found.get(key) === (index < 4 ? "taken" : "new")),
      };
    },
  },
  {
    name: "a second insert of the same text, with another that is refused, is refused or is ours",
    alone: true,
    differs: { row: "The same text twice", simulated: "refused", embedded: "refused", redis: "inserted" },
    run: async (rig) => {
      const [key, taken] = [freshKey(rig), freshKey(rig)];
      await insertAll(rig, [key, taken], () => '"ours"');
      // The first ones keep the sidecar busy, so that the last two go into one request if requests are grouped.
      const before = Array.from({ length: FILLERS }, () => freshKey(rig));
      const results = await insertAll(rig, [...before, key, taken], (index) => (index > FILLERS ? '"theirs"' : '"ours"'));
      return results[FILLERS] ?? null;
    },
  },
  {
    name: "reads many keys at once and omits absent ones",
    same: { found: KEYS / 2, right: true, none: 0 },
    run: async (rig) => {
      const keys = Array.from({ length: KEYS }, () => freshKey(rig));
      const there = keys.filter((_, index) => index % 2 === 0);
      await insertAll(rig, there, String);
      const found = await rig.store.read(keys);
      return { found: found.size, right: there.every((key, index) => found.get(key) === index), none: (await rig.store.read([])).size };
    },
  },
  {
    name: "a key that is requested twice in one read is one key",
    same: 1,
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, "1");
      return (await rig.store.read([key, key])).size;
    },
  },
];

const contents: readonly Case[] = [
  {
    name: "keys with odd characters stay distinct",
    same: true,
    run: async (rig) => {
      const base = freshKey(rig);
      const keys = ["", "/a", "/a/b", ":a", "/a:b", "/a%2Fb", "/ä b", "/a?b#c", "/a+b&c=d", "/😀"].map((end) => `${base}${end}`);
      await insertAll(rig, keys, String);
      const found = await rig.store.read(keys);
      for (const [index, key] of keys.entries())
        if (found.get(key) !== index || (await read(rig, key)) !== index) return key.slice(base.length);
      return true;
    },
  },
  {
    name: "values come back unchanged, one by one and in bulk",
    same: [],
    run: async (rig) => {
      const keys = VALUES.map(() => freshKey(rig));
      await insertAll(rig, keys, (index) => JSON.stringify(VALUES[index]));
      const found = await rig.store.read(keys);
      const wrong: Json[] = [];
      for (const [index, key] of keys.entries()) {
        const wanted = JSON.stringify(VALUES[index]);
        if (JSON.stringify(found.get(key)) !== wanted || JSON.stringify(await read(rig, key)) !== wanted) wrong.push(wanted);
      }
      return wrong;
    },
  },
  {
    name: "null is a content, not absence",
    same: [true, null],
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, "null");
      const found = await rig.store.read([key, freshKey(rig)]);
      return [found.has(key), found.get(key) ?? null];
    },
  },
  {
    name: "a record of the maximum size comes back complete",
    same: true,
    run: async (rig) => {
      const key = freshKey(rig);
      const text = JSON.stringify({ text: "\\".repeat(LIMITS.recordBytesMax / 2 - ENVELOPE_CHARS) });
      return (await rig.store.insert(key, text)) === "inserted" && JSON.stringify(await read(rig, key)) === text;
    },
  },
];

const troubles: readonly Case[] = [
  {
    name: "a write whose answer is lost is unknown, and was made",
    alone: true,
    same: ["unknown", "mine", "refused"],
    run: async (rig) => {
      const key = freshKey(rig);
      return [await rig.insert("unanswered", key, '"mine"'), await read(rig, key), await rig.store.insert(key, '"mine"')];
    },
  },
  {
    name: "a write that is lost is unknown, and was not made",
    alone: true,
    same: ["unknown", "absent", "inserted"],
    run: async (rig) => {
      const key = freshKey(rig);
      return [await rig.insert("lost", key, '"mine"'), await read(rig, key), await rig.store.insert(key, '"mine"')];
    },
  },
  {
    name: "a refused write whose answer is lost is unknown, and the first stays",
    alone: true,
    same: ["unknown", "first"],
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"first"');
      return [await rig.insert("unanswered", key, '"second"'), await read(rig, key)];
    },
  },
  {
    name: "a write may be made long after its caller timed out",
    alone: true,
    same: ["unknown", "absent", true],
    run: async (rig) => {
      const key = freshKey(rig);
      return [await rig.insert("late", key, '"late"'), await read(rig, key), await comesTrue(rig, key)];
    },
  },
  {
    name: "a late write loses against a write made in the meantime",
    alone: true,
    same: ["unknown", "inserted", "meanwhile"],
    run: async (rig) => {
      const [key, late] = [freshKey(rig), freshKey(rig)];
      const first = await rig.insert("late", key, '"late"');
      const second = await rig.store.insert(key, '"meanwhile"');
      // Another late write, so that the first one has surely arrived.
      await rig.insert("late", late, "1");
      await comesTrue(rig, late);
      return [first, second, await read(rig, key)];
    },
  },
];

const outages: readonly Case[] = [
  {
    name: "a frozen store is unavailable, not empty, and accepts nothing",
    alone: true,
    not: ["embedded"],
    same: ["thrown: store.unavailable", "thrown: store.unavailable", "unknown", "unknown", "before", "absent"],
    run: async (rig) => {
      const [key, other] = [freshKey(rig), freshKey(rig)];
      await rig.store.insert(key, '"before"');
      await rig.backend?.kill();
      const [one, several, again, fresh] = await Promise.all([
        outcome(read(rig, key)),
        outcome(rig.store.read([key, other]).then(({ size }) => size)),
        rig.store.insert(key, '"during"'),
        rig.store.insert(other, '"during"'),
      ]);
      await rig.backend?.start();
      return [one, several, again, fresh, await read(rig, key), await read(rig, other)];
    },
  },
  {
    name: "with the sidecar killed the store does not answer, and keeps what was written",
    alone: true,
    same: ["thrown: store.unavailable", "unknown", "before", "refused", "inserted"],
    run: async (rig) => {
      const [key, other] = [freshKey(rig), freshKey(rig)];
      await rig.store.insert(key, '"before"');
      await rig.sidecar.kill();
      const during = [await outcome(read(rig, key)), await rig.store.insert(other, "1")];
      await rig.sidecar.start();
      return [...during, await read(rig, key), await rig.store.insert(key, '"after"'), await rig.store.insert(other, "1")];
    },
  },
  {
    name: "what a killed app wrote is kept",
    alone: true,
    same: ["before", "refused"],
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"before"');
      await rig.app.kill();
      await rig.app.start();
      return [await read(rig, key), await rig.store.insert(key, '"after"')];
    },
  },
];

/** The cases of the state store. */
export const STORE_CASES: readonly Case[] = [...plain, ...contents, ...troubles, ...outages];
