/**
 * @module `node bench/gateway.ts`: many calls of a slow model at once, through the gateway alone and as tasks of a model agent.
 *
 * The model is a server in a process of its own that answers after a fixed time. For each number of slots it prints when all had ended, how
 * long the calls that waited longest took, and how late the event loop was.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { z } from "zod";
import { SILENT } from "../actors/engine/log.ts";
import { systemClock } from "../actors/engine/system-clock.ts";
import { Gateway } from "../actors/gateway/gateway.ts";
import { agent, contract, type Endpoint, type ModelRequest, model, openai, route, system } from "../agents/index.ts";
import { startLocal } from "../testing/index.ts";
import { Bed } from "./bed.ts";
import { whole } from "./options.ts";
import { percentile } from "./stats.ts";
import { startModel } from "./targets/model.ts";

const CALLS_MAX = 4_000;
const SECONDS_MAX = 600;
const BENCH_MS_MAX = 600_000;
const NANOSECONDS_PER_MS = 1_000_000;
const LOOP_RESOLUTION_MS = 5;
const REQUEST: ModelRequest = { messages: [{ role: "user", text: "1" }], tools: [], toolChoice: "auto", outputTokensMax: 10 };

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "500" },
    /** Seconds that the model takes for each answer. */
    answers: { type: "string", default: "2" },
    slots: { type: "string", default: "500,50" },
  },
});
const calls = whole(values.calls, "--calls", CALLS_MAX);
const answersMs = 1_000 * whole(values.answers, "--answers", SECONDS_MAX);
const slots = values.slots.split(",").map((text) => whole(text, "--slots", CALLS_MAX));

/** Runs all calls at once, and measures. */
async function measure(kind: string, concurrency: number, one: (index: number) => Promise<void>): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  const begunAt = performance.now();
  const took = await Promise.all(
    Array.from({ length: calls }, async (_none, index) => {
      await one(index);
      return performance.now() - begunAt;
    }),
  );
  loop.disable();
  const ended = took.toSorted((a, b) => a - b);
  const loopMs = (share: number): number => Math.round(loop.percentile(share) / NANOSECONDS_PER_MS) - LOOP_RESOLUTION_MS;
  const facts = { calls, answersMs, slots: concurrency, firstMs: Math.round(ended[0] ?? 0), p50Ms: Math.round(percentile(ended, 0.5)) };
  const late = { p50: loopMs(50), p99: loopMs(99), max: Math.round(loop.max / NANOSECONDS_PER_MS) };
  console.log(JSON.stringify({ kind, ...facts, allEndedMs: Math.round(ended.at(-1) ?? 0), eventLoopLateMs: late }));
}

async function gatewayAlone(endpoint: Endpoint, concurrency: number): Promise<void> {
  const environment = { env: {}, secret: async () => "" };
  const gateway = new Gateway({ system: "bench", models: new Map([["m", [endpoint]]]), environment, clock: systemClock, log: SILENT });
  await gateway.start();
  const signal = new AbortController().signal;
  await measure("gateway", concurrency, async (index) => {
    await gateway.attempt({ model: "m", request: REQUEST, inputTokensMax: 10, idempotencyKey: `k${index}`, signal });
  });
}

async function asTasks(endpoint: Endpoint, concurrency: number): Promise<void> {
  const Count = z.strictObject({ n: z.int() });
  const Counter = contract("Counter", 1, { input: Count, output: z.string() });
  const counter = agent(Counter, model({ instructions: "Add one.", model: "m" }));
  const count = route("count", 1, Count)
    .to("counted", Counter, ({ task }) => task)
    .output(({ counted }) => counted);
  const local = startLocal(system("bench", { agents: [counter], routes: [count], models: { m: endpoint } }), { giveUpMs: BENCH_MS_MAX });
  await measure("tasks", concurrency, async (index) => {
    const { status, fault } = await local.run("count", { n: index });
    if (status !== "completed") throw new Error(`task ${index} ended ${status}: ${JSON.stringify(fault)}`);
  });
  await local.stop();
}

const bed = await Bed.make();
await bed.run(BENCH_MS_MAX, async () => {
  const server = await bed.hold(startModel(await bed.place(), answersMs));
  for (const concurrency of slots) {
    const endpoint = openai({ model: "tiny", baseUrl: server.url, concurrency, timeoutMs: BENCH_MS_MAX });
    await gatewayAlone(endpoint, concurrency);
    await asTasks(endpoint, concurrency);
  }
});
