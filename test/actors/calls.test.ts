/**
 * @module Promises to handlers that call tools: each chain its own results, each effect once, whichever part dies in between.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message } from "../../runtime/protocol.ts";
import { flush } from "./engine-rig.ts";
import { type DoerHandle, Helper, run, submit, systemOf, textTool } from "./handler-rig.ts";
import { gate, World } from "./world-rig.ts";

const KEY = /^p:1:doer:0:1\/[a-z]+\/[0-9a-f]{16}\/\d+$/;

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

  test("one that ignores its signal is abandoned after its grace, and makes no more records", async () => {
    const world = new World();
    const late = gate<string>();
    const began = gate<string>();
    const hang = textTool("hang", () => {
      began.open("");
      return late.promise;
    });
    const one = world.join(
      systemOf({
        tools: [hang],
        handle: async (_n, ctx) => {
          void ctx.call(hang, "h");
          await began.promise;
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
