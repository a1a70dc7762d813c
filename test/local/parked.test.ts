/** @module A handler that waits costs no timer of its own. */
import { expect, test } from "vitest";
import { z } from "zod";
import { SkippingClock } from "../../actors/memory/world.ts";
import { agent, contract, LIMITS, route, system } from "../../agents/index.ts";
import { runLocal } from "../../testing/index.ts";

const HOUR_MS = 3_600_000;

class CountingClock extends SkippingClock {
  heartbeats = 0;

  override after(delayMs: number, callback: () => void): () => void {
    if (delayMs === LIMITS.heartbeatMs) this.heartbeats += 1;
    return super.after(delayMs, callback);
  }
}

const Sleeper = contract("Sleeper", 1, { input: z.int(), output: z.int() });
const sleeper = agent(Sleeper, {
  handle: async (ms, ctx) => {
    await ctx.sleep(ms);
    return ms;
  },
});
const nap = route("nap", 1, z.int())
  .to("slept", Sleeper, ({ task }) => task)
  .output(({ slept }) => slept);

test("a handler that sleeps for an hour sends no heartbeats meanwhile, and goes on", async () => {
  const clock = new CountingClock(Date.now());
  const { status, output } = await runLocal(system("naps", { agents: [sleeper], routes: [nap] }), nap, HOUR_MS, {
    clock,
    timeoutMs: 2 * HOUR_MS,
  });
  expect({ status, output }).toEqual({ status: "completed", output: HOUR_MS });
  expect(clock.heartbeats).toBeLessThan(5);
});
