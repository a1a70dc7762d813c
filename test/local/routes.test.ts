/** @module runLocal over real systems: every element of a slip ends as specified, on the same turn engine as on Dapr. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type LocalOutcome, runLocal } from "../../testing/index.ts";
import { agent, contract, route, type RouteDefinition, routeContract, system, tool } from "../../agents/index.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";

const Num = z.object({ n: z.int() });
const Double = contract("Double", 1, { input: Num, output: Num });
const Book = contract("Book", 1, { input: Num, output: Num });
const Fail = contract("Fail", 1, { input: Num, output: Num });
const Undone = new Set<string>();

const double = agent(Double, { handle: ({ n }) => ({ n: 2 * n }) });
const booking = tool("book", {
  effect: "write",
  input: Num,
  output: Num,
  run: (input) => input,
  undo: (_input, _output, { idempotencyKey }) => void Undone.add(idempotencyKey),
});
const book = agent(Book, { tools: [booking], handle: (input, ctx) => ctx.call(booking, input) });
const fail = agent(Fail, {
  handle: ({ n }) => {
    throw new Fault("agent.refused", `not ${n}`);
  },
});

const of = (made: RouteDefinition, ...more: RouteDefinition[]): ReturnType<typeof system> =>
  system("local", { agents: [double, book, fail], routes: [made, ...more] });
const begin = route("r", 1, z.object({ n: z.int(), list: z.array(z.int()) }));
const TASK = { n: 3, list: [1, 2, 3, 4, 5] };

describe("every element of a slip", () => {
  test("a sequence", async () => {
    const made = begin
      .to("a", Double, ({ task }) => ({ n: task.n }))
      .to("b", Double, ({ a }) => a)
      .output(({ b }) => b);
    const outcome = await runLocal(of(made), "r", TASK);
    expect(outcome).toMatchObject({ id: "local", status: "completed", output: { n: 12 } });
    expect(outcome.history.map(({ what, stop }) => `${what} ${stop}`)).toEqual(["asked a", "answered a", "asked b", "answered b"]);
  });

  test("all", async () => {
    const made = begin
      .all((stop) => ({ x: stop(Double, ({ task }) => ({ n: task.n })), y: stop(Book, ({ task }) => ({ n: task.n })) }))
      .output(({ x, y }) => ({ x: x.n, y: y.n }));
    expect(await runLocal(of(made), "r", TASK)).toMatchObject({ status: "completed", output: { x: 6, y: 3 } });
  });

  test("any: the winner counts, and the loser is compensated before the outcome", async () => {
    Undone.clear();
    const made = begin
      .any("best", (stop) => ({ x: stop(Fail, ({ task }) => ({ n: task.n })), y: stop(Double, ({ task }) => ({ n: task.n })) }))
      .output(({ best }) => best);
    const outcome = await runLocal(of(made), "r", TASK);
    expect(outcome).toMatchObject({ status: "completed", output: { n: 6 } });
    expect(outcome.history.map(({ what, stop }) => `${what} ${stop}`)).toContain("nothing to undo best.x");
  });

  test("forEach: outputs in the order of the list, also when the list and the outputs are large", async () => {
    const made = begin
      .forEach(
        "each",
        ({ task }) => task.list,
        (stop) => stop(Double, ({ item }) => ({ n: item })),
        { concurrency: 2 },
      )
      .output(({ each }) => each);
    expect(await runLocal(of(made), "r", TASK)).toMatchObject({ output: [2, 4, 6, 8, 10].map((n) => ({ n })) });
    const list = Array.from({ length: 500 }, (_, index) => 1_000_000 + index);
    expect(await runLocal(of(made), "r", { n: 1, list })).toMatchObject({ output: list.map((n) => ({ n: 2 * n })) });
  });

  test("forEach: outputs larger than a value together, read by nothing or by another forEach", async () => {
    const Big = contract("Big", 1, { input: z.int(), output: z.string() });
    const big = agent(Big, { handle: (n) => `${n}${"x".repeat(11_000)}` });
    const First = contract("First", 1, { input: z.string(), output: z.string() });
    const first = agent(First, { handle: (text) => text.slice(0, 3) });
    const many = begin.forEach(
      "each",
      ({ task }) => task.list,
      (stop) => stop(Big, ({ item }) => item),
    );
    const run = (made: RouteDefinition): Promise<LocalOutcome> =>
      runLocal(system("local", { agents: [big, first], routes: [made] }), "r", {
        n: 1,
        list: Array.from({ length: 100 }, (_, index) => 100 + index),
      });
    expect(await run(many.output(() => ({ done: true })))).toMatchObject({ status: "completed", output: { done: true } });
    const next = many.forEach(
      "next",
      ({ each }) => each,
      (stop) => stop(First, ({ item }) => item),
    );
    expect(await run(next.output(({ next }) => next))).toMatchObject({
      output: Array.from({ length: 100 }, (_, index) => `${100 + index}`),
    });
    const read = await run(many.output(({ each }) => each));
    expect(read).toMatchObject({ status: "failed", fault: { code: "value.too-large", details: { stop: "each" } } });
  });

  test("forEach with a condition: a skipped item is null and delays nothing", async () => {
    const made = begin
      .forEach(
        "each",
        ({ task }) => task.list,
        (stop) => stop(Double, ({ item }) => ({ n: item }), { when: "item > 3" }),
        { concurrency: 1 },
      )
      .output(({ each }) => each);
    expect(await runLocal(of(made), "r", TASK)).toMatchObject({ status: "completed", output: [null, null, null, { n: 8 }, { n: 10 }] });
  });

  test("when", async () => {
    const made = begin.to("a", Double, ({ task }) => ({ n: task.n }), { when: "task.n > 5" }).output(({ a }) => ({ a }));
    expect(await runLocal(of(made), "r", TASK)).toMatchObject({ output: { a: null } });
    expect(await runLocal(of(made), "r", { ...TASK, n: 6 })).toMatchObject({ output: { a: { n: 12 } } });
  });

  test("when: numbers are those of JSON, whole or not", async () => {
    const made = begin
      .to("a", Double, ({ task }) => ({ n: task.n }), { when: "task.n + 1 > 5 && task.n / 2 == 3.5" })
      .output(({ a }) => ({ a }));
    expect(await runLocal(of(made), "r", { ...TASK, n: 7 })).toMatchObject({ status: "completed", output: { a: { n: 14 } } });
    expect(await runLocal(of(made), "r", { ...TASK, n: 8 })).toMatchObject({ status: "completed", output: { a: null } });
  });

  test("optional: the process is partial", async () => {
    const made = begin.to("a", Fail, ({ task }) => ({ n: task.n }), { optional: true }).output(({ a }) => ({ a }));
    expect(await runLocal(of(made), "r", TASK)).toMatchObject({ status: "partial", output: { a: null } });
  });

  test("a nested route runs as its own process; when a later stop fails, its work is compensated too", async () => {
    Undone.clear();
    const inner = route("inner", 1, Num)
      .to("b", Book, ({ task }) => task)
      .output(({ b }) => b);
    const made = begin.to("sub", inner, ({ task }) => ({ n: task.n })).output(({ sub }) => sub);
    expect(await runLocal(of(made, inner), "r", TASK)).toMatchObject({ status: "completed", output: { n: 3 } });
    const failing = begin
      .to("sub", inner, ({ task }) => ({ n: task.n }))
      .to("c", Fail, ({ sub }) => sub)
      .output(({ c }) => c);
    expect(await runLocal(of(failing, inner), "r", TASK)).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    expect([...Undone]).toEqual([expect.stringMatching(/^child-[0-9a-f]{40}:1:b:0:1\/book\/215ddd5567ca2590\/0$/)]);
  });

  test("a nested route that fails reports its fault; one that nests itself ends at its bound", async () => {
    const inner = route("inner", 1, Num)
      .to("b", Fail, ({ task }) => task)
      .output(({ b }) => b);
    const made = begin.to("sub", inner, ({ task }) => ({ n: task.n })).output(({ sub }) => sub);
    expect(await runLocal(of(made, inner), "r", TASK)).toMatchObject({
      status: "failed",
      fault: { code: "agent.refused", message: "not 3" },
    });
    const again = routeContract("loop", { input: Num, output: Num });
    const loop = route("loop", 1, Num, { visitsMax: 3 })
      .to("a", again, ({ task }) => task)
      .output(({ a }) => a);
    expect(await runLocal(of(loop), "loop", { n: 1 })).toMatchObject({ status: "failed", fault: { code: "cycle.visits" } });
  });
});

describe("faults, time and compensation", () => {
  test("earlier work is compensated after a failure, and the dead letter names the cause", async () => {
    Undone.clear();
    const made = begin
      .to("a", Book, ({ task }) => ({ n: task.n }))
      .to("b", Fail, ({ a }) => a)
      .output(({ b }) => b);
    const outcome = await runLocal(of(made), "r", TASK, { id: "trip-7" });
    expect(outcome).toMatchObject({
      id: "trip-7",
      status: "failed",
      deadLetter: {
        processId: "trip-7",
        stop: "b",
        original: { kind: "do", target: { kind: "agent", agent: "Fail" }, input: { n: 3 } },
        path: ["Fail"],
      },
    });
    expect([...Undone]).toEqual(["trip-7:1:a:0:1/book/215ddd5567ca2590/0"]);
  });

  test("a backoff of an hour takes no time", async () => {
    const began = performance.now();
    let attempts = 0;
    const made = begin
      .to("a", Double, ({ task }) => ({ n: task.n }), {
        retry: { attemptsMax: 4, backoffMs: LIMITS.backoffMsMax, backoffMsMax: LIMITS.backoffMsMax },
      })
      .output(({ a }) => a);
    const outcome = await runLocal(of(made), "r", TASK, {
      timeoutMs: 24 * LIMITS.backoffMsMax,
      fakes: {
        Double: () => {
          if ((attempts += 1) < 4) throw new TypeError("not yet");
          return { n: 1 };
        },
      },
    });
    expect([outcome.status, attempts]).toEqual(["completed", 4]);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("a task past its deadline is expired and compensated", async () => {
    Undone.clear();
    const made = begin
      .to("a", Book, ({ task }) => ({ n: task.n }))
      .to("b", Fail, ({ a }) => a)
      .output(({ b }) => b);
    const stopped = (signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new TypeError("stopped"))));
    const outcome = await runLocal(of(made), "r", TASK, {
      timeoutMs: 200,
      fakes: { Fail: (_input, ctx) => ctx.step("slow", ({ signal }) => stopped(signal)) },
    });
    expect(outcome).toMatchObject({ status: "expired", fault: { code: "process.expired" } });
    expect(outcome.deadLetter).toBeUndefined();
    expect([...Undone]).toEqual(["local:1:a:0:1/book/215ddd5567ca2590/0"]);
  });
});

describe("fakes and bad input", () => {
  const made = begin.to("a", Double, ({ task }) => ({ n: task.n })).output(({ a }) => a);

  test("a fake answers in place of the agent; its output is checked like the agent's", async () => {
    expect(await runLocal(of(made), "r", TASK, { fakes: { Double: () => ({ n: 99 }) } })).toMatchObject({ output: { n: 99 } });
    expect(await runLocal(of(made), "r", TASK, { fakes: { Double: () => ({ n: "99" }) } })).toMatchObject({
      status: "failed",
      fault: { code: "schema.output" },
    });
  });

  test("an unknown route, an unknown fake and an invalid input are coded faults", async () => {
    await expect(runLocal(of(made), "none", TASK)).rejects.toMatchObject({ code: "route.unknown" });
    await expect(runLocal(of(made), "r", TASK, { fakes: { Unknown: () => 1 } })).rejects.toMatchObject({ code: "agent.unknown" });
    await expect(runLocal(of(made), "r", { ...TASK, extra: 1 })).rejects.toMatchObject({ code: "schema.task" });
  });

  test("an error of a handler never leaves its process", async () => {
    for (const thrown of [new TypeError("boom"), "text", null, undefined, { code: "agent.failed" }]) {
      expect(
        await runLocal(of(made), "r", TASK, {
          fakes: {
            Double: () => {
              throw thrown;
            },
          },
        }),
      ).toMatchObject({ status: "failed", fault: { code: "agent.failed" } });
    }
  });
});
