/** @module Many concurrent processes, and their cost for the app: memory and delay of its event loop. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { z } from "zod";
import type { TaskOrder } from "./client.ts";
import { judge, type Verdict } from "./verdict.ts";
import type { World } from "./world.ts";

/** Requests that the caller has open at once. */
const CALLS_AT_ONCE = 64;

const Sample = z.object({ rssMib: z.number(), p99Ms: z.number(), maxMs: z.number() });

export interface Thousand {
  readonly verdict: Verdict;
  readonly acceptedMs: number;
  readonly rssMibMax: number;
  /** Of the whole time from the first task to the last end. */
  readonly delayP99Ms: number;
  readonly delayMsMax: number;
}

export async function manyAtOnce(world: World, count: number): Promise<Thousand> {
  const orders: TaskOrder[] = Array.from({ length: count }, (_, n) => ({
    id: `many-${n}`,
    route: "party",
    input: { n, shelf: `s${n % 64}`, refuse: n % 8 === 0 },
  }));
  // A warm-up; then the counters start again with the first sample of the load.
  await world.client.submit({ id: "warm", route: "party", input: { n: 0, shelf: "s0", refuse: false } });
  await world.client.ended("warm", Date.now() + 10_000);
  world.host.signalApp("SIGUSR2");
  rmSync(world.host.samplesFile, { force: true });
  const startedAt = performance.now();
  const queue = [...orders];
  await Promise.all(
    Array.from({ length: CALLS_AT_ONCE }, async () => {
      for (let order = queue.shift(); order !== undefined; order = queue.shift()) await world.client.submit(order);
    }),
  );
  const acceptedMs = performance.now() - startedAt;
  const verdict = await judge(world, orders);
  const samples = existsSync(world.host.samplesFile)
    ? readFileSync(world.host.samplesFile, "utf8")
        .trim()
        .split("\n")
        .map((line) => Sample.parse(JSON.parse(line)))
    : [];
  return {
    verdict,
    acceptedMs,
    rssMibMax: Math.max(...samples.map((sample) => sample.rssMib)),
    delayP99Ms: samples.at(-1)?.p99Ms ?? Number.NaN,
    delayMsMax: samples.at(-1)?.maxMs ?? Number.NaN,
  };
}
