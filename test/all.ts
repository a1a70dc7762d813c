/**
 * @module The parts of `npm test`: the type check, the fast tests, Dapr, the live tests, those that run alone. The last line is the
 * total.
 *
 * `--fast` omits the live tests; paths (or parts of them) select test files; `-t` selects tests by name.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { globSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureDapr, findPostgres, findRedis } from "../cli/dapr/index.ts";
import { ALONE, LIVE } from "../vitest.config.ts";
import { findChromium } from "./live/browser.ts";
import { leftFiles, leftProcesses, RUN_MARK } from "./leftovers.ts";
import { type Totals, TOTALS_FILE } from "./totals.ts";

const ROOT = join(import.meta.dirname, "..");
const TYPES_MS_MAX = 300_000;
const FAST_MS_MAX = 1_200_000;
const LIVE_MS_MAX = 2_400_000;
const ALONE_MS_MAX = 1_200_000;
/** Time for a part above its limit to end before it is killed. */
const KILL_GRACE_MS = 10_000;
const TEMP_MODE = 0o755;

const NONE: Totals = { passed: 0, failed: 0, skipped: 0 };
const ONE_PASSED: Totals = { passed: 1, failed: 0, skipped: 0 };
const ONE_FAILED: Totals = { passed: 0, failed: 1, skipped: 0 };

const { values, positionals: filters } = parseArgs({
  options: { fast: { type: "boolean", default: false }, testNamePattern: { type: "string", short: "t" } },
  allowPositionals: true,
});
const isCi = !["", "0", "false", undefined].includes(process.env["CI"]);
const isWhole = filters.length === 0 && values.testNamePattern === undefined;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function sum(a: Totals, b: Totals): Totals {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

function text(totals: Totals): string {
  return `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ""}`;
}

/** Runs one part and prints its name, result and time. */
async function part(name: string, run: () => Promise<Totals>): Promise<Totals> {
  say(`\n== ${name}`);
  const startedAt = performance.now();
  const totals = await run().catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return ONE_FAILED;
  });
  say(`== ${name}: ${text(totals)}, ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return totals;
}

/** Runs a program of node_modules on this Node, streaming its output; returns the exit code, or what ended it. */
async function runNode(args: readonly string[], msMax: number, env: NodeJS.ProcessEnv = {}): Promise<number | string> {
  const noColour = process.stdout.isTTY ? {} : { NO_COLOR: "1" };
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...noColour, ...env },
  });
  const timer = setTimeout(() => {
    say(`over its ${msMax / 60_000} minutes, so it is ended`);
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), KILL_GRACE_MS).unref();
  }, msMax);
  try {
    return await new Promise((done, failed) => {
      child.once("error", failed);
      child.once("close", (code, signal) => done(code ?? signal ?? "no exit code"));
    });
  } finally {
    clearTimeout(timer);
  }
}

async function types(): Promise<Totals> {
  const tsc = ["node_modules/typescript/bin/tsc", "--noEmit"];
  const codes = [await runNode(tsc, TYPES_MS_MAX), await runNode([...tsc, "-p", "dashboard"], TYPES_MS_MAX)];
  return codes.every((code) => code === 0) ? ONE_PASSED : ONE_FAILED;
}

/** Dapr, and in CI also the stores and a browser: there no test may be skipped because a program is missing. */
async function requirements(): Promise<Totals> {
  const lacking: string[] = [];
  try {
    const binaries = await ensureDapr(say);
    say(`Dapr ${binaries.version} in ${binaries.source}`);
  } catch (error) {
    lacking.push(`Dapr: ${error instanceof Error ? error.message : String(error)}`);
  }
  if ((await findRedis()) === undefined) lacking.push("redis-server is not on PATH");
  if ((await findPostgres()) === undefined) lacking.push("postgres is neither on PATH nor where Debian puts it");
  if (findChromium() === undefined) lacking.push("chromium is not on PATH");
  for (const line of lacking) say(`${isCi ? "missing" : "skip"}: ${line}`);
  if (lacking.length === 0) return ONE_PASSED;
  return isCi ? { ...NONE, failed: lacking.length } : { ...NONE, skipped: lacking.length };
}

/** Runs one project of vitest in its own temporary folder and under a mark, and searches for leftovers. */
async function tests(project: "fast" | "live" | "alone", msMax: number): Promise<Totals> {
  const temp = await mkdtemp(join(tmpdir(), `troupe-${project}-`));
  const count = `${temp}.json`;
  const mark = randomUUID();
  // PostgreSQL runs as another user when the tests run as root.
  await chmod(temp, TEMP_MODE);
  const name = values.testNamePattern === undefined ? [] : ["--testNamePattern", values.testNamePattern];
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    project,
    "--reporter",
    "default",
    "--reporter",
    "./test/totals.ts",
    "--passWithNoTests",
    ...name,
    ...filters,
  ];
  try {
    const code = await runNode(args, msMax, { TMPDIR: temp, [RUN_MARK]: mark, [TOTALS_FILE]: count });
    const written = await readFile(count, "utf8")
      .then((json) => JSON.parse(json) as Totals)
      .catch(() => NONE);
    const broke = code !== 0 && written.failed === 0;
    if (broke) say(`vitest ended with ${code}`);
    const totals = sum(written, broke ? ONE_FAILED : NONE);
    return sum(totals, await leftBehind(mark, temp));
  } finally {
    await rm(temp, { recursive: true, force: true });
    await rm(count, { force: true });
  }
}

async function leftBehind(mark: string, temp: string): Promise<Totals> {
  const processes = await leftProcesses(mark, temp);
  for (const { pid, command } of processes) {
    say(`left behind: process ${pid}: ${command}`);
    process.kill(pid, "SIGKILL");
  }
  const files = await leftFiles(temp);
  for (const file of files) say(`left behind in the temporary folder: ${file}`);
  return processes.length + files.length === 0 ? NONE : ONE_FAILED;
}

/** Whether a test of these is selected, by the same rule as vitest's: a filter is a part of the path. */
function wants(include: readonly string[], exclude: readonly string[] = []): boolean {
  if (values.fast) return false;
  return filters.length === 0 || globSync(include, { cwd: ROOT, exclude }).some((path) => filters.some((filter) => path.includes(filter)));
}

async function main(): Promise<number> {
  let totals = NONE;
  const add = async (name: string, run: () => Promise<Totals>): Promise<void> => {
    totals = sum(totals, await part(name, run));
  };
  if (isWhole) await add("types", types);
  await add("fast", () => tests("fast", FAST_MS_MAX));
  const [wantsLive, wantsAlone] = [wants(LIVE, ALONE), wants(ALONE)];
  if (wantsLive || wantsAlone) await add("dapr", requirements);
  if (wantsLive) await add("live", () => tests("live", LIVE_MS_MAX));
  if (wantsAlone) await add("alone", () => tests("alone", ALONE_MS_MAX));
  if (totals.passed + totals.failed === 0) {
    say("no test was run");
    totals = ONE_FAILED;
  }
  say(`\n${text(totals)}`);
  return totals.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
