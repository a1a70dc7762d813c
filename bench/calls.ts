/**
 * @module `node bench/calls.ts`: the CPU cost of one call through daprd, by kind, with an app that does nothing. Together with the number
 * of calls per process (`profile.ts`) it is the minimum cost of a process.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { Cluster, ensureDapr, freePort, renderResources, startRedis } from "../cli/dapr/index.ts";
import { Bed } from "./bed.ts";
import { BareApp } from "./bare-app.ts";
import { list, whole } from "./options.ts";
import { cpuBetween, cpuSeconds, type NamedPid } from "./proc.ts";
import { percentile } from "./stats.ts";

const LIMIT_MS = 300_000;
const READY_MS = 30_000;
/** Subscriptions and reminders start a little after daprd reports that it is ready. */
const BEGIN_MS = 1_500;
const CALLS_MAX = 100_000;
const CALLERS_MAX = 1_024;
/** With one caller a call takes so much longer that fewer calls are enough. */
const ALONE_SHARE = 0.25;
const CONTENT_BYTES = 900;
const GROUPS_SIZES = [1, 4, 8] as const;
const US_PER_SECOND = 1e6;
const OK = new Set([200, 204]);

const { values } = parseArgs({ options: { calls: { type: "string", default: "2000" }, callers: { type: "string", default: "1,32" } } });
const calls = whole(values.calls, "--calls", CALLS_MAX);
const callers = list(values.callers).map((text) => whole(text, "--callers", CALLERS_MAX));
const binaries = await ensureDapr((line) => console.log(line));
const bed = await Bed.make();

/** One kind of call; one call does `size` operations. */
interface Kind {
  readonly name: string;
  readonly size: number;
  readonly call: () => Promise<unknown>;
}

await bed.run(LIMIT_MS, async () => {
  const { dir, log } = await bed.place();
  const redis = await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec", log });
  const resourcesDir = await renderResources("redis", { dir, redisHost: redis.host });
  const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log, logLevel: "error" });
  const app = new BareApp(await freePort());
  try {
    await app.listen();
    const sidecar = await cluster.startSidecar({ appId: "bare", appPort: app.port, resourcesDir });
    await sidecar.waitReady(READY_MS);
    await sleep(BEGIN_MS);
    const pool = new Pool(`http://127.0.0.1:${sidecar.httpPort}`, { connections: Math.max(...callers), pipelining: 1 });
    const processes = [
      { name: "daprd", pid: sidecar.pid },
      { name: "redis", pid: redis.pid },
      { name: "scheduler", pid: cluster.scheduler.pid },
    ];
    const kinds = kindsOf(pool, app);
    // The first pass warms up compilers and caches.
    for (const isWarm of [false, true]) for (const count of callers) for (const kind of kinds) await price(kind, count, processes, isWarm);
    await pool.destroy();
  } finally {
    await cluster.stop();
    await app.close();
    await redis.stop();
  }
});

function kindsOf(pool: Pool, app: BareApp): readonly Kind[] {
  const send = async (method: "GET" | "POST" | "DELETE", path: string, body?: string, contentType = "application/json"): Promise<void> => {
    const answer = await pool.request({
      method,
      path,
      body: body ?? null,
      headers: body === undefined ? {} : { "content-type": contentType },
    });
    const text = await answer.body.text();
    if (!OK.has(answer.statusCode)) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
  };
  const content = JSON.stringify(JSON.stringify({ content: "x".repeat(CONTENT_BYTES) }));
  const item = (): string => `{"key":"bare/${randomUUID()}/1","value":${content},"options":{"concurrency":"first-write"}}`;
  const message = JSON.stringify({ content: "x".repeat(CONTENT_BYTES / 2) });
  const reminders: string[] = [];
  const publish = async (): Promise<void> => {
    const id = randomUUID();
    const arrived = app.event(id);
    await send(
      "POST",
      "/v1.0/publish/pubsub/bare",
      `{"specversion":"1.0","id":"${id}","source":"bench","type":"bench","datacontenttype":"application/json","data":${message}}`,
      "application/cloudevents+json",
    );
    await arrived;
  };
  return [
    ...GROUPS_SIZES.map((size) => ({
      name: `insert, ${size} in a call`,
      size,
      call: () => send("POST", "/v1.0/state/statestore", `[${Array.from({ length: size }, item).join(",")}]`),
    })),
    { name: "read of an absent key", size: 1, call: () => send("GET", `/v1.0/state/statestore/bare%2F${randomUUID()}`) },
    { name: "actor call, to a new actor", size: 1, call: () => send("POST", `/v1.0/actors/bare/${randomUUID()}/method/receive`, message) },
    { name: "publish and its event", size: 1, call: publish },
    {
      name: "reminder set",
      size: 1,
      call: () => {
        const id = randomUUID();
        reminders.push(id);
        return send("POST", `/v1.0/actors/bare/${id}/reminders/reminder`, '{"dueTime":"60s","period":"60s"}');
      },
    },
    { name: "reminder removed", size: 1, call: () => send("DELETE", `/v1.0/actors/bare/${reminders.pop() ?? "none"}/reminders/reminder`) },
  ];
}

async function price({ name, size, call }: Kind, count: number, processes: readonly NamedPid[], isShown: boolean): Promise<void> {
  const total = Math.ceil((calls * (count === 1 ? ALONE_SHARE : 1)) / size);
  const latenciesMs: number[] = [];
  let left = total;
  const before = { cpu: cpuSeconds(processes), own: process.cpuUsage(), ms: performance.now() };
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const start = performance.now();
      await call();
      latenciesMs.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: count }, caller));
  const seconds = (performance.now() - before.ms) / 1_000;
  const own = process.cpuUsage(before.own);
  const cpu = { node: (own.user + own.system) / US_PER_SECOND, ...cpuBetween(before.cpu, cpuSeconds(processes)) };
  if (!isShown) return;
  const costs = Object.entries(cpu).map(
    ([program, used]) => `${program} ${((used * US_PER_SECOND) / (total * size)).toFixed(0).padStart(4)}`,
  );
  console.log(
    `${name.padEnd(28)} ${String(count).padStart(3)} callers  p50 ${percentile(
      latenciesMs.toSorted((a, b) => a - b),
      0.5,
    ).toFixed(2)} ms  ${((total * size) / seconds).toFixed(0).padStart(6)} per s  CPU us each: ${costs.join(", ")}`,
  );
}
