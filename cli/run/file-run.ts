/** @module Runs the apps of a dapr.yaml, each with a daprd, plus placement and scheduler; without the Dapr CLI. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Apps } from "./apps.ts";
import { Cluster, type DaprBinaries, freePort } from "../dapr/index.ts";
import { requireFreePort } from "../dapr/part.ts";
import { makeFolder, PRIVATE_FILE_MODE } from "../dapr/private-files.ts";
import { messageOf } from "../dapr/problem.ts";
import { writeConfiguration } from "../dapr/resources.ts";
import { stopAll } from "./embedded.ts";
import type { Lifetime } from "./lifetime.ts";
import { CliError } from "../text/problem.ts";
import type { Run, RunUnit } from "./run.ts";
import type { RunApp } from "./run-file.ts";
import { ownSecrets, type RunSecrets, runSecrets, secretsEnv } from "./secrets.ts";

export interface FileRunOptions {
  readonly binaries: DaprBinaries;
  readonly apps: readonly RunApp[];
  /** The state folder: reminders, ports, copies of resource files. */
  readonly dir: string;
  /** Further variables of the apps; the file's own come first. */
  readonly appEnv?: Readonly<Record<string, string>> | undefined;
  readonly log: (source: string, line: string) => void;
  readonly lifetime: Lifetime;
  /** Called when a part ends unexpectedly. */
  readonly onExit: (name: string, detail: string) => void;
}

const READY_MS = 60_000;

/** Starts everything and resolves when all apps are placed. When a step fails, everything already started is stopped. */
export async function startFile(options: FileRunOptions): Promise<Run> {
  const { binaries, lifetime, log, onExit } = options;
  const dir = resolve(options.dir);
  const stops: (() => Promise<void>)[] = [];
  const stop = (): Promise<void> => stopAll(stops.splice(0));
  try {
    const apps = await Apps.open(dir, { log, onExit });
    stops.push(() => apps.stop());
    for (const { appId, appPort } of options.apps) await requireFreePort(appId, appPort);
    const cluster = await Cluster.start({ binaries, dir, log, onExit });
    stops.push(() => cluster.stop());
    const secrets = await runSecrets(dir);
    const units: RunUnit[] = [];
    for (const app of options.apps) {
      lifetime.signal.throwIfAborted();
      units.push(await startApp(app, { secrets: ownSecrets(secrets, app.env), appEnv: options.appEnv, apps, cluster, dir }));
    }
    await lifetime.orEnd(Promise.all(units.map(({ sidecar }) => sidecar.waitReady(READY_MS))));
    return { units, placement: cluster.placement, scheduler: cluster.scheduler, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What an app is started with. */
interface Surroundings extends Pick<FileRunOptions, "appEnv" | "dir"> {
  readonly secrets: RunSecrets;
  readonly apps: Apps;
  readonly cluster: Cluster;
}

/** Starts daprd first, because an app may wait for its sidecar before it listens. */
async function startApp(app: RunApp, { secrets, appEnv, apps, cluster, dir }: Surroundings): Promise<RunUnit> {
  const folder = join(dir, "run", app.appId);
  const resourcesDir = await resourcesOf(app, folder);
  const configFile = await writeConfiguration(folder, app.configFile);
  const httpPort = app.httpPort ?? (await freePort());
  const grpcPort = app.grpcPort ?? (await freePort());
  const { appId, appPort, logLevel, env } = app;
  const sidecar = await cluster.startSidecar({
    appId,
    appPort,
    resourcesDir,
    configFile,
    httpPort,
    grpcPort,
    env,
    apiToken: secrets.apiToken,
    appToken: secrets.appToken,
    ...(logLevel === undefined ? {} : { logLevel }),
  });
  const [command = "", ...args] = app.command;
  const running = await apps.start({
    name: appId,
    command,
    args,
    cwd: app.dir,
    // The variables that the Dapr CLI sets (dapr/cli pkg/standalone/run.go, fields with an `env` tag), then those of the file.
    env: {
      ...process.env,
      APP_ID: appId,
      APP_PORT: String(appPort),
      APP_PROTOCOL: "http",
      DAPR_HTTP_PORT: String(httpPort),
      DAPR_GRPC_PORT: String(grpcPort),
      ...appEnv,
      ...env,
      ...secretsEnv(secrets),
    },
    port: appPort,
    healthPath: "/healthz",
  });
  return { appId, url: `http://127.0.0.1:${appPort}`, app: running, appName: appId, sidecar, secrets, folder: app.dir };
}

/** The folder of an app's resource files. Several folders are copied into one; equal file names get a number. */
async function resourcesOf(app: RunApp, folder: string): Promise<string> {
  const [only, ...more] = app.resourcesPaths;
  if (only !== undefined && more.length === 0) return only;
  const target = join(folder, "resources");
  await rm(target, { recursive: true, force: true });
  makeFolder(target);
  for (const [index, path] of app.resourcesPaths.entries()) {
    const names = await readdir(path).catch((error: unknown) => {
      throw new CliError("RUN_FILE", `the resources of ${app.appId} cannot be read: ${messageOf(error)}.`, "Fix resourcesPaths.", error);
    });
    for (const name of names.filter((file) => /\.ya?ml$/.test(file)))
      await writeFile(join(target, `${index}-${basename(name)}`), await readFile(join(path, name)), { mode: PRIVATE_FILE_MODE });
  }
  return target;
}
