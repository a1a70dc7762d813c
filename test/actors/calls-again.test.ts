/**
 * @module Promises to handlers that run again: what is recorded is come to again, unknown ends are settled, retries are counted.
 */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { type DoerHandle, type Member, run, submit, systemOf, textTool } from "./handler-rig.ts";
import { gate, World } from "./world-rig.ts";

/** Two hosts, of which the first holds the actors until it dies. */
function pair(world: World, one: Parameters<typeof systemOf>[0], two: Parameters<typeof systemOf>[0]): [Member, Member] {
  return [world.join(systemOf(one), "one"), world.join(systemOf(two), "two")];
}

describe("law: what is recorded is come to again, on the way forward too", () => {
  async function restarted(
    one: DoerHandle,
    two: DoerHandle,
  ): Promise<{ readonly status: string; readonly fault?: unknown; readonly output?: unknown }> {
    const world = new World();
    const [first, second] = pair(world, { handle: one }, { handle: two });
    await submit(first);
    first.kill();
    return world.until(second, "p");
  }
  const never = gate<string>();

  test("a renamed step after a restart is step.mismatch, and nothing is charged twice", async () => {
    let charges = 0;
    const outcome = await restarted(
      async (_n, ctx) => {
        await ctx.step("charge", () => (charges += 1));
        return never.promise;
      },
      async (_n, ctx) => {
        await ctx.step("charge-card", () => (charges += 1));
        return "done";
      },
    );
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "step.mismatch", details: { recorded: "step charge" } } });
    expect(charges).toBe(1);
  });

  test("also when the handler catches what it hears, and when the step is simply gone", async () => {
    const charge: DoerHandle = async (_n, ctx) => {
      await ctx.step("charge", () => 1);
      return never.promise;
    };
    const caught = await restarted(charge, async (_n, ctx) => {
      await ctx.step("other", () => 1).catch(() => {});
      return "done";
    });
    const gone = await restarted(charge, async () => "done");
    for (const outcome of [caught, gone]) expect(outcome).toMatchObject({ status: "failed", fault: { code: "step.mismatch" } });
  });

  test("a new call of one chain waits until the other chain has come to its records", async () => {
    const did: string[] = [];
    const parked = gate();
    const chains =
      (name: string): DoerHandle =>
      async (_n, ctx) => {
        const left = async (): Promise<void> => {
          if (name === "two") await parked.promise;
          await ctx.step("left 1", () => void did.push("left 1"));
          await ctx.step("left 2", () => void did.push("left 2"));
          if (name === "one") await never.promise;
        };
        const right = async (): Promise<void> => {
          await ctx.step("right 1", () => void did.push("right 1"));
          if (name === "one") await never.promise;
          await ctx.step("right 2", () => void did.push("right 2"));
        };
        await Promise.all([left(), right()]);
        return "done";
      };
    const world = new World();
    const [first, second] = pair(world, { handle: chains("one") }, { handle: chains("two") });
    await submit(first);
    first.kill();
    await world.clock.advance(2 * LIMITS.hostDeadMs);
    expect(did.toSorted()).toEqual(["left 1", "left 2", "right 1"]);
    parked.open();
    expect(await world.until(second, "p")).toMatchObject({ status: "completed", output: { text: "done" } });
    expect(did.toSorted()).toEqual(["left 1", "left 2", "right 1", "right 2"]);
  });

  test("what came behind a failure in one attempt need not come in the next", async () => {
    const outcome = await run({
      handle: async (_n, ctx) => {
        const found = await ctx
          .step("look", () => {
            if (ctx.attempt === 1) throw new TypeError("no answer");
            return "found";
          })
          .catch(async (error: unknown) => {
            await ctx.step("tidy", () => null);
            throw error;
          });
        return ctx.step("use", () => found);
      },
    });
    expect(outcome).toMatchObject({ status: "completed", output: { text: "found" } });
  });
});

