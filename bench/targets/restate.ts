/** @module Restate as the other side: its server and its service, each in its own process, on free loopback ports. */
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { request } from "undici";
import { type Child, freePort } from "../../cli/dapr/index.ts";
import type { Peer } from "../peer.ts";
import { basicEnv, startProgram } from "./program.ts";
import type { Ids, Target, TargetPlace } from "./target.ts";

/** `always`: the server's default, every batch of its log is on disk before it is acknowledged. */
export type PeerFsync = "always" | "never";
/** `step`: each agent has state and one journaled step. `lean`: neither. `model`: each makes one model call. */
export type PeerWork = "step" | "lean" | "model";

export interface RestateOptions extends TargetPlace {
  readonly peer: Peer;
  readonly fsync: PeerFsync;
  readonly work: PeerWork;
  readonly ids: Ids;
  /** Of `model`: the base URL of the model. */
  readonly modelUrl: string;
}

const HOST = "127.0.0.1";
const READY_MS = 60_000;
const READY_POLL_MS = 100;
const STATUS_OK = 200;
const STATUS_OK_LAST = 299;
const STOP_GRACE_MS = 5_000;

export async function startRestate(options: RestateOptions): Promise<Target> {
  const [ingress, admin, fabric, service] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const children: Child[] = [];
  try {
    const server = await startProgram({
      name: "restate",
      command: options.peer.server,
      args: serverArgs(options.dir, fabric),
      cwd: options.dir,
      env: serverEnv(ingress, admin, options.fsync),
      onLine: (line) => options.log("restate", line),
    });
    children.push(server);
    const app = await startProgram({
      name: "restate app",
      command: process.execPath,
      args: [join(options.peer.dir, "service.js")],
      cwd: options.dir,
      env: { ...basicEnv(), PORT: String(service), RESTATE_LOGGING: "WARN", MODEL_URL: options.modelUrl },
      onLine: (line) => options.log("restate app", line),
    });
    children.push(app);
    await register(admin, service, [server, app]);
    const name = `restate${options.fsync === "always" ? "" : "-nofsync"}${options.work === "step" ? "" : `-${options.work}`}`;
    const handler = options.work === "step" ? "run" : options.work;
    return {
      name,
      durability:
        options.fsync === "always"
          ? "every batch of the log fsynced (default)"
          : "no fsync (RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC=true)",
      scenario: {
        origin: `http://${HOST}:${ingress}`,
        request: (id, input) => ({
          path: `/Three/${id}/${handler}`,
          body: String(input),
          ...(options.ids === "given" ? { headers: { "idempotency-key": id } } : {}),
        }),
        output: (status, text) => (status === STATUS_OK && /^\d+$/.test(text) ? Number(text) : undefined),
      },
      processes: () => [
        { name: "restate", pid: server.pid },
        { name: "app", pid: app.pid },
      ],
      stop: () => stopAll(children),
    };
  } catch (error) {
    await stopAll(children);
    throw error;
  }
}

/** All defaults except the folder, the addresses and outgoing connections. */
function serverArgs(dir: string, fabricPort: number): readonly string[] {
  return [
    "--base-dir",
    join(dir, "restate-data"),
    "--node-name",
    "bench",
    "--listen-mode",
    "tcp",
    "--bind-ip",
    HOST,
    "--advertised-host",
    HOST,
    "--bind-port",
    String(fabricPort),
    "--no-logo",
    "--log-filter",
    "warn",
    "--log-disable-ansi-codes",
    "true",
  ];
}

function serverEnv(ingress: number, admin: number, fsync: PeerFsync): NodeJS.ProcessEnv {
  return {
    ...basicEnv(),
    RESTATE_INGRESS__BIND_ADDRESS: `${HOST}:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `${HOST}:${admin}`,
    RESTATE_DISABLE_TELEMETRY: "true",
    DO_NOT_TRACK: "1",
    ...(fsync === "always" ? {} : { RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: "true" }),
  };
}

/** Registers the service with the server; retries until the server is up and has elected leaders for its partitions. */
async function register(admin: number, service: number, children: readonly Child[]): Promise<void> {
  const end = performance.now() + READY_MS;
  let last = "no answer";
  while (performance.now() < end) {
    const ended = children.find((child) => !child.running);
    if (ended !== undefined) throw new Error(`${ended.name} has ended: ${ended.tail.slice(-10).join("\n")}`);
    try {
      const answer = await request(`http://${HOST}:${admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri: `http://${HOST}:${service}` }),
      });
      last = `${answer.statusCode} ${await answer.body.text()}`;
      if (answer.statusCode <= STATUS_OK_LAST) return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(READY_POLL_MS);
  }
  throw new Error(`Restate accepted no deployment within ${READY_MS} ms: ${last}`);
}

async function stopAll(children: readonly Child[]): Promise<void> {
  await Promise.all(children.map((child) => child.stop(STOP_GRACE_MS)));
}
