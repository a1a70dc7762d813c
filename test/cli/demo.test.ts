/** @module `demo` on a real Dapr: it completes, leaves nothing behind, and goes on after `kill -9` of everything. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/find.ts";
import { TasksFile } from "../../cli/run/tasks-file.ts";
import { eachInFolder, processesOf, runCommand, startCommand } from "./command.ts";

const TEST_MS = 120_000;
const OK = { code: 0, signal: null };
const FAILED = { code: 1, signal: null };
const USAGE = { code: 2, signal: null };
/** npm and the shell pass one Ctrl-C on as several signals; what comes later than this is a second one. */
const AFTER_SAME_SIGNAL_MS = 1_200;
/** The travel desk answers so slowly that the signal arrives while the process runs. */
const SLOW = { TRAVEL_DESK_MS: "20000" };

const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

let dir = "";
eachInFolder((made) => (dir = made));

const bookings = async (): Promise<readonly string[]> =>
  existsSync(join(dir, ".troupe", "bookings")) ? readdir(join(dir, ".troupe", "bookings")) : [];

/** Starts a task with a slow travel desk and waits until its bookings are under way. */
async function inMidProcess(): ReturnType<typeof startCommand> {
  const run = await startCommand(dir, ["demo"], SLOW);
  await run.until("HotelAgent    asked");
  return run;
}

