/**
 * @module `up` as a supervisor on a real Dapr: it restarts killed parts while a task completes, ends the run if a part does not stay up,
 * and runs saved sources.
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/find.ts";
import { appPort } from "../app-port.ts";
import { type CommandRun, eachInFolder, processesOf, runCommand, startCommand } from "./command.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TEST_MS = 120_000;
const OK = { code: 0, signal: null };
const FAILED = { code: 1, signal: null };
const TRIP = '{"wish":"lake and mountains","days":3,"budget":500}';

const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

let dir = "";
eachInFolder((made) => (dir = made));

async function upWith(env: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<CommandRun> {
  const run = await startCommand(dir, ["up", ...words, "--port", String(await appPort())], env);
  await run.until("The system takes tasks at");
  return run;
}

/** The pid of the part whose command line holds the text. */
function partOf(text: string): number {
  return processesOf(dir).find(({ command }) => command.includes(text))?.pid ?? 0;
}

async function endOf(run: CommandRun): Promise<void> {
  process.kill(run.child.pid, "SIGINT");
  expect(await run.child.exited, run.text()).toEqual(OK);
  expect(processesOf(dir)).toEqual([]);
}

describe.skipIf(binaries === undefined)("up", () => {
  test.each([
    ["app", "cli/app.ts", "app"],
    ["daprd", "--app-id", "daprd troupe"],
    ["scheduler", "--etcd-data-dir", "scheduler"],
  ])("a killed %s is started again, and that is said, while a task completes", { timeout: TEST_MS }, async (_name, mark, part) => {
    const run = await upWith({ TRAVEL_DESK_MS: "3000" });
    const task = await startCommand(dir, ["submit", "trip", TRIP, "--id", "mine", "--wait"]);
    await run.until("a task was accepted");
    const watching = await startCommand(dir, ["show", "mine", "--follow"]);
    await watching.until("FlightAgent   asked");
    process.kill(partOf(mark), "SIGKILL");
    await run.until(`${part} ended with SIGKILL; restart 1 of 12 in 0.5 s`);
    await run.until(`${part} is up again`);
    expect(await task.child.exited, `${task.text()}\n${run.text()}`).toEqual(OK);
    expect(task.text()).toContain("city: Ljubljana");
    expect(await watching.child.exited, `${watching.text()}\n${run.text()}`).toEqual(OK);
    expect(watching.text()).toContain("city: Ljubljana");
    expect(await readdir(join(dir, ".troupe", "bookings"))).toHaveLength(2);
    await endOf(run);
  });

  test(
    "--stay stays up when everything around it goes; a supervisor that is killed leaves parts behind, which down ends",
    { timeout: TEST_MS },
    async () => {
      const { exit, text } = await runCommand(dir, ["up", "--stay", "--json", "--port", String(await appPort())]);
      expect(exit, text).toEqual(OK);
      const { pid, url } = JSON.parse(text) as { pid: number; url: string };
      process.kill(partOf("cli/app.ts"), "SIGKILL");
      expect((await runCommand(dir, ["submit", "trip", TRIP, "--wait", "--patience", "60s"], { TROUPE_URL: url })).exit).toEqual(OK);
      process.kill(pid, "SIGKILL");
      await expect.poll(() => processesOf(dir).some((found) => found.pid === pid)).toBe(false);
      expect(processesOf(dir).length).toBeGreaterThan(0);
      // A program of Dapr may end by itself meanwhile, since what it prints has no reader.
      expect((await runCommand(dir, ["down"])).text).toMatch(/Ended [1-4] parts that a killed run left behind in \.troupe\./);
      expect(processesOf(dir)).toEqual([]);
      const port = String(await appPort());
      const failed = await runCommand(dir, ["up", "absent.ts", "--stay", "--port", port]);
      expect([failed.exit.code, failed.text]).toEqual([1, expect.stringContaining("SYSTEM_FILE: there is no file absent.ts.")]);
      // A system of another user may listen on the default port.
      expect((await runCommand(dir, ["ps"], { TROUPE_URL: `http://127.0.0.1:${port}` })).exit.code).toBe(3);
    },
  );

  test("a handler that ends its process, and an undo that does, end as a dead letter; the run goes on", { timeout: TEST_MS }, async () => {
    await writeFile(join(dir, "system.ts"), CRASHING);
    const run = await upWith({}, "system.ts");
    const { exit, text } = await runCommand(dir, ["submit", "risk", '"dies"', "--wait", "--patience", "90s"]);
    expect(exit.code, `${text}\n${run.text()}`).not.toBe(0);
    expect(text).toContain("work.crashed");
    const undone = await runCommand(dir, ["submit", "risk", '"undo dies"', "--wait", "--patience", "90s"]);
    expect(undone.text, run.text()).toContain("compensation.failed");
    expect((await runCommand(dir, ["submit", "risk", '"well"', "--wait", "--patience", "60s"])).exit, run.text()).toEqual(OK);
    await endOf(run);
  });

  test(
    "six stops and starts around one long handler: it goes on, no host counts as dead, and no attempt is spent",
    { timeout: TEST_MS },
    async () => {
      await writeFile(join(dir, "system.ts"), LONG);
      for (let life = 1; life <= LIVES; life += 1) {
        const run = await upWith({ LIFE: String(life) }, "system.ts");
        if (life === 1) expect((await runCommand(dir, ["submit", "long", "1", "--id", "mine"])).exit).toEqual(OK);
        await run.until(`life ${life} runs it in attempt 1`);
        if (life === LIVES) {
          const { exit, text } = await runCommand(dir, ["submit", "long", "1", "--id", "mine", "--wait"]);
          expect(exit, text).toEqual(OK);
          expect((await runCommand(dir, ["show", "mine", "--json"])).text).not.toContain("takeovers");
        }
        await endOf(run);
      }
    },
  );

  test("a part that does not stay up ends the run with its name, exit code 1, and nothing is left", { timeout: TEST_MS }, async () => {
    await copyExample();
    const run = await upWith({}, "party/system.ts");
    // From now on the program cannot start.
    await writeFile(join(dir, "party/system.ts"), "throw new Error('no such desk');");
    process.kill(partOf("cli/app.ts"), "SIGKILL");
    expect(await run.child.exited).toEqual(FAILED);
    expect(run.text()).toContain("app did not start: SYSTEM_LOAD: party/system.ts cannot be loaded: no such desk");
    expect(run.text()).toContain("restart 12 of 12 in 4 s");
    expect(run.text()).toMatch(/^PART_ENDED: app .+ It was restarted 12 times and does not stay up, so everything was stopped\.$/m);
    expect(processesOf(dir)).toEqual([]);
  });

  test(
    "--watch runs what was saved, app and daprd together; a program that does not start waits for the next save",
    { timeout: TEST_MS },
    async () => {
      await copyExample();
      const run = await upWith({}, "party/system.ts", "--watch");
      const [app, daprd] = [partOf("cli/app.ts"), partOf("--app-id")];
      const world = await readFile(join(dir, "party/world.ts"), "utf8");
      await writeFile(join(dir, "party/world.ts"), "export const broken: = 1;");
      await run.until("party/world.ts changed; restarting app with daprd");
      await run.until("it does not run now; the next change starts it again");
      expect(run.text()).toContain("SYSTEM_LOAD: party/system.ts cannot be loaded");
      await writeFile(join(dir, "party/world.ts"), world.replace("what: `${hotel.name}, ", "what: `a tent, "));
      await run.until("restarted after the change of party/world.ts");
      expect([partOf("cli/app.ts"), partOf("--app-id")]).not.toContain(app);
      expect([partOf("cli/app.ts"), partOf("--app-id")]).not.toContain(daprd);
      const { exit, text } = await runCommand(dir, ["submit", "trip", TRIP, "--wait", "--patience", "60s"]);
      expect(exit, text).toEqual(OK);
      expect(text).toContain("hotel: a tent, 2 nights");
      await endOf(run);
    },
  );
});

