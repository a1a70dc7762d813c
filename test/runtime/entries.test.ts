/** @module Records by name: one entry more or less, whatever it is called. */
import { describe, expect, test } from "vitest";
import { withEntry, withoutEntry } from "../../runtime/entries.ts";

describe("records by name", () => {
  test("one entry more, or another one; the record itself stays as it was", () => {
    const record = { a: 1, b: 2 };
    expect(withEntry(record, "c", 3)).toEqual({ a: 1, b: 2, c: 3 });
    expect(withEntry(record, "a", 3)).toEqual({ a: 3, b: 2 });
    expect(withoutEntry(record, "a")).toEqual({ b: 2 });
    expect(withoutEntry(record, "c")).toEqual(record);
    expect(record).toEqual({ a: 1, b: 2 });
  });

  test("`__proto__` is a name like any other", () => {
    const record = withEntry<object>({}, "__proto__", { a: 1 });
    expect(Object.keys(record)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
    const more = withEntry<object>(record, "b", {});
    expect(Object.keys(more)).toEqual(["__proto__", "b"]);
    expect(Object.keys(withoutEntry(more, "b"))).toEqual(["__proto__"]);
    expect(Object.keys(withoutEntry(more, "__proto__"))).toEqual(["b"]);
  });

  test("a record whose names came from a text, `__proto__` among them", () => {
    const record = JSON.parse('{"__proto__":{"x":1},"a":{}}') as Record<string, object>;
    expect(JSON.stringify(withEntry(record, "b", {}))).toBe('{"__proto__":{"x":1},"a":{},"b":{}}');
  });
});
