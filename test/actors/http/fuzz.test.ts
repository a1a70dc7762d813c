/** @module Fuzzed requests against a whole system in memory, accepted ones included: every refusal has a code, and memory does not grow. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { play } from "../../../bench/fuzz/play.ts";
import fuzzed from "../../../bench/fuzz/system.ts";
import { startReal } from "./real-rig.ts";

const REQUESTS = 5_000;
const WARM_UP_REQUESTS = 1_000;
const AT_ONCE = 32;
const MIB_BYTES = 1_024 * 1_024;
/** Caches that fill up; what is held by mistake for each request would be far more. */
const GROWTH_MIB_MAX = 128;
const TIMEOUT_MS = 900_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapMib(): number {
  collect();
  return process.memoryUsage().heapUsed / MIB_BYTES + process.memoryUsage().external / MIB_BYTES;
}

test(
  "5,000 requests of a seed",
  async () => {
    const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    process.stdout.write(`FUZZ_SEED=${seed}\n`);
    const rig = await startReal({}, fuzzed);
    await play({ origin: rig.origin, seed: seed + 1, requests: WARM_UP_REQUESTS, atOnce: AT_ONCE });
    const [heapBefore, storedBefore] = [heapMib(), rig.storedBytes() / MIB_BYTES];
    const { statuses, problems } = await play({ origin: rig.origin, seed, requests: REQUESTS, atOnce: AT_ONCE });
    const [grown, stored] = [heapMib() - heapBefore, rig.storedBytes() / MIB_BYTES - storedBefore];
    process.stdout.write(`answers ${JSON.stringify(statuses)}; heap +${grown.toFixed(1)} MiB, of it stored ${stored.toFixed(1)} MiB\n`);
    expect(problems).toEqual([]);
    // It must not consist of refusals.
    expect(Number(statuses["200"]) + Number(statuses["202"])).toBeGreaterThan(REQUESTS / 4);
    expect(grown - stored).toBeLessThan(GROWTH_MIB_MAX);
    expect((await rig.call("GET", "/healthz")).status).toBe(200);
    await rig.stop();
  },
  TIMEOUT_MS,
);
