/**
 * @module Promises to handlers that call tools: each chain its own results, each effect once, whatever dies in between.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message } from "../../runtime/protocol.ts";
import { flush } from "./engine-rig.ts";
import { type DoerHandle, Helper, type Member, run, submit, systemOf, textTool } from "./handler-rig.ts";
import { gate, World } from "./world-rig.ts";

const KEY = /^p:1:doer:0:1\/[a-z]+\/[0-9a-f]{16}\/\d+$/;

/** Two hosts, of which the first holds the actors until it dies. */
function pair(world: World, one: Parameters<typeof systemOf>[0], two: Parameters<typeof systemOf>[0]): [Member, Member] {
  return [world.join(systemOf(one), "one"), world.join(systemOf(two), "two")];
}

/** The records of the agent's actor. */
async function recordsOf(world: World, id = "p"): Promise<number> {
  let count = 0;
  while ((await world.store.read([`sys/sys.Doer/${id}/${count + 1}`])).size > 0) count += 1;
  return count;
}

describe("law: a call is known by its tool, its input and how often that came before", () => {
  test("parallel chains with equal tools keep their own results over a retry, and each effect happens once", async () => {
    const did: string[] = [];
    const slow = gate<string>();
    let fails = 1;
    const reserve = textTool("reserve", (about) => (about === "flight" ? slow.promise : `R-${about}`));
    const confirm = textTool("confirm", (about) => (did.push(about), `C-${about}`));
    const world = new World();
    const one = world.join(
      systemOf({
        tools: [reserve, confirm],
        handle: async (_n, ctx) =>
          (
            await Promise.all(
              ["flight", "hotel"].map(async (name) => {
                const reserved = await ctx.call(reserve, name);
                if (name === "flight" && fails-- > 0) throw new Error("closed for a moment");
                return ctx.call(confirm, reserved);
              }),
            )
          ).join(),
      }),
      "one",
    );
    await submit(one);
    slow.open("R-flight");
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { text: "C-R-flight,C-R-hotel" } });
    expect(did.toSorted()).toEqual(["R-flight", "R-hotel"]);
  });

  test("equal calls are told apart by their count, each under a key of its own", async () => {
    const keys: string[] = [];
    const buy = textTool("buy", (_about, { idempotencyKey }) => keys.push(idempotencyKey));
    const outcome = await run({
      tools: [buy],
      handle: async (_n, ctx) => [await ctx.call(buy, "a"), await ctx.call(buy, "a"), await ctx.call(buy, "b")].join(),
    });
    expect(outcome).toMatchObject({ output: { text: "1,2,3" } });
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(key).toMatch(KEY);
  });

  test("a tool without an undo costs one record, as a step does; one with an undo costs two", async () => {
    const plain = textTool("plain");
    const undoable = textTool("undoable", undefined, () => {});
    const cases: readonly (readonly [DoerHandle, number])[] = [
      [async () => "", 2],
      [async (_n, ctx) => ctx.step("s", () => "x"), 3],
      [async (_n, ctx) => ctx.call(plain, "x"), 3],
      [async (_n, ctx) => ctx.call(undoable, "x"), 4],
    ];
    for (const [handle, records] of cases) {
      const world = new World();
      const one = world.join(systemOf({ handle, tools: [plain, undoable] }), "one");
      await submit(one);
      await world.until(one, "p");
      expect(await recordsOf(world)).toBe(records);
    }
  });
});

