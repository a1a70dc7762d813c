/**
 * @module dapr-agents as the other side: a workflow over three durable agents, with its own daprd and Redis, in Python.
 *
 * It is installed from PyPI into a virtual environment beside the benchmark on first use. It is no dependency of Troupe.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cluster, type DaprBinaries, freePort, renderResources, startRedis } from "../../cli/dapr/index.ts";
import { basicEnv, startProgram } from "./program.ts";
import type { Target, TargetPlace } from "./target.ts";

const DIR = fileURLToPath(new URL("../peer/agents/", import.meta.url));
const PYTHON = join(DIR, ".venv/bin/python");
const READY_MS = 120_000;
const READY_POLL_MS = 500;
const STATUS_OK = 200;
const STOP_GRACE_MS = 5_000;

/** Installs the pinned version if it is missing. */
export async function ensureDaprAgents(log: (line: string) => void): Promise<void> {
  if (existsSync(join(DIR, ".venv/installed"))) return;
  log("installing dapr-agents from PyPI into bench/peer/agents/.venv (only for this benchmark)");
  await run("python3", ["-m", "venv", join(DIR, ".venv")]);
  await run(PYTHON, ["-m", "pip", "install", "-q", "-r", join(DIR, "requirements.txt")]);
  await run("touch", [join(DIR, ".venv/installed")]);
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { cwd: DIR, stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

export interface DaprAgentsOptions extends TargetPlace {
  readonly binaries: DaprBinaries;
  readonly appendfsync: "always" | "everysec";
  readonly modelUrl: string;
}

export async function startDaprAgents({ dir, log, binaries, appendfsync, modelUrl }: DaprAgentsOptions): Promise<Target> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    const redis = await startRedis({ dir: join(dir, "redis"), appendfsync, log });
    stops.push(() => redis.stop());
    const resourcesDir = await renderResources("redis", { dir, redisHost: redis.host });
    const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log, logLevel: "error" });
    stops.push(() => cluster.stop());
    const appPort = await freePort();
    const sidecar = await cluster.startSidecar({ appId: "agents", appPort, resourcesDir, httpPort: await freePort() });
    const env = { DAPR_HTTP_PORT: String(sidecar.httpPort), DAPR_GRPC_PORT: String(sidecar.grpcPort), MODEL_URL: modelUrl };
    const app = await startProgram({
      name: "dapr-agents",
      command: PYTHON,
      args: [join(DIR, "service.py")],
      cwd: dir,
      env: { ...basicEnv(), ...env, APP_PORT: String(appPort) },
      onLine: (line) => log("dapr-agents", line),
    });
    stops.splice(-1, 0, () => app.stop(STOP_GRACE_MS));
    const origin = `http://127.0.0.1:${appPort}`;
    await untilDone(origin);
    return {
      name: "dapr-agents",
      durability: `Redis, appendfsync ${appendfsync}`,
      scenario: {
        origin,
        request: (id, input) => ({ path: `/run/${id}`, body: String(input) }),
        output: (status, text) => (status === STATUS_OK && /^\d+$/.test(text) ? Number(text) : undefined),
      },
      processes: () => [
        { name: "app", pid: app.pid },
        { name: "daprd", pid: sidecar.pid },
        { name: "redis", pid: redis.pid },
        { name: "scheduler", pid: cluster.scheduler.pid },
        { name: "placement", pid: cluster.placement.pid },
      ],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilDone(origin: string): Promise<void> {
  const end = performance.now() + READY_MS;
  let last = "no answer";
  while (performance.now() < end) {
    try {
      const answer = await fetch(`${origin}/run/first`, { method: "POST", body: "1", signal: AbortSignal.timeout(READY_MS) });
      last = `${answer.status} ${await answer.text()}`;
      if (answer.ok) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(READY_POLL_MS);
  }
  throw new Error(`dapr-agents completed no process within ${READY_MS} ms: ${last}`);
}
