/** @module The difference of two JSON values on a screen. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { changesOf, diffRows } from "../../dashboard/src/parts/json-diff.ts";
import { isSame } from "../../dashboard/src/parts/json.ts";
import type { Json } from "../../runtime/faults.ts";

const shown = (before: Json | undefined, after: Json | undefined): readonly string[] =>
  diffRows(before, after).map(({ how, level, text }) => `${{ same: " ", added: "+", removed: "-" }[how]}${" ".repeat(level)}${text}`);

test("shows a changed property in its place", () => {
  expect(shown({ to: "Oslo", days: 40 }, { to: "Oslo", days: 4 })).toEqual([" {", '  "to": "Oslo",', '- "days": 40', '+ "days": 4', " }"]);
  expect(changesOf({ to: "Oslo", days: 40 }, { to: "Oslo", days: 4 })).toEqual([{ path: "days", before: 40, after: 4 }]);
});

test("shows what was added and removed", () => {
  expect(shown({ a: 1 }, { b: [2] })).toEqual([" {", '- "a": 1,', '+ "b": [', "+  2", "+ ]", " }"]);
  expect(changesOf({ a: 1 }, { b: 2 })).toEqual([
    { path: "a", before: 1 },
    { path: "b", after: 2 },
  ]);
});

test("shows an item that was put between others as one new line", () => {
  expect(shown(["a", "c"], ["a", "b", "c"])).toEqual([" [", '  "a",', '+ "b",', '  "c"', " ]"]);
});

test("shows a whole value where one side has none", () => {
  expect(shown(undefined, { a: 1 })).toEqual(["+{", '+ "a": 1', "+}"]);
  expect(shown({ a: 1 }, undefined)).toEqual(["-{", '- "a": 1', "-}"]);
});

test("a key that each object inherits is a key like others", () => {
  expect(shown({}, { valueOf: false })).toEqual([" {", '+ "valueOf": false', " }"]);
  expect(changesOf({ constructor: 1 }, {})).toEqual([{ path: "constructor", before: 1 }]);
});

test("the lines of each side are the JSON of that side", () => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
  fc.assert(
    fc.property(json, json, (before, after) => {
      const rows = diffRows(before, after);
      const side = (how: string): Json => {
        const lines = rows.filter((row) => row.how === "same" || row.how === how).map(({ text }) => text);
        // Behind the last entry of a side stands a comma, if the other side has more.
        return JSON.parse(lines.join("\n").replaceAll(/,\n(?=[}\]])/g, "\n")) as Json;
      };
      expect(isSame(side("removed"), before)).toBe(true);
      expect(isSame(side("added"), after)).toBe(true);
      expect(changesOf(before, after).length === 0).toBe(isSame(before, after));
    }),
  );
});
