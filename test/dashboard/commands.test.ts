/** @module The commands that the page prints: a shell reads back exactly what was meant. */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decideCommand,
  discardCommand,
  forkCommand,
  redriveCommand,
  shellWord,
  submitCommand,
} from "../../dashboard/src/parts/commands.ts";

test("a command holds what the act holds", () => {
  expect(redriveCommand("trip-7:1", { days: 4 }, "a typo", false)).toBe(
    `troupe dead redrive trip-7:1 --input '{"days":4}' --reason 'a typo'`,
  );
  expect(redriveCommand("trip-7:1", undefined, "", true)).toBe("troupe dead redrive trip-7:1 --undone-by-hand");
  expect(discardCommand("trip-7:1", "test")).toBe("troupe dead discard trip-7:1 --reason test");
  expect(submitCommand("trip", { to: "it's" })).toBe(`troupe submit trip '{"to":"it'\\''s"}'`);
  expect(decideCommand("p.r1", "ab", { do: "approve", reason: "", always: 0 })).toBe("troupe approve p.r1 --hash ab --always 1");
  expect(forkCommand("p", { at: "model 2", model: "small", prompt: "", input: undefined })).toBe(
    "troupe fork p --at 'model 2' --model small",
  );
});

test("a shell reads each word as it was", () => {
  const text = fc.string({ unit: "binary" }).filter((given) => !given.includes("\0"));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (words) => {
      const script = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
      expect(execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1)).toEqual(words);
    }),
    { numRuns: 25 },
  );
});
