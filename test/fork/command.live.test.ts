/** @module `dataset`, `eval`, `fork` and `diff` as a person types them, with the dataset of an example and its scripted model. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ResultLine } from "../../runtime/evaluation/results.ts";
import { eachInFolder, startCommand } from "../cli/command.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/13-refund-desk/", import.meta.url));
const SYSTEM = ["--system", join(EXAMPLE, "system.ts")];
const item = (id: string): string => join(EXAMPLE, "claims", "items", `${id}.json`);

let dir = "";
eachInFolder((made) => (dir = made));

async function run(...args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const command = await startCommand(dir, args);
  const { code } = await command.child.exited;
  return { code, text: command.text() };
}

test("a dataset is made, evaluated, and refused where a file was changed", async () => {
  const added = await run("dataset", "add", "claims", item("refund-4711"), item("refund-4713"));
  expect(added).toMatchObject({ code: 0 });
  expect(added.text).toContain("Dataset claims, version 1: 2 items in claims.");
  const out = join(dir, "results.jsonl");
  const good = await run("eval", "claims", ...SYSTEM, "--out", out);
  expect(good.text).toContain("Gates: 2 passed, 0 failed, 0 unscored.");
  expect(good.code).toBe(0);
  const lines = (await readFile(out, "utf8")).trim().split("\n");
  expect(lines.map((line) => ResultLine.parse(JSON.parse(line))).map(({ item: id, result }) => [id, result])).toEqual([
    ["refund-4711", "pass"],
    ["refund-4713", "pass"],
  ]);
  await writeFile(join(dir, "claims", "checks.json"), JSON.stringify({ gates: [{ check: "not-called", name: "pay" }] }));
  const bad = await run("eval", "claims", ...SYSTEM);
  expect(bad.text).toContain("FAIL refund-4711");
  expect(bad.code).toBe(1);
  await writeFile(join(dir, "claims", "items", "refund-4711.json"), "{}");
  expect(await run("eval", "claims", ...SYSTEM)).toMatchObject({ code: 2 });
});

test("a recorded run is forked from a file, and the forked run is compared with others", async () => {
  const forked = await run("fork", item("refund-4712"), "--at", "start", ...SYSTEM, "--out", "forked.json");
  expect(forked.text).toContain("Forked refund-4712 at start: completed.");
  expect(forked.code).toBe(0);
  const same = await run("diff", "forked.json", item("refund-4712"));
  expect(same.text).toMatch(/did the same: \d+ things/);
  expect(same.code).toBe(0);
  expect(await run("diff", "forked.json", item("refund-4711"))).toMatchObject({ code: 1 });
  expect(await run("fork", item("refund-4712"), "--at", "start")).toMatchObject({ code: 2 });
});
