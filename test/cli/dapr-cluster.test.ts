/** @module The launcher on a real Dapr: every profile starts, every part comes back after `kill -9`, and nothing is left after stop. */
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { Cluster, type Sidecar } from "../../cli/dapr/cluster.ts";
import { findDapr } from "../../cli/dapr/find.ts";
import { freePort } from "../../cli/dapr/ports.ts";
import { Child, groupAlive } from "../../cli/dapr/process.ts";
import { renderResources, type Profile, type ResourceValues } from "../../cli/dapr/resources.ts";
import { findPostgres, findRedis, startPostgres, startRedis, type Store } from "../../cli/dapr/stores.ts";

const READY_MS = 60_000;
const RECOVERY_MAX_MS = 30_000;
const CALL_TIMEOUT_MS = 5_000;
const TEST_TIMEOUT_MS = 120_000;
const REMINDER = "/v1.0/actors/Echo/one/reminders/later";
const API_TOKEN = "api-token-of-the-test";
const APP_TOKEN = "app-token-of-the-test";

const binaries = await findDapr();
const redis = await findRedis();
const postgres = await findPostgres();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `troupe doctor`\n");
if (redis === undefined) process.stdout.write("skip: no redis-server\n");
if (postgres === undefined) process.stdout.write("skip: no postgres\n");

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "troupe-"));
  // PostgreSQL runs as another user when the test runs as root.
  await chmod(dir, 0o755);
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

interface Running {
  readonly cluster: Cluster;
  readonly sidecar: Sidecar;
  readonly app: () => Child;
  startApp(): Promise<void>;
  readonly pids: Set<number>;
  /** What the parts printed. */
  readonly lines: readonly string[];
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the test should have been skipped");
  return value;
}

async function run(profile: Profile, dir: string, values: Partial<ResourceValues>): Promise<Running> {
  const startedAt = performance.now();
  const pids = new Set<number>();
  const lines: string[] = [];
  const cluster = await Cluster.start({ binaries: need(binaries), dir, log: (source, line) => void lines.push(`${source}: ${line}`) });
  cleanups.push(() => cluster.stop());
  const appPort = await freePort();
  let app: Child | undefined;
  const startApp = async (): Promise<void> => {
    app = await Child.spawn({
      name: "app",
      command: process.execPath,
      args: [fileURLToPath(new URL("./dapr-app.ts", import.meta.url)), String(appPort)],
    });
    pids.add(app.pid);
  };
  await startApp();
  cleanups.push(async () => app?.stop());
  const resourcesDir = await renderResources(profile, { dir, ...values });
  const sidecar = await cluster.startSidecar({ appId: "echo", appPort, resourcesDir, apiToken: API_TOKEN, appToken: APP_TOKEN });
  await sidecar.waitReady(READY_MS);
  report(`${profile}: from nothing to ready`, startedAt);
  return { cluster, sidecar, app: () => need(app), startApp, pids, lines };
}

function report(what: string, since: number): void {
  process.stdout.write(`${what}: ${((performance.now() - since) / 1_000).toFixed(2)} s\n`);
}

