/**
 * @module A `forEach` of many items: finished ones leave the state in parts, and cost nothing there.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { entryOf } from "../../runtime/entries.ts";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import type { Call, Stop } from "../../runtime/slip.ts";
import { packValue, type Value } from "../../runtime/value.ts";
import { withLimits } from "../../simulation/world/limits.ts";
import { names, sends } from "./machine-rig.ts";
import { asksUndo, asksWork, call, one, ProcessRig, type SlipParts, slipOf } from "./process-rig.ts";

const PART_SIZE = 4;
const EACH = { input: { from: ["item"] } };
const DONE = { undone: 1, left: [], stands: [], stateStands: false };

let restore = (): void => {};
beforeEach(() => {
  restore = withLimits({ partItems: PART_SIZE });
});
afterEach(() => restore());

function pages(concurrency: number, more: Partial<Call> = {}): Stop {
  return { kind: "forEach", name: "pages", over: { from: ["task"] }, call: call("A", { ...EACH, ...more }), concurrency };
}

function rigOf(count: number, stops: readonly Stop[], parts: SlipParts = { output: { from: ["pages"] } }): ProcessRig {
  const rig = new ProcessRig(slipOf(stops, { agents: { A: { stateful: false } }, ...parts }));
  rig.accept({ input: numbers(count) });
  return rig;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Answers the open item works, the last one first, until none is open or `until` is reached. */
function answerAll(rig: ProcessRig, output: (item: number) => Value = (item) => ({ json: item * 10 }), until = Infinity): void {
  for (let count = 0; count < until; count += 1) {
    const work = Object.values(rig.state.works)
      .filter(({ kind, stop }) => kind === "do" && stop === "pages[]")
      .at(-1);
    if (work === undefined) return;
    rig.result(work.id, { output: output(work.item) });
  }
}

function contentOf(rig: ProcessRig, value: Value | undefined): Json | undefined {
  if (value === undefined) return undefined;
  return "json" in value ? value.json : rig.values.get(value.ref);
}

function store(rig: ProcessRig, content: Json): Value {
  const { value, stored } = packValue(content, rig.actorId);
  if (stored !== undefined) rig.values.set(stored.ref, content);
  return value;
}

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

  test("10,000 items fit in a small state, and every item costs the same records", () => {
    restore();
    const rig = new Fold(10_000);
    rig.run();
    expect(rig.state.outcome?.status).toBe("completed");
    expect(rig.largestBytes).toBeLessThan(160 * 1_024);
    expect(rig.events).toBeLessThan(10_000 * 2 + 400);
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

describe("compensation of many items", () => {
  const last = one("last", {}, "B");

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

/** A process without the checks of the rig, for many items. */
class Fold {
  readonly #rig: ProcessRig;
  state = processMachine.initial("p");
  events = 0;
  largestBytes = 0;
  readonly #asked: string[] = [];

  constructor(count: number) {
    this.#rig = new ProcessRig(slipOf([pages(64)], { agents: { A: { stateful: false } }, output: { from: ["pages"] } }));
    this.#give({ kind: "message", message: this.#rig.taskMessage({ input: numbers(count) }), bucket: "b" });
  }

  run(): void {
    const { length } = this.#asked;
    for (let at = 0; at < this.#asked.length; at += 1) {
      const workId = this.#asked[at] ?? "";
      expect(entryOf(this.state.works, workId)).toBeDefined();
      const body = { kind: "result", workId, attempt: 1, result: { output: { json: "x".repeat(20) } } } as const;
      this.#give({ kind: "message", message: this.#rig.message(`r${at}`, body) });
      if (at % 500 === length) this.largestBytes = Math.max(this.largestBytes, JSON.stringify(this.state).length);
    }
  }

  #give(input: Parameters<typeof processMachine.decide>[1]): void {
    const { values } = this.#rig;
    const { events, stored, effects } = processMachine.decide(this.state, input, this.#rig.context());
    for (const { ref, text } of stored) values.set(ref, JSON.parse(text) as Json);
    for (const event of events) this.state = processMachine.evolve(this.state, event);
    this.events += events.length;
    this.#asked.push(...sends(effects).flatMap(({ body }) => (body.kind === "work" ? [body.workId] : [])));
  }
}
