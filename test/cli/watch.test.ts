/** @module `up --watch`: which changes count, and that several at once are one. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Watch, watchSources } from "../../cli/run/watch.ts";

/** Longer than the watch waits for further changes. */
const QUIET_MS = 600;

let dir = "";
let watching: Watch | undefined;
const changes: string[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-watch-"));
  await mkdir(join(dir, "node_modules/x"), { recursive: true });
  await mkdir(join(dir, ".troupe"));
  await mkdir(join(dir, "agents"));
  await writeFile(join(dir, "agents/planner.ts"), "1");
  changes.length = 0;
  watching = await watchSources([dir, dir], (path) => changes.push(path));
});
afterEach(async () => {
  watching?.close();
  await rm(dir, { recursive: true, force: true });
});

test("a source file that is written, in several steps, is one change", async () => {
  for (const text of ["12", "123", "1234"]) await writeFile(join(dir, "agents/planner.ts"), text);
  await expect.poll(() => changes).toEqual([join(dir, "agents/planner.ts")]);
});

test("a new file in a new folder is a change", async () => {
  await mkdir(join(dir, "tools"));
  await writeFile(join(dir, "tools/map.mjs"), "1");
  await expect.poll(() => changes).toEqual([join(dir, "tools/map.mjs")]);
});

test("a removed file is a change", async () => {
  await rm(join(dir, "agents/planner.ts"));
  await expect.poll(() => changes).toEqual([join(dir, "agents/planner.ts")]);
});

test("dependencies, state, data and a file that was only touched upon are no change", async () => {
  await writeFile(join(dir, "node_modules/x/index.js"), "1");
  await writeFile(join(dir, ".troupe/x.ts"), "1");
  await writeFile(join(dir, "agents/data.json"), "{}");
  await sleep(QUIET_MS);
  expect(changes).toEqual([]);
  await utimes(join(dir, "agents/planner.ts"), new Date(), new Date());
  await expect.poll(() => changes).toEqual([join(dir, "agents/planner.ts")]);
});
