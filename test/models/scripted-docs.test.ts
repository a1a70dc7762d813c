/** @module docs/scripted-model.md: its scripts are valid, and it names every shape, condition and part of a reply. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Condition, Reply } from "../../testing/scripted/script.ts";
import { parseScript } from "../../testing/scripted/script-file.ts";
import { SHAPE_NAMES } from "../../testing/scripted/shapes.ts";

const DOC = readFileSync(join(import.meta.dirname, "..", "..", "docs", "scripted-model.md"), "utf8");
const code = new Set([...DOC.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text));

test("its scripts are valid", () => {
  const scripts = [...DOC.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text]) => text ?? "");
  expect(scripts.length).toBeGreaterThan(0);
  for (const script of scripts) expect(parseScript(script, "docs").rules.length).toBeGreaterThan(0);
});

test("it names every shape, and every part of a condition and of a reply", () => {
  expect(SHAPE_NAMES.filter((name) => !code.has(name))).toEqual([]);
  for (const { shape } of [Condition, Reply]) expect(Object.keys(shape).filter((name) => !code.has(name))).toEqual([]);
});
