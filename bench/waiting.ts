/**
 * @module `node bench/waiting.ts`: what processes cost that wait, and how they go on after a `kill -9` of the app.
 *
 * Of N processes 60 % sleep, 30 % wait for a signal and 10 % are in a running call. It prints the rate of short tasks without them, the
 * rate at which they are accepted, the rate of short tasks among them, CPU and memory while they wait, and how late the next steps come
 * after the kill.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { APP_NODE_ARGS } from "../cli/run/app-args.ts";
import { type Child, Cluster, ensureDapr, freePort, renderResources, startRedis } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { whole } from "./options.ts";
import { cpuBetween, cpuSeconds, residentMib } from "./proc.ts";
import { percentile } from "./stats.ts";
import { basicEnv, startProgram } from "./targets/program.ts";
import { post, READY_MS, rounded, sendAll, until } from "./waiting-load.ts";

const PROCESSES_MAX = 100_000;
const CALLERS = 32;
const SIGNAL_LEAD_MS = 5_000;
const SECONDS_MAX = 3_600;
/** Time to open one process, for the plan of the sleeps. */
const OPEN_MS_EACH = 15;
const SHARES = { call: 0.1, signal: 0.3 } as const;
const APP = fileURLToPath(new URL("waiting-app.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "10000" },
    profile: { type: "string", default: "embedded" },
    /** Seconds for which CPU is measured. */
    watch: { type: "string", default: "30" },
    /** Seconds over which the sleeps end after the kill. */
    spread: { type: "string", default: "60" },
    /** Seconds of a running call, from the beginning. */
    call: { type: "string", default: "300" },
    /** Short tasks with which the rates are measured. */
    quick: { type: "string", default: "2000" },
  },
});
const processes = whole(values.processes, "--processes", PROCESSES_MAX);
const quick = whole(values.quick, "--quick", PROCESSES_MAX);
const [watchMs, spreadMs, callMs] = [values.watch, values.spread, values.call].map(
  (text, at) => 1_000 * whole(text, ["--watch", "--spread", "--call"][at] ?? "", SECONDS_MAX),
) as [number, number, number];
const isRedis = values.profile === "redis";

type Kind = "sleep" | "signal" | "call";
interface Told {
  readonly kind: Kind | "recovered";
  readonly n: number;
  readonly lateMs: number;
}

const binaries = await ensureDapr((line) => console.error(line));
const bed = await Bed.make();
const ends = new Map<number, Told>();
let recovered: Told | undefined;
let killedAtMs = Number.POSITIVE_INFINITY;
const lates: number[] = [];

