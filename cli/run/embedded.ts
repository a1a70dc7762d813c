/** @module Runs one app with a daprd, placement and scheduler in one state folder. The profile chooses state store and topics. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { APP_NODE_ARGS } from "./app-args.ts";
import { Cluster, type DaprBinaries, freePort, type Profile, renderResources, type ResourceValues } from "../dapr/index.ts";
import { requireFreePort } from "../dapr/part.ts";
import { Apps } from "./apps.ts";
import { type Client, ClientError, connect } from "../../client/index.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Run } from "./run.ts";
import { type RunSecrets, runSecrets, secretsEnv } from "./secrets.ts";

export interface EmbeddedOptions {
  readonly binaries: DaprBinaries;
  readonly systemFile: string;
  /** The state folder, for example `.troupe`. */
  readonly dir: string;
  /** The port the app listens on. @default a free port */
  readonly appPort?: number | undefined;
  /** Further variables of the app. */
  readonly appEnv?: Readonly<Record<string, string>> | undefined;
  readonly log: (source: string, line: string) => void;
  readonly lifetime: Lifetime;
  /** @default embedded: SQLite, and topics in memory */
  readonly profile?: Profile | undefined;
  /** Addresses of the profile's stores. */
  readonly stores?: Omit<ResourceValues, "dir"> | undefined;
  /** Called when a part ends unexpectedly. @default ends the run */
  readonly onExit?: ((name: string, detail: string) => void) | undefined;
}

/** A running system. */
export interface EmbeddedRun extends Run {
  /** The URL of its HTTP API. */
  readonly url: string;
  readonly client: Client;
}

const APP_ID = "troupe";
const APP_NAME = "app";
const READY_MS = 60_000;
/** How long to retry while the system starts. */
const PATIENCE_MS = 30_000;
/** An id that no task can have: it is kept for nested routes. Asking for it changes nothing. */
const READY_PROBE_ID = `child-${"0".repeat(40)}`;

/** Starts everything and resolves when the system takes tasks. When a step fails, everything already started is stopped. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedRun> {
  const { lifetime, log, dir } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = (): Promise<void> => stopAll(stops.splice(0));
  const onExit = options.onExit ?? ((name: string, detail: string): void => lifetime.partEnded(name, detail));
  try {
    const apps = await Apps.open(dir, { log, onExit });
    stops.push(() => apps.stop());
    if (options.appPort !== undefined) await requireFreePort(APP_NAME, options.appPort);
    const secrets = await runSecrets(dir);
    const { appToken, apiToken } = secrets;
    const [appPort, httpPort] = [options.appPort ?? (await freePort()), await freePort()];
    const [app, controls] = await Promise.allSettled([
      apps.start(embeddedApp(options, appPort, httpPort, secrets)),
      Cluster.start({ binaries: options.binaries, dir, log, onExit }),
    ]);
    if (controls.status === "rejected") throw controls.reason;
    const cluster = controls.value;
    // The apps stop first, because they need their sidecars while they drain.
    stops.push(() => cluster.stop());
    if (app.status === "rejected") throw app.reason;
    lifetime.signal.throwIfAborted();
    const resourcesDir = await renderResources(options.profile ?? "embedded", { ...options.stores, dir });
    const sidecar = await cluster.startSidecar({ appId: APP_ID, appPort, resourcesDir, httpPort, appToken, apiToken });
    await lifetime.orEnd(sidecar.waitReady(READY_MS));
    const url = `http://127.0.0.1:${appPort}`;
    const client = connect({ url, token: appToken, patienceMs: PATIENCE_MS, signal: lifetime.signal });
    await untilReady(client);
    const unit = { appId: APP_ID, url, app: app.value, appName: APP_NAME, sidecar, secrets, folder: dirname(resolve(options.systemFile)) };
    return { url, client, units: [unit], placement: cluster.placement, scheduler: cluster.scheduler, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when the system reads its journal, which is a little after it listens and is healthy. */
async function untilReady(client: Client): Promise<void> {
  try {
    await client.show(READY_PROBE_ID);
  } catch (error) {
    if (!(error instanceof ClientError && error.code === "process.unknown")) throw error;
  }
}

/** Runs the stops one after the other. A stop that fails does not skip the next ones; its error is thrown at the end. */
export async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of stops) await stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

function embeddedApp(
  { systemFile, appEnv = {} }: EmbeddedOptions,
  appPort: number,
  httpPort: number,
  secrets: RunSecrets,
): Parameters<Apps["start"]>[0] {
  return {
    name: APP_NAME,
    command: process.execPath,
    args: [...APP_NODE_ARGS, fileURLToPath(new URL("../app.ts", import.meta.url)), systemFile],
    cwd: process.cwd(),
    env: { ...process.env, ...appEnv, APP_ID, APP_PORT: String(appPort), DAPR_HTTP_PORT: String(httpPort), ...secretsEnv(secrets) },
    port: appPort,
    healthPath: "/healthz",
  };
}
