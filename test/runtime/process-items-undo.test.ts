/**
 * @module Compensation and redrive of a `forEach` of many items, of which most have left the state.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import { withLimits } from "../../simulation/world/limits.ts";
import { answerAll, contentOf, DONE, numbers, pages, PART_SIZE, rigOf } from "./items-rig.ts";
import { names } from "./machine-rig.ts";
import { asksUndo, asksWork, one, ProcessRig, slipOf } from "./process-rig.ts";

let restore = (): void => {};
beforeEach(() => {
  restore = withLimits({ partItems: PART_SIZE });
});
afterEach(() => restore());

const last = one("last", {}, "B");

describe("compensation of many items", () => {
  function failed(count: number, concurrency: number): { readonly rig: ProcessRig; readonly first: string[] } {
    const rig = rigOf(count, [one("first", {}, "C"), pages(concurrency), last], {});
    rig.output(rig.id("first"));
    answerAll(rig);
    return { rig, first: asksUndo(rig.fault(rig.id("last"))) };
  }

  test("one at a time and in reverse order, if the items ran one at a time", () => {
    const { rig, first } = failed(14, 1);
    const order = [...first];
    while (rig.open[0] !== undefined) {
      expect(rig.open).toHaveLength(1);
      order.push(...asksUndo(rig.output(rig.open[0], DONE)));
    }
    expect(order).toEqual([
      rig.id("last"),
      ...numbers(14)
        .toReversed()
        .map((item) => rig.id("pages[]", item)),
      rig.id("first"),
    ]);
    expect(rig.state.outcome?.status).toBe("failed");
  });

  test("each once, as many at a time as the items ran, after what is newer and before what is older", () => {
    const { rig, first } = failed(30, 5);
    expect(first).toEqual([rig.id("last")]);
    const order = [...asksUndo(rig.output(`${rig.id("last")}/undo`, DONE))];
    expect(order).toHaveLength(5);
    while (rig.open[0] !== undefined) {
      const some = asksUndo(rig.output(rig.open.at(-1) ?? "", DONE));
      if (some.includes(rig.id("first"))) expect(rig.open).toHaveLength(1);
      order.push(...some);
      expect(rig.open.length).toBeLessThanOrEqual(5);
      expect(rig.state.asked.length).toBeLessThanOrEqual(2 * PART_SIZE + 5);
    }
    expect(order).toHaveLength(31);
    expect(new Set(order).size).toBe(31);
    expect(order.at(-1)).toBe(rig.id("first"));
  });

  test("items at one actor are undone one after the other", () => {
    const rig = rigOf(8, [pages(4), last], { agents: { A: { stateful: true } } });
    answerAll(rig);
    rig.fault(rig.id("last"));
    rig.output(`${rig.id("last")}/undo`, DONE);
    while (rig.open[0] !== undefined) {
      expect(rig.open).toHaveLength(1);
      rig.output(rig.open[0], DONE);
    }
    expect(rig.state.outcome?.status).toBe("failed");
  });

  test("a parent undoes all of a child that has ended", () => {
    const rig = new ProcessRig(slipOf([pages(3)], { agents: { A: { stateful: false } } }));
    rig.accept({ input: numbers(20), parent: { processId: "parent", workId: "parent:1:child:0:1" } });
    answerAll(rig);
    expect(rig.state.phase).toBe("ended");
    let decision = rig.body({ kind: "undo", workId: "w", undoId: "w/undo", attempt: 1, agent: "main", retainUntilMs: 0 });
    const order = asksUndo(decision);
    while (rig.open[0] !== undefined) {
      decision = rig.output(rig.open[0], DONE);
      order.push(...asksUndo(decision));
    }
    expect(new Set(order).size).toBe(20);
    expect(names(decision)).toContain("undo-finished");
  });

  test("compensations that are given up are given up over several turns", () => {
    restore();
    restore = withLimits({ partItems: PART_SIZE, undoGivenUpPerTurn: 3 });
    const { rig } = failed(10, 2);
    rig.after(LIMITS.taskTimeoutMsDefault + LIMITS.compensationMsMax);
    for (let turn = 0; turn < 5 && rig.state.phase === "open"; turn += 1) {
      expect(names(rig.tick()).filter((name) => name === "undo-failed").length).toBeLessThanOrEqual(3);
      if (rig.state.phase === "open") expect(processMachine.nextDueMs(rig.state, rig.nowMs)).toBeLessThanOrEqual(rig.nowMs);
    }
    expect(rig.state).toMatchObject({ phase: "ended", outcome: { status: "failed", fault: { code: "compensation.failed" } } });
  });
});

test("what items asked for leaves in parts of its own, and is compensated before them", () => {
  restore();
  restore = withLimits({ partItems: PART_SIZE, partWorksMax: 3 });
  const rig = rigOf(8, [pages(2), last], { agents: { A: { stateful: false, asks: ["B"] } } });
  for (let item = 0; item < 8; item += 1) {
    for (const index of [0, 1]) {
      rig.question(rig.id("pages[]", item), index, "B");
      rig.output(`${rig.id("pages[]", item)}/ask${index}:1`);
    }
    rig.output(rig.id("pages[]", item));
    expect(rig.state.asked.length).toBeLessThanOrEqual(3 * (PART_SIZE + 2));
  }
  expect(rig.state.sealed?.length).toBeGreaterThanOrEqual(7);
  const order = asksUndo(rig.fault(rig.id("last")));
  while (rig.open[0] !== undefined) order.push(...asksUndo(rig.output(rig.open[0], DONE)));
  expect(new Set(order).size).toBe(25);
  for (let item = 0; item < 8; item += 1) {
    const id = rig.id("pages[]", item);
    const of = order.filter((one) => one.startsWith(id));
    expect(of).toEqual([`${id}/ask1:1`, `${id}/ask0:1`, id]);
  }
});

describe("a redrive", () => {
  test("asks only for the items that have no output", () => {
    const rig = rigOf(20, [pages(2)]);
    answerAll(rig, undefined, 13);
    const failing = rig.open[0] ?? "";
    const first = asksUndo(rig.fault(failing));
    const lost = rig.state.kept === undefined ? [] : numbers(20).filter((item) => failing.endsWith(`:${item}:1`));
    expect(first.length).toBeGreaterThan(0);
    while (rig.open[0] !== undefined) rig.output(rig.open[0], { ...DONE, undone: 0 });
    const again = asksWork(rig.redrive());
    expect(again[0]).toBe(rig.id("pages[]", lost[0]));
    answerAll(rig);
    expect(rig.state.hops).toBe(7);
    expect(rig.state.outcome?.status).toBe("completed");
    expect(contentOf(rig, rig.state.outcome?.output)).toEqual(numbers(20).map((item) => item * 10));
  });

  test("asks again for items that were really undone", () => {
    const rig = rigOf(12, [pages(1)]);
    answerAll(rig, undefined, 9);
    rig.fault(rig.open[0] ?? "");
    while (rig.open[0] !== undefined) rig.output(rig.open[0], { ...DONE, undone: /:(2|7):1/.test(rig.open[0]) ? 1 : 0 });
    expect(asksWork(rig.redrive())).toEqual([rig.id("pages[]", 2)]);
    answerAll(rig);
    expect(rig.state.hops).toBe(5);
    expect(contentOf(rig, rig.state.outcome?.output)).toEqual(numbers(12).map((item) => item * 10));
  });
});
