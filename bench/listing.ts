/**
 * @module How long a page of a listing takes with many entries, over real daprd: `node bench/listing.ts [--entries
 * 10000] [--pages 300] [--days 6] [--profile embedded --profile redis-everysec]`. Prints p50 and p99 of first, middle
 * and filtered pages, and fails above the bar. Entries are added as hosts add them, over `--days`, without processes
 * behind them.
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { DaprTransport } from "../actors/dapr/transport.ts";
import { SidecarClient } from "../actors/dapr/client.ts";
import { IndexClient } from "../actors/host/index-client.ts";
import { MemoryStore } from "../actors/memory/store.ts";
import type { Clock, Ports, Transport } from "../actors/engine/ports.ts";
import { systemRandom, systemClock } from "../actors/engine/system-clock.ts";
import { type DaprBinaries, ensureDapr } from "../cli/dapr/index.ts";
import type { IndexEntry } from "../runtime/protocol/bodies.ts";
import { Bed } from "./bed.ts";
import { percentile, rounded } from "./stats.ts";
import bench from "./system.ts";
import { OUR_PROFILES, type OurProfile, startTroupe } from "./targets/troupe.ts";

/** The bar: a page of either listing, in milliseconds. */
const PAGE_MS_MAX = 300;
const RUN_MS_MAX = 1_200_000;
const DAY_MS = 86_400_000;
/** The filtered page matches one in this number of entries. */
const RARE_PER = 100;
/** One in this number of processes is open. */
const OPEN_PER = 10;
/** Entries added together, in one bucket: 10,000 are in 625 buckets, most of the slices of six days. */
const FILL_COUNT = 16;
const PAGE_LENGTH = 50;
const CELL_CHARS = 14;
const P50_SHARE = 0.5;
const P99_SHARE = 0.99;
const STATUS_OK = 200;

const INDEXES = ["Directory", "DeadLetterQueue"] as const;
type Index = (typeof INDEXES)[number];

const Page = z.object({ entries: z.array(z.unknown()), cursor: z.string().optional() });

interface Options {
  readonly entries: number;
  readonly pages: number;
  readonly days: number;
}

/** Adds the entries of the last days to an index, oldest first. */
async function fill(daprHttpPort: number, index: Index, { entries, days }: Options): Promise<void> {
  const endMs = Date.now();
  let nowMs = endMs;
  const clock: Clock = { nowMs: () => nowMs, after: (delayMs, callback) => systemClock.after(delayMs, callback) };
  const client = new SidecarClient({ origin: `http://127.0.0.1:${daprHttpPort}`, apiToken: undefined });
  const none = async (): Promise<void> => {};
  const far = new DaprTransport(client, { pubsub: "pubsub", source: bench.name });
  // The entries are of past days, but the messages that carry them are current.
  const transport: Transport = {
    deliver: (message) => far.deliver({ ...message, expiresAtMs: Date.now() + DAY_MS }),
    inspect: (actor) => far.inspect(actor),
    publish: none,
    heartbeat: none,
    nudge: async () => ({ phase: "none" }),
    notification: none,
  };
  const ports: Ports = { store: new MemoryStore(), reminders: { set: none, remove: none }, transport, clock, random: systemRandom };
  const writer = new IndexClient(ports, bench.name, index);
  for (let at = 0; at < entries; at += FILL_COUNT) {
    nowMs = endMs - Math.floor(((entries - at) / entries) * days * DAY_MS);
    const count = Math.min(FILL_COUNT, entries - at);
    await Promise.all(Array.from({ length: count }, (_, more) => writer.open(entryOf(index, at + more, nowMs))));
  }
  await client.close();
}

function entryOf(index: Index, number: number, atMs: number): IndexEntry {
  const isRare = number % RARE_PER === 0;
  const common = { route: isRare ? "rare" : "three", run: 1, traceId: "0af7651916cd43dd8448eb211c80319c" };
  if (index === "DeadLetterQueue") {
    return {
      id: `listed-${number}:1`,
      open: true,
      atMs,
      facts: { ...common, code: isRare ? "stop.timeout" : "agent.failed", message: "Error: the other side did not answer" },
      content: { ref: "0".repeat(64), bytes: 4_096 },
    };
  }
  const isOpen = number % OPEN_PER === 0;
  return {
    id: `listed-${number}`,
    open: isOpen,
    atMs,
    facts: { ...common, acceptedAtMs: atMs, ...(isOpen ? {} : { status: isRare ? "failed" : "completed" }) },
  };
}

