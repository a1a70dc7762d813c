/** @module The cache of values: bounded by the memory that they take, not by their number or their text. */
import { expect, test } from "vitest";
import { Values } from "../../actors/engine/values.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { heapSize } from "../../runtime/json-text.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { HandClock } from "./engine-rig.ts";

test("a value of many small parts counts with what it takes in memory", () => {
  expect(heapSize(Array.from({ length: 350_000 }, () => ({})))).toBeGreaterThan(20 * 1_024 * 1_024);
  expect(heapSize("x".repeat(1_000))).toBeGreaterThanOrEqual(1_000);
  expect(heapSize({ a: [1, null, { b: "text" }] })).toBeLessThan(1_000);
});

test("values are evicted by the memory that they take, the least recently used first, and are loaded again", async () => {
  const values = new Values(new MemoryStore(), new HandClock(), "sys");
  const content = (n: number): readonly object[] => [{ n }, ...Array.from({ length: 200_000 }, () => ({}))];
  const kept = [];
  for (let n = 0; n < 8; n += 1) kept.push(await values.keep(content(n) as never, "p"));
  expect(values.cachedBytes).toBeLessThanOrEqual(LIMITS.cachedValuesBytesMax);
  const isCached = kept.map((value) => "ref" in value && values.memory.has(value.ref));
  expect([isCached[0], isCached.at(-1)]).toEqual([false, true]);
  expect(await values.read(kept[0] as never)).toEqual(content(0));
  expect(values.cachedBytes).toBeLessThanOrEqual(LIMITS.cachedValuesBytesMax);
});