const LIVES = 7;
/** An agent whose handler ends in the last of several lives of its app. */
const LONG = `import { agent, contract, route, system } from ${JSON.stringify(join(ROOT, "agents/index.ts"))};
import { z } from ${JSON.stringify(fileURLToPath(import.meta.resolve("zod")))};
const Long = contract("Long", 1, { input: z.int(), output: z.int() });
const long = agent(Long, {
  handle: async (n, ctx) => {
    ctx.log.info(\`life \${process.env.LIFE} runs it in attempt \${ctx.attempt}\`);
    if (process.env.LIFE === "${LIVES}") return n;
    return new Promise((_resolve, reject) => ctx.signal.addEventListener("abort", () => reject(new Error("stopped"))));
  },
});
export default system("long", {
  agents: [long],
  routes: [route("long", 1, z.int()).to("long", Long, ({ task }) => task, { timeoutMs: 600_000 }).output(({ long: n }) => n)],
});
`;

/** An agent that ends its process, in its handler or in its undo. */
const CRASHING = `import { agent, contract, Fault, route, system } from ${JSON.stringify(join(ROOT, "agents/index.ts"))};
import { z } from ${JSON.stringify(fileURLToPath(import.meta.resolve("zod")))};
const Risk = contract("Risk", 1, { input: z.string(), output: z.string() });
const Next = contract("Next", 1, { input: z.string(), output: z.string() });
const risk = agent(Risk, {
  handle: (what) => (what === "dies" ? process.exit(1) : what),
  undo: (what) => void (what === "undo dies" && process.exit(1)),
});
const next = agent(Next, {
  handle: (what) => {
    if (what === "undo dies") throw new Fault("agent.refused", "no");
    return what;
  },
});
const way = route("risk", 1, z.string())
  .to("risk", Risk, ({ task }) => task)
  .to("next", Next, ({ risk: what }) => what)
  .output(({ next: what }) => what);
export default system("risky", { agents: [risk, next], routes: [way] });
`;

/** The travel example in the test's folder, with the library where its imports find it. */
async function copyExample(): Promise<void> {
  const from = join(ROOT, "examples/01-travel");
  await mkdir(join(dir, "party"));
  for (const name of await readdir(from)) {
    const path = join(dir, "party", name);
    if (!name.endsWith(".ts")) await copyFile(join(from, name), path);
    else
      await writeFile(
        path,
        (await readFile(join(from, name), "utf8"))
          .replaceAll('"troupe"', JSON.stringify(join(ROOT, "agents/index.ts")))
          .replaceAll('"zod"', JSON.stringify(fileURLToPath(import.meta.resolve("zod")))),
      );
  }
}
