/**
 * @module Invalid messages among valid tasks: every valid one completes, and every invalid one is in the dead letter queue once, with its
 * bytes and its cause.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { addToStream, type InvalidMessage, invalidOf, publish } from "./invalid.ts";
import { makeRandom, percentile, print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const GOOD_TASKS = 500;
const KIND_MESSAGES = 5;
const INVALID_MESSAGES = 50;
const AT_ONCE = 32;
/** Actors that tasks share: their work items go through the broker. */
const SHELVES = 50;
const TEST_MS = 360_000;
/** Time after the last publication by which everything has ended; a kill costs the broker's redelivery. */
const END_MS = 120_000;
const POLL_MS = 100;
const KILLS_AT_LETTERS = [5, 20];

const NO_LETTER = ": no letter";
/**
 * What daprd logs when it takes a delivery for answered although its connection ended without one byte (seen on the wire with 1.18.2, in
 * about one of ten kills). It then acknowledges the message, which is lost: docs/guarantees.md.
 */
const UNANSWERED = "skipping status check due to empty response body";

const DeadLetterEntry = z.looseObject({ id: z.string(), topic: z.string(), code: z.string() });
const Page = z.looseObject({ entries: z.array(DeadLetterEntry), cursor: z.string().optional() });
const Kept = z.looseObject({
  letter: z.looseObject({ bytes: z.string(), encoding: z.enum(["utf8", "base64"]), size: z.int(), sha256: z.string(), cut: z.boolean() }),
});

type Letter = z.infer<typeof DeadLetterEntry> & { readonly bytes: Buffer; readonly size: number; readonly sha256: string };

const dapr = (await findDapr()) !== undefined;
const redis = (await findRedis()) !== undefined;
if (!dapr || !redis) print("skip: no Dapr programs or no redis-server");

const RUNS = [
  { profile: "embedded", kills: false },
  { profile: "redis", kills: false },
  { profile: "redis", kills: true },
] as const;

test.skipIf(!dapr || !redis).each(RUNS)(
  "50 invalid messages among 500 good tasks ($profile, kill -9 of the app: $kills)",
  { timeout: TEST_MS },
  async ({ profile, kills }) => {
    const seed = seedOfRun();
    const random = makeRandom(seed);
    const world = await World.start({
      profile,
      seed,
      answerMsMax: 1,
      env: { LIVE_MESSAGE_KEY: "" },
      ...(kills ? { daprLogLevel: "debug" } : {}),
    });
    try {
      const invalid = invalidOf(KIND_MESSAGES, profile === "redis");
      const good = Array.from({ length: GOOD_TASKS }, (_, n) => `good-${n}`);
      const publishedAtMs = new Map<string, number>();
      const orders = mixed(good, invalid, random);
      const begun = performance.now();
      const killed = kills ? killAtLetters(world) : Promise.resolve([]);
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let order = orders.shift(); order !== undefined; order = orders.shift()) {
            publishedAtMs.set(typeof order === "string" ? order : order.name, Date.now());
            await send(world, order);
          }
        }),
      );
      const sentMs = performance.now() - begun;
      const keptAtKills = await killed;
      const latencies = await allCompleted(world, good, publishedAtMs);
      const goodMs = performance.now() - begun;
      const letters = await lettersOf(world, INVALID_MESSAGES);
      const dropped = kills ? acknowledgedUnanswered(world.daprLog()) : 0;
      const name = `${profile}${kills ? `, kill -9 at ${keptAtKills.join(" and ")} letters` : ""} (seed ${seed})`;
      print(
        `${name}: published in ${Math.round(sentMs)} ms; ${latencies.length} good tasks completed within ` +
          `${Math.round(goodMs)} ms, each p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ` +
          `ms, max ${percentile(latencies, 1)} ms`,
      );
      print(`${name}: ${letters.length} letters after ${Math.round(performance.now() - begun)} ms`);
      if (dropped > 0) print(`${name}: daprd acknowledged ${dropped} deliveries that the app had not answered`);
      // What the broker's reader gave away is lost; not one more.
      expect(latencies.length + letters.length).toBeGreaterThanOrEqual(GOOD_TASKS + INVALID_MESSAGES - dropped);
      if (kills) expect(Math.max(...keptAtKills)).toBeLessThan(INVALID_MESSAGES);
      expect(wrongOf(invalid, letters).filter((text) => dropped === 0 || !text.endsWith(NO_LETTER))).toEqual([]);
      // No invalid message started anything.
      expect([...world.ledger.entries.values()].filter((entry) => entry.process.startsWith("invalid"))).toEqual([]);
    } finally {
      await world.stop();
    }
  },
);

