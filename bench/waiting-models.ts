/**
 * @module `node bench/waiting-models.ts`: what processes cost that wait for a model.
 *
 * It prints the rate at which short tasks are done on an idle system, the rate at which tasks for a slow model are accepted, CPU and memory
 * while all of them wait, and when all had completed.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { APP_NODE_ARGS } from "../cli/run/app-args.ts";
import { Cluster, ensureDapr, freePort, renderResources, startRedis } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { whole } from "./options.ts";
import { cpuBetween, cpuSeconds, residentMib } from "./proc.ts";
import { startModel } from "./targets/model.ts";
import { basicEnv, startProgram } from "./targets/program.ts";
import { post, READY_MS, rounded, sendAll, until } from "./waiting-load.ts";

const PROCESSES_MAX = 10_000;
const SECONDS_MAX = 600;
const CALLERS = 32;
const QUICK_TASKS = 2_000;
const POLL_MS = 250;
/** Time in which late work of the warm-up ends. */
const SETTLE_MS = 3_000;
const APP = fileURLToPath(new URL("waiting-app.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "2000" },
    profile: { type: "string", default: "embedded" },
    /** Seconds that the model takes for each answer. */
    answers: { type: "string", default: "60" },
    /** Seconds for which CPU is measured while all wait. */
    watch: { type: "string", default: "20" },
  },
});
const processes = whole(values.processes, "--processes", PROCESSES_MAX);
const answersMs = 1_000 * whole(values.answers, "--answers", SECONDS_MAX);
const watchMs = 1_000 * whole(values.watch, "--watch", SECONDS_MAX);
const isRedis = values.profile === "redis";

const binaries = await ensureDapr((line) => console.error(line));
const bed = await Bed.make();
await bed.run(1_200_000, async () => {
  const { dir, log } = await bed.place();
  const model = await bed.hold(startModel(await bed.place(), answersMs));
  const redis = isRedis ? await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec", log }) : undefined;
  const resourcesDir = await renderResources(isRedis ? "redis" : "embedded", { dir, ...(redis && { redisHost: redis.host }) });
  const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log, logLevel: "error" });
  const [appPort, daprPort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${appPort}`;
  let isReady = false;
  const ports = { APP_PORT: String(appPort), DAPR_HTTP_PORT: String(daprPort), OPENAI_BASE_URL: model.url };
  const app = await startProgram({
    name: "app",
    command: process.execPath,
    args: [...APP_NODE_ARGS, APP],
    cwd: dir,
    env: { ...basicEnv(), ...ports, BENCH_OPEN_MAX: String(2 * PROCESSES_MAX) },
    onLine: (line) => {
      log("app", line);
      if (line.startsWith('{"kind":"recovered"')) isReady = true;
    },
  });
  try {
    const sidecar = await cluster.startSidecar({ appId: "waiting", appPort, resourcesDir, httpPort: daprPort });
    await sidecar.waitReady(READY_MS);
    await until(
      () => isReady,
      READY_MS,
      () => "the app is not ready",
    );
    const submit = (route: string, prefix: string, count: number): Promise<number> =>
      sendAll(count, CALLERS, (n) =>
        post(`${origin}/tasks`, { id: `${prefix}-${n}`, route, input: { n: prefix === "warm" ? -n - 1 : n, untilMs: 0 } }),
      );
    // Both ways are warm when they are measured. The model answers these at once.
    await submit("think", "warm", QUICK_TASKS);
    await submit("quick", "first", QUICK_TASKS);
    await sleep(SETTLE_MS);
    const idle = await submit("quick", "quick", QUICK_TASKS);
    const begunMs = Date.now();
    const accepted = await submit("think", "p", processes);
    const acceptedMs = Date.now() - begunMs;
    const pids = [
      { name: "app", pid: app.pid },
      { name: "daprd", pid: sidecar.pid },
      { name: "scheduler", pid: cluster.scheduler.pid },
      ...(redis === undefined ? [] : [{ name: "redis", pid: redis.pid }]),
    ];
    await sleep(Math.max(0, (answersMs - acceptedMs - watchMs) / 2));
    const before = cpuSeconds(pids);
    await sleep(watchMs);
    const used = cpuBetween(before, cpuSeconds(pids));
    const mib = residentMib(app.pid);
    const waiting = await notCompleted(origin);
    await sleep(Math.max(0, begunMs + acceptedMs + answersMs - Date.now()));
    for (let left = processes; left > 0; left = await notCompleted(origin)) {
      if (Date.now() - begunMs > acceptedMs + answersMs + READY_MS) throw new Error(`${left} processes did not complete`);
      await sleep(POLL_MS);
    }
    console.log(
      JSON.stringify({
        ...{ profile: values.profile, processes, ratePerS: { idle, accepted, ratio: rounded(accepted / idle) }, waiting },
        coreShare: Object.fromEntries(Object.entries(used).map(([name, seconds]) => [name, rounded(seconds / (watchMs / 1_000))])),
        coreShareAll: rounded(Object.values(used).reduce((sum, seconds) => sum + seconds, 0) / (watchMs / 1_000)),
        appMib: Math.round(mib),
        allCompletedAfterMs: Date.now() - begunMs,
      }),
    );
  } finally {
    app.kill("SIGKILL");
    await cluster.stop();
    await redis?.stop();
    await bed.stopTargets();
  }
});

/** Processes of the measurement that have not completed. */
async function notCompleted(origin: string): Promise<number> {
  let count = 0;
  await sendAll(processes, CALLERS, async (n) => {
    const answer = await fetch(`${origin}/processes/p-${n}`);
    const { outcome } = (await answer.json()) as { readonly outcome?: { readonly status: string } };
    if (outcome?.status !== "completed") count += 1;
  });
  return count;
}