describe("law: a call that began and whose end was not recorded is treated as its tool says", () => {
  const found = (text: string | undefined) => ({ unknown: "lookup", lookup: () => text }) as const;

  async function diedWithin(
    more: Parameters<typeof textTool>[3],
  ): Promise<{ readonly outcome: unknown; readonly calls: readonly string[] }> {
    const calls: string[] = [];
    const keys = new Set<string>();
    const world = new World();
    const hanging = gate<string>();
    const pay = (name: string) =>
      textTool(
        "pay",
        (_about, { idempotencyKey }) => {
          calls.push(name);
          keys.add(idempotencyKey);
          return name === "one" ? hanging.promise : "paid";
        },
        undefined,
        more,
      );
    const partsOf = (name: string): Parameters<typeof systemOf>[0] => {
      const tool = pay(name);
      return { tools: [tool], handle: async (_n, ctx) => ctx.call(tool, "5 euro") };
    };
    const [first, second] = pair(world, partsOf("one"), partsOf("two"));
    await submit(first);
    first.kill();
    const outcome = await world.until(second, "p");
    expect(keys.size).toBe(1);
    return { outcome, calls };
  }

  test("repeat: it is made again under the same key", async () => {
    expect(await diedWithin({})).toMatchObject({ outcome: { status: "completed", output: { text: "paid" } }, calls: ["one", "two"] });
  });

  test("lookup: what it finds is the output, and it is made again only where nothing is found", async () => {
    expect(await diedWithin(found("looked up"))).toMatchObject({ outcome: { output: { text: "looked up" } }, calls: ["one"] });
    expect(await diedWithin(found(undefined))).toMatchObject({ outcome: { output: { text: "paid" } }, calls: ["one", "two"] });
  });

  test("stop: it is not made again, in no attempt", async () => {
    expect(await diedWithin({ unknown: "stop" })).toMatchObject({
      outcome: { status: "failed", fault: { code: "call.unknown" } },
      calls: ["one"],
    });
  });

  test("a lookup that fails leaves its call open, and is asked again", async () => {
    let looks = 0;
    const lookup = (): string => {
      if ((looks += 1) < 3) throw new TypeError("no answer");
      return "looked up";
    };
    expect(await diedWithin({ unknown: "lookup", lookup })).toMatchObject({ outcome: { output: { text: "looked up" } }, calls: ["one"] });
    expect(looks).toBe(3);
  });

  test("a call that gave no answer in its time is as unknown as one whose host died", async () => {
    const world = new World();
    let calls = 0;
    const pay = textTool("pay", () => ((calls += 1), gate<string>().promise), undefined, { unknown: "stop", timeoutMs: 1_000 });
    const one = world.join(systemOf({ tools: [pay], handle: async (_n, ctx) => ctx.call(pay, "x") }), "one");
    await submit(one);
    expect(await world.until(one, "p")).toMatchObject({ status: "failed", fault: { code: "call.unknown" } });
    expect(calls).toBe(1);
  });
});

describe("retries of one call are its tool's", () => {
  test("as often as it says, with pauses, under one key, and its handler hears nothing of it", async () => {
    const world = new World();
    const atMs: number[] = [];
    const keys = new Set<string>();
    const attempts: number[] = [];
    const flaky = textTool(
      "flaky",
      (_about, { idempotencyKey, attempt }) => {
        atMs.push(world.clock.nowMs());
        keys.add(idempotencyKey);
        attempts.push(attempt);
        if (attempt < 3) throw new TypeError("not yet");
        return "got it";
      },
      undefined,
      { retry: { attemptsMax: 3, backoffMs: 1_000, jitter: 0 } },
    );
    const heard: number[] = [];
    const one = world.join(systemOf({ tools: [flaky], handle: async (_n, ctx) => (heard.push(ctx.attempt), ctx.call(flaky, "x")) }), "one");
    await submit(one);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { text: "got it" } });
    expect([attempts, heard, keys.size]).toEqual([[1, 2, 3], [1], 1]);
    expect(atMs.map((at) => at - (atMs[0] ?? 0))).toEqual([0, 1_000, 3_000]);
  });

  test("the count is recorded: a host that takes over goes on with it", async () => {
    const world = new World();
    const tries: number[] = [];
    const flaky = textTool(
      "flaky",
      (_about, { attempt }) => {
        tries.push(attempt);
        throw new TypeError("never");
      },
      undefined,
      { retry: { attemptsMax: 3, backoffMs: 60_000, jitter: 0 } },
    );
    const parts: Parameters<typeof systemOf>[0] = {
      tools: [flaky],
      timeoutMs: 3_600_000,
      handle: async (_n, ctx) => ctx.call(flaky, "x").catch(() => "gave up"),
    };
    const [first, second] = pair(world, parts, parts);
    await submit(first);
    await world.clock.advance(61_000);
    expect(tries).toEqual([1, 2]);
    first.kill();
    expect(await world.until(second, "p", 600_000)).toMatchObject({ status: "completed", output: { text: "gave up" } });
    expect(tries).toEqual([1, 2, 3]);
  });

  test("a call that pauses holds no slot", async () => {
    const world = new World();
    const flaky = textTool(
      "flaky",
      (_about, { attempt }) => {
        if (attempt < 2) throw new TypeError("not yet");
        return "got it";
      },
      undefined,
      { retry: { attemptsMax: 2, backoffMs: 30_000, jitter: 0 } },
    );
    const one = world.join(
      systemOf({
        tools: [flaky],
        concurrency: 1,
        timeoutMs: 3_600_000,
        handle: async (n, ctx) => (n === 0 ? ctx.call(flaky, "x") : "at once"),
      }),
      "one",
    );
    await submit(one, "pauses", 0);
    await submit(one, "p", 1);
    expect(await world.until(one, "p", 5_000)).toMatchObject({ output: { text: "at once" } });
    expect(await world.until(one, "pauses")).toMatchObject({ output: { text: "got it" } });
  });

  test("a call that gives no answer in its time is told by its signal and fails with call.timeout", async () => {
    const world = new World();
    const reasons: string[] = [];
    const slow = textTool(
      "slow",
      (_about, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => {
            reasons.push((signal.reason as { readonly code: string }).code);
            reject(new TypeError("aborted"));
          }),
        ),
      undefined,
      { timeoutMs: 2_000 },
    );
    const one = world.join(
      systemOf({
        tools: [slow],
        handle: async (_n, ctx) => ctx.call(slow, "x").catch((error: unknown) => (error as { readonly code: string }).code),
      }),
      "one",
    );
    await submit(one);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { text: "call.timeout" } });
    expect(reasons).toEqual(["call.timeout"]);
  });
});
