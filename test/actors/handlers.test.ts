/** @module Guarantees to handlers: steps recorded once, keys that never change, asks, state, slots, stop and grace. */
import { describe, expect, test } from "vitest";
import { agent, contract, route, system } from "../../agents/index.ts";
import { HandlerExecution } from "../../actors/host/handler-execution.ts";
import type { RunLink } from "../../actors/host/run-link.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { Slots } from "../../actors/host/slots.ts";
import type { AgentWork, Failure } from "../../runtime/agent/state.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { Values } from "../../actors/engine/values.ts";
import { flush, HandClock } from "./engine-rig.ts";
import { type DoerHandle, Helper, In, run, submit, systemOf, Tally, telemetry, Text } from "./handler-rig.ts";
import { gate, World } from "./world-rig.ts";

describe("law: a step is executed at least once and its result recorded once; a recorded step is never executed again", () => {
  test("a further attempt gets the recorded result, and an unrecorded step has the same key again", async () => {
    const keys: string[] = [];
    let attempts = 0;
    const outcome = await run({
      handle: async (_n, ctx) => {
        attempts += 1;
        const first = await ctx.step("buy", ({ idempotencyKey }) => (keys.push(idempotencyKey), `bought in ${attempts}`));
        const second = await ctx.step("pay", ({ idempotencyKey }) => {
          keys.push(idempotencyKey);
          if (attempts < 3) throw new TypeError("no answer");
          return "paid";
        });
        return `${first}, ${second}, ${ctx.uuid()}`;
      },
    });
    expect(attempts).toBe(3);
    expect(keys).toEqual(["p:1:doer:0:1/buy", "p:1:doer:0:1/pay", "p:1:doer:0:1/pay", "p:1:doer:0:1/pay"]);
    expect(outcome).toMatchObject({ status: "completed", output: { text: expect.stringMatching(/^bought in 1, paid, [0-9a-f-]{36}$/) } });
  });

  test("after the host died the other host gets what was recorded", async () => {
    const world = new World();
    const never = gate<string>();
    const bought: string[] = [];
    const handle =
      (name: string): DoerHandle =>
      async (_n, ctx) => {
        const at = ctx.now();
        const result = await ctx.step("buy", () => (bought.push(name), name));
        if (name === "one") await never.promise;
        return `${result} ${at}`;
      };
    const one = world.join(systemOf({ handle: handle("one") }), "one");
    const two = world.join(systemOf({ handle: handle("two") }), "two");
    await submit(one);
    one.kill();
    expect(await world.until(two, "p")).toMatchObject({ output: { text: "one 1000000" } });
    expect(bought).toEqual(["one"]);
  });

  test("steps at once are fine, and a name is used once: a second use is refused at once, in the first execution too", async () => {
    const outcome = await run({
      handle: async (_n, ctx) => (await Promise.all([1, 2, 3].map((n) => ctx.step(`s${n}`, () => n)))).join(),
    });
    expect(outcome).toMatchObject({ output: { text: "1,2,3" } });
    const made: string[] = [];
    const twice = await run({
      handle: async (_n, ctx) => {
        await ctx.step("s", () => void made.push("first"));
        return ctx.step("s", () => (made.push("second"), "x"));
      },
    });
    expect(twice).toMatchObject({ status: "failed", fault: { code: "step.duplicate" } });
    expect(made).toEqual(["first"]);
  });

  test("the store is unavailable when the step is recorded: the result is kept and recorded when the store answers", async () => {
    const world = new World();
    let bought = 0;
    const one = world.join(
      systemOf({
        handle: async (_n, ctx) =>
          ctx.step("buy", () => {
            world.store.setAvailable(false);
            return `${(bought += 1)}`;
          }),
      }),
      "one",
    );
    await submit(one);
    await world.clock.advance(20_000);
    world.store.setAvailable(true);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { text: "1" } });
    expect(bought).toBe(1);
  });
});

