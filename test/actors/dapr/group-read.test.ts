/** @module Grouped reads over a store that the test answers: what goes together, and what a failure means to each. */
import { expect, test } from "vitest";
import { GroupedReads } from "../../../actors/dapr/group-read.ts";
import type { Json } from "../../../runtime/faults.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { flush } from "../engine-rig.ts";

interface Asked {
  readonly keys: readonly string[];
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

/** A store in which every key holds its own name, but those that begin with `no`. Each read waits until it is answered. */
function rig(): { readonly asked: Asked[]; readonly reads: GroupedReads } {
  const asked: Asked[] = [];
  const read = (keys: readonly string[]): Promise<ReadonlyMap<string, Json>> =>
    new Promise((resolve, reject) => {
      const answer = (): void => resolve(new Map(keys.filter((key) => !key.startsWith("no")).map((key) => [key, key])));
      asked.push({ keys, answer, fail: reject });
    });
  return { asked, reads: new GroupedReads(read, (error) => error instanceof Error && error.message === "answered") };
}

/** Four reads in flight, so that later ones wait. */
function busy(): ReturnType<typeof rig> & { readonly first: readonly Promise<unknown>[] } {
  const made = rig();
  return { ...made, first: ["a", "b", "c", "d"].map((key) => made.reads.read([key])) };
}

const next = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  await flush();
};

test("a few reads go at once and alone; more wait, and go together in the next request", async () => {
  const { asked, reads, first } = busy();
  const later = [reads.read(["e", "no1"]), reads.read(["f"]), reads.read(["e"])];
  expect(asked.map(({ keys }) => keys)).toEqual([["a"], ["b"], ["c"], ["d"]]);
  asked[0]?.answer();
  expect(await first[0]).toEqual(new Map([["a", "a"]]));
  await next();
  expect(asked.slice(4).map(({ keys }) => keys)).toEqual([["e", "no1", "f"]]);
  asked[4]?.answer();
  expect(await Promise.all(later)).toEqual([new Map([["e", "e"]]), new Map([["f", "f"]]), new Map([["e", "e"]])]);
});

test("a group has at most the keys of one bulk read; a read of that many keys waits for no other", async () => {
  const { asked, reads } = busy();
  const many = (name: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${name}${at}`);
  const half = LIMITS.loadBatchRecords / 2;
  for (const name of ["e", "f", "g"]) void reads.read(many(name, half));
  void reads.read(many("h", LIMITS.loadBatchRecords));
  expect(asked.slice(4).map(({ keys }) => keys)).toEqual([many("h", LIMITS.loadBatchRecords)]);
  asked[0]?.answer();
  asked[1]?.answer();
  await next();
  expect(asked.slice(5).map(({ keys }) => keys)).toEqual([[...many("e", half), ...many("f", half)], many("g", half)]);
});

test("a failed group that was answered is read one by one; without an answer all of it has failed", async () => {
  const { asked, reads } = busy();
  const ended = (read: Promise<unknown>): Promise<unknown> => read.catch((error: unknown) => (error as Error).message);
  const one = [ended(reads.read(["e"])), ended(reads.read(["f"]))];
  asked[0]?.answer();
  await next();
  asked[4]?.fail(new Error("answered"));
  await next();
  expect(asked.slice(5).map(({ keys }) => keys)).toEqual([["e"], ["f"]]);
  asked[5]?.answer();
  asked[6]?.fail(new Error("answered"));
  expect(await Promise.all(one)).toEqual([new Map([["e", "e"]]), "answered"]);
  const two = [ended(reads.read(["g"])), ended(reads.read(["h"]))];
  await next();
  // A place is free again, so the first of them went alone, and the other with it in flight too.
  const before = asked.length;
  for (const { keys, fail } of asked.slice(7)) fail(new Error(`no answer to ${keys.join()}`));
  expect((await Promise.all(two)).every((text) => String(text).startsWith("no answer"))).toBe(true);
  expect(asked).toHaveLength(before);
});
