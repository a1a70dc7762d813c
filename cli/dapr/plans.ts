/** @module The command lines of placement, scheduler and daprd: every flag, and why it is set. */
import { join } from "node:path";
import type { DaprBinaries } from "./binaries.ts";
import { schedulerLeads } from "./leadership.ts";
import { answers, type PartPlan } from "./part.ts";
import { LOOPBACK } from "./ports.ts";
import { PRIVATE_UMASK_MODE } from "./private-files.ts";

/** The ports of the control plane of one state folder. */
export interface ControlPorts {
  readonly placement: number;
  readonly placementRaft: number;
  readonly placementHealth: number;
  readonly scheduler: number;
  readonly schedulerHealth: number;
  readonly etcdClient: number;
  readonly etcdPeer: number;
}

/** The names in `ControlPorts`. */
export const CONTROL_PORT_NAMES = [
  "placement",
  "placementRaft",
  "placementHealth",
  "scheduler",
  "schedulerHealth",
  "etcdClient",
  "etcdPeer",
] as const satisfies readonly (keyof ControlPorts)[];

/** How much the Dapr programs print. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Options of a sidecar. */
export interface SidecarOptions {
  readonly appId: string;
  /** The app's port on 127.0.0.1. */
  readonly appPort: number;
  /** The folder with the component files, see `renderResources`. */
  readonly resourcesDir: string;
  /** The token that daprd requires from callers (DAPR_API_TOKEN). */
  readonly apiToken?: string;
  /** The token that daprd sends to the app (APP_API_TOKEN). */
  readonly appToken?: string;
  /** A Dapr Configuration file; by default one that keeps everything on this machine. */
  readonly configFile?: string;
  /** The largest request that daprd accepts and sends. */
  readonly maxBodyBytes?: number;
  /** Ports to use instead of free ones. */
  readonly httpPort?: number;
  readonly grpcPort?: number;
  readonly logLevel?: LogLevel;
  /** More environment for daprd, for example for `secretstores.local.env`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The ports of one sidecar. */
export interface SidecarPorts {
  readonly http: number;
  readonly grpc: number;
  readonly internal: number;
}

const CONTROL_READY_MS = 30_000;
const CONTROL_GRACE_MS = 5_000;
const HEALTH_TIMEOUT_MS = 1_000;
/** daprd's own graceful stop. Its app has drained before; a daprd that found its app unhealthy meanwhile always takes the whole time. */
const SIDECAR_SHUTDOWN_S = 1;
/** A little longer; then SIGKILL. */
const SIDECAR_GRACE_MS = 4_000;
/** daprd's default is 4 MiB. */
const DEFAULT_BODY_BYTES = 4 * 1_024 * 1_024;
const SIDECAR_READY_MS = 30_000;

/** Placement, with the shortest timings that work on a loaded machine. */
export function placementPlan(binaries: DaprBinaries, ports: ControlPorts, dir: string, level: LogLevel): PartPlan {
  return {
    name: "placement",
    command: binaries.placement,
    args: [
      "--port",
      String(ports.placement),
      "--listen-address",
      LOOPBACK,
      "--id",
      "dapr-placement-0",
      "--initial-cluster",
      `dapr-placement-0=${LOOPBACK}:${ports.placementRaft}`,
      ...healthArgs(ports.placementHealth),
      // A dead daprd is noticed at once, because its socket closes. These two are for a frozen one or a lost network. Measured
      // until its actors were callable elsewhere: 3.0 s; with the defaults (2 s + 3 s) 4-5 s; with 1 s + 1 s 2.0 s. But a loaded
      // machine can be late by a second, and a host that placement drops halts all its actors.
      "--keepalive-time",
      "1s",
      "--keepalive-timeout",
      "2s",
      // A daprd that does not answer a round delays every call of its actor types (default 8 s). The hosts' drain time
      // (drainOngoingCallTimeout, 2 s by default) must stay well below it.
      "--disseminate-timeout",
      "4s",
      "--log-level",
      level,
    ],
    env: childEnv({}),
    cwd: dir,
    umask: PRIVATE_UMASK_MODE,
    ports: [ports.placement, ports.placementRaft, ports.placementHealth],
    ready: () => answers(ports.placementHealth, "/healthz", HEALTH_TIMEOUT_MS),
    readyMs: CONTROL_READY_MS,
    graceMs: CONTROL_GRACE_MS,
  };
}

/** Scheduler with its embedded etcd, which stores every reminder. */
export function schedulerPlan(binaries: DaprBinaries, ports: ControlPorts, dir: string, level: LogLevel): PartPlan {
  const id = "dapr-scheduler-server-0";
  return {
    name: "scheduler",
    command: binaries.scheduler,
    args: [
      "--port",
      String(ports.scheduler),
      "--listen-address",
      LOOPBACK,
      // Otherwise it announces the address of a network interface, where it does not listen.
      "--override-broadcast-host-port",
      `${LOOPBACK}:${ports.scheduler}`,
      "--id",
      id,
      "--etcd-data-dir",
      schedulerData(dir),
      "--etcd-client-listen-address",
      LOOPBACK,
      "--etcd-client-port",
      String(ports.etcdClient),
      "--etcd-initial-cluster",
      `${id}=http://${LOOPBACK}:${ports.etcdPeer}`,
      ...healthArgs(ports.schedulerHealth),
      "--log-level",
      level,
    ],
    env: childEnv({}),
    cwd: dir,
    umask: PRIVATE_UMASK_MODE,
    ports: [ports.scheduler, ports.schedulerHealth, ports.etcdClient, ports.etcdPeer],
    ready: async (launchedAtMs) =>
      (await answers(ports.schedulerHealth, "/healthz", HEALTH_TIMEOUT_MS)) && schedulerLeads(ports.etcdClient, id, launchedAtMs),
    readyMs: CONTROL_READY_MS,
    graceMs: CONTROL_GRACE_MS,
  };
}

/** The folder of the scheduler's etcd inside the state folder. */
export function schedulerData(dir: string): string {
  return join(dir, "scheduler");
}

/** A path for an option that takes a list: daprd reads such options as a line of CSV, so a comma or quote in a name must be quoted. */
function listEntry(path: string): string {
  return /[",]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}

/** One daprd beside one app. */
export function sidecarPlan(
  binaries: DaprBinaries,
  control: ControlPorts,
  ports: SidecarPorts,
  options: SidecarOptions & { readonly configFile: string },
  dir: string,
): PartPlan {
  const headers = options.apiToken === undefined ? {} : { "dapr-api-token": options.apiToken };
  return {
    name: `daprd ${options.appId}`,
    command: binaries.daprd,
    args: [
      "--app-id",
      options.appId,
      "--app-port",
      String(options.appPort),
      "--app-protocol",
      "http",
      "--app-channel-address",
      LOOPBACK,
      "--resources-path",
      listEntry(options.resourcesDir),
      "--config",
      listEntry(options.configFile),
      "--dapr-listen-addresses",
      LOOPBACK,
      "--dapr-http-port",
      String(ports.http),
      "--dapr-grpc-port",
      String(ports.grpc),
      "--dapr-internal-grpc-listen-address",
      LOOPBACK,
      "--dapr-internal-grpc-port",
      String(ports.internal),
      "--placement-host-address",
      `${LOOPBACK}:${control.placement}`,
      "--scheduler-host-address",
      `${LOOPBACK}:${control.scheduler}`,
      "--enable-metrics=false",
      // Without health checks daprd never notices that the app was restarted. The threshold counts failures that need not be
      // consecutive: see docs/dapr-launch.md.
      "--enable-app-health-check",
      "--app-health-check-path",
      "/healthz",
      "--app-health-probe-interval",
      "1",
      "--app-health-probe-timeout",
      "900",
      "--app-health-threshold",
      "3",
      "--max-body-size",
      String(options.maxBodyBytes ?? DEFAULT_BODY_BYTES),
      "--dapr-graceful-shutdown-seconds",
      String(SIDECAR_SHUTDOWN_S),
      "--log-level",
      options.logLevel ?? "info",
    ],
    env: childEnv({
      // The address that other hosts on this machine use for the internal port. Without it daprd also refuses to start on a
      // machine without a network.
      DAPR_HOST_IP: LOOPBACK,
      ...options.env,
      ...(options.apiToken === undefined ? {} : { DAPR_API_TOKEN: options.apiToken }),
      ...(options.appToken === undefined ? {} : { APP_API_TOKEN: options.appToken }),
    }),
    cwd: dir,
    umask: PRIVATE_UMASK_MODE,
    ports: [ports.http, ports.grpc, ports.internal],
    ready: () => answers(ports.http, "/v1.0/healthz", HEALTH_TIMEOUT_MS, headers),
    readyMs: SIDECAR_READY_MS,
    graceMs: SIDECAR_GRACE_MS,
  };
}

/**
 * The health server of placement and scheduler ignores this flag and listens on every interface: dapr 1.18.2
 * pkg/healthz/server/server.go opens ":port", and cmd/placement/app/app.go does not pass `--healthz-listen-address` on.
 * It only answers 200 or 503 on /healthz. The flag is set for a version that reads it.
 */
function healthArgs(port: number): readonly string[] {
  return ["--healthz-listen-address", LOOPBACK, "--healthz-port", String(port), "--enable-metrics=false"];
}

/** Only the variables a Go program needs: an inherited DAPR_API_TOKEN or NAMESPACE would change how daprd behaves. */
function childEnv(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "TMPDIR", "USER", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];
  const env: NodeJS.ProcessEnv = {};
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...more };
}
