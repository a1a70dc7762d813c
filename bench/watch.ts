/**
 * @module Counts the HTTP requests of an app process, and when they happen, without changing the product: Node and
 * undici publish their requests on diagnostics channels.
 *
 * SIGUSR2 writes what was seen since the last one to the file that BENCH_WATCH names, and starts over.
 */
import { subscribe } from "node:diagnostics_channel";
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { z } from "zod";

export const Call = z.object({ way: z.enum(["in", "out"]), kind: z.string(), startMs: z.number(), endMs: z.number() });
/** One request: `in` from daprd or a client, `out` to daprd. */
export type Call = z.infer<typeof Call>;

const Kind = z.object({ way: z.enum(["in", "out"]), kind: z.string(), count: z.number(), sumMs: z.number(), bytes: z.number() });
export const Watched = z.object({
  kinds: z.array(Kind),
  /** Calls while one task was running, oldest first; only meaningful with one caller. */
  timelines: z.array(z.array(Call)),
  loopBusy: z.number(),
  loopDelayP99Ms: z.number(),
});
export type Watched = z.infer<typeof Watched>;

/** Maximum calls and timelines that are kept. */
const CALLS_MAX = 2_000;
const TIMELINES_MAX = 200;
/** Calls this long after the answer still belong to the timeline. */
const AFTER_MS = 15;
const NS_PER_MS = 1e6;
/** A finer resolution would cost more than what it measures. */
const LOOP_RESOLUTION_MS = 20;

/** The parts of a request that both libraries' events have. */
interface Seen {
  readonly method?: string;
  readonly path?: string;
  readonly url?: string;
  readonly body?: unknown;
}

type KindSum = { way: "in" | "out"; kind: string; count: number; sumMs: number; bytes: number };

class Watch {
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  #busy = performance.eventLoopUtilization();
  #kinds = new Map<string, KindSum>();
  #calls: Call[] = [];
  #timelines: Call[][] = [];
  #tasks = 0;
  /** More than one task ran since the last write, so calls cannot be attributed. */
  #mixed = false;

  constructor() {
    this.#loop.enable();
  }

  began(kind: string): void {
    if (kind !== TASK) return;
    this.#tasks += 1;
    if (this.#tasks > 1) this.#mixed = true;
  }

  add(call: Call, bytes: number): void {
    if (call.kind === TASK) this.#tasks -= 1;
    const key = `${call.way} ${call.kind}`;
    const sum = this.#kinds.get(key) ?? { way: call.way, kind: call.kind, count: 0, sumMs: 0, bytes: 0 };
    sum.count += 1;
    sum.sumMs += call.endMs - call.startMs;
    sum.bytes += bytes;
    this.#kinds.set(key, sum);
    if (this.#mixed) return;
    this.#calls.push(call);
    if (this.#calls.length > CALLS_MAX) this.#calls.splice(0, CALLS_MAX / 2);
    if (call.kind === TASK && this.#timelines.length < TIMELINES_MAX) setTimeout(() => this.#cut(call), AFTER_MS);
  }

  #cut(task: Call): void {
    const around = this.#calls.filter((call) => call.startMs >= task.startMs && call.startMs <= task.endMs + AFTER_MS);
    this.#timelines.push(
      around
        .map((call) => ({ ...call, startMs: call.startMs - task.startMs, endMs: call.endMs - task.startMs }))
        .sort((a, b) => a.startMs - b.startMs),
    );
  }

  take(): Watched {
    const watched: Watched = {
      kinds: [...this.#kinds.values()],
      timelines: this.#timelines,
      loopBusy: performance.eventLoopUtilization(this.#busy).utilization,
      loopDelayP99Ms: this.#loop.percentile(99) / NS_PER_MS,
    };
    this.#busy = performance.eventLoopUtilization();
    this.#loop.reset();
    this.#kinds = new Map();
    this.#calls = [];
    this.#timelines = [];
    this.#mixed = this.#tasks > 1;
    return watched;
  }
}

const TASK = "task";

/** Starts to watch this process. */
export function watchHttp(file: string): void {
  const watch = new Watch();
  const begun = new WeakMap<object, { readonly atMs: number; readonly kind: string; readonly bytes: number }>();
  const begin = (key: unknown, kind: string | undefined, bytes: number): void => {
    if (!isObject(key) || kind === undefined) return;
    begun.set(key, { atMs: performance.now(), kind, bytes });
    watch.began(kind);
  };
  const end = (way: "in" | "out", key: unknown): void => {
    const start = isObject(key) ? begun.get(key) : undefined;
    if (start !== undefined) watch.add({ way, kind: start.kind, startMs: start.atMs, endMs: performance.now() }, start.bytes);
  };
  subscribe("undici:request:create", (event) => {
    const seen = part(event, "request");
    const body =
      seen.body instanceof Uint8Array ? Buffer.from(seen.body).toString("latin1") : typeof seen.body === "string" ? seen.body : "";
    begin(seen, outKind(seen, body), body.length);
  });
  subscribe("undici:request:trailers", (event) => end("out", part(event, "request")));
  subscribe("undici:request:error", (event) => end("out", part(event, "request")));
  subscribe("http.server.request.start", (event) => {
    const seen = part(event, "request");
    begin(seen, inKind(seen), 0);
  });
  subscribe("http.server.response.finish", (event) => end("in", part(event, "request")));
  process.on("SIGUSR2", () => {
    writeFileSync(`${file}.part`, JSON.stringify(watch.take()));
    // A reader that waits for the file finds it complete.
    renameSync(`${file}.part`, file);
  });
}

/** The kind of a call to daprd: the actor type for a record, the topic for a message. */
function outKind({ method = "", path = "" }: Seen, body: string): string {
  const [, kind, name, id, what, rest] = path.split("?")[0]?.split("/").slice(1) ?? [];
  if (kind === "state" && method === "GET") return `read ${keyKind(decodeURIComponent(id ?? ""))}`;
  if (kind === "state" && id === "bulk") return "read bulk";
  if (kind === "state" && id === "transaction")
    return `insert ${keysOf(body).length > 1 ? "several" : keyKind(keysOf(body)[0] ?? "")} (transaction)`;
  if (kind === "state") return `insert ${keyKind(keysOf(body)[0] ?? "")}`;
  if (kind === "publish") return `publish ${id ?? ""}`;
  if (kind === "actors" && what === "reminders") return `${method === "DELETE" ? "remove" : "set"} reminder`;
  if (kind === "actors") return `call ${name ?? ""}.${rest ?? ""}`;
  return `${method} ${path}`;
}

function inKind({ method = "", url = "" }: Seen): string | undefined {
  const [first, type, , what, ...rest] = url.split("?")[0]?.split("/").slice(1) ?? [];
  if (first === "healthz") return undefined;
  if (first === "tasks") return TASK;
  if (first === "actors" && method === "DELETE") return "deactivate";
  if (first === "actors") return what === "method" && rest[0] === "remind" ? `tick ${type ?? ""}` : `turn ${type ?? ""}.${rest[0] ?? ""}`;
  return `event ${url}`;
}

function keysOf(body: string): readonly string[] {
  return [...body.matchAll(/"key":"([^"]*)"/g)].map((match) => match[1] ?? "");
}

/** `bench/bench.N1/<id>/<sequence>` is a record of `bench.N1`; values and snapshots have other parts. */
function keyKind(key: string): string {
  return key.split("/")[1] ?? key;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function part(event: unknown, name: string): Seen {
  return isObject(event) && name in event ? ((event as Readonly<Record<string, unknown>>)[name] as Seen) : {};
}
