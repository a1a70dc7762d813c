/**
 * @module `node bench/waiting-people.ts`: what processes cost that wait for people, and how soon they go on after a decision.
 *
 * Half of them wait in a stop, half in a handler that asks. It prints the rate at which they are accepted, CPU and memory while all of them
 * wait, and the time from sending a decision to the next step: of some, decided one after another on an idle system, and of all the others.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { APP_NODE_ARGS } from "../cli/run/app-args.ts";
import { Cluster, ensureDapr, freePort, renderResources, startRedis } from "../cli/dapr/index.ts";
import { LIMITS } from "../runtime/limits.ts";
import { InboxPage } from "../runtime/people/answers.ts";
import { Bed } from "./bed.ts";
import { whole } from "./options.ts";
import { cpuBetween, cpuSeconds, residentMib } from "./proc.ts";
import { percentile } from "./stats.ts";
import { basicEnv, startProgram } from "./targets/program.ts";
import { post, READY_MS, rounded, sendAll, until } from "./waiting-load.ts";

const PROCESSES_MAX = 100_000;
const SECONDS_MAX = 600;
const SUBMITTERS = 32;
const DECIDERS = 4;
const PAGE_ENTRIES = 200;
/** Time in which the last entries and notifications are written before CPU is measured. */
const SETTLE_MS = 10_000;
const TASK_MS = 7_200_000;
const RUN_MS = 7_200_000;
const APP = fileURLToPath(new URL("waiting-app.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "10000" },
    profile: { type: "string", default: "embedded" },
    /** Seconds for which CPU is measured while all wait: one period of the reminders, so that each process is reminded once. */
    watch: { type: "string", default: String(LIMITS.reminderMs / 1_000) },
    /** Requests that are decided one after another, each when the one before has gone on. */
    single: { type: "string", default: "200" },
  },
});
const processes = whole(values.processes, "--processes", PROCESSES_MAX);
const watchMs = 1_000 * whole(values.watch, "--watch", SECONDS_MAX);
const single = Math.min(processes, whole(values.single, "--single", PROCESSES_MAX));
const isRedis = values.profile === "redis";

const Told = z.object({ kind: z.string(), n: z.int(), lateMs: z.number() });
/** How late the next step of each process came after its decision was sent. */
const lates = new Map<number, number>();
let isReady = false;

const binaries = await ensureDapr((line) => console.error(line));
const bed = await Bed.make();
await bed.run(RUN_MS, async () => {
  const { dir, log } = await bed.place();
  const redis = isRedis ? await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec", log }) : undefined;
  const resourcesDir = await renderResources(isRedis ? "redis" : "embedded", { dir, ...(redis && { redisHost: redis.host }) });
  const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log, logLevel: "error" });
  const [appPort, daprPort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${appPort}`;
  const app = await startProgram({
    name: "app",
    command: process.execPath,
    args: [...APP_NODE_ARGS, APP],
    cwd: dir,
    env: { ...basicEnv(), APP_PORT: String(appPort), DAPR_HTTP_PORT: String(daprPort), BENCH_OPEN_MAX: String(2 * PROCESSES_MAX) },
    onLine: (line) => take(line, log),
  });
  try {
    const sidecar = await cluster.startSidecar({ appId: "waiting", appPort, resourcesDir, httpPort: daprPort });
    await sidecar.waitReady(READY_MS);
    await until(
      () => isReady,
      READY_MS,
      () => "the app is not ready",
    );
    const before = residentMib(app.pid);
    const accepted = await sendAll(processes, SUBMITTERS, (n) =>
      post(`${origin}/tasks`, { id: `p-${n}`, route: n % 2 === 0 ? "stop" : "ask", input: { n, untilMs: 0 }, timeoutMs: TASK_MS }),
    );
    const requests = await allAsked(origin);
    await sleep(SETTLE_MS);
    const pids = [
      { name: "app", pid: app.pid },
      { name: "daprd", pid: sidecar.pid },
      { name: "scheduler", pid: cluster.scheduler.pid },
      ...(redis === undefined ? [] : [{ name: "redis", pid: redis.pid }]),
    ];
    const cpu = cpuSeconds(pids);
    await sleep(watchMs);
    const used = cpuBetween(cpu, cpuSeconds(pids));
    const mib = residentMib(app.pid);
    await decideSingly(origin, requests.slice(0, single));
    const singly = summary([...lates.values()]);
    lates.clear();
    const rest = requests.slice(single);
    const decided = await sendAll(rest.length, DECIDERS, (at) => decide(origin, rest[at]));
    await until(
      () => lates.size >= rest.length,
      READY_MS,
      () => `only ${lates.size} of ${rest.length} went on`,
    );
    console.log(
      JSON.stringify({
        ...{ profile: values.profile, processes, ratePerS: { accepted, decided } },
        coreShare: Object.fromEntries(Object.entries(used).map(([name, seconds]) => [name, rounded(seconds / (watchMs / 1_000))])),
        coreShareAll: rounded(Object.values(used).reduce((sum, seconds) => sum + seconds, 0) / (watchMs / 1_000)),
        appMib: { before: Math.round(before), waiting: Math.round(mib) },
        lateMs: { singly, together: summary([...lates.values()]) },
      }),
    );
  } finally {
    app.kill("SIGKILL");
    await cluster.stop();
    await redis?.stop();
  }
});

function take(line: string, log: (source: string, line: string) => void): void {
  log("app", line);
  if (!line.startsWith('{"kind"')) return;
  const { kind, n, lateMs } = Told.parse(JSON.parse(line));
  if (kind === "recovered") isReady = true;
  else lates.set(n, lateMs);
}

interface Asked {
  readonly id: string;
  readonly hash: string;
  readonly n: number;
}

/** Waits until all processes have their request in the inbox. Returns the requests in the order of the processes. */
async function allAsked(origin: string): Promise<readonly Asked[]> {
  const end = Date.now() + READY_MS;
  for (;;) {
    const found = new Map<string, Asked>();
    for (let cursor: string | undefined = ""; cursor !== undefined;) {
      const answer = await fetch(`${origin}/inbox?limit=${PAGE_ENTRIES}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      const page: InboxPage = InboxPage.parse(await answer.json());
      for (const { id, hash, processId } of page.entries) found.set(id, { id, hash, n: Number(processId.slice("p-".length)) });
      ({ cursor } = page);
    }
    if (found.size >= processes) return [...found.values()].sort((left, right) => left.n - right.n);
    if (Date.now() > end) throw new Error(`${found.size} of ${processes} requests are in the inbox`);
    await sleep(SETTLE_MS / 10);
  }
}

async function decide(origin: string, request: Asked | undefined): Promise<void> {
  if (request === undefined) return;
  const { id, hash } = request;
  await post(`${origin}/inbox/${id}/decision`, { do: "answer", hash, output: { atMs: Date.now() } });
}

/** Decides one after another, each when the process of the one before has gone on. */
async function decideSingly(origin: string, requests: readonly Asked[]): Promise<void> {
  for (const request of requests) {
    await decide(origin, request);
    await until(
      () => lates.has(request.n),
      READY_MS,
      () => `p-${request.n} did not go on`,
    );
  }
}

function summary(times: readonly number[]): Readonly<Record<string, number>> {
  const sorted = [...times].sort((left, right) => left - right);
  return { count: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), max: sorted.at(-1) ?? 0 };
}
