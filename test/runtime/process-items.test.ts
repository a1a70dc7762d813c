/**
 * @module A `forEach` of many items: finished ones leave the state in parts, and cost nothing there.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import type { Stop } from "../../runtime/slip.ts";
import type { Value } from "../../runtime/value.ts";
import { withLimits } from "../../simulation/world/limits.ts";
import { answerAll, contentOf, DONE, EACH, Fold, numbers, pages, PART_SIZE, rigOf, store } from "./items-rig.ts";
import { asksUndo, call, one, ProcessRig, slipOf } from "./process-rig.ts";

let restore = (): void => {};
beforeEach(() => {
  restore = withLimits({ partItems: PART_SIZE });
});
afterEach(() => restore());

describe("what a process keeps of its items", () => {
  test("does not grow with the finished ones", () => {
    const rig = rigOf(60, [pages(3)]);
    for (let item = 0; item < 58; item += 1) {
      answerAll(rig, undefined, 1);
      expect(Object.keys(rig.state.progress?.outputs ?? {}).length).toBeLessThan(PART_SIZE);
      expect(rig.state.asked.length).toBeLessThanOrEqual(PART_SIZE + 3);
    }
    expect(rig.state.sealed).toHaveLength(14);
  });

  test("thousands of items fit in a small state, and every item costs the same records", () => {
    restore();
    const rig = new Fold(3_000);
    rig.run();
    expect(rig.state.outcome?.status).toBe("completed");
    expect(rig.largestBytes).toBeLessThan(100 * 1_024);
    expect(rig.events).toBeLessThan(3_000 * 2 + 100);
  });

  test("its output is one list, in the order of the items", () => {
    const rig = rigOf(21, [pages(5)]);
    answerAll(rig);
    expect(rig.state.outcome?.status).toBe("completed");
    expect(contentOf(rig, rig.state.outcome?.output)).toEqual(numbers(21).map((item) => item * 10));
  });

  test("a skipped item and a failed optional one are null in the list; the failed one is compensated", () => {
    const rig = rigOf(12, [pages(2, { optional: true, when: "item != 3" })]);
    for (;;) {
      const work = Object.values(rig.state.works).find(({ kind }) => kind === "do");
      if (work === undefined) break;
      if (work.item === 1) rig.fault(work.id);
      else rig.output(work.id, work.item);
    }
    expect(rig.open).toEqual([`${rig.id("pages[]", 1)}/undo`]);
    rig.output(`${rig.id("pages[]", 1)}/undo`, DONE);
    expect(rig.state.outcome?.status).toBe("partial");
    expect(contentOf(rig, rig.state.outcome?.output)).toEqual([0, null, 2, null, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("an ask that outlives its item stays, so that it is compensated if it fails", () => {
    const rig = rigOf(9, [pages(1)], { agents: { A: { stateful: false, asks: ["B"] } } });
    rig.question(rig.id("pages[]", 0), 0, "B");
    const ask = `${rig.id("pages[]", 0)}/ask0:1`;
    answerAll(rig);
    expect(rig.state.sealed).toHaveLength(2);
    expect(rig.state.asked.map(({ id }) => id)).toContain(ask);
    const failed = rig.fault(ask, "agent.refused", 1);
    expect(asksUndo(failed)).toEqual([ask]);
  });
});

test("a whole list is passed on as it is stored, to each of many items", () => {
  const next: Stop = {
    kind: "forEach",
    name: "next",
    over: { from: ["task"] },
    call: call("B", { input: { from: ["pages"] } }),
    concurrency: 9,
  };
  const rig = rigOf(90, [pages(9), next], { output: { from: ["next"] } });
  const stored: number[] = [];
  for (let work = Object.values(rig.state.works)[0]; work !== undefined; work = Object.values(rig.state.works)[0]) {
    if (work.stop === "next[]") expect(work.input).toBe(rig.state.outputs["pages"]);
    const decision = rig.output(work.id, "some text");
    if (work.stop === "next[]") stored.push(...decision.stored.map(({ text }) => text.length));
  }
  expect(rig.state.outcome?.status).toBe("completed");
  expect(stored.filter((length) => length > 2 * LIMITS.valueInlineBytesMax)).toEqual([]);
});

describe("a list that is too large for a value", () => {
  const large = (rig: ProcessRig) => (): Value => store(rig, "x".repeat(200_000));

  test("is not built where nothing reads it", () => {
    const rig = rigOf(12, [pages(3)], { output: { literal: "done" } });
    answerAll(rig, large(rig));
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "done" } });
    expect(rig.state.outputs).toEqual({});
  });

  test("fails as soon as it is too large where a mapping or a condition reads it, and names the stop", () => {
    for (const [stops, parts] of [
      [[pages(1)], { output: { from: ["pages"] } }],
      [[pages(1), one("b", { input: { object: { first: { from: ["pages", "0"] } } } })], {}],
      [[pages(1), one("b", { input: { literal: 1 }, when: "size(pages) > 3" })], {}],
    ] as const) {
      const rig = rigOf(12, stops, parts);
      answerAll(rig, large(rig));
      const { ending } = rig.state;
      expect(ending).toMatchObject({ stop: "pages", fault: { code: "value.too-large", details: { stop: "pages", items: 6 } } });
      expect(ending?.fault.message).toContain("stop pages: the outputs of 6 of 12 items are");
    }
  });

  test("is given item by item to a forEach over it", () => {
    const next: Stop = { kind: "forEach", name: "next", over: { from: ["pages"] }, call: call("B", EACH), concurrency: 2 };
    const rig = rigOf(10, [pages(2), next], { output: { from: ["next"] } });
    answerAll(rig, (item) => store(rig, `${item}${"x".repeat(200_000)}`));
    expect(rig.state.progress).toMatchObject({ stop: "next", total: 10 });
    const seen: Json[] = [];
    for (;;) {
      const work = Object.values(rig.state.works)[0];
      if (work === undefined) break;
      seen.push(String(contentOf(rig, work.input)).slice(0, 1));
      rig.output(work.id, work.item);
    }
    expect(seen).toEqual(numbers(10).map(String));
    expect(rig.state.outcome?.status).toBe("completed");
  });
});

describe("a turn", () => {
  test("begins or skips a bounded number of items, and the rest follows at once", () => {
    restore();
    restore = withLimits({ partItems: PART_SIZE, forEachItemsPerTurn: 10 });
    const rig = rigOf(35, [pages(4, { when: "item > 32" })]);
    expect(rig.state.progress?.begun).toBe(10);
    const begun: (number | undefined)[] = [];
    for (; processMachine.nextDueMs(rig.state, rig.nowMs) === rig.nowMs; rig.tick()) begun.push(rig.state.progress?.begun);
    expect(begun).toEqual([10, 20, 30]);
    expect(rig.open).toEqual([rig.id("pages[]", 33), rig.id("pages[]", 34)]);
    answerAll(rig);
    expect(contentOf(rig, rig.state.outcome?.output)).toEqual([...numbers(33).map(() => null), 330, 340]);
  });

  test("evaluates conditions for a bounded number of steps, and the rest follows at once", () => {
    restore();
    restore = withLimits({ conditionStepsPerTurn: 5_000 });
    const when = "task.exists(x, task.exists(y, y == x && y < 0))";
    const stops = numbers(6).map((index) => one(`s${index}`, { when, input: { literal: 1 } }));
    const rig = new ProcessRig(slipOf(stops));
    rig.accept({ input: numbers(20) });
    let turns = 1;
    for (; rig.state.phase === "open" && turns < 20; turns += 1) {
      expect(processMachine.nextDueMs(rig.state, rig.nowMs)).toBe(rig.nowMs);
      rig.tick();
    }
    expect(turns).toBeGreaterThan(2);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "done" } });
  });

  test("the items of a forEach share what their conditions may take", () => {
    restore();
    restore = withLimits({ conditionStepsPerForEach: 2_000 });
    expect(rigOf(10, [pages(4, { when: "task.exists(x, x < 0)" })]).state.outcome?.status).toBe("completed");
    const rig = rigOf(100, [pages(4, { when: "task.exists(x, x < 0)" })]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "slip.condition" } });
    expect(rig.state.outcome?.fault?.message).toContain("more than 20 steps");
  });
});
