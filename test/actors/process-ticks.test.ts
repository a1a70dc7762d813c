/** @module The looks of a host at its processes: some at a time, no matter how many moments come at once and how slow the receivers are. */
import { expect, test } from "vitest";
import type { Ticked } from "../../actors/host/process-rings.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { type Asks, ProcessTicks } from "../../actors/host/process-ticks.ts";
import { LIMITS } from "../../runtime/limits.ts";

const PROCESSES = 10 * LIMITS.ticksAtOnceMax;
const NOW = { nowMs: () => 1_000, after: () => () => {} };

interface Look {
  readonly id: string;
  readonly asks: Asks;
  /** The turn ends. */
  readonly end: () => void;
  readonly fail: () => void;
  /** The receivers have answered. */
  readonly settle: () => void;
}

/** Ticks whose turns and receivers end when the test says so. */
function rig(): { readonly ticks: ProcessTicks; readonly looks: Look[] } {
  const looks: Look[] = [];
  const tick = (id: string, asks: Asks): Promise<Ticked> => {
    const turn = Promise.withResolvers<Ticked>();
    const settled = Promise.withResolvers<boolean>();
    const ticked = { settled: settled.promise } as unknown as Ticked;
    looks.push({
      id,
      asks,
      end: () => turn.resolve(ticked),
      fail: () => turn.reject(new Error("no store")),
      settle: () => settled.resolve(true),
    });
    return turn.promise;
  };
  return { ticks: new ProcessTicks({ clock: NOW, log: SILENT, tick }), looks };
}

const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("of many moments that come at once, some are looked at a time, in their order, and each once", async () => {
  const { ticks, looks } = rig();
  const done = Array.from({ length: PROCESSES }, (_, index) => ticks.due(`p-${index}`));
  for (let ended = 0; ended < PROCESSES; ended += 1) {
    await turns();
    expect(looks.length).toBe(Math.min(PROCESSES, ended + LIMITS.ticksAtOnceMax));
    looks[ended]?.end();
  }
  expect(await Promise.all(done)).toEqual(done.map(() => true));
  expect(looks.map(({ id }) => id)).toEqual(done.map((_, index) => `p-${index}`));
});

test("what a question has shown meanwhile is not looked at once more", async () => {
  const { ticks, looks } = rig();
  const before = Array.from({ length: LIMITS.ticksAtOnceMax }, (_, index) => ticks.due(`p-${index}`));
  const [due, asked] = [ticks.due("both"), ticks.ask("both", false, () => "old")];
  await turns();
  looks.at(-1)?.end();
  looks.at(-1)?.settle();
  await asked;
  for (const look of looks) look.end();
  await Promise.all(before);
  expect(await due).toBe(true);
  expect(looks.filter(({ id }) => id === "both")).toMatchObject([{ asks: "old" }]);
});

test("receivers that hang are not asked more and more: who asks keeps its place until they answer, and what is due goes on", async () => {
  const { ticks, looks } = rig();
  const asked = Array.from({ length: PROCESSES }, (_, index) => ticks.ask(`p-${index}`, false, () => "old"));
  await turns();
  for (const look of looks) look.end();
  await turns();
  expect(looks.length).toBe(LIMITS.asksAtOnceMax);
  void ticks.due("other");
  await turns();
  expect(looks.at(-1)).toMatchObject({ id: "other", asks: "none" });
  looks[0]?.settle();
  expect(await asked[0]).toBe(true);
  await turns();
  expect(looks.filter(({ asks }) => asks === "old").length).toBe(LIMITS.asksAtOnceMax + 1);
});

test("receivers that are away for long do not hold up the others", async () => {
  const { ticks, looks } = rig();
  for (let index = 0; index < PROCESSES; index += 1) void ticks.ask(`away-${index}`, true, () => "old");
  await turns();
  for (const look of looks) look.end();
  await turns();
  expect(looks.length).toBe(LIMITS.asksOfFailingAtOnceMax);
  void ticks.ask("other", false, () => "old");
  await turns();
  expect(looks.at(-1)?.id).toBe("other");
});

test("what is asked is decided when the turn comes, and a process that was let go meanwhile asks nothing", async () => {
  const { ticks, looks } = rig();
  const before = Array.from({ length: LIMITS.asksAtOnceMax }, (_, index) => ticks.ask(`p-${index}`, false, () => "old"));
  let asks: Asks = "old";
  const [waits, gone] = [ticks.ask("waits", false, () => asks), ticks.ask("gone", false, () => undefined)];
  await turns();
  asks = "all";
  for (const look of looks) {
    look.end();
    look.settle();
  }
  await Promise.all(before);
  await turns();
  expect(looks.slice(LIMITS.asksAtOnceMax)).toMatchObject([{ id: "waits", asks: "all" }]);
  expect(await gone).toBe(true);
  looks.at(-1)?.end();
  looks.at(-1)?.settle();
  expect(await waits).toBe(true);
});

test("a look that fails says so, and gives its place to the next", async () => {
  const { ticks, looks } = rig();
  const [first, second] = [ticks.due("p"), ticks.ask("q", false, () => "all")];
  await turns();
  for (const look of looks) look.fail();
  expect([await first, await second]).toEqual([false, false]);
  expect([ticks.has("p"), ticks.has("q")]).toEqual([false, false]);
  const again = ticks.due("p");
  await turns();
  looks.at(-1)?.end();
  expect(await again).toBe(true);
});
