/** @module The comparison of a source's listing with the known documents. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { Comparison, type ListedDocument } from "../../runtime/memory/compare.ts";

const documents = (...pairs: readonly (readonly [string, string])[]): readonly ListedDocument[] =>
  pairs.map(([id, version]) => ({ id, version }));

describe("the comparison of a listing", () => {
  test("names what is new, what has another version, and what is no longer listed", () => {
    const known = new Map([
      ["a", "1"],
      ["b", "1"],
      ["c", "1"],
    ]);
    const comparison = new Comparison("handbook", known);
    comparison.take(documents(["d", "1"], ["a", "1"]));
    comparison.take(documents(["b", "2"]));
    expect(comparison.end()).toEqual({
      added: [{ id: "d", version: "1" }],
      changed: [{ id: "b", version: "2" }],
      vanished: ["c"],
      listed: 3,
    });
  });

  test("a listing like the last one shows no difference, in any order and any pages", () => {
    const comparison = new Comparison(
      "handbook",
      new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
    );
    comparison.take(documents(["b", "2"]));
    comparison.take([]);
    comparison.take(documents(["a", "1"]));
    expect(comparison.end()).toEqual({ added: [], changed: [], vanished: [], listed: 2 });
  });

  test("a document that is listed twice, because the listing changed between two pages, counts as listed last", () => {
    const comparison = new Comparison("handbook", new Map([["a", "1"]]));
    comparison.take(documents(["a", "1"]));
    comparison.take(documents(["a", "2"]));
    expect(comparison.end()).toMatchObject({ changed: [{ id: "a", version: "2" }], listed: 1 });
  });

  test("names like those of objects are names like any other", () => {
    const comparison = new Comparison("handbook", new Map([["__proto__", "1"]]));
    comparison.take(documents(["constructor", "1"]));
    expect(comparison.end()).toMatchObject({ added: [{ id: "constructor" }], vanished: ["__proto__"] });
  });

  test("more documents than a source may have are refused", () => {
    const comparison = new Comparison("handbook", new Map());
    comparison.take(Array.from({ length: LIMITS.sourceDocumentsMax }, (_, index) => ({ id: `d${index}`, version: "1" })));
    expect(() => comparison.take(documents(["one more", "1"]))).toThrow(expect.objectContaining({ code: "memory.full" }));
  });

  test.each([
    ["an empty id", { id: "", version: "1" }],
    ["no version", { id: "a", version: "" }],
    ["a number as version", { id: "a", version: 1 as unknown as string }],
    ["an id that is too long", { id: "a".repeat(LIMITS.sourceIdLengthMax + 1), version: "1" }],
  ])("%s makes the listing unusable", (_what, document) => {
    expect(() => new Comparison("handbook", new Map()).take([document])).toThrow(expect.objectContaining({ code: "source.unavailable" }));
  });
});
