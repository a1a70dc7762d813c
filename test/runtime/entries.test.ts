/** @module Records by name: adding and removing an entry with any name. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { entryOf, recordOf, withEntry, withoutEntry } from "../../runtime/entries.ts";

describe("records by name", () => {
  test("sets one entry; the record itself is unchanged", () => {
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
    expect(Object.getPrototypeOf(record)).toBe(null);
    const more = withEntry<object>(record, "b", {});
    expect(Object.keys(more)).toEqual(["__proto__", "b"]);
    expect(Object.keys(withoutEntry(more, "b"))).toEqual(["__proto__"]);
    expect(Object.keys(withoutEntry(more, "__proto__"))).toEqual(["b"]);
  });

  test("an entry is the record's own, never one that objects inherit", () => {
    for (const name of ["constructor", "valueOf", "__proto__", "then"]) {
      expect(entryOf<unknown>({ a: 1 }, name)).toBeUndefined();
      expect(entryOf<unknown>(JSON.parse(`{"${name}":1}`) as Record<string, unknown>, name)).toBe(1);
      expect(entryOf(withEntry<number>({ a: 1 }, name, 2), name)).toBe(2);
    }
  });

  test("the schema of a record checks and keeps every entry", () => {
    const schema = z.strictObject({ record: recordOf(z.strictObject({ n: z.int() })) });
    const text = '{"record":{"__proto__":{"n":1},"constructor":{"n":2}}}';
    expect(JSON.stringify(schema.parse(JSON.parse(text)))).toBe(text);
    expect(schema.safeParse(JSON.parse('{"record":{"__proto__":{"n":"1"}}}')).error?.issues[0]?.path).toEqual(["record", "__proto__", "n"]);
    for (const record of [null, undefined, 1, "a", []]) expect(schema.safeParse({ record }).success).toBe(false);
  });

  test("a record whose names came from a text, `__proto__` among them", () => {
    const record = JSON.parse('{"__proto__":{"x":1},"a":{}}') as Record<string, object>;
    expect(JSON.stringify(withEntry(record, "b", {}))).toBe('{"__proto__":{"x":1},"a":{},"b":{}}');
  });
});
