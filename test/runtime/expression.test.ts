/** @module Mappings as data. */
import { describe, expect, test } from "vitest";
import { evaluate, Expression, namesIn } from "../../runtime/expression.ts";

const scope = { task: { city: "Rome", note: null, tags: ["a", "b"], "odd key": 1 }, flight: null };

describe("a mapping reads, and builds objects and lists", () => {
  test("paths, indexes and lengths", () => {
    expect(evaluate({ from: ["task", "city"] }, scope)).toBe("Rome");
    expect(evaluate({ from: ["task", "tags", "1"] }, scope)).toBe("b");
    expect(evaluate({ from: ["task", "tags", "length"] }, scope)).toBe(2);
    expect(evaluate({ from: ["task", "odd key"] }, scope)).toBe(1);
  });
  test("null is a value", () => {
    expect(evaluate({ object: { a: { from: ["flight"] }, b: { from: ["task", "note"] } } }, scope)).toEqual({ a: null, b: null });
  });
  test("lists and literals", () => {
    expect(evaluate({ list: [{ literal: { x: 1 } }, { from: ["task", "city"] }] }, scope)).toEqual([{ x: 1 }, "Rome"]);
  });
});

describe("a path whose end does not exist", () => {
  test("omits its key from an object, as undefined does in JSON", () => {
    expect(evaluate({ object: { a: { from: ["task", "country"] }, b: { from: ["flight", "price"] }, c: { literal: 1 } } }, scope)).toEqual({
      c: 1,
    });
  });
  test("is a fault in a list and at the root", () => {
    expect(() => evaluate({ from: ["task", "country"] }, scope)).toThrow(
      'task.country does not exist: task, a value of type object, has no "country"',
    );
    expect(() => evaluate({ list: [{ from: ["flight", "price"] }] }, scope)).toThrow(
      'flight.price does not exist: flight, null, has no "price"',
    );
  });
  test("is a fault where the scope has no such name", () => {
    expect(() => evaluate({ object: { a: { from: ["hotel"] } } }, scope)).toThrow('hotel does not exist: the scope has no "hotel"');
  });
  test("what every object inherits does not exist", () => {
    expect(evaluate({ object: { a: { from: ["task", "valueOf"] }, b: { from: ["task", "note", "toString"] } } }, scope)).toEqual({});
    expect(() => evaluate({ from: ["task", "constructor"] }, scope)).toThrow('has no "constructor"');
  });
});

test("the names that a mapping reads are known", () => {
  expect([...namesIn({ object: { a: { from: ["task", "x"] }, b: { list: [{ from: ["plan"] }, { literal: 1 }] } } })]).toEqual([
    "task",
    "plan",
  ]);
});

test("a mapping as data keeps a key of any name", () => {
  const text = '{"object":{"__proto__":{"from":["task","city"]},"constructor":{"literal":1}}}';
  const parsed = Expression.parse(JSON.parse(text));
  expect(JSON.stringify(parsed)).toBe(text);
  expect(JSON.stringify(evaluate(parsed, scope))).toBe('{"__proto__":"Rome","constructor":1}');
  expect(Expression.safeParse(JSON.parse('{"object":{"__proto__":{"code":"task.x"}}}')).success).toBe(false);
});

test("data that is not a mapping is refused", () => {
  for (const bad of [{}, { from: [] }, { from: "task" }, { from: ["task"], literal: 1 }, { code: "task.x" }])
    expect(Expression.safeParse(bad).success).toBe(false);
});
