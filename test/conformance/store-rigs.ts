/** @module The stores that the contract is tested on: memory, and sqlite, redis and postgres behind a real daprd. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SidecarClient } from "../../actors/dapr/client.ts";
import { openStore } from "../../actors/dapr/group-commit.ts";
import { sidecarFacts } from "../../actors/dapr/sidecar.ts";
import { DaprStore } from "../../actors/dapr/store.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { StateStore } from "../../actors/engine/ports.ts";
import {
  Cluster,
  findDapr,
  findPostgres,
  findRedis,
  freePort,
  renderResources,
  startPostgres,
  startRedis,
  type Profile,
  type ResourceValues,
  type Restartable,
  type Sidecar,
} from "../../cli/dapr/index.ts";
import { DroppingProxy } from "./store-proxy.ts";

const READY_MS = 30_000;
const STARTS_MAX = 20;
const START_PAUSE_MS = 250;
const COMPONENT = "statestore";
const LOOPBACK = "127.0.0.1";

/** One store under test, and the ways to disrupt it. */
export interface Rig {
  readonly store: StateStore;
  /** Writes whose answer is lost. */
  readonly losing: { readonly store: StateStore; loseNextAnswer(): void };
  /** Kills the data's process with SIGKILL and restarts it. Absent for an embedded store. */
  readonly backend: { kill(): Promise<void>; revive(): Promise<void> } | undefined;
  /** Kills everything with SIGKILL and restarts it. Absent in memory, which would lose its data. */
  readonly restart: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

export const KINDS = ["memory", "sqlite", "sqlite, one by one", "redis", "postgres", "postgres, one by one"] as const;
export type Kind = (typeof KINDS)[number];

const binaries = await findDapr();
const redis = await findRedis();
const postgres = await findPostgres();

/** Why a store cannot be tested on this machine, or undefined. */
export function missing(kind: Kind): string | undefined {
  if (kind === "memory") return undefined;
  if (binaries === undefined) return "no Dapr programs (troupe doctor)";
  if (kind === "redis" && redis === undefined) return "no redis-server";
  if (kind.startsWith("postgres") && postgres === undefined) return "no postgres";
  return undefined;
}

export async function start(kind: Kind): Promise<Rig> {
  return kind === "memory" ? memoryRig() : daprRig(kind);
}

function memoryRig(): Rig {
  const store = new MemoryStore();
  return {
    store,
    losing: { store, loseNextAnswer: () => store.loseNext("after") },
    backend: { kill: async () => store.setAvailable(false), revive: async () => store.setAvailable(true) },
    restart: undefined,
    stop: async () => undefined,
  };
}

/** Stops what was started, the last first. */
class Cleanups {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step();
  }
}

async function daprRig(kind: Exclude<Kind, "memory">): Promise<Rig> {
  const cleanups = new Cleanups();
  try {
    return await buildRig(kind, cleanups);
  } catch (error) {
    await cleanups.run();
    throw error;
  }
}

async function buildRig(kind: Exclude<Kind, "memory">, cleanups: Cleanups): Promise<Rig> {
  if (binaries === undefined) throw new Error("the test should have been skipped");
  const dir = await mkdtemp(join(tmpdir(), "troupe-store-"));
  // PostgreSQL runs as another user when the test runs as root.
  await chmod(dir, 0o755);
  cleanups.add(() => rm(dir, { recursive: true, force: true }));
  const { profile, backend, values } = await backendOf(kind, dir, cleanups);
  const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log: () => undefined });
  cleanups.add(() => cluster.stop());
  const appPort = await startIdleApp(cleanups);
  const sidecar = await cluster.startSidecar({
    appId: "conformance",
    appPort,
    resourcesDir: await renderResources(profile, { dir, ...values }),
  });
  await sidecar.waitReady(READY_MS);
  const origin = `http://${LOOPBACK}:${sidecar.httpPort}`;
  const proxy = await DroppingProxy.start(sidecar.httpPort);
  cleanups.add(() => proxy.stop());
  const open = await opener(kind, origin);
  const client = new SidecarClient({ origin });
  const through = new SidecarClient({ origin: proxy.origin });
  cleanups.add(() => Promise.all([client.close(), through.close()]));
  return {
    store: open(client),
    losing: { store: open(through), loseNextAnswer: () => proxy.dropNext(1) },
    backend: backend === undefined ? undefined : { kill: () => backend.kill("SIGKILL"), revive: () => backend.start() },
    restart: () => restartAll(backend, sidecar),
    stop: () => cleanups.run(),
  };
}

async function opener(kind: Kind, origin: string): Promise<(client: SidecarClient) => StateStore> {
  if (kind.endsWith("one by one")) return (client) => new DaprStore(client, COMPONENT);
  const { components } = await sidecarFacts({ origin });
  return (client) => openStore(client, COMPONENT, components.get(COMPONENT));
}

async function restartAll(backend: Restartable | undefined, sidecar: Sidecar): Promise<void> {
  await Promise.all([sidecar.kill("SIGKILL"), backend?.kill("SIGKILL")]);
  await backend?.start();
  // daprd exits when its store still recovers, so it is started again as a supervisor would do.
  for (let attempt = 1; ; attempt += 1) {
    try {
      await sidecar.start();
      await sidecar.waitReady(READY_MS);
      return;
    } catch (error) {
      if (attempt >= STARTS_MAX) throw error;
      await sleep(START_PAUSE_MS);
    }
  }
}

interface Backend {
  readonly profile: Profile;
  readonly backend: Restartable | undefined;
  readonly values: Partial<ResourceValues>;
}

async function backendOf(kind: Kind, dir: string, cleanups: Cleanups): Promise<Backend> {
  if (kind.startsWith("sqlite")) return { profile: "embedded", backend: undefined, values: {} };
  const server = await startRedis({ dir: join(dir, "redis"), appendfsync: "always" });
  cleanups.add(() => server.stop());
  if (kind === "redis") return { profile: "redis", backend: server, values: { redisHost: server.host } };
  // The profile's topics also need a Redis.
  const database = await startPostgres({ dir: join(dir, "pg") });
  cleanups.add(() => database.stop());
  return { profile: "postgres", backend: database, values: { redisHost: server.host, postgresUrl: database.url } };
}

/** daprd waits for an app; this one serves nothing. */
async function startIdleApp(cleanups: Cleanups): Promise<number> {
  const port = await freePort();
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/healthz" ? 200 : 404;
    response.end();
  });
  await new Promise<void>((done) => server.listen(port, LOOPBACK, done));
  cleanups.add(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return port;
}
