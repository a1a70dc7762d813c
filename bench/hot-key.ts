/**
 * @module What a work item costs on an actor that has done thousands: `node bench/hot-key.ts [--works 10000] [--callers 8]
 * [--profile embedded --profile redis-everysec]`. Prints milliseconds and stored bytes of a work item after 100, 1,000, 5,000 and all of
 * them, and the size of the last snapshot. Fails above the bar.
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { SidecarClient } from "../actors/dapr/client.ts";
import { DaprStore } from "../actors/dapr/store.ts";
import { keys } from "../actors/engine/journal.ts";
import type { StateStore } from "../actors/engine/ports.ts";
import { ensureDapr } from "../cli/dapr/index.ts";
import { settledRef, stopWorkId } from "../runtime/ids.ts";
import { actorType } from "../runtime/protocol.ts";
import { keyedScope } from "../runtime/value.ts";
import { Bed } from "./bed.ts";
import { whole } from "./options.ts";
import { rounded } from "./stats.ts";
import { OUR_PROFILES, type OurProfile, startTroupe, type TroupeTarget } from "./targets/troupe.ts";

/** The bars: a work item at the end against one after 100, and the last snapshot. */
const RATIO_MAX = 1.2;
const SNAPSHOT_BYTES_MAX = 1_048_576;
const MARKS_WORKS = [100, 1_000, 5_000] as const;
/** Work items of one measurement: several snapshots are taken in that time. */
const SPAN_WORKS = 1_000;
/** The first measurement ends where the second begins. */
const SPAN_SHARE = 0.1;
const WARM_UP_WORKS = 300;
const WORKS_MAX = 100_000;
const CALLERS_MAX = 256;
const RUN_MS_MAX = 1_800_000;
const BATCH_KEYS = 256;
const STATUS_OK = 200;
const WAIT_MS = 60_000;

const Ended = z.object({ id: z.string(), status: z.literal("completed"), output: z.int() });
const [AGENT, ACTOR] = ["N1", "hot"];

/** One measurement: from after that many work items on. */
export interface Measured {
  readonly works: number;
  readonly ms: number;
  readonly bytes: number;
}

/** The result for one profile. `snapshotBytes` is 0 without a snapshot. */
export interface HotKey {
  readonly measured: readonly Measured[];
  readonly snapshotBytes: number;
  /** Time and bytes of the last measurement against the first. */
  readonly ratios: { readonly ms: number; readonly bytes: number };
}

