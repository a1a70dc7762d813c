/** @module `troupe init`: what it adds to a project, and what it leaves as it is. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readRunFile } from "../../cli/run/run-file.ts";
import { document } from "../examples/readme.ts";
import { runLine } from "./stub.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-init-"));
});
afterEach(() => rm(dir, { recursive: true }));

const read = (name: string): Promise<string> => readFile(join(dir, name), "utf8");
const MANIFEST = '{"type":"module","dependencies":{"troupe":"file:troupe.tgz","zod":"^4.6.7"}}';

test("adds a system with its test, a run file and the components that it names, and says the next commands", async () => {
  await writeFile(join(dir, "package.json"), MANIFEST);
  const { code, out } = await runLine("init", dir);
  expect(code).toBe(0);
  expect(out).toContain("made  troupe/system.ts\n");
  expect(out).toContain(`  cd ${dir}\n  node --test troupe/system.test.ts\n  npx troupe up troupe/system.ts\n`);
  expect(await read("troupe/system.ts")).toBe(document("create-troupe/template/system.ts"));
  expect(await read("package.json")).toBe(MANIFEST);
  const { apps, warnings } = await readRunFile(join(dir, "dapr.yaml"));
  expect(warnings).toEqual([]);
  expect(apps[0]?.command.slice(-2)).toEqual(["node_modules/troupe/dist/cli/app.js", "troupe/system.ts"]);
  expect(apps[0]?.resourcesPaths).toEqual([join(dir, "components/redis")]);
  for (const name of ["configuration.yaml", "redis/pubsub.yaml", "redis/statestore.yaml", "redis/resiliency.yaml"])
    expect(await read(`components/${name}`)).toBe(document(`components/${name}`));
});

test("keeps what is there, and a second time everything", async () => {
  await writeFile(join(dir, "package.json"), MANIFEST);
  await writeFile(join(dir, "dapr.yaml"), "mine");
  expect((await runLine("init", dir)).out).toContain("kept  dapr.yaml: it is there already\n");
  await writeFile(join(dir, "troupe/system.ts"), "changed");
  const { code, out } = await runLine("init", dir, "--json");
  expect([code, await read("dapr.yaml"), await read("troupe/system.ts")]).toEqual([0, "mine", "changed"]);
  expect(JSON.parse(out)).toMatchObject({ systemFile: "troupe/system.ts", lacking: [] });
  expect(out).not.toContain('"made":true');
});

test("in a package of CommonJS the modules are .mts, and what is to be installed is said", async () => {
  await writeFile(join(dir, "package.json"), "\uFEFF{}");
  const { out } = await runLine("init", dir);
  expect(out).toContain("npm install troupe zod   # for troupe the tarball of npm pack\n");
  expect(await read("troupe/system.test.mts")).toContain('from "./system.mts"');
  expect(await read("dapr.yaml")).toContain('"troupe/system.mts"]');
});

test("without a package.json nothing is written", async () => {
  const { code, err } = await runLine("init", join(dir, "none"));
  expect([code, err]).toEqual([
    1,
    `PROJECT_ABSENT: there is no package.json in ${join(dir, "none")}.\n` +
      "What to do: Go to the folder of your project, or make one there: npm init -y.\n",
  ]);
});