describe.skipIf(binaries === undefined)("demo", () => {
  test("runs the example, ends with completed and exit code 0, and leaves no process behind", { timeout: TEST_MS }, async () => {
    const { exit, text } = await runCommand(dir, ["demo"]);
    expect(exit, text).toEqual(OK);
    for (const step of [
      "plan      PlannerAgent  answered",
      "flight    FlightAgent   answered",
      "hotel     HotelAgent    answered",
      "bill      CashierAgent  answered",
      "snark     PlannerAgent  asked by a handler",
      "snark     SnarkAgent    answered",
    ])
      expect(text).toContain(step);
    expect(text).toContain("city: Palermo");
    expect(text.trimEnd().split("\n").at(-1)).toMatch(/^completed in \d+\.\d{3} s$/);
    expect(processesOf(dir)).toEqual([]);
    expect(await bookings()).toHaveLength(2);
    expect(JSON.parse(await readFile(join(dir, ".troupe", "tasks.json"), "utf8"))).toEqual({ v: 1, open: [] });
  });

  test("takes a wish in plain words, keeps state over runs, and --fresh moves it aside", { timeout: TEST_MS }, async () => {
    const first = await runCommand(dir, ["demo", "music,", "opera", "and", "cake"]);
    expect(first.text).toContain('"wish":"music, opera and cake"');
    expect(first.text).toContain("remark: Vienna has waited two thousand years for you.");
    const second = await runCommand(dir, ["demo", '{"wish":"music, opera and cake","days":3,"budget":900}']);
    expect(second.text).toContain("remark: Trip 1 was not enough? Then Vienna,");
    const fresh = await runCommand(dir, ["demo", "--fresh", "music, opera and cake"]);
    expect(fresh.text).toContain("remark: Vienna has waited two thousand years for you.");
    expect((await readdir(dir)).filter((name) => /^\.troupe\.\d{8}T\d{6}$/.test(name))).toHaveLength(1);
  });

  test("a budget that is too small: both bookings are undone, a dead letter, exit code 1", { timeout: TEST_MS }, async () => {
    const { exit, text } = await runCommand(dir, ["demo", '{"wish":"snow","days":5,"budget":10}']);
    expect(exit, text).toEqual(FAILED);
    for (const line of [
      "flight    FlightAgent   undone",
      "hotel     HotelAgent    undone",
      "agent.refused: ",
      "What to do: ",
      "dead letter",
      "failed in ",
    ])
      expect(text).toContain(line);
    expect(await bookings()).toEqual([]);
  });

  test("a task that does not fit is refused with its place, exit code 1", { timeout: TEST_MS }, async () => {
    const { exit, text } = await runCommand(dir, ["demo", '{"wish":"snow"}']);
    expect(exit, text).toEqual(FAILED);
    expect(text).toContain("schema.task: task of route trip at days");
    expect(text).not.toMatch(/^\s+at /m);
    expect(processesOf(dir)).toEqual([]);
  });

  test("Ctrl-C in mid-process ends everything; the next start goes on with the task", { timeout: TEST_MS }, async () => {
    const run = await inMidProcess();
    process.kill(run.child.pid, "SIGINT");
    expect(await run.child.exited, run.text()).toEqual(FAILED);
    expect(run.text()).toContain("The next start goes on with it.");
    expect(processesOf(dir)).toEqual([]);
    const again = await runCommand(dir, ["demo", "beach"]);
    expect(again.exit, again.text).toEqual(OK);
    expect(again.text).toContain("Resuming task ");
    expect(again.text.match(/^completed in /gm)).toHaveLength(2);
    expect(await bookings()).toHaveLength(4);
  });

  test.each(["SIGTERM", "SIGHUP"] as const)(
    "%s, also while everything is being started, leaves nothing behind",
    { timeout: TEST_MS },
    async (signal) => {
      const run = await startCommand(dir, ["demo"]);
      await run.until("Travel example on Dapr");
      process.kill(run.child.pid, signal);
      expect(await run.child.exited, run.text()).toEqual(FAILED);
      expect(run.text()).toContain(`Stopped (${signal}). Nothing is open.`);
      expect(processesOf(dir)).toEqual([]);
    },
  );

  test("a closed output ends the run, because the result is no longer needed", { timeout: TEST_MS }, async () => {
    const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
    const { stdout } = spawnSync("sh", ["-c", `"${process.execPath}" "${main}" demo | head -1`], {
      cwd: dir,
      env: { ...process.env, TROUPE_TEST_DIR: dir },
      encoding: "utf8",
    });
    expect(stdout).toContain("Travel example on Dapr");
    await expect.poll(() => processesOf(dir)).toEqual([]);
  });

  test("a second Ctrl-C does not wait, and still leaves nothing behind", { timeout: TEST_MS }, async () => {
    const run = await inMidProcess();
    // Parts that do not end: an orderly end would wait for them.
    for (const { pid } of processesOf(dir)) if (pid !== run.child.pid) process.kill(pid, "SIGSTOP");
    process.kill(run.child.pid, "SIGINT");
    await run.until("a second signal ends everything at once");
    await sleep(AFTER_SAME_SIGNAL_MS);
    process.kill(run.child.pid, "SIGINT");
    expect(await run.child.exited, run.text()).toEqual(FAILED);
    // An orderly end says what is open.
    expect(run.text()).not.toContain("Stopped (SIGINT)");
    await expect.poll(() => processesOf(dir)).toEqual([]);
  });

  test("kill -9 of everything in mid-process: the next start goes on, and nothing is booked twice", { timeout: TEST_MS }, async () => {
    const run = await inMidProcess();
    for (const { pid } of processesOf(dir)) process.kill(pid, "SIGKILL");
    await run.child.exited;
    await expect.poll(() => processesOf(dir)).toEqual([]);
    const again = await runCommand(dir, ["demo", "beach"]);
    expect(again.exit, again.text).toEqual(OK);
    expect(again.text).toContain("Resuming task ");
    expect(again.text.match(/^completed in /gm)).toHaveLength(2);
    expect(await bookings()).toHaveLength(4);
  });

  test("kill -9 of the command alone: the next start ends what it left behind, and goes on", { timeout: TEST_MS }, async () => {
    const run = await inMidProcess();
    process.kill(run.child.pid, "SIGKILL");
    await run.child.exited;
    expect(processesOf(dir).length).toBeGreaterThan(0);
    const again = await runCommand(dir, ["demo", "beach"]);
    expect(again.exit, again.text).toEqual(OK);
    expect(again.text.match(/^completed in /gm)).toHaveLength(2);
    expect(processesOf(dir)).toEqual([]);
  });

  test("the other commands find its run by the state folder, as they find that of up", { timeout: TEST_MS }, async () => {
    const run = await inMidProcess();
    const listed = await runCommand(dir, ["ps"]);
    expect(listed.exit, listed.text).toEqual(OK);
    for (const part of ["app", "daprd troupe", "placement", "scheduler"]) expect(listed.text).toMatch(new RegExp(`^${part} +\\d+$`, "m"));
    const [id = ""] = /[0-9a-f-]{36}(?= +trip +open)/.exec(listed.text) ?? [];
    expect((await runCommand(dir, ["show", id])).text).toContain(`${id}: open at stop `);
    expect((await runCommand(dir, ["dead", "list"])).text).toBe("No such dead letters.");
    const trip = ["submit", "trip", '{"wish":"snow","days":4,"budget":900}', "--id", "guest"];
    expect((await runCommand(dir, [...trip, "--dapr"])).text).toContain("--publish-app-id troupe ");
    expect((await runCommand(dir, trip)).text).toContain("Task guest is accepted");
    expect((await runCommand(dir, ["down"])).text).toContain("Everything is stopped.");
    expect(await run.child.exited, run.text()).toEqual(FAILED);
    expect((await runCommand(dir, ["ps"])).text).not.toContain("daprd troupe");
  });

  test("a part that dies is named, everything else is stopped, exit code 1", { timeout: TEST_MS }, async () => {
    const run = await inMidProcess();
    const daprd = processesOf(dir).find(({ command }) => command.includes("daprd"));
    process.kill(daprd?.pid ?? 0, "SIGKILL");
    expect(await run.child.exited, run.text()).toEqual(FAILED);
    expect(run.text()).toContain("PART_ENDED: daprd troupe ended with SIGKILL");
    expect(processesOf(dir)).toEqual([]);
  });

  test("a second run in the same folder is refused, and the first goes on", { timeout: TEST_MS }, async () => {
    const run = await inMidProcess();
    const second = await runCommand(dir, ["demo"]);
    expect(second.exit).toEqual(FAILED);
    expect(second.text).toContain("FOLDER_LOCKED");
    const fresh = await runCommand(dir, ["demo", "--fresh"]);
    expect(fresh.text).toContain("FOLDER_LOCKED");
    expect(run.child.running).toBe(true);
    process.kill(run.child.pid, "SIGINT");
    await run.child.exited;
  });
});