describe("asks", () => {
  test("are sent once and answered; several at once with a step beside them", async () => {
    const asked: number[] = [];
    const outcome = await run({
      handle: async (_n, ctx) =>
        (await Promise.all([ctx.ask(Helper, { n: 1 }), ctx.step("s", () => ({ text: "step" })), ctx.ask(Helper, { n: 2 })]))
          .map(({ text }) => text)
          .join(),
      help: async (n) => (asked.push(n), `help ${n}`),
    });
    expect(outcome).toMatchObject({ output: { text: "help 1,step,help 2" } });
    expect(asked.sort()).toEqual([1, 2]);
  });

  test("a failed one throws its coded fault, which can be caught, and the process is completed", async () => {
    const outcome = await run(
      {
        handle: async (_n, ctx) =>
          ctx.ask(Helper, { n: 1 }).then(
            ({ text }) => text,
            (error: { readonly code?: string }) => `caught ${error.code}`,
          ),
        help: () => Promise.reject(new TypeError("no")),
      },
      300_000,
    );
    expect(outcome).toMatchObject({ status: "completed", output: { text: "caught agent.failed" } });
  });

  test("a handler that waits for an agent is not out of time, and gets the one answer", async () => {
    const answer = gate<string>();
    let attempts = 0;
    let helps = 0;
    const world = new World();
    const one = world.join(
      systemOf({
        timeoutMs: 10_000,
        handle: async (_n, ctx) => {
          attempts += 1;
          await ctx.step("pause", () => new Promise<void>((resolve) => void world.clock.after(6_000, resolve)));
          return `${attempts} ${(await ctx.ask(Helper, { n: 1 })).text}`;
        },
        help: () => ((helps += 1), answer.promise),
      }),
      "one",
    );
    await submit(one);
    await world.clock.advance(10_500);
    expect([attempts, helps], "its time stands still while it waits").toEqual([1, 1]);
    await world.clock.advance(20_000);
    expect(helps, "the helper that does not answer is tried again").toBe(2);
    expect(attempts).toBe(1);
    answer.open("late");
    await flush();
    expect(await world.until(one, "p", 3_000)).toMatchObject({ status: "completed", output: { text: "1 late" } });
  });

  test("law: state is read again after an ask, commits with the result, and no count is lost", async () => {
    const world = new World();
    const KeyedDoer = contract("Doer", 1, { input: In, output: Text, key: () => "one" });
    const seen: number[][] = [];
    const doer = agent(KeyedDoer, {
      asks: [Helper],
      state: { schema: Tally, initial: { count: 0 } },
      handle: async (_input, ctx) => {
        const before = ctx.state.count;
        await ctx.ask(Helper, { n: 1 });
        seen.push([before, ctx.state.count]);
        ctx.setState({ count: ctx.state.count + 1 });
        return { text: "" };
      },
    });
    const helper = agent(Helper, { handle: () => ({ text: "" }) });
    const main = route("main", 1, In)
      .to("doer", KeyedDoer, ({ task }) => task)
      .output(({ doer: done }) => done);
    const one = world.join(system("sys", { agents: [doer, helper], routes: [main] }), "one");
    await Promise.all([1, 2, 3, 4].map((n) => submit(one, `p${n}`, n)));
    for (const n of [1, 2, 3, 4]) expect(await world.until(one, `p${n}`)).toMatchObject({ status: "completed" });
    expect(await one.host.inspect({ type: "sys.Doer", id: "one" })).toMatchObject({ state: { json: { count: 4 } }, stateVersion: 4 });
    expect(seen.some(([before, after]) => before !== after)).toBe(true);
  });
});