function acknowledgedUnanswered(daprLog: string): number {
  return daprLog.split(UNANSWERED).length - 1;
}

/** Kills the app when the dead letter queue has some of the dead letters, and again when it has more. */
async function killAtLetters(world: World): Promise<number[]> {
  const kept: number[] = [];
  for (const count of KILLS_AT_LETTERS) {
    let lines = 0;
    while (lines < count) lines = (await linesOf(world).catch(() => [])).length;
    await world.host.killApp();
    world.host.startApp();
    kept.push(lines);
  }
  return kept;
}

/** Valid and invalid messages in a random order that depends on the seed. */
function mixed(good: readonly string[], invalid: readonly InvalidMessage[], random: () => number): (string | InvalidMessage)[] {
  return [...good, ...invalid]
    .map((order) => [random(), order] as const)
    .sort(([a], [b]) => a - b)
    .map(([, order]) => order);
}

async function send(world: World, order: string | InvalidMessage): Promise<void> {
  if (typeof order !== "string") return order.direct ? addToStream(world.storePort, order.topic, order.bytes) : publish(world, order);
  const task = { id: order, route: "party", input: { n: 1, shelf: `s${Number(order.slice("good-".length)) % SHELVES}`, refuse: false } };
  return publish(world, { name: order, topic: "live.tasks", bytes: Buffer.from(JSON.stringify(task)), contentType: "application/json" });
}

/** Milliseconds from publishing to the outcome, of those that completed. */
async function allCompleted(world: World, ids: readonly string[], publishedAtMs: ReadonlyMap<string, number>): Promise<number[]> {
  const end = Date.now() + END_MS;
  const latencies: number[] = [];
  for (const id of ids) {
    const view = await world.client.ended(id, end);
    if (view?.outcome?.status === "completed") latencies.push(view.outcome.atMs - (publishedAtMs.get(id) ?? 0));
    else print(`${id}: ${JSON.stringify(view)?.slice(0, 500) ?? "unknown to the system"}`);
  }
  return latencies;
}

async function lettersOf(world: World, count: number): Promise<Letter[]> {
  const end = Date.now() + END_MS;
  let lines = await linesOf(world);
  while (lines.length < count && Date.now() < end) {
    await sleep(POLL_MS);
    lines = await linesOf(world);
  }
  return Promise.all(
    lines.map(async (line) => {
      const { letter } = Kept.parse(await read(world, `/deadletters/${encodeURIComponent(line.id)}`));
      return { ...line, bytes: Buffer.from(letter.bytes, letter.encoding), size: letter.size, sha256: letter.sha256 };
    }),
  );
}

async function linesOf(world: World): Promise<z.infer<typeof DeadLetterEntry>[]> {
  const lines: z.infer<typeof DeadLetterEntry>[] = [];
  for (let cursor = ""; ;) {
    const page = Page.parse(await read(world, `/deadletters?limit=200${cursor}`));
    lines.push(...page.entries);
    if (page.cursor === undefined) return lines;
    cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
  }
}

async function read(world: World, path: string): Promise<unknown> {
  return (await fetch(world.host.url + path)).json();
}

/** What is wrong with the dead letter of each invalid message: it is missing, duplicated, or has another content. */
function wrongOf(invalid: readonly InvalidMessage[], letters: readonly Letter[]): string[] {
  return invalid.flatMap((one) => {
    const own = letters.filter(
      (letter) => letter.topic === one.topic && (one.direct ? letter.sha256 === hashOf(one.bytes) : letter.bytes.includes(`"${one.name}"`)),
    );
    const [letter] = own;
    if (letter === undefined) return [`${one.name} (${one.kind})${NO_LETTER}`];
    if (own.length > 1) return [`${one.name} (${one.kind}): ${own.length} letters`];
    const wrong = [
      ...(letter.code === one.code ? [] : [`the code is ${letter.code}`]),
      ...(letter.bytes.length === Math.min(letter.size, LIMITS.invalidBytesMax)
        ? []
        : [`${letter.bytes.length} of ${letter.size} bytes are kept`]),
      ...(one.direct && !(letter.size === one.bytes.length && one.bytes.subarray(0, LIMITS.invalidBytesMax).equals(letter.bytes))
        ? ["the bytes differ"]
        : []),
    ];
    return wrong.map((text) => `${one.name} (${one.kind}): ${text}`);
  });
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
