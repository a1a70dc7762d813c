/** @module Processes that wait: for a time, a signal, a person, or a call that takes minutes. Each end is told on stdout. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { agent, contract, model, openai, person, route, system, tool } from "../agents/index.ts";
import { LIMITS } from "../runtime/limits.ts";

const Wait = z.object({ n: z.int(), untilMs: z.int() });
const CALL_MS_MAX = 900_000;

const Quick = contract("Quick", 1, { input: Wait, output: z.int() });
const Sleeper = contract("Sleeper", 1, { input: Wait, output: z.int() });
const Listener = contract("Listener", 1, { input: Wait, output: z.int() });
const Payer = contract("Payer", 1, { input: Wait, output: z.int() });
const Caller = contract("Caller", 1, { input: Wait, output: z.int() });

/** `kind`, and how late the next step of the process came after its moment. */
function tell(kind: string, n: number, lateMs: number): void {
  process.stdout.write(`${JSON.stringify({ kind, n, lateMs: Math.max(0, Math.round(lateMs)) })}\n`);
}

const Paid = z.object({ n: z.int() });

/** Acts once per process, under its key. */
const pay = tool("pay", {
  input: Paid,
  output: z.string(),
  effect: "write",
  unknown: "repeat",
  run: ({ n }, { idempotencyKey }) => {
    process.stdout.write(`${JSON.stringify({ kind: "paid", n, lateMs: 0, key: idempotencyKey })}\n`);
    return idempotencyKey;
  },
});

const payer = agent(Payer, {
  tools: [pay],
  handle: async ({ n, untilMs }, ctx) => {
    await ctx.sleep(Math.max(1, untilMs - ctx.now()));
    tell("sleep", n, Date.now() - untilMs);
    await ctx.call(pay, { n });
    return n;
  },
});

const quick = agent(Quick, { handle: ({ n }) => n });

const sleeper = agent(Sleeper, {
  handle: async ({ n, untilMs }, ctx) => {
    const ms = Math.max(1, untilMs - ctx.now());
    await ctx.sleep(ms);
    tell("sleep", n, Date.now() - untilMs);
    return n;
  },
});

const listener = agent(Listener, {
  handle: async ({ n }, ctx) => {
    const sentMs = await ctx.waitFor("go", z.int());
    tell("signal", n, Date.now() - sentMs);
    return n;
  },
});

const caller = agent(Caller, {
  concurrency: LIMITS.agentConcurrencyMax,
  handle: async ({ n, untilMs }, ctx) => {
    await sleep(Math.max(1, untilMs - Date.now()), undefined, { signal: ctx.signal });
    tell("call", n, 0);
    return n;
  },
});

const Thinker = contract("Thinker", 1, { input: Wait, output: z.string() });
const THINKERS_MAX = 10_000;
const thinker = agent(Thinker, model({ instructions: "Answer with the number plus one, and nothing else." }));

/** `atMs`: when the decision was sent. */
const Decided = z.object({ atMs: z.int() });
const Clerk = person("Clerk", { about: "Answers with the time", input: Wait, output: Decided });
const Asker = contract("Asker", 1, { input: Wait, output: z.int() });
const asker = agent(Asker, {
  asks: [Clerk],
  handle: async (wait, ctx) => {
    const { atMs } = await ctx.ask(Clerk, wait);
    tell("ask", wait.n, Date.now() - atMs);
    return wait.n;
  },
});
const After = contract("After", 1, { input: z.object({ n: z.int(), atMs: z.int() }), output: z.int() });
const after = agent(After, {
  handle: ({ n, atMs }) => {
    tell("stop", n, Date.now() - atMs);
    return n;
  },
});

export default system("waiting", {
  agents: [quick, sleeper, listener, payer, caller, thinker, Clerk, asker, after],
  models: { default: openai({ model: "none", name: "bench", concurrency: THINKERS_MAX, timeoutMs: CALL_MS_MAX }) },
  routes: [
    route("think", 1, Wait)
      .to("think", Thinker, ({ task }) => task, { timeoutMs: CALL_MS_MAX })
      .output(({ think: done }) => done),
    route("quick", 1, Wait)
      .to("quick", Quick, ({ task }) => task)
      .output(({ quick: done }) => done),
    route("sleep", 1, Wait)
      .to("sleep", Sleeper, ({ task }) => task)
      .output(({ sleep: done }) => done),
    route("pay", 1, Wait)
      .to("pay", Payer, ({ task }) => task)
      .output(({ pay: done }) => done),
    route("signal", 1, Wait)
      .to("signal", Listener, ({ task }) => task)
      .output(({ signal: done }) => done),
    route("stop", 1, Wait)
      .to("decided", Clerk, ({ task }) => task)
      .to("after", After, ({ task, decided }) => ({ n: task.n, atMs: decided.atMs }))
      .output(({ after: done }) => done),
    route("ask", 1, Wait)
      .to("asked", Asker, ({ task }) => task)
      .output(({ asked }) => asked),
    route("call", 1, Wait)
      .to("call", Caller, ({ task }) => task, { timeoutMs: CALL_MS_MAX })
      .output(({ call: done }) => done),
  ],
});