describe("slots and stopping", () => {
  test("limits the handlers that run at once; a suspended one holds no slot", async () => {
    const world = new World();
    let now = 0;
    let most = 0;
    const answer = gate<string>();
    const one = world.join(
      systemOf({
        concurrency: 2,
        handle: async (n, ctx) => {
          if (n === 0) return (await ctx.ask(Helper, { n })).text;
          most = Math.max(most, (now += 1));
          await ctx.step("s", () => flush(3));
          now -= 1;
          return "";
        },
        help: () => answer.promise,
      }),
      "one",
    );
    await submit(one, "parked1", 0);
    await submit(one, "parked2", 0);
    await Promise.all(Array.from({ length: 6 }, (_, index) => submit(one, `p${index}`, 1)));
    for (let index = 0; index < 6; index += 1) expect(await world.until(one, `p${index}`)).toMatchObject({ status: "completed" });
    expect(most).toBe(2);
    answer.open("x");
    expect(await world.until(one, "parked2")).toMatchObject({ status: "completed" });
  });

  test("slots are granted in the order of requests", async () => {
    const slots = new Slots(1);
    const order: number[] = [];
    const take = async (n: number): Promise<void> => {
      await slots.take();
      order.push(n);
    };
    for (const n of [1, 2, 3]) void take(n);
    await flush(1);
    expect(order).toEqual([1]);
    slots.give();
    slots.give();
    await flush(1);
    expect(order).toEqual([1, 2, 3]);
  });

  test("a timed out handler is cancelled by its signal; its late result is refused", async () => {
    const world = new World();
    const first = gate<string>();
    const reasons: unknown[] = [];
    let attempts = 0;
    const one = world.join(
      systemOf({
        timeoutMs: 5_000,
        handle: async (_n, ctx) => {
          attempts += 1;
          if (attempts > 1) return "second";
          ctx.signal.addEventListener("abort", () => reasons.push((ctx.signal.reason as { readonly code: string }).code));
          return first.promise;
        },
      }),
      "one",
    );
    await submit(one);
    await world.clock.advance(5_500 + LIMITS.probeMs);
    first.open("too late");
    expect(await world.until(one, "p")).toMatchObject({ output: { text: "second" } });
    expect(reasons).toEqual([expect.stringMatching(/^work\.(cancelled|superseded)$/)]);
  });

  test("a handler that ignores its signal is abandoned after its grace, and the next attempt runs", async () => {
    const world = new World();
    let attempts = 0;
    const one = world.join(
      systemOf({
        timeoutMs: 20_000,
        concurrency: 1,
        handle: () => ((attempts += 1) > 1 ? Promise.resolve("second") : gate<string>().promise),
      }),
      "one",
    );
    await submit(one);
    await world.clock.advance(20_000 + LIMITS.stopGraceMs + 1_000);
    expect(await world.until(one, "p", 5_000)).toMatchObject({ status: "completed", output: { text: "second" } });
    expect(one.host.running).toBe(0);
  });

  test("a stopping host waits for its handlers, but not for suspended ones, and not forever", async () => {
    const world = new World();
    const one = world.join(systemOf({ handle: () => gate<string>().promise }), "one");
    await submit(one);
    let stopped = false;
    void one.host.stop(10_000).then(() => (stopped = true));
    await world.clock.advance(9_000);
    expect(stopped).toBe(false);
    await world.clock.advance(2_000);
    expect(stopped).toBe(true);
  });
});

test.each(["work.superseded", "work.cancelled", "process.purged"] as const)(
  "an execution whose ask is refused with %s ends there, and one whose ask is refused with any other fault goes on",
  async (code) => {
    const clock = new HandClock();
    const work: AgentWork = {
      id: "p:1:doer:0:1",
      processId: "p",
      agent: "Doer",
      version: 1,
      attempt: 1,
      status: "running",
      mode: "do",
      begun: true,
      begunAtMs: 0,
      token: "one-1",
      holder: "one",
      takeovers: 0,
      results: 0,
      input: { json: null },
      retainUntilMs: 0,
      askedAtMs: 0,
      principal: { ...ANONYMOUS, permissions: [] },
      trace: { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
      hop: 1,
      ancestors: [],
      calls: [],
      steps: [],
      waits: [],
    };
    const failures: Failure[] = [];
    const link = (refusal: Fault): RunLink => ({
      tell: async (input) => {
        if (input.kind === "waits") throw refusal;
        if (input.kind === "failed") failures.push({ ...input.failure, attempt: 1 });
        return agentMachine.initial("p");
      },
      state: () => undefined,
    });
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const values = new Values(new MemoryStore(), clock, "sys");
    const random = { token: () => "t", jitter01: () => 0 };
    const checks = { call: async () => {} };
    const agent = { name: "Waiter", tools: new Map(), permissions: undefined };
    const rules = { letting: async () => undefined, make: async () => {} };
    const idle = { waiting: () => {}, resting: () => undefined, contentOf: () => null };
    const runOf = (of: AgentWork, refusal: Fault): HandlerExecution =>
      new HandlerExecution(
        { ...{ work: of, agent, rules, checks, values, clock, random, telemetry, log }, link: link(refusal), ...idle },
        0,
        null,
      );
    const actsAfter = async (refusal: Fault): Promise<boolean> => {
      let acted = false;
      const run = runOf(work, refusal);
      await run.ask(Helper, { n: 1 }).catch(() => {});
      await run.step("act", () => void (acted = true)).catch(() => {});
      return acted;
    };
    expect(await actsAfter(new Fault(code, "refused"))).toBe(false);
    expect(failures).toEqual([]);
    expect(await actsAfter(new Fault("ask.too-many", "refused"))).toBe(true);
    expect(failures).toMatchObject([
      { kind: "wait", key: expect.stringMatching(/^ask Helper/), fault: { code: "ask.too-many", message: "refused" } },
    ]);
    await expect(runOf({ ...work, failures }, new Fault("turn.failed", "asked again")).ask(Helper, { n: 1 })).rejects.toMatchObject({
      code: "ask.too-many",
      message: "refused",
    });
  },
);
