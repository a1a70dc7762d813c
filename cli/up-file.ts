/** @module `up -f`: the apps of a dapr.yaml with placement, scheduler and a daprd each, without the Dapr CLI, until Ctrl-C. */
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Apps } from "./apps.ts";
import { Cluster, ensureDapr, freePort, type Sidecar } from "./dapr/index.ts";
import { messageOf } from "./dapr/problem.ts";
import { writeConfiguration } from "./dapr/resources.ts";
import { stopAll } from "./embedded.ts";
import type { Lifetime } from "./lifetime.ts";
import { complain, say, shown } from "./output.ts";
import { CliError } from "./problem.ts";
import { readRunFile, type RunApp } from "./run-file.ts";
import { RunLog } from "./run-log.ts";
import { consoleLog, untilInterrupted } from "./up.ts";

export interface UpFileOptions {
  readonly file: string;
  /** The state folder: reminders, ports, copies of resource files. */
  readonly dir: string;
  /** Show what Dapr's programs print too. */
  readonly verbose: boolean;
}

const READY_MS = 60_000;

/** Runs the command. Resolves with the exit code when it is interrupted; throws when a part died. */
export async function upFile(options: UpFileOptions, lifetime: Lifetime): Promise<number> {
  const plan = await readRunFile(options.file);
  for (const warning of plan.warnings) complain(`warning: ${warning}`);
  const dir = resolve(options.dir);
  const binaries = await lifetime.orEnd(ensureDapr(say));
  const runLog = new RunLog(dir);
  const ids = new Set(plan.apps.map((app) => app.appId));
  const log = consoleLog(runLog, options.verbose, (source) => ids.has(source));
  const onExit = (name: string, detail: string): void => lifetime.partEnded(name, detail);
  const stops: (() => Promise<void>)[] = [];
  try {
    const apps = await Apps.open(dir, { log, onExit });
    stops.push(() => apps.stop());
    const cluster = await Cluster.start({ binaries, dir, log, onExit });
    stops.push(() => cluster.stop());
    const sidecars: Sidecar[] = [];
    for (const app of plan.apps) {
      lifetime.signal.throwIfAborted();
      sidecars.push(await startApp(app, apps, cluster, dir));
    }
    await lifetime.orEnd(Promise.all(sidecars.map((sidecar) => sidecar.waitReady(READY_MS))));
    for (const app of plan.apps) say(`${app.appId} is up at http://127.0.0.1:${app.appPort}`);
    say(`The log of all parts is ${shown(runLog.path)}. Ctrl-C ends everything.`);
    return await untilInterrupted(lifetime);
  } finally {
    await stopAll(stops);
    await runLog.close();
    say("Everything is stopped.");
  }
}

/** daprd first: an app may wait for its sidecar before it listens. */
async function startApp(app: RunApp, apps: Apps, cluster: Cluster, dir: string): Promise<Sidecar> {
  const folder = join(dir, "run", app.appId);
  const resourcesDir = await resourcesOf(app, folder);
  const configFile = await writeConfiguration(folder, app.configFile);
  const tokens = tokensOf({ ...process.env, ...app.env });
  const httpPort = app.httpPort ?? (await freePort());
  const grpcPort = app.grpcPort ?? (await freePort());
  const { appId, appPort, logLevel, env } = app;
  const sidecar = await cluster.startSidecar({ appId, appPort, resourcesDir, configFile, httpPort, grpcPort, env, ...tokens, ...(logLevel === undefined ? {} : { logLevel }) });
  const [command = "", ...args] = app.command;
  await apps.start({
    name: appId,
    command,
    args,
    cwd: app.dir,
    // What the Dapr CLI sets (dapr/cli pkg/standalone/run.go, fields with an `env` tag), then the file's own.
    env: { ...process.env, APP_ID: appId, APP_PORT: String(appPort), APP_PROTOCOL: "http", DAPR_HTTP_PORT: String(httpPort), DAPR_GRPC_PORT: String(grpcPort), ...env },
    port: appPort,
    healthPath: "/healthz",
  });
  return sidecar;
}

/** The folder of an app's resource files. Several become one, since every file counts and names may repeat. */
async function resourcesOf(app: RunApp, folder: string): Promise<string> {
  const [only, ...more] = app.resourcesPaths;
  if (only !== undefined && more.length === 0) return only;
  const target = join(folder, "resources");
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const [index, path] of app.resourcesPaths.entries()) {
    const names = await readdir(path).catch((error: unknown) => {
      throw new CliError("RUN_FILE", `the resources of ${app.appId} cannot be read: ${messageOf(error)}.`, "Mend resourcesPaths.", error);
    });
    for (const name of names.filter((file) => /\.ya?ml$/.test(file))) await copyFile(join(path, name), join(target, `${index}-${basename(name)}`));
  }
  return target;
}

function tokensOf(env: NodeJS.ProcessEnv): { readonly apiToken?: string; readonly appToken?: string } {
  const { DAPR_API_TOKEN: apiToken, APP_API_TOKEN: appToken } = env;
  return { ...(apiToken ? { apiToken } : {}), ...(appToken ? { appToken } : {}) };
}
