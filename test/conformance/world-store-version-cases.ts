/** @module Cases of the state store: versions, and what replaces and removes them. */
import type { Case } from "./world-case.ts";
import { freshKey, outcome, type WorldRig } from "./world-rig.ts";
import { insertAll, read } from "./world-store-cases.ts";

/** Replacements of one version at the same time. */
const REPLACERS = 8;

async function tagOf(rig: WorldRig, key: string): Promise<string> {
  return (await rig.store.tagged(key))?.tag ?? "no tag";
}

/** The cases of versions in the state store. */
export const STORE_VERSION_CASES: readonly Case[] = [
  {
    name: "a key that was never written has no version",
    same: true,
    run: async (rig) => (await rig.store.tagged(freshKey(rig))) === undefined,
  },
  {
    name: "a version is replaced by its tag once; then the old tag is invalid",
    same: [true, "second", false, "second"],
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"first"');
      const tag = await tagOf(rig, key);
      return [
        await rig.store.replace(key, '"second"', tag),
        await read(rig, key),
        await rig.store.replace(key, '"third"', tag),
        await read(rig, key),
      ];
    },
  },
  {
    name: "each replacement has its own tag, for texts and for objects",
    same: [true, true, true, true],
    run: async (rig) => {
      const [text, object] = [freshKey(rig), freshKey(rig)];
      await insertAll(rig, [text, object], () => '"first"');
      const done: boolean[] = [];
      for (const [key, next] of [
        [text, '"second"'],
        [text, '"third"'],
        [object, '{"n":2}'],
        [object, '{"n":3}'],
      ] as const)
        done.push(await rig.store.replace(key, next, await tagOf(rig, key)));
      return done;
    },
  },
  {
    name: "of concurrent replacements of one version, one is made",
    same: 1,
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"first"');
      const tag = await tagOf(rig, key);
      const results = await Promise.all(Array.from({ length: REPLACERS }, (_, index) => rig.store.replace(key, String(index), tag)));
      return results.filter(Boolean).length;
    },
  },
  {
    name: "a replaced key still refuses an insert",
    same: "refused",
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"first"');
      await rig.store.replace(key, '"second"', await tagOf(rig, key));
      return rig.store.insert(key, '"third"');
    },
  },
  {
    name: "a version is removed by its tag, and not by an old one",
    same: [false, true, "absent", "inserted"],
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"first"');
      const old = await tagOf(rig, key);
      await rig.store.replace(key, '"second"', old);
      return [
        await rig.store.replace(key, undefined, old),
        await rig.store.replace(key, undefined, await tagOf(rig, key)),
        await read(rig, key),
        await rig.store.insert(key, '"again"'),
      ];
    },
  },
  {
    name: "removed keys are absent, including those that did not exist, and can be inserted again",
    same: [0, "inserted"],
    run: async (rig) => {
      const keys = Array.from({ length: 4 }, () => freshKey(rig));
      await insertAll(rig, keys.slice(1), String);
      await rig.store.remove(keys);
      return [(await rig.store.read(keys)).size, await rig.store.insert(keys[1] ?? "", "1")];
    },
  },
  {
    name: "a replacement where nothing is",
    differs: { row: "A replacement where nothing is", simulated: [false, "absent"], embedded: [false, "absent"], redis: [true, "new"] },
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"first"');
      const tag = await tagOf(rig, key);
      await rig.store.remove([key]);
      return [await rig.store.replace(key, '"new"', tag), await read(rig, key)];
    },
  },
  {
    name: "with the sidecar dead nothing is replaced or removed, and no success is reported",
    alone: true,
    same: ["thrown: store.unavailable", false, "thrown: store.unavailable", "before"],
    run: async (rig) => {
      const key = freshKey(rig);
      await rig.store.insert(key, '"before"');
      const tag = await tagOf(rig, key);
      await rig.sidecar.kill();
      const during = [
        await outcome(tagOf(rig, key)),
        await rig.store.replace(key, '"after"', tag),
        await outcome(rig.store.remove([key]).then(() => "removed")),
      ];
      await rig.sidecar.start();
      return [...during, await read(rig, key)];
    },
  },
];
