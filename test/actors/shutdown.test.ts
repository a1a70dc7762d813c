/** @module A host that shuts down hands its work over: no host died, and no attempt is spent. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { type DoerHandle, type Member, submit, systemOf, textTool } from "./handler-rig.ts";
import { gate, World } from "./world-rig.ts";

const LIVES = 7;
const DOER = { type: "sys.Doer", id: "p" };

/** The names of the events of the doer's actor. */
async function eventsOf(world: World): Promise<string[]> {
  const keys = world.store.keys("sys/sys.Doer/p/");
  const records = await world.store.read(keys);
  return [...records.values()].flatMap((record) => [...JSON.stringify(record).matchAll(/"e":"([a-z-]+)"/g)].map((match) => match[1] ?? ""));
}

async function shutDown(world: World, member: Member): Promise<number> {
  const beganMs = world.clock.nowMs();
  let hasStopped = false;
  void member.host.stop().then(() => (hasStopped = true));
  for (let round = 0; round < 200 && !hasStopped; round += 1) {
    await flush(20);
    if (!hasStopped) await world.clock.advance(50);
  }
  expect(hasStopped).toBe(true);
  member.kill();
  return world.clock.nowMs() - beganMs;
}

/** Runs one handler over several lives of its host, each of which but the last is shut down while the handler runs. */
async function lives(handle: DoerHandle): Promise<{ readonly world: World; readonly outcome: unknown; readonly tookMs: number }> {
  const world = new World();
  let [member, tookMs] = [world.join(systemOf({ handle }), "life-1"), 0];
  await submit(member);
  for (let life = 2; life <= LIVES; life += 1) {
    await world.clock.advance(LIMITS.askAgainMs);
    await flush(20);
    tookMs = Math.max(tookMs, await shutDown(world, member));
    member = world.join(systemOf({ handle }), `life-${life}`);
    void member.host.recover();
    await flush(20);
  }
  return { world, outcome: await world.until(member, "p"), tookMs };
}

describe("six graceful shutdowns around one long handler", () => {
  test("that heeds its signal: it goes on from its records in the same attempt, and no host counts as dead", async () => {
    const attempts: number[] = [];
    const made: string[] = [];
    const reasons: unknown[] = [];
    const { world, outcome, tookMs } = await lives(async (_n, ctx) => {
      attempts.push(ctx.attempt);
      await ctx.step("once", () => void made.push("once"));
      if (attempts.length === LIVES) return "done";
      return new Promise<string>((_resolve, reject) =>
        ctx.signal.addEventListener("abort", () => {
          reasons.push(ctx.signal.reason);
          reject(new TypeError("aborted"));
        }),
      );
    });
    expect(outcome).toMatchObject({ status: "completed", output: { text: "done" } });
    expect(attempts).toEqual(Array(LIVES).fill(1));
    expect(made).toEqual(["once"]);
    expect(reasons).toMatchObject(Array(LIVES - 1).fill({ code: "system.stopping" }));
    expect((await eventsOf(world)).filter((event) => event === "released")).toHaveLength(LIVES - 1);
    expect(await eventsOf(world)).not.toContain("taken-over");
    expect(tookMs).toBeLessThan(LIMITS.stopGraceMs / 2);
  });

  test("that ignores its signal: it is released after its grace", async () => {
    let executions = 0;
    const { world, outcome, tookMs } = await lives(async () => ((executions += 1) < LIVES ? gate<string>().promise : "done"));
    expect(outcome).toMatchObject({ status: "completed", output: { text: "done" } });
    expect(await eventsOf(world)).not.toContain("taken-over");
    expect(tookMs).toBeGreaterThanOrEqual(LIMITS.stopGraceMs);
  });
});

test("a handler that succeeds, and a call that ends, while the host shuts down count", async () => {
  const world = new World();
  const called = gate<string>();
  const made: string[] = [];
  const tools = [textTool("book", async (about) => (made.push(about), await called.promise))];
  const handle: DoerHandle = async (n, ctx) => (n === 1 ? ctx.call(tools[0] as (typeof tools)[number], "a") : called.promise);
  const one = world.join(systemOf({ tools, handle }), "one");
  await submit(one, "p", 1);
  await submit(one, "q", 2);
  await flush(20);
  void world.clock.advance(100).then(() => called.open("B"));
  await shutDown(world, one);
  const two = world.join(systemOf({ tools, handle }), "two");
  void two.host.recover();
  expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { text: "B" } });
  expect(await world.until(two, "q")).toMatchObject({ status: "completed", output: { text: "B" } });
  expect(made).toEqual(["a"]);
  expect(await eventsOf(world)).not.toContain("taken-over");
  expect(await two.host.inspect(DOER)).toMatchObject({ works: { "p:1:doer:0:1": { attempt: 1 } } });
});

test("an undo that runs while its host shuts down goes on at the next host", async () => {
  const world = new World();
  const undone: string[] = [];
  const hold = gate();
  const tools = [
    textTool("book", undefined, async (about) => {
      undone.push(about);
      if (undone.length === 1) await hold.promise;
    }),
  ];
  const book = tools[0] as (typeof tools)[number];
  const system = systemOf({
    tools,
    handle: async (_n, ctx) => `${await ctx.call(book, "a")}${await ctx.call(book, "b")}`,
    last: async () => {
      throw new TypeError("no");
    },
  });
  const one = world.join(system, "one");
  await submit(one);
  await flush(50);
  expect(undone).toEqual(["b"]);
  await shutDown(world, one);
  const two = world.join(system, "two");
  void two.host.recover();
  expect(await world.until(two, "p")).toMatchObject({ status: "failed" });
  expect(undone).toEqual(["b", "b", "a"]);
  expect(await eventsOf(world)).not.toContain("taken-over");
});
