/** @module Handlers that wait for several things at once, in a system that runs in memory. */
import { expect, test } from "vitest";
import { z } from "zod";
import { SkippingClock } from "../../actors/memory/world.ts";
import { agent, contract, route, system, tool } from "../../agents/index.ts";
import { runLocal } from "../../testing/index.ts";

const SECOND_MS = 1_000;
const Ms = z.int();
const Said = z.string();
const Slow = contract("Slow", 1, { input: Ms, output: Said });
const Asker = contract("Asker", 1, { input: Ms, output: z.array(Said) });

interface Made {
  readonly log: string[];
  readonly run: (ms: number) => ReturnType<typeof runLocal>;
  readonly tookMs: () => number;
}

/** What was done and undone, and a system whose asker does something with an agent that answers after a time. */
function made(handle: Parameters<typeof asker>[1]): Made {
  const log: string[] = [];
  const clock = new SkippingClock(0);
  const book = tool("book", {
    effect: "write",
    input: Said,
    output: Said,
    run: (what) => {
      log.push(what);
      return what;
    },
    undo: (what) => void log.push(`no ${what}`),
  });
  const slow = agent(Slow, {
    tools: [book],
    handle: async (ms, ctx) => {
      await ctx.call(book, `slow ${ms}`);
      await ctx.sleep(ms);
      return `slow ${ms}`;
    },
  });
  const r = route("r", 1, Ms)
    .to("asker", Asker, ({ task }) => task)
    .output(({ asker: said }) => said);
  const party = system("party", { agents: [slow, asker(log, handle)], routes: [r] });
  return { log, run: (ms) => runLocal(party, "r", ms, { id: "t", clock }), tookMs: () => clock.nowMs() };
}

interface Waits {
  readonly ask: (ms: number) => Promise<string>;
  readonly sleep: (ms: number) => Promise<string>;
  readonly step: (name: string) => Promise<string>;
}

function asker(log: string[], handle: (waits: Waits, ms: number) => Promise<string[]>): ReturnType<typeof agent> {
  return agent(Asker, {
    asks: [Slow],
    handle: (ms, ctx) =>
      handle(
        {
          ask: (slowMs) => ctx.ask(Slow, slowMs),
          sleep: (sleepMs) => ctx.sleep(sleepMs).then(() => `slept ${sleepMs}`),
          step: (name) =>
            ctx.step(name, () => {
              log.push(name);
              return name;
            }),
        },
        ms,
      ),
  });
}

test("a race of an ask with a pause goes on after the first: the ask in time", async () => {
  const { log, run, tookMs } = made(async ({ ask, sleep, step }, ms) => [
    await Promise.race([ask(ms), sleep(60 * SECOND_MS)]),
    await step("then"),
  ]);
  const { status, output } = await run(2 * SECOND_MS);
  expect({ status, output }).toEqual({ status: "completed", output: ["slow 2000", "then"] });
  expect(tookMs()).toBeLessThan(10 * SECOND_MS);
  expect(log).toEqual(["slow 2000", "then"]);
});

test("a race of an ask with a pause goes on after the first: the ask that is late is given up and compensated", async () => {
  const { log, run, tookMs } = made(async ({ ask, sleep, step }, ms) => [
    await Promise.race([ask(ms), sleep(SECOND_MS)]),
    await step("then"),
  ]);
  const { status, output } = await run(50 * SECOND_MS);
  expect({ status, output }).toEqual({ status: "completed", output: ["slept 1000", "then"] });
  expect(tookMs()).toBeLessThan(20 * SECOND_MS);
  expect(log).toEqual(["slow 50000", "then", "no slow 50000"]);
});

test("a late answer is still there for a second race", async () => {
  const { run } = made(async ({ ask, sleep, step }, ms) => {
    const late = ask(ms);
    const first = await Promise.race([late, sleep(SECOND_MS)]);
    await step("note");
    return [first, await Promise.race([late, sleep(60 * SECOND_MS)])];
  });
  expect(await run(5 * SECOND_MS)).toMatchObject({ status: "completed", output: ["slept 1000", "slow 5000"] });
});

test("waits for all of several go on after the last, also when one of them goes through steps", async () => {
  const { log, run } = made(({ ask, sleep, step }, ms) =>
    Promise.all([ask(ms), sleep(SECOND_MS).then(() => step("between")), sleep(3 * SECOND_MS)]),
  );
  expect(await run(2 * SECOND_MS)).toMatchObject({ status: "completed", output: ["slow 2000", "between", "slept 3000"] });
  expect(log).toEqual(["slow 2000", "between"]);
});
