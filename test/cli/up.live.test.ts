/** @module `up` on a real Dapr: a system in the foreground, the apps of a dapr.yaml on Redis, and modules that are no systems. */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { findDapr } from "../../cli/dapr/find.ts";
import { freePort } from "../../cli/dapr/ports.ts";
import { appPort } from "../app-port.ts";
import { renderResources } from "../../cli/dapr/resources.ts";
import { findRedis, startRedis } from "../../cli/dapr/stores.ts";
import { eachInFolder, headersOf, processesOf, runCommand, startCommand } from "./command.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const RETRY_MS = 100;
const TEST_MS = 120_000;
const OK = { code: 0, signal: null };
const FAILED = { code: 1, signal: null };
const TRIP = { route: "trip", input: { wish: "lake and mountains", days: 3, budget: 500 } };

const binaries = await findDapr();
const redis = await findRedis();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");
if (redis === undefined) process.stdout.write("skip: no redis-server\n");

let dir = "";
eachInFolder((made) => (dir = made));

async function post(url: string, headers = headersOf(dir)): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${url}/tasks?waitMs=20000`, { method: "POST", headers, body: JSON.stringify(TRIP) });
  return { status: response.status, body: await response.json() };
}

/** An app that has found its sidecar may still have to find its store: then it answers 503, and when to ask again. */
async function postUntilTaken(url: string): ReturnType<typeof post> {
  for (;;) {
    const answer = await post(url);
    if (answer.status !== 503) return answer;
    await sleep(RETRY_MS);
  }
}

describe.skipIf(binaries === undefined)("up", () => {
  test("runs the example, answers over HTTP, and Ctrl-C is an orderly end", { timeout: TEST_MS }, async () => {
    const port = await appPort();
    const run = await startCommand(dir, ["up", "--port", String(port)]);
    await run.until(`The system takes tasks at http://127.0.0.1:${port} `);
    expect(run.text()).toContain("No OPENAI_API_KEY: the scripted model answers, from ");
    expect(await post(`http://127.0.0.1:${port}`)).toMatchObject({
      status: 200,
      body: { status: "completed", output: { city: "Ljubljana" } },
    });
    process.kill(run.child.pid, "SIGINT");
    expect(await run.child.exited, run.text()).toEqual(OK);
    expect(run.text()).toContain("Everything is stopped.");
    expect(processesOf(dir)).toEqual([]);
  });

  test("tokens of the environment are asked for", { timeout: TEST_MS }, async () => {
    const port = await appPort();
    const run = await startCommand(dir, ["up", "--port", String(port)], { DAPR_API_TOKEN: "api-token", APP_API_TOKEN: "app-token" });
    await run.until("The system takes tasks at");
    const type = { "content-type": "application/json" };
    expect(await post(`http://127.0.0.1:${port}`, type)).toMatchObject({ status: 401, body: { error: { code: "auth.token" } } });
    expect(await post(`http://127.0.0.1:${port}`, { ...type, "dapr-api-token": "app-token" })).toMatchObject({ status: 200 });
  });

  const wrong = {
    "a file that is not there": [undefined, "SYSTEM_FILE: there is no file system.ts."],
    "no default export": ["export const x = 1;", "SYSTEM_EXPORT: system.ts has no default export."],
    "another default export": ["export default { name: 'x' };", "SYSTEM_EXPORT: the default export of system.ts is no system."],
    "an error while it is loaded": [
      "const a = undefined; a.b;",
      "SYSTEM_LOAD: system.ts cannot be loaded: Cannot read properties of undefined (reading 'b')",
    ],
    "an import that is not there": ["import './absent.ts';", "SYSTEM_LOAD: system.ts cannot be loaded: Cannot find module"],
    "a cycle without a bound": [
      `import { unbounded } from ${JSON.stringify(join(ROOT, "examples/02-loops/systems.ts"))}; export default unbounded();`,
      'cycle.unbounded: system "unbounded": the cycle Sales -> Support -> Sales (hand-off, hand-off)',
    ],
    "a model without a key": [
      `import { agent, contract, model, openai, route, system } from ${JSON.stringify(join(ROOT, "agents/index.ts"))};
      import { z } from ${JSON.stringify(join(ROOT, "node_modules/zod/index.js"))};
      const Writer = contract("Writer", 1, { input: z.string(), output: z.string() });
      const write = route("write", 1, z.string()).to("text", Writer, ({ task }) => task).output(({ text }) => text);
      const models = { default: openai({ model: "gpt-5-mini" }) };
      export default system("party", { agents: [agent(Writer, model({ instructions: "Write." }))], routes: [write], models });`,
      'MODEL_KEY: model "default" cannot be called: endpoint "gpt-5-mini" has no key: set OPENAI_API_KEY',
    ],
    "a wrong definition": [
      `import { system } from ${JSON.stringify(join(ROOT, "agents/index.ts"))}; export default system("1", { agents: [], routes: [] });`,
      'definition.invalid: system "1"',
    ],
  } as const;
  for (const [name, [code, message]] of Object.entries(wrong)) {
    test(`${name} is told in one line with what to do`, { timeout: TEST_MS }, async () => {
      if (code !== undefined) await writeFile(join(dir, "system.ts"), code);
      const { exit, text } = await runCommand(dir, ["up", "system.ts", "--port", String(await appPort())]);
      expect(exit, text).toEqual(FAILED);
      expect(text).toContain(message);
      expect(text).toContain("What to do: ");
      expect(text).not.toMatch(/^\s+at /m);
      expect(processesOf(dir)).toEqual([]);
    });
  }
});

describe.skipIf(binaries === undefined || redis === undefined)("up -f", () => {
  test("runs the dapr.yaml of the project on Redis, and Ctrl-C ends all of it", { timeout: TEST_MS }, async () => {
    const store = await startRedis({ dir: join(dir, "redis"), appendfsync: "always" });
    try {
      const resources = await renderResources("redis", { dir, redisHost: store.host });
      const file: { common: Record<string, unknown>; apps: Record<string, unknown>[] } = parse(
        await readFile(join(ROOT, "dapr.yaml"), "utf8"),
      );
      const port = await appPort();
      // The project's own file, with the test's Redis and ports, and a key that is not used.
      Object.assign(file.common, {
        resourcesPaths: [resources],
        configFilePath: join(ROOT, "components/configuration.yaml"),
        enableApiLogging: true,
      });
      Object.assign(file.apps[0] ?? {}, {
        appDirPath: ROOT,
        appPort: port,
        daprHTTPPort: await freePort(),
        env: { ...(file.apps[0]?.["env"] as object | undefined), TRAVEL_DESK: join(dir, "bookings") },
      });
      await writeFile(join(dir, "dapr.yaml"), stringify(file));
      const run = await startCommand(dir, ["up", "-f", "dapr.yaml"]);
      await run.until(`party is up at http://127.0.0.1:${port}`);
      expect(run.text()).toContain("No OPENAI_API_KEY: the scripted model answers, from examples/01-travel/model.script.yaml.");
      expect(run.text()).toContain("warning: dapr.yaml: common.enableApiLogging is not used here");
      expect(run.text().match(/^warning: /gm)).toHaveLength(1);
      expect(await postUntilTaken(`http://127.0.0.1:${port}`)).toMatchObject({
        status: 200,
        body: { status: "completed", output: { city: "Ljubljana" } },
      });
      process.kill(run.child.pid, "SIGINT");
      expect(await run.child.exited, run.text()).toEqual(OK);
      expect(processesOf(dir).filter(({ command }) => !command.includes("redis-server"))).toEqual([]);
    } finally {
      await store.stop();
    }
  });
});