interface Timed {
  readonly tookMs: number;
  readonly cursor: string | undefined;
  readonly count: number;
}

async function page(origin: string, path: string, query: string, cursor?: string): Promise<Timed> {
  const url = `${origin}${path}?limit=${PAGE_LENGTH}${query}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
  const beganAt = performance.now();
  const answer = await fetch(url);
  const text = await answer.text();
  const tookMs = performance.now() - beganAt;
  if (answer.status !== STATUS_OK) throw new Error(`${url}: ${answer.status} ${text}`);
  const { entries, cursor: next } = Page.parse(JSON.parse(text));
  return { tookMs, cursor: next, count: entries.length };
}

/** Reads half of a listing, and counts all of it on the way. */
async function middle(origin: string, path: string, entries: number): Promise<string | undefined> {
  let cursor: string | undefined;
  let half: string | undefined;
  let seen = 0;
  do {
    const { cursor: next, count } = await page(origin, path, "", cursor);
    seen += count;
    cursor = next;
    if (half === undefined && seen >= entries / 2) half = cursor;
  } while (cursor !== undefined);
  if (seen < entries) throw new Error(`${path} lists ${seen} of ${entries} entries`);
  return half;
}

/** Requests the same page repeatedly. The first request, without a cache, counts like the others. */
async function measure(name: string, pages: number, ask: () => Promise<Timed>): Promise<number> {
  const tookMs: number[] = [];
  for (let time = 0; time < pages; time += 1) tookMs.push((await ask()).tookMs);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const [p50, p99] = [percentile(sorted, P50_SHARE), percentile(sorted, P99_SHARE)];
  console.log(
    [name.padEnd(3 * CELL_CHARS), ...[tookMs[0] ?? Number.NaN, p50, p99].map((ms) => `${rounded(ms)}`.padStart(CELL_CHARS))].join(""),
  );
  return p99;
}

async function measureAll(origin: string, options: Options): Promise<number> {
  console.log(`${"".padEnd(3 * CELL_CHARS)}${["first (ms)", "p50 (ms)", "p99 (ms)"].map((head) => head.padStart(CELL_CHARS)).join("")}`);
  let worst = 0;
  for (const [path, filter] of [
    ["/processes", "&route=rare"],
    ["/deadletters", "&code=stop.timeout"],
  ] as const) {
    const first = await measure(`${path} first`, options.pages, () => page(origin, path, ""));
    const half = await middle(origin, path, options.entries);
    const second = await measure(`${path} middle`, options.pages, () => page(origin, path, "", half));
    const filtered = await measure(`${path} filtered, 1 in ${RARE_PER}`, options.pages, () => page(origin, path, filter));
    const nothing = await measure(`${path} filtered, none`, options.pages, () => page(origin, path, "&route=nothing"));
    worst = Math.max(worst, first, second, filtered, nothing);
  }
  return worst;
}

async function measureProfile(bed: Bed, binaries: DaprBinaries, profile: OurProfile, options: Options): Promise<number> {
  const place = await bed.place();
  const target = await bed.hold(startTroupe({ ...place, binaries, profile, ids: "made" }));
  for (const index of INDEXES) await fill(target.daprHttpPort, index, options);
  console.log(`\n${profile}: ${options.entries} entries in each listing, over ${options.days} days`);
  const worst = await measureAll(target.scenario.origin, options);
  await bed.stopTargets();
  return worst;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      entries: { type: "string", default: "10000" },
      pages: { type: "string", default: "300" },
      days: { type: "string", default: "6" },
      profile: { type: "string", multiple: true, default: ["embedded", "redis-everysec"] },
    },
  });
  const options: Options = { entries: Number(values.entries), pages: Number(values.pages), days: Number(values.days) };
  const profiles = OUR_PROFILES.filter((profile) => values.profile.includes(profile));
  const binaries = await ensureDapr((line) => console.log(line));
  const bed = await Bed.make();
  await bed.run(RUN_MS_MAX, async () => {
    let worst = 0;
    for (const profile of profiles) worst = Math.max(worst, await measureProfile(bed, binaries, profile, options));
    console.log(`\nworst p99 ${rounded(worst)} ms, the bar is ${PAGE_MS_MAX} ms`);
    if (worst > PAGE_MS_MAX) throw new Error("a page took longer than the bar");
  });
}

await main();
