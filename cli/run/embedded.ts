/** @module One app with one daprd, placement and scheduler in one state folder; state and topics by profile, embedded by default. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { APP_NODE_ARGS } from "./app-args.ts";
import { Cluster, type DaprBinaries, freePort, type Profile, renderResources, type ResourceValues } from "../dapr/index.ts";
import { Apps } from "./apps.ts";
import { SystemClient } from "../client/http.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Run } from "./run.ts";

export interface EmbeddedOptions {
  readonly binaries: DaprBinaries;
  readonly systemFile: string;
  /** The state folder, for example `.troupe`. */
  readonly dir: string;
  /** Where the app listens; a free port when left out. */
  readonly appPort?: number | undefined;
  readonly log: (source: string, line: string) => void;
  readonly lifetime: Lifetime;
  /** `embedded` when left out: SQLite, and topics in memory. */
  readonly profile?: Profile | undefined;
  /** Addresses of the profile's stores. */
  readonly stores?: Omit<ResourceValues, "dir"> | undefined;
  /** Who hears of a part that ended by itself; by default it ends the run. */
  readonly onExit?: ((name: string, detail: string) => void) | undefined;
}

/** A running system. */
export interface EmbeddedRun extends Run {
  /** Where its HTTP API answers. */
  readonly url: string;
  readonly client: SystemClient;
}

const APP_ID = "troupe";
const APP_NAME = "app";
const READY_MS = 60_000;

/** Starts everything and resolves when the system takes tasks. Whatever fails, nothing is left running. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedRun> {
  const { lifetime, log, dir } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = (): Promise<void> => stopAll(stops.splice(0));
  const onExit = options.onExit ?? ((name: string, detail: string): void => lifetime.partEnded(name, detail));
  try {
    const apps = await Apps.open(dir, { log, onExit });
    stops.push(() => apps.stop());
    const [appPort, httpPort] = [options.appPort ?? (await freePort()), await freePort()];
    const [app, controls] = await Promise.allSettled([
      apps.start(embeddedApp(options.systemFile, appPort, httpPort)),
      Cluster.start({ binaries: options.binaries, dir, log, onExit }),
    ]);
    if (controls.status === "rejected") throw controls.reason;
    const cluster = controls.value;
    // After the apps, which drain while their sidecars still live.
    stops.push(() => cluster.stop());
    if (app.status === "rejected") throw app.reason;
    lifetime.signal.throwIfAborted();
    const resourcesDir = await renderResources(options.profile ?? "embedded", { ...options.stores, dir });
    const sidecar = await cluster.startSidecar({ appId: APP_ID, appPort, resourcesDir, httpPort, ...tokens() });
    await lifetime.orEnd(sidecar.waitReady(READY_MS));
    const url = `http://127.0.0.1:${appPort}`;
    const client = new SystemClient(url, process.env["APP_API_TOKEN"]);
    await client.ready(lifetime.signal);
    const unit = { appId: APP_ID, url, app: app.value, appName: APP_NAME, sidecar, folder: dirname(resolve(options.systemFile)) };
    return { url, client, units: [unit], placement: cluster.placement, scheduler: cluster.scheduler, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stops one after the other; one that fails does not keep the next from being stopped. */
export async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of stops) await stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

function embeddedApp(systemFile: string, appPort: number, httpPort: number): Parameters<Apps["start"]>[0] {
  return {
    name: APP_NAME,
    command: process.execPath,
    args: [...APP_NODE_ARGS, fileURLToPath(new URL("../app.ts", import.meta.url)), systemFile],
    cwd: process.cwd(),
    env: { ...process.env, APP_ID, APP_PORT: String(appPort), DAPR_HTTP_PORT: String(httpPort) },
    port: appPort,
    healthPath: "/healthz",
  };
}

/** Tokens of the environment hold in the embedded profile too. */
function tokens(): { readonly apiToken?: string; readonly appToken?: string } {
  const { DAPR_API_TOKEN: apiToken, APP_API_TOKEN: appToken } = process.env;
  return { ...(apiToken ? { apiToken } : {}), ...(appToken ? { appToken } : {}) };
}
