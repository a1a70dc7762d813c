/**
 * @module Promises of conditions.
 */
import { describe, expect, test } from "vitest";
import { checkCondition, holds } from "../../runtime/condition.ts";

describe("a condition is checked when it is written down", () => {
  test.each(["task.days > 1", "plan != null && plan.nights > 2", "has(task.note)", "size(task.tags) > 0", "task.city.startsWith('R')"])(
    "%s passes",
    (text) => {
      expect(() => checkCondition(text, ["task", "plan"])).not.toThrow();
    },
  );
  test.each([
    ["hotel.price > 1", "Unknown variable: hotel"],
    ["task.days >", "Unexpected"],
    ["1 + 1", "gives a value of type int, not true or false"],
    ["task.city.matches('(a+)+b')", "matches() is not available"],
    ["[task].exists(x, x.city.matches('a'))", "matches() is not available"],
    [`task.city == "${"x".repeat(2_000)}"`, "longer than 2000 characters"],
    [Array.from({ length: 400 }, () => "task.a").join(" == "), "condition"],
  ])("%s is refused", (text, message) => {
    expect(() => checkCondition(text, ["task", "plan"])).toThrow(message);
  });
});

describe("a condition holds or not", () => {
  test("numbers of JSON compare with whole numbers", () => {
    expect(holds("task.days == 2 && task.days > 1", { task: { days: 2 } })).toBe(true);
    expect(holds("task.days > 1.5", { task: { days: 1 } })).toBe(false);
  });
  test("names that objects inherit are there only where they are given", () => {
    const task = { constructor: 1, deep: [{ constructor: null, n: 2 }] };
    expect(holds("has(task.constructor) || has(task.valueOf) || 'toString' in task", { task: {} })).toBe(false);
    expect(holds("task.constructor == 1 && task.deep[0].n == 2 && task.deep[0].constructor == null", { task })).toBe(true);
    expect(holds("constructor.n == 1 && valueOf.n == 2", { constructor: { n: 1 }, valueOf: { n: 2 } })).toBe(true);
    expect(() => holds("task.constructor == 1", { task: {} })).toThrow("No such key: constructor");
    expect(() => holds("task.days == 1", { task })).toThrow("No such key: days");
  });
  test("a skipped stop is null", () => {
    expect(holds("flight == null", { task: {}, flight: null })).toBe(true);
  });
  test("what cannot be decided is a fault", () => {
    expect(() => holds("task.days > 1", { task: {} })).toThrow("No such key: days");
    expect(() => holds("task.days", { task: { days: 1 } })).toThrow("gave a number, not true or false");
  });
  test("a stop whose name is no word of CEL does not stand in the way", () => {
    expect(holds("task.days > 1", { task: { days: 2 }, "book-flight": 1, in: 2 })).toBe(true);
  });
});