async function request(sidecar: Sidecar, path: string, method: string, body: unknown): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${sidecar.httpPort}${path}`, {
    method,
    headers: { "content-type": "application/json", "dapr-api-token": API_TOKEN },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text;
}

const call = (sidecar: Sidecar): Promise<string> => request(sidecar, "/v1.0/actors/Echo/one/method/hello", "POST", {});
const remind = (sidecar: Sidecar): Promise<string> => request(sidecar, REMINDER, "POST", { dueTime: "600s", period: "600s" });
const write = (sidecar: Sidecar): Promise<string> => request(sidecar, "/v1.0/state/statestore", "POST", [{ key: "k", value: 1 }]);

/** Repeats until it succeeds, prints how long that took, and fails when it took too long. */
async function again<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  const since = performance.now();
  for (;;) {
    try {
      const result = await attempt();
      report(what, since);
      return result;
    } catch (error) {
      if (performance.now() - since > RECOVERY_MAX_MS) throw error;
      await sleep(20);
    }
  }
}

function remember(running: Running): void {
  for (const part of [running.cluster.placement, running.cluster.scheduler, running.sidecar]) running.pids.add(part.pid);
}

describe.skipIf(binaries === undefined)("the launcher on a real Dapr", () => {
  test("embedded: every part comes back after kill -9, and stop leaves nothing", { timeout: TEST_TIMEOUT_MS }, async () => {
    const dir = await folder();
    const running = await run("embedded", dir, {});
    const { cluster, sidecar } = running;
    remember(running);
    expect(JSON.parse(await call(sidecar))).toEqual({ pid: running.app().pid, token: APP_TOKEN });
    await remind(sidecar);
    const open = await Promise.all([cluster.placement, cluster.scheduler, sidecar].map((part) => openSockets(part.pid)));
    // Dapr's health servers know no other address than all interfaces; see docs/dapr-launch.md.
    const health = [cluster.ports.placementHealth, cluster.ports.schedulerHealth].map((port) => `tcp6 :: ${port}`);
    expect(
      open
        .flat()
        .filter((socket) => !socket.includes(" 127.0.0.1 "))
        .toSorted(),
    ).toEqual(existsSync("/proc/net/tcp6") ? health.toSorted() : []);

    await cluster.placement.kill("SIGKILL");
    expect(cluster.placement.running).toBe(false);
    await cluster.placement.start();
    await again("placement killed: actor call after its start", () => call(sidecar));

    await cluster.scheduler.kill("SIGKILL");
    const since = performance.now();
    await cluster.scheduler.start();
    report("scheduler killed: its start", since);
    expect(await request(sidecar, REMINDER, "GET", undefined)).toContain("@every 10m0s");
    await again("scheduler killed: reminder after its start", () => remind(sidecar));

    await sidecar.kill("SIGKILL");
    await sidecar.start();
    await again("daprd killed: actor call after its start", () => call(sidecar));
    await sidecar.waitReady(READY_MS);
    await again("daprd killed: reminder after ready", () => remind(sidecar));

    const first = running.app();
    const before = running.lines.length;
    first.kill("SIGKILL");
    await first.exited;
    await expect.poll(() => running.lines.slice(before).join("\n")).toContain("App entered un-healthy status");
    await running.startApp();
    const answered = await again("app killed: actor call after its start", () => call(sidecar));
    expect(JSON.parse(answered)).toEqual({ pid: running.app().pid, token: APP_TOKEN });

    await cluster.dropSchedulerData();
    await again("scheduler emptied: reminder after its start", () => remind(sidecar));
    await expect(Cluster.start({ binaries: need(binaries), dir, log: () => undefined })).rejects.toMatchObject({ code: "FOLDER_LOCKED" });

    remember(running);
    const stopping = performance.now();
    await cluster.stop();
    report("stop", stopping);
    await running.app().stop();
    expect([...running.pids].filter(groupAlive)).toEqual([]);
    expect(existsSync(join(dir, "lock"))).toBe(false);
  });

  test("a folder of a killed run is taken over, and what it left running is ended", { timeout: TEST_TIMEOUT_MS }, async () => {
    const dir = await folder();
    const script = join(dir, "run.ts");
    const url = new URL("../../cli/dapr/cluster.ts", import.meta.url).href;
    await writeFile(
      script,
      [
        `import { Cluster } from ${JSON.stringify(url)};`,
        `await Cluster.start({ binaries: ${JSON.stringify(binaries)}, dir: ${JSON.stringify(dir)}, log: () => undefined });`,
        'console.log("started");',
        "setInterval(() => undefined, 1000);",
        "",
      ].join("\n"),
    );
    const started = Promise.withResolvers<void>();
    const owner = await Child.spawn({
      name: "owner",
      command: process.execPath,
      args: [script],
      onLine: (line) => line === "started" && started.resolve(),
    });
    await started.promise;
    const locked: { children: { pid: number }[] } = JSON.parse(await readFile(join(dir, "lock"), "utf8"));
    const orphans = locked.children.map((child) => child.pid);
    expect(orphans).toHaveLength(2);
    owner.kill("SIGKILL");
    await owner.exited;
    expect(orphans.every(groupAlive)).toBe(true);
    const cluster = await Cluster.start({ binaries: need(binaries), dir, log: () => undefined });
    cleanups.push(() => cluster.stop());
    expect(orphans.some(groupAlive)).toBe(false);
  });

  test.skipIf(redis === undefined)("redis: starts, and goes on after the store was killed", { timeout: TEST_TIMEOUT_MS }, async () => {
    const dir = await folder();
    const store = await startRedis({ dir: join(dir, "redis"), appendfsync: "always" });
    await storeComesBack("redis", dir, store, { redisHost: store.host, redisPassword: "" });
  });

  test.skipIf(postgres === undefined)(
    "postgres: starts, and goes on after the store was killed",
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      const dir = await folder();
      const broker = redis === undefined ? undefined : await startRedis({ dir: join(dir, "redis"), appendfsync: "always" });
      if (broker !== undefined) cleanups.push(() => broker.stop());
      const store = await startPostgres({ dir: join(dir, "postgres") });
      await storeComesBack("postgres", dir, store, { postgresUrl: store.url, ...(broker === undefined ? {} : { redisHost: broker.host }) });
    },
  );
});

/** What a process listens on, as "tcp 127.0.0.1 20123"; nothing where there is no /proc. */
async function openSockets(pid: number): Promise<readonly string[]> {
  const TCP_LISTEN = "0A";
  const UDP_UNCONNECTED = "07";
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const found: string[] = [];
  for (const kind of ["tcp", "tcp6", "udp", "udp6"]) {
    for (const line of (await readFile(`/proc/net/${kind}`, "utf8").catch(() => "")).split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      if (!inodes.has(inode) || inode === undefined || (state !== TCP_LISTEN && state !== UDP_UNCONNECTED)) continue;
      const [address = "", port = ""] = local.split(":");
      const name = address === "0100007F" ? "127.0.0.1" : /^0+$/.test(address) ? "::" : address;
      found.push(`${kind} ${name} ${Number.parseInt(port, 16)}`);
    }
  }
  return found;
}

async function storeComesBack(profile: Profile, dir: string, store: Store, values: Partial<ResourceValues>): Promise<void> {
  cleanups.push(() => store.stop());
  const running = await run(profile, dir, values);
  await call(running.sidecar);
  await write(running.sidecar);
  const killed = store.pid;
  await store.kill("SIGKILL");
  expect(groupAlive(killed)).toBe(false);
  const since = performance.now();
  await store.start();
  report(`${profile} killed: its start`, since);
  await again(`${profile} killed: state write after its start`, () => write(running.sidecar));
  expect(await request(running.sidecar, "/v1.0/state/statestore/bulk", "POST", { keys: ["k"] })).toContain('"data":1');
  await again(`${profile} killed: actor call after its start`, () => call(running.sidecar));
}
