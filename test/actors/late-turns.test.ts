/**
 * @module Turns that fail again and again, and receipts of later runs: the engine alone, and hosts
 * over a world whose clock the test drives.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { contentOf, engineHost, type EngineHost, recordKey } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

describe("law: the same failing turn is recorded once", () => {
  const fail = (host: EngineHost, inputId = "tick run-1"): ReturnType<EngineHost["engine"]["turn"]> =>
    host.engine.turn("a", { kind: "throw" }, { inputId });
  const inputs = async (store: MemoryStore): Promise<unknown[]> => {
    const texts = await store.read(store.keys());
    return store.keys().map((_key, index) => (texts.get(recordKey(index + 1)) as { readonly input: string }).input);
  };

  test("ten ticks that throw leave one record, and every one of them is refused alike", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    await host.add(1);
    const results = [];
    for (let tick = 0; tick < 10; tick += 1) results.push(await fail(host));
    expect(results.map(({ wrote }) => wrote)).toEqual([true, ...Array.from({ length: 9 }, () => false)]);
    for (const result of results)
      expect(result).toMatchObject({
        state: { count: 1 },
        sequence: 2,
        effects: [],
        verdict: { kind: "refused", fault: { code: "turn.failed", message: "TypeError: a defect" } },
      });
    expect(await inputs(store)).toEqual(["add 1", "tick run-1"]);
    expect(await contentOf(store, recordKey(2))).toMatchObject({
      events: [{ e: "turn-failed", input: "tick run-1", code: "turn.failed" }],
    });
  });

  test("another input that fails is recorded too, and so is the first one after it", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    for (const input of ["x", "x", "y", "y", "x", "x"]) await fail(host, input);
    expect(await inputs(store)).toEqual(["x", "y", "x"]);
  });

  test("after any other record it is recorded again: it was decided on another state", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    for (let round = 0; round < 2; round += 1) {
      await fail(host);
      await fail(host);
      await host.add(1);
    }
    expect(await inputs(store)).toEqual(["tick run-1", "add 1", "tick run-1", "add 1"]);
  });

  test("the same input that fails otherwise is recorded again", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    const big = { kind: "keep", content: "x".repeat(2_000_000) } as const;
    await fail(host, "m");
    for (let time = 0; time < 2; time += 1)
      expect((await host.engine.turn("a", big, { inputId: "m" })).verdict).toMatchObject({
        kind: "refused",
        fault: { code: "value.too-large" },
      });
    expect(await inputs(store)).toEqual(["m", "m"]);
  });

  test("actors do not hide one another's failures", async () => {
    const store = new MemoryStore();
    const host = engineHost(store, "one");
    for (const actor of ["a", "b", "a", "b"]) await host.engine.turn(actor, { kind: "throw" }, { inputId: "tick" });
    expect(store.keys()).toEqual([recordKey(1), recordKey(1).replace("/a/", "/b/")]);
  });

  test("a turn that succeeds after it counts as ever", async () => {
    const host = engineHost(new MemoryStore(), "one");
    await fail(host);
    await fail(host);
    expect(await host.add(5)).toBe(5);
  });
});

const In = z.object({ n: z.int() });
const Doer = contract("Doer", 1, { input: In, output: In });

/** Two stops, so that the first answer is a commit that still needs its reminder. */
function systemOf(handle: (n: number) => Promise<number>): ReturnType<typeof system> {
  const doer = agent(Doer, { handle: async ({ n }) => ({ n: await handle(n) }) });
  const main = route("main", 1, In)
    .to("first", Doer, ({ task }) => task)
    .to("second", Doer, ({ first }) => first)
    .output(({ second }) => second);
  return system("sys", { agents: [doer], routes: [main] });
}

const PROCESS = { type: "sys.ProcessManager", id: "p" };
const TASK = { id: "p", route: "main", input: { n: 1 } };

describe("the receipt names the run", () => {
  test("a task that comes after its reminder found nothing is run 2, and says so whenever it is asked", async () => {
    const world = new World();
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    await world.portsOf(one, "x").reminders.set(PROCESS, "run-1", 1_000, 1_000);
    await world.clock.advance(1_000);
    const first = await one.operations.submit(TASK, CALLER, 0);
    expect(first.receipt).toMatchObject({ id: "p", route: "main", run: 2 });
    expect(await one.operations.process("p")).toMatchObject({ run: 2 });
    await world.until(one, "p");
    expect((await one.operations.submit(TASK, CALLER, 0)).receipt).toMatchObject({ run: 2, traceId: first.receipt.traceId });
  });

  test("any other task is run 1", async () => {
    const world = new World();
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    expect((await one.operations.submit(TASK, CALLER, 0)).receipt).toMatchObject({ run: 1 });
  });
});