await bed.run(3_600_000, async () => {
  const { dir, log } = await bed.place();
  const redis = isRedis ? await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec", log }) : undefined;
  const resourcesDir = await renderResources(isRedis ? "redis" : "embedded", { dir, ...(redis && { redisHost: redis.host }) });
  const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log, logLevel: "error" });
  const [appPort, daprPort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${appPort}`;
  const start = (): Promise<Child> =>
    startProgram({
      name: "app",
      command: process.execPath,
      args: [...APP_NODE_ARGS, APP],
      cwd: dir,
      env: { ...basicEnv(), APP_PORT: String(appPort), DAPR_HTTP_PORT: String(daprPort), BENCH_OPEN_MAX: String(2 * PROCESSES_MAX) },
      onLine: (line) => take(line, log),
    });
  let app = await start();
  try {
    const sidecar = await cluster.startSidecar({ appId: "waiting", appPort, resourcesDir, httpPort: daprPort });
    await sidecar.waitReady(READY_MS);
    await until(
      () => recovered !== undefined,
      READY_MS,
      () => "the app is not ready",
    );
    await submitAll(origin, quick, () => ({ route: "quick", untilMs: 0 }), "warm");
    const without = await submitAll(origin, quick, () => ({ route: "quick", untilMs: 0 }), "before");
    const killAtMs = Date.now() + processes * OPEN_MS_EACH + watchMs + SIGNAL_LEAD_MS;
    const callEndMs = Date.now() + callMs;
    const accepted = await submitAll(origin, processes, (n) => planned(n, killAtMs, callEndMs), "p");
    const among = await submitAll(origin, quick, () => ({ route: "quick", untilMs: 0 }), "among");
    await sleep(Math.min(SIGNAL_LEAD_MS, watchMs));
    const pids = [
      { name: "app", pid: app.pid },
      { name: "daprd", pid: sidecar.pid },
      { name: "scheduler", pid: cluster.scheduler.pid },
      ...(redis === undefined ? [] : [{ name: "redis", pid: redis.pid }]),
    ];
    const before = cpuSeconds(pids);
    await sleep(watchMs);
    const used = cpuBetween(before, cpuSeconds(pids));
    const mib = residentMib(app.pid);
    await sleep(Math.max(0, killAtMs - Date.now()));
    const open = processes - ends.size;
    recovered = undefined;
    killedAtMs = Date.now();
    app.kill("SIGKILL");
    await app.exited;
    app = await start();
    await until(
      () => recovered !== undefined,
      READY_MS,
      () => "the app did not recover",
    );
    const signals = await signalAll(origin);
    await until(() => ends.size >= processes, callMs + spreadMs + READY_MS, notEnded);
    report({ rates: { shortWithout: without, accepted, shortAmong: among }, used, mib, open, signals });
  } finally {
    app.kill("SIGKILL");
    await cluster.stop();
    await redis?.stop();
  }
});

interface Found {
  readonly rates: Readonly<Record<string, number>>;
  readonly used: Readonly<Record<string, number>>;
  readonly mib: number;
  readonly open: number;
  readonly signals: number;
}

function report({ rates, used, mib, open, signals }: Found): void {
  lates.sort((a, b) => a - b);
  console.log(
    JSON.stringify({
      profile: values.profile,
      processes,
      ratePerS: rates,
      coreShare: Object.fromEntries(Object.entries(used).map(([name, seconds]) => [name, rounded(seconds / (watchMs / 1_000))])),
      appMib: Math.round(mib),
      openAtKill: open,
      recovered,
      signals,
      lateMsAfterKill: { count: lates.length, p50: percentile(lates, 0.5), p99: percentile(lates, 0.99), max: lates.at(-1) },
      ended: ends.size,
    }),
  );
}

function kindOf(n: number): Kind {
  const at = (n * 0.618_033_988_75) % 1;
  return at < SHARES.call ? "call" : at < SHARES.call + SHARES.signal ? "signal" : "sleep";
}

function planned(n: number, killAtMs: number, callEndMs: number): { readonly route: Kind; readonly untilMs: number } {
  const kind = kindOf(n);
  return { route: kind, untilMs: Math.round(kind === "call" ? callEndMs : killAtMs + ((n * 0.754_877_666) % 1) * spreadMs) };
}

function take(line: string, log: (source: string, line: string) => void): void {
  log("app", line);
  if (!line.startsWith('{"kind"')) return;
  const told = JSON.parse(line) as Told;
  if (told.kind === "recovered") recovered = told;
  else if (!ends.has(told.n)) {
    ends.set(told.n, told);
    if (Date.now() > killedAtMs && told.kind !== "call") lates.push(told.lateMs);
  }
}

/** Submits tasks with {@link CALLERS} callers, each until it is accepted. Returns the accepted tasks per second. */
function submitAll(
  origin: string,
  count: number,
  plan: (n: number) => { readonly route: string; readonly untilMs: number },
  prefix: string,
): Promise<number> {
  return sendAll(count, CALLERS, (n) => {
    const { route, untilMs } = plan(n);
    return post(`${origin}/tasks`, { id: `${prefix}-${n}`, route, input: { n, untilMs } });
  });
}

/** Sends each waiting process its signal. Returns their number. */
async function signalAll(origin: string): Promise<number> {
  const waiting = Array.from({ length: processes }, (_, n) => n).filter((n) => kindOf(n) === "signal");
  await sendAll(waiting.length, CALLERS / 2, (at) =>
    post(`${origin}/processes/p-${waiting[at] ?? 0}/signals/go`, { signalId: `go-${waiting[at] ?? 0}`, payload: Date.now() }),
  );
  return waiting.length;
}

function notEnded(): string {
  return `not all processes ended: ${ends.size} of ${processes} did`;
}
