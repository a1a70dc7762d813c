/** @module Our side: the benchmark's system in one app with one daprd, with the store and broker of a profile. */
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { APP_NODE_ARGS } from "../../cli/run/app-args.ts";
import {
  type Child,
  Cluster,
  type DaprBinaries,
  freePort,
  type PostgresStore,
  type RedisStore,
  renderResources,
  startPostgres,
  startRedis,
} from "../../cli/dapr/index.ts";
import type { NamedPid } from "../proc.ts";
import { basicEnv, startProgram } from "./program.ts";
import type { Ids, Target, TargetPlace } from "./target.ts";

export const OUR_PROFILES = ["embedded", "redis-everysec", "redis-always", "postgres"] as const;
export type OurProfile = (typeof OUR_PROFILES)[number];

export interface TroupeOptions extends TargetPlace {
  readonly binaries: DaprBinaries;
  readonly profile: OurProfile;
  readonly ids: Ids;
  /** More arguments for Node and more environment for the app. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** @default "three" */
  readonly route?: string;
  readonly onAppLine?: (line: string) => void;
  /** The app of another checkout. */
  readonly appFile?: string;
  /** More environment for daprd, for example GOGC. */
  readonly sidecarEnv?: Readonly<Record<string, string>>;
}

export interface TroupeTarget extends Target {
  readonly app: Child;
  readonly daprPid: number;
  readonly daprHttpPort: number;
}

interface Stores {
  readonly redis?: RedisStore;
  readonly postgres?: PostgresStore;
}

const HOST = "127.0.0.1";
const READY_MS = 60_000;
const READY_POLL_MS = 50;
const STATUS_OK = 200;
const STOP_GRACE_MS = 10_000;
const WAIT_MS = 30_000;
const APP = fileURLToPath(new URL("../app.ts", import.meta.url));

const DURABILITY: Readonly<Record<OurProfile, string>> = {
  embedded: "every record fsynced (sqlite, synchronous FULL)",
  "redis-everysec": "fsync once a second (appendfsync everysec): a crash of the machine may take the last second",
  "redis-always": "every record fsynced (appendfsync always)",
  postgres: "every record fsynced (fsync on, synchronous_commit on)",
};

export async function startTroupe(options: TroupeOptions): Promise<TroupeTarget> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    const stores = await startStores(options);
    for (const store of Object.values(stores)) stops.push(() => store.stop());
    const resourcesDir = await renderResources(
      options.profile === "embedded" || options.profile === "postgres" ? options.profile : "redis",
      { dir: options.dir, ...values(stores) },
    );
    const cluster = await Cluster.start({
      binaries: options.binaries,
      dir: join(options.dir, "dapr"),
      log: options.log,
      logLevel: "error",
      onExit: (name, detail) => options.log("troupe", `${name} ended: ${detail}`),
    });
    stops.push(() => cluster.stop());
    const [appPort, daprPort] = [await freePort(), await freePort()];
    const app = await startProgram({
      name: "app",
      command: process.execPath,
      args: [...APP_NODE_ARGS, ...(options.nodeArgs ?? []), options.appFile ?? APP],
      cwd: options.dir,
      env: { ...basicEnv(), APP_PORT: String(appPort), DAPR_HTTP_PORT: String(daprPort), ...options.env },
      onLine: options.onAppLine ?? ((line) => options.log("app", line)),
    });
    // Dapr stops before the app: it informs the app of every actor that it deactivates.
    stops.splice(-1, 0, () => app.stop(STOP_GRACE_MS));
    const sidecar = await cluster.startSidecar({
      appId: "bench",
      appPort,
      resourcesDir,
      httpPort: daprPort,
      ...(options.sidecarEnv === undefined ? {} : { env: options.sidecarEnv }),
    });
    await Promise.race([sidecar.waitReady(READY_MS), ended(app)]);
    await tryUntilDone(scenario(appPort, "given"), app);
    const store = [
      ...(stores.redis === undefined ? [] : [{ name: "redis", pid: stores.redis.pid }]),
      ...(stores.postgres === undefined ? [] : [{ name: "postgres", pid: stores.postgres.pid }]),
    ];
    const processes = (): readonly NamedPid[] => [
      { name: "app", pid: app.pid },
      { name: "daprd", pid: sidecar.pid },
      ...store,
      { name: "scheduler", pid: cluster.scheduler.pid },
      { name: "placement", pid: cluster.placement.pid },
    ];
    return {
      name: `troupe ${options.profile}`,
      durability: DURABILITY[options.profile],
      scenario: scenario(appPort, options.ids, options.route),
      processes,
      stop,
      app,
      daprPid: sidecar.pid,
      daprHttpPort: daprPort,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startStores({ profile, dir, log }: TroupeOptions): Promise<Stores> {
  if (profile === "postgres")
    return {
      redis: await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec", log }),
      postgres: await startPostgres({ dir: join(dir, "pg"), log }),
    };
  if (profile === "embedded") return {};
  return { redis: await startRedis({ dir: join(dir, "redis"), appendfsync: profile === "redis-always" ? "always" : "everysec", log }) };
}

function values({ redis, postgres }: Stores): { readonly redisHost?: string; readonly postgresUrl?: string } {
  return { ...(redis === undefined ? {} : { redisHost: redis.host }), ...(postgres === undefined ? {} : { postgresUrl: postgres.url }) };
}

function scenario(appPort: number, ids: Ids, route = "three"): Target["scenario"] {
  return {
    origin: `http://${HOST}:${appPort}`,
    request: (id, input) => ({
      path: `/tasks?waitMs=${WAIT_MS}`,
      body: JSON.stringify({ ...(ids === "given" ? { id } : {}), route, input }),
    }),
    output: (status, text) => (status === STATUS_OK ? completed(JSON.parse(text)) : undefined),
  };
}

function completed(answer: unknown): number | undefined {
  if (typeof answer !== "object" || answer === null || !("status" in answer) || !("output" in answer)) return undefined;
  if (answer.status !== "completed") return undefined;
  // Model agents answer with text.
  return typeof answer.output === "string" || typeof answer.output === "number" ? Number(answer.output) : undefined;
}

/** Rejects when the app ends before it is asked to. */
async function ended(app: Child): Promise<never> {
  const { code, signal } = await app.exited;
  throw new Error(`the app has ended (${signal ?? code}): ${app.tail.join("\n")}`);
}

/** Waits for the first completed process. The host answers before it has found its sidecar, so the measurement begins only then. */
async function tryUntilDone({ origin, request, output }: Target["scenario"], app: Child): Promise<void> {
  const end = performance.now() + READY_MS;
  let last = "no answer";
  for (let attempt = 1; performance.now() < end; attempt++) {
    if (!app.running) throw new Error(`the app has ended: ${app.tail.join("\n")}`);
    const { path, body } = request(`first-${attempt}`, attempt);
    try {
      const answer = await fetch(origin + path, { method: "POST", body, headers: { "content-type": "application/json" } });
      last = `${answer.status} ${await answer.clone().text()}`;
      if (output(answer.status, await answer.text()) !== undefined) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(READY_POLL_MS);
  }
  throw new Error(`no process completed within ${READY_MS} ms: ${last}\n${app.tail.join("\n")}`);
}