describe("usage", () => {
  test("a word that is no command starts nothing", { timeout: TEST_MS }, async () => {
    for (const word of ["logs", "shwo", "doctr", "snow"]) {
      const { exit, text } = await runCommand(dir, [word]);
      expect(exit).toEqual(USAGE);
      expect(text).toContain(`USAGE: unknown command '${word}'.\nWhat to do: `);
    }
    expect((await runCommand(dir, [])).text).toContain("Usage: troupe [options] [command]");
    expect(existsSync(join(dir, ".troupe"))).toBe(false);
  });

  test("a wrong option and broken JSON are exit code 2, help and version 0", { timeout: TEST_MS }, async () => {
    expect((await runCommand(dir, ["demo", "--frsh"])).exit).toEqual(USAGE);
    expect((await runCommand(dir, ["demo", '{"wish":'])).exit).toEqual(USAGE);
    expect((await runCommand(dir, ["up", "--port", "0"])).exit).toEqual(USAGE);
    const help = await runCommand(dir, ["--help"]);
    expect(help.exit).toEqual(OK);
    expect(help.text).toContain("Examples:");
    const version = await runCommand(dir, ["--version"]);
    expect(version.text).toMatch(/^\d+\.\d+\.\d+$/);
    expect(existsSync(join(dir, ".troupe"))).toBe(false);
  });

  test("doctor says what is missing and what to do, exit code 1; with everything there 0", { timeout: TEST_MS }, async () => {
    const bare = await runCommand(dir, ["doctor"], { HOME: dir, PATH: dir, TROUPE_DAPR_DIR: join(dir, "none") });
    expect(bare.exit, bare.text).toEqual(FAILED);
    expect(bare.text).toMatch(/^BAD {2}dapr +missing daprd, placement, scheduler of one version \(1\.18 and 1\.19\)/m);
    expect(bare.text).toContain("What to do: ");
    const start = await runCommand(dir, ["demo"], { HOME: dir, PATH: dir, TROUPE_DAPR_DIR: join(dir, "none") });
    expect(start.exit, start.text).toEqual(FAILED);
    expect(start.text).toMatch(/^(GO_ABSENT|SYSTEM_UNSUPPORTED): /m);
    if (binaries !== undefined) expect((await runCommand(dir, ["doctor"])).text).toContain("ok   dapr");
  });

  test("a Node that is too old is told so in one sentence", async () => {
    const door = JSON.stringify(new URL("../../cli/troupe.js", import.meta.url).href);
    const script = `Object.defineProperty(process.versions, "node", { value: "22.17.1" }); await import(${door});`;
    const { stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect([status, stderr.split("\n")[0]]).toEqual([1, "NODE_OLD: Troupe needs Node.js 22.18 or later, and this is 22.17.1."]);
  });

  test("a zod that is too old is told so, by the command and by the library", () => {
    const resolve = '(name, context, next) => next(name === "zod" ? "zod/v3" : name, context)';
    const hook = `import { registerHooks } from "node:module"; registerHooks({ resolve: ${resolve} });`;
    const run = (module: string): { readonly status: number | null; readonly stderr: string } => {
      const script = `${hook} await import(${JSON.stringify(new URL(module, import.meta.url).href)});`;
      return spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    };
    const { status, stderr } = run("../../cli/troupe.js");
    expect([status, stderr]).toEqual([
      1,
      "ZOD_OLD: Troupe needs zod 4, and this project has an older one.\nWhat to do: npm install zod@4\n",
    ]);
    for (const entry of ["../../agents/index.ts", "../../testing/index.ts", "../../client/index.ts"])
      expect(run(entry).stderr).toContain("Error: Troupe needs zod 4, and this project has an older one: npm install zod@4");
  });

  test("tasks.json that is no such file is said, and nothing is thrown away", { timeout: TEST_MS }, async () => {
    await writeFile(join(dir, "tasks.json"), "{");
    await expect(new TasksFile(dir).open()).rejects.toMatchObject({ code: "TASKS_FILE" });
  });
});
