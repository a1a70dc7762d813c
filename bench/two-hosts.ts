/**
 * @module `node bench/two-hosts.ts`: two hosts on Redis, each with thousands of processes that wait; one is killed, or frozen for a while.
 *
 * Each process sleeps, then makes one call under its key. It prints how late the next steps come after the fault, and how many calls were
 * made under a second key.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { APP_NODE_ARGS } from "../cli/run/app-args.ts";
import { type Child, Cluster, ensureDapr, freePort, renderResources, startRedis } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { whole } from "./options.ts";
import { percentile } from "./stats.ts";
import { basicEnv, startProgram } from "./targets/program.ts";
import { post, READY_MS, sendAll, until } from "./waiting-load.ts";

const PROCESSES_MAX = 50_000;
const CALLERS = 32;
const SECONDS_MAX = 600;
/** Time to open one process, for the plan of the sleeps. */
const OPEN_MS_EACH = 12;
const APP = fileURLToPath(new URL("waiting-app.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    /** Waiting processes on each host. */
    processes: { type: "string", default: "3000" },
    fault: { type: "string", default: "kill" },
    /** Seconds for which the host is frozen. */
    frozen: { type: "string", default: "20" },
    /** Seconds over which the sleeps end after the fault. */
    spread: { type: "string", default: "40" },
  },
});
const each = whole(values.processes, "--processes", PROCESSES_MAX);
const frozenMs = 1_000 * whole(values.frozen, "--frozen", SECONDS_MAX);
const spreadMs = 1_000 * whole(values.spread, "--spread", SECONDS_MAX);
const processes = 2 * each;

interface Told {
  readonly kind: "recovered" | "sleep" | "paid";
  readonly n: number;
  readonly lateMs: number;
  readonly key?: string;
}
interface Running {
  readonly origin: string;
  readonly app: Child;
}

const keys = new Map<number, Set<string>>();
const lates: number[] = [];
let paidAgain = 0;
let ready = 0;
let faultAtMs = Number.POSITIVE_INFINITY;

const binaries = await ensureDapr((line) => console.error(line));
const bed = await Bed.make();
await bed.run(1_200_000, async () => {
  const { dir, log } = await bed.place();
  const redis = await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec", log });
  const resourcesDir = await renderResources("redis", { dir, redisHost: redis.host });
  const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log, logLevel: "error" });
  const running: Running[] = [];
  const start = async (name: string): Promise<void> => {
    const [appPort, daprPort] = [await freePort(), await freePort()];
    const app = await startProgram({
      name,
      command: process.execPath,
      args: [...APP_NODE_ARGS, APP],
      cwd: dir,
      env: { ...basicEnv(), APP_PORT: String(appPort), DAPR_HTTP_PORT: String(daprPort), BENCH_OPEN_MAX: String(2 * PROCESSES_MAX) },
      onLine: (line) => take(line, log),
    });
    running.push({ origin: `http://127.0.0.1:${appPort}`, app });
    const sidecar = await cluster.startSidecar({ appId: "waiting", appPort, resourcesDir, httpPort: daprPort });
    await sidecar.waitReady(READY_MS);
  };
  try {
    await start("one");
    await start("two");
    await until(
      () => ready === 2,
      READY_MS,
      () => "the apps are not ready",
    );
    const faultMs = Date.now() + processes * OPEN_MS_EACH;
    const rate = await sendAll(processes, CALLERS, (n) => {
      const untilMs = Math.round(faultMs + ((n * 0.754_877_666) % 1) * spreadMs);
      return post(`${running[n % 2]?.origin ?? ""}/tasks`, { id: `p-${n}`, route: "pay", input: { n, untilMs } });
    });
    await sleep(Math.max(0, faultMs - Date.now()));
    const victim = running[0]?.app;
    const before = keys.size;
    faultAtMs = Date.now();
    if (values.fault === "kill") victim?.kill("SIGKILL");
    else {
      victim?.kill("SIGSTOP");
      await sleep(frozenMs);
      victim?.kill("SIGCONT");
    }
    await until(
      () => keys.size >= processes,
      spreadMs + READY_MS,
      () => `${keys.size} of ${processes} processes went on`,
    );
    lates.sort((a, b) => a - b);
    console.log(
      JSON.stringify({
        ...{ fault: values.fault, processes, acceptedPerS: rate, wentOnBefore: before },
        lateMs: { count: lates.length, p50: percentile(lates, 0.5), p99: percentile(lates, 0.99), max: lates.at(-1) },
        secondKeys: [...keys.values()].filter((of) => of.size > 1).length,
        callsAgainUnderTheirKey: paidAgain,
      }),
    );
  } finally {
    for (const { app } of running) app.kill("SIGKILL");
    await cluster.stop();
    await redis.stop();
  }
});

function take(line: string, log: (source: string, line: string) => void): void {
  log("app", line);
  if (!line.startsWith('{"kind"')) return;
  const { kind, n, lateMs, key } = JSON.parse(line) as Told;
  if (kind === "recovered") ready += 1;
  if (kind === "sleep" && Date.now() > faultAtMs) lates.push(lateMs);
  if (kind !== "paid" || key === undefined) return;
  const known = keys.get(n) ?? new Set();
  if (known.has(key)) paidAgain += 1;
  keys.set(n, known.add(key));
}
