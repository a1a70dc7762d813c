/** @module The counts of `npm test` are correct: every failure is counted, also outside of a test, and leftovers are found. */
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { leftFiles, leftProcesses, RUN_MARK } from "../leftovers.ts";
import { type Totals, TOTALS_FILE } from "../totals.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const RUN_MS_MAX = 60_000;

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-runner-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function count(files: Readonly<Record<string, string>>): Promise<{ readonly code: number | null; readonly totals: Totals }> {
  await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
  for (const [name, body] of Object.entries(files))
    await writeFile(join(dir, name), `import { afterAll, beforeAll, describe, expect, test } from "vitest";\n${body}`);
  const args = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--root", dir, "--reporter", join(ROOT, "test/totals.ts")];
  const { status } = spawnSync(process.execPath, args, {
    cwd: dir,
    env: { ...process.env, [TOTALS_FILE]: join(dir, "totals.json") },
    timeout: RUN_MS_MAX,
  });
  return { code: status, totals: JSON.parse(await readFile(join(dir, "totals.json"), "utf8")) as Totals };
}

describe("the count", { timeout: RUN_MS_MAX }, () => {
  test("of a clean run", async () => {
    const files = {
      "a.test.ts": 'test("a", () => {}); describe("b", () => { test.each([1, 2])("c %s", () => {}); });',
      "b.test.ts": 'test.skipIf(true)("d", () => {}); test("e", () => {});',
    };
    expect(await count(files)).toEqual({ code: 0, totals: { passed: 4, failed: 0, skipped: 1 } });
  });

  test("has failed tests, files that do not load, broken hooks and uncaught errors", async () => {
    const { code, totals } = await count({
      "fails.test.ts": 'test("a", () => expect(1).toBe(2)); test("b", () => {});',
      "throws.test.ts": 'throw new Error("at load");',
      "empty.test.ts": 'import "./absent.ts"; test("c", () => {});',
      "hook.test.ts": 'describe("d", () => { beforeAll(() => { throw new Error("hook"); }); test("e", () => {}); });',
      "after.test.ts": 'afterAll(() => { throw new Error("hook"); }); test("f", () => {});',
      "late.test.ts":
        'test("g", async () => { void Promise.reject(new Error("uncaught")); await new Promise((done) => setTimeout(done, 50)); });',
    });
    expect([code, totals.passed, totals.failed]).toEqual([1, 3, 6]);
  });
});

describe("leftovers", () => {
  test("finds a process with the mark, and one without any environment whose working directory is the folder; no others", async () => {
    const mark = randomUUID();
    const left = async (): Promise<readonly string[]> => (await leftProcesses(mark, dir)).map(({ command }) => command);
    const child = spawn("sleep", ["60"], { env: { ...process.env, [RUN_MARK]: mark }, stdio: "ignore" });
    await expect.poll(left, { timeout: RUN_MS_MAX }).toEqual(["sleep 60"]);
    child.kill("SIGKILL");
    await mkdir(join(dir, "below"));
    const bare = spawn("/bin/sleep", ["61"], { env: {}, cwd: join(dir, "below"), stdio: "ignore" });
    await expect.poll(left, { timeout: RUN_MS_MAX }).toEqual(["/bin/sleep 61"]);
    bare.kill("SIGKILL");
    expect(await left()).toEqual([]);
  });

  test("finds files of the folder", async () => {
    expect(await leftFiles(dir)).toEqual([]);
    await writeFile(join(dir, "left"), "");
    expect(await leftFiles(dir)).toEqual(["left"]);
  });
});
