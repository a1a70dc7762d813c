/**
 * @module A misconfigured environment: a taken port, another Dapr, a store that is down, another token. Each has its own clear error and
 * changes nothing.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const APP = fileURLToPath(new URL("app.ts", import.meta.url));
const TEST_MS = 120_000;
const SAID_MS = 60_000;
const UNREADY_MS_MAX = 60_000;
const POLL_MS = 50;
/** A host calls a silent sidecar three times, 5 s each, before it reports that. */
const CALL_MS = 40_000;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const dapr = (await findDapr()) !== undefined;
const redis = (await findRedis()) !== undefined;
if (!dapr || !redis) print("skip: no Dapr programs or no redis-server");

interface App {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** The app alone, with a sidecar port that the test chooses. */
async function runApp(appPort: number, daprPort: number): Promise<App> {
  const dir = await mkdtemp(join(tmpdir(), "troupe-live-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  const child = spawn(process.execPath, [APP], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      LIVE_APP_PORT: String(appPort),
      LIVE_DAPR_PORT: String(daprPort),
      LIVE_LEDGER: "http://127.0.0.1:9",
      LIVE_GAUGES: join(dir, "gauges"),
    },
  });
  let output = "";
  const take = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const ended = once(child, "exit").then(([code]: unknown[]) => (typeof code === "number" ? code : null));
  cleanups.push(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { output: () => output, ended };
}

async function listen(respond: (url: string) => { readonly status: number; readonly body: unknown }): Promise<number> {
  const server = createServer((request, response) => {
    const { status, body } = respond(request.url ?? "");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function said(text: () => string, wanted: RegExp): Promise<void> {
  const end = performance.now() + SAID_MS;
  while (!wanted.test(text()) && performance.now() < end) await sleep(POLL_MS);
  expect(text()).toMatch(wanted);
}

test("a taken port ends the start with its own code and the port's number", { timeout: TEST_MS }, async () => {
  const taken = await listen(() => ({ status: 404, body: {} }));
  const app = await runApp(taken, 9);
  expect(await app.ended).not.toBe(0);
  expect(app.output()).toMatch(/port\.taken|port .* is in use/i);
  expect(app.output()).toContain(String(taken));
});

test("a Dapr of another version is named and not used", { timeout: TEST_MS }, async () => {
  const fake = await listen((url) =>
    url.includes("metadata") ? { status: 200, body: { id: "live", runtimeVersion: "1.17.3", components: [] } } : { status: 204, body: {} },
  );
  const app = await runApp(0, fake);
  await said(app.output, /dapr\.version/);
  expect(app.output()).toContain("1.17.3");
  expect(app.output()).not.toContain("recovered");
});

async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CALL_MS),
  });
  return { status: answer.status, text: await answer.text() };
}

const task = { id: "one", route: "party", input: { n: 1, shelf: "s", refuse: false } };

test.skipIf(!dapr || !redis)(
  "with the store down a task is refused with 503 and a code, and accepted once the store is back",
  { timeout: TEST_MS },
  async () => {
    const world = await World.start({ profile: "redis", seed: seedOfRun() });
    cleanups.push(() => world.stop());
    await world.store?.kill("SIGKILL");
    const refused = await post(`${world.host.url}/tasks`, task);
    expect(refused.status).toBe(503);
    expect(refused.text).toMatch(/store\.unavailable|sidecar\.unavailable|journal\.contended/);
    await world.store?.start();
    await world.client.submit(task);
    expect((await world.client.ended("one", Date.now() + SAID_MS))?.outcome?.status).toBe("completed");
  },
);

test.skipIf(!dapr)(
  "a daprd with another APP_API_TOKEN than the app's is refused: the app says why, and is unready, though it does what it can alone",
  { timeout: TEST_MS },
  async () => {
    const world = await World.start({ profile: "embedded", seed: seedOfRun(), tokens: { app: "right", daprd: "wrong" } });
    cleanups.push(() => world.stop());
    const bare = await post(`${world.host.url}/tasks`, task);
    expect([bare.status, bare.text.includes("auth.token")]).toEqual([401, true]);
    const accepted = await post(`${world.host.url}/tasks`, task, { authorization: "Bearer right" });
    // 503 if it was already found to be refused.
    expect([202, 503]).toContain(accepted.status);
    await said(() => world.host.log(), /auth\.token/);
    const health = async (): Promise<number> => (await fetch(`${world.host.url}/healthz`)).status;
    await expect.poll(health, { timeout: UNREADY_MS_MAX, interval: 500 }).toBe(503);
    await said(() => world.host.log(), /does not answer actor calls|refuses every actor call/);
  },
);