describe("law: an attempt ends when its calls have settled", () => {
  test("a call that outlives its handler is told by its signal; what it gives is recorded, and undone with the work", async () => {
    const world = new World();
    const booked = new Set<string>();
    const reasons: unknown[] = [];
    const hotel = textTool(
      "hotel",
      async (about, { signal }) => {
        signal.addEventListener("abort", () => reasons.push((signal.reason as { readonly code: string }).code));
        await new Promise<void>((resolve) => void world.clock.after(900, resolve));
        booked.add(about);
        return "H";
      },
      (about, output) => {
        expect(output).toBe("H");
        booked.delete(about);
      },
    );
    const card = textTool("card", () => {
      throw new TypeError("declined");
    });
    const one = world.join(
      systemOf({
        tools: [hotel, card],
        handle: async (_n, ctx) => (await Promise.all([ctx.call(card, "c"), ctx.call(hotel, "h")])).join(),
      }),
      "one",
    );
    await submit(one);
    expect(await world.until(one, "p")).toMatchObject({ status: "failed" });
    await world.clock.advance(10_000);
    expect([...booked]).toEqual([]);
    expect(reasons).toEqual(["work.cancelled"]);
  });

  test("a further attempt begins when they have: no key is in use twice at once, and what was bought is not bought again", async () => {
    const world = new World();
    let open = 0;
    let most = 0;
    let bought = 0;
    let attempts = 0;
    const hotel = textTool("hotel", async () => {
      bought += 1;
      most = Math.max(most, (open += 1));
      await new Promise<void>((resolve) => void world.clock.after(900, resolve));
      open -= 1;
      return "H";
    });
    const one = world.join(
      systemOf({
        tools: [hotel],
        handle: async (_n, ctx) => {
          attempts += 1;
          const fails = attempts < 3 ? Promise.reject(new Error("500")) : Promise.resolve("");
          return (await Promise.all([fails, ctx.call(hotel, "h")])).join("");
        },
      }),
      "one",
    );
    await submit(one);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { text: "H" } });
    expect([attempts, most, bought]).toEqual([3, 1, 1]);
  });

  test("one that ignores its signal is given up after its grace, and makes no record any more", async () => {
    const world = new World();
    const late = gate<string>();
    const hang = textTool("hang", () => late.promise);
    const one = world.join(
      systemOf({
        tools: [hang],
        handle: async (_n, ctx) => {
          ctx.call(hang, "h").catch(() => {});
          return "done";
        },
      }),
      "one",
    );
    await submit(one);
    await world.clock.advance(LIMITS.stopGraceMs - 1);
    expect(await recordsOf(world)).toBe(1);
    await world.clock.advance(1);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { text: "done" } });
    const records = await recordsOf(world);
    late.open("late");
    await world.clock.advance(5_000);
    expect(await recordsOf(world)).toBe(records);
  });
});

describe("law: nothing is made within a call or step", () => {
  test.each<[string, DoerHandle]>([
    ["a step in a step", (_n, ctx) => ctx.step("out", () => ctx.step("in", () => "x"))],
    ["an ask in a step", (_n, ctx) => ctx.step("out", async () => (await ctx.ask(Helper, { n: 1 })).text)],
    ["a sleep in a step", (_n, ctx) => ctx.step("out", async () => (await ctx.sleep(5), "x"))],
    ["a signal in a step", (_n, ctx) => ctx.step("out", () => ctx.waitFor("paid", z.string()))],
  ])("%s is refused at the call", async (_what, handle) => {
    expect(await run({ handle })).toMatchObject({ status: "failed", fault: { code: "call.nested" } });
  });

  test("a call in a call: nothing is charged, so nothing is left to be undone", async () => {
    const did: string[] = [];
    let inner: (() => Promise<string>) | undefined;
    const charge = textTool(
      "charge",
      () => (did.push("charge"), "1"),
      () => void did.push("refund"),
    );
    const checkout = textTool("checkout", () => inner?.());
    const outcome = await run({
      tools: [charge, checkout],
      handle: async (_n, ctx) => {
        inner = () => ctx.call(charge, "card");
        return ctx.call(checkout, "cart");
      },
    });
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "call.nested" } });
    expect(did).toEqual([]);
  });
});

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
    await world.clock.advance(LIMITS.heartbeatMs * 5);
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

describe("law: a call that began and whose end nobody recorded is treated as its tool says", () => {
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

describe("what a receipt says of a work item", () => {
  test("queued, running with its time, waiting, and nothing when it has ended", async () => {
    const world = new World();
    const asked = new Map<string, Message>();
    world.broker = (message) => {
      if (message.body.kind === "work" && message.body.agent === "Doer") asked.set(message.processId, message);
      return 1;
    };
    const begun = gate<void>();
    const answer = gate<string>();
    const one = world.join(
      systemOf({
        concurrency: 1,
        timeoutMs: 3_600_000,
        handle: async (_n, ctx) => {
          await begun.promise;
          return (await ctx.ask(Helper, { n: 1 })).text;
        },
        help: () => answer.promise,
      }),
      "one",
    );
    await submit(one, "first");
    await submit(one, "second");
    const status = async (id: string): Promise<unknown> => {
      const message = asked.get(id);
      if (message === undefined) throw new Error("nothing was asked");
      const given = await one.host.receive(message);
      return "receipt" in given ? given.work : given;
    };
    await world.clock.advance(5_000);
    expect(await status("first")).toEqual({ state: "running", runningMs: 5_000 });
    expect(await status("second")).toEqual({ state: "queued" });
    begun.open();
    await flush();
    await world.clock.advance(1_000);
    expect(await status("first")).toMatchObject({ state: "waiting" });
    answer.open("help");
    await world.until(one, "first");
    expect(await status("first")).toBeUndefined();
  });
});