/** Counts what is stored of the hot actor, each key once. */
class Stored {
  readonly #store: StateStore;
  #sequence = 0;
  #snapshot = 0;
  snapshotBytes = 0;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** Bytes that came since the last call: records, snapshots, and entries of the work items of these processes. */
  async more(processes: readonly string[]): Promise<number> {
    const type = actorType("bench", AGENT);
    let bytes = 0;
    const take = (content: unknown): number => Buffer.byteLength(JSON.stringify(content));
    for (let found = BATCH_KEYS; found === BATCH_KEYS;) {
      const batch = Array.from({ length: BATCH_KEYS }, (_, index) => keys.record("bench", type, ACTOR, this.#sequence + index + 1));
      const there = await this.#store.read(batch);
      found = there.size;
      this.#sequence += found;
      for (const content of there.values()) bytes += take(content);
    }
    for (;;) {
      const key = keys.snapshot("bench", type, ACTOR, this.#snapshot + 1);
      const content = (await this.#store.read([key])).get(key);
      if (content === undefined) break;
      this.#snapshot += 1;
      this.snapshotBytes = take(content);
      bytes += this.snapshotBytes;
    }
    for (let at = 0; at < processes.length; at += BATCH_KEYS) {
      const scope = keyedScope(AGENT, ACTOR);
      const refs = processes.slice(at, at + BATCH_KEYS).map((id) => ({ ref: settledRef(stopWorkId(id, 1, "first", 0, 1), 1), scope }));
      for (const content of (await this.#store.read(refs.map((ref) => keys.value("bench", ref)))).values()) bytes += take(content);
    }
    return bytes;
  }
}

/** Runs work items on one actor, and measures some of them. The target's app has `BENCH_KEY` set. */
export async function hotKey(target: TroupeTarget, works: number, callers: number): Promise<HotKey> {
  const client = new SidecarClient({ origin: `http://127.0.0.1:${target.daprHttpPort}`, apiToken: undefined });
  const stored = new Stored(new DaprStore(client, "statestore"));
  const { origin } = target.scenario;
  await run(
    origin,
    "other",
    Array.from({ length: WARM_UP_WORKS }, (_, index) => index),
    callers,
  );
  const span = Math.min(SPAN_WORKS, Math.floor(works * SPAN_SHARE * 4));
  const marks = [...MARKS_WORKS.filter((mark) => mark + span <= works - span), works - span];
  const measured: Measured[] = [];
  let done = 0;
  const upTo = async (count: number): Promise<readonly string[]> => {
    const inputs = Array.from({ length: Math.max(0, count - done) }, (_, index) => done + index);
    done = Math.max(done, count);
    return run(origin, "one", inputs, callers);
  };
  for (const mark of marks) {
    await upTo(mark);
    await stored.more([]);
    const beganAt = performance.now();
    const processes = await upTo(mark + span);
    const ms = (performance.now() - beganAt) / span;
    measured.push({ works: mark, ms, bytes: (await stored.more(processes)) / span });
  }
  await client.close();
  const [first, last] = [measured[0], measured.at(-1)];
  if (first === undefined || last === undefined) throw new Error("nothing was measured");
  return { measured, snapshotBytes: stored.snapshotBytes, ratios: { ms: last.ms / first.ms, bytes: last.bytes / first.bytes } };
}

/** Runs a process for each input to its end. Returns the ids. */
async function run(origin: string, route: "one" | "other", inputs: readonly number[], callers: number): Promise<readonly string[]> {
  const ids: string[] = [];
  const queue = [...inputs];
  const caller = async (): Promise<void> => {
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      const answer = await fetch(`${origin}/tasks?waitMs=${WAIT_MS}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ route, input }),
      });
      const text = await answer.text();
      if (answer.status !== STATUS_OK) throw new Error(`a task was answered with ${answer.status} ${text}`);
      const ended = Ended.parse(JSON.parse(text));
      if (ended.output !== input + 1) throw new Error(`${input} became ${ended.output}`);
      ids.push(ended.id);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return ids;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      works: { type: "string", default: "10000" },
      callers: { type: "string", default: "8" },
      profile: { type: "string", multiple: true, default: ["embedded"] },
    },
  });
  const works = whole(values.works, "--works", WORKS_MAX);
  const callers = whole(values.callers, "--callers", CALLERS_MAX);
  const binaries = await ensureDapr((line) => console.log(line));
  const bed = await Bed.make();
  await bed.run(RUN_MS_MAX, async () => {
    const missed: OurProfile[] = [];
    for (const profile of OUR_PROFILES.filter((one) => values.profile.includes(one))) {
      const target = await bed.hold(startTroupe({ ...(await bed.place()), binaries, profile, ids: "made", env: { BENCH_KEY: "hot" } }));
      const { measured, snapshotBytes, ratios } = await hotKey(target, works, callers);
      console.log(`\n${profile}: ${works} work items on one actor, ${callers} callers`);
      for (const one of measured) console.log(`after ${one.works}: ${rounded(one.ms)} ms and ${rounded(one.bytes)} bytes of a work item`);
      console.log(
        `the end against the beginning: time ${rounded(ratios.ms)}, bytes ${rounded(ratios.bytes)}; snapshot ${snapshotBytes} bytes`,
      );
      if (Math.max(ratios.ms, ratios.bytes) > RATIO_MAX || snapshotBytes > SNAPSHOT_BYTES_MAX) missed.push(profile);
      await bed.stopTargets();
    }
    if (missed.length > 0) throw new Error(`above the bar of ${RATIO_MAX} and ${SNAPSHOT_BYTES_MAX} bytes: ${missed.join(", ")}`);
  });
}

if (import.meta.main) await main();
