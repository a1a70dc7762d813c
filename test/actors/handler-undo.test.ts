/**
 * @module Compensation of a work item: from its records alone, newest first, whatever dies in between.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, type ToolDefinition } from "../../agents/index.ts";
import { Compensation } from "../../actors/host/compensation.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { Values } from "../../actors/engine/values.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ANONYMOUS } from "../../runtime/protocol.ts";
import { flush, HandClock } from "./engine-rig.ts";
import { type DoerHandle, In, type Member, run, submit, systemOf, Tally, Text, textTool } from "./handler-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const FAIL = { last: () => Promise.reject(new Fault("agent.refused", "no")) };

describe("law: what began is undone, newest first, by its key; the handler is not run again", () => {
  test("each call with its input and output; a step has nothing to undo", async () => {
    const undone: unknown[] = [];
    let runs = 0;
    const keys: string[] = [];
    const book = textTool(
      "book",
      (about, { idempotencyKey }) => (keys.push(idempotencyKey), about.toUpperCase()),
      (about, output, { idempotencyKey }) => void undone.push([about, output, idempotencyKey]),
    );
    const outcome = await run({
      ...FAIL,
      tools: [book],
      handle: async (_n, ctx) => {
        runs += 1;
        await ctx.call(book, "a");
        await ctx.step("look", () => "nothing to undo");
        await ctx.call(book, "b");
        return "done";
      },
    });
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    expect(undone).toEqual([
      ["b", "B", keys[1]],
      ["a", "A", keys[0]],
    ]);
    expect(runs).toBe(1);
  });

  test("a handler without any call is not run again, and the process ends at once", async () => {
    let runs = 0;
    const world = new World();
    const one = world.join(
      systemOf({
        ...FAIL,
        handle: async () => {
          runs += 1;
          if (runs > 1) return gate<string>().promise;
          return "done";
        },
      }),
      "one",
    );
    await submit(one);
    expect(await world.until(one, "p", 1_000)).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    expect(runs).toBe(1);
  });

  test("a call whose effect may have happened without a record is undone with undefined", async () => {
    const undone: unknown[] = [];
    const book = textTool(
      "book",
      (about, { signal }) =>
        about === "b"
          ? new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new TypeError("stopped"))))
          : about.toUpperCase(),
      (_about, output) => void undone.push(output),
    );
    const world = new World();
    const one = world.join(
      systemOf({ tools: [book], handle: async (_n, ctx) => `${await ctx.call(book, "a")} ${await ctx.call(book, "b")}` }),
      "one",
    );
    await submit(one);
    await one.operations.cancel("p", "enough", CALLER);
    expect(await world.until(one, "p")).toMatchObject({ status: "cancelled" });
    expect(undone).toEqual([undefined, "A"]);
  });

  test("what failed, what was caught and what earlier attempts did is undone too, each once", async () => {
    const undone: unknown[] = [];
    const undo = (about: string, output: string | undefined): void => void undone.push([about, output]);
    let tries = 0;
    const book = textTool(
      "book",
      () => {
        if ((tries += 1) === 1) throw new TypeError("no room");
        return "B";
      },
      undo,
    );
    const tidy = textTool("tidy", undefined, undo);
    const pay = textTool("pay", undefined, undo);
    const outcome = await run({
      ...FAIL,
      tools: [book, tidy, pay],
      handle: async (_n, ctx) => {
        try {
          await ctx.call(book, "book");
        } catch (error) {
          await ctx.call(tidy, "tidy");
          throw error;
        }
        await Promise.all([ctx.call(pay, "one"), ctx.call(pay, "two")]);
        return "done";
      },
    });
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    expect(undone).toEqual([
      ["two", "TWO"],
      ["one", "ONE"],
      ["tidy", "TIDY"],
      ["book", "B"],
    ]);
  });

  test("one that fails does not hold up the others, is tried again, and what was undone is not undone twice", async () => {
    const undone: string[] = [];
    let tries = 0;
    const book = textTool("book", undefined, (about) => {
      if (about === "b" && (tries += 1) < 3) throw new TypeError("not now");
      undone.push(about);
    });
    const outcome = await run({
      ...FAIL,
      tools: [book],
      handle: async (_n, ctx) => {
        for (const about of ["a", "b", "c"]) await ctx.call(book, about);
        return "done";
      },
    });
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    expect(undone).toEqual(["c", "a", "b"]);
  });

  test("one that hangs is given up when its time is over, and the others go on", async () => {
    const world = new World();
    const undone: string[] = [];
    const book = textTool(
      "book",
      undefined,
      (about, _output, { attempt }) => (about === "b" && attempt === 1 ? gate().promise : void undone.push(about)),
      { timeoutMs: 2_000 },
    );
    const one = world.join(
      systemOf({
        ...FAIL,
        tools: [book],
        handle: async (_n, ctx) => {
          for (const about of ["a", "b", "c"]) await ctx.call(book, about);
          return "done";
        },
      }),
      "one",
    );
    await submit(one);
    expect(await world.until(one, "p")).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    expect(undone).toEqual(["c", "a", "b"]);
  });
});

/** Twenty calls, of which the last fails; the host that holds the actors dies right before, or after, the n-th record of its actor. */
class Killed {
  readonly world = new World();
  readonly undone = new Map<string, number>();
  readonly made = new Set<string>();
  runs = 0;
  records = 0;

  async perform(at: number, when: "before" | "after"): Promise<Member> {
    const members = ["one", "two"].map((name) => this.world.join(this.#system(), name));
    const [one, two] = members as [Member, Member];
    const insert = this.world.store.insert.bind(this.world.store);
    this.world.store.insert = async (key, text) => {
      if (!key.startsWith("sys/sys.Doer/p/")) return insert(key, text);
      this.records += 1;
      if (this.records === at && when === "before") {
        one.kill();
        return "unknown";
      }
      const result = await insert(key, text);
      if (this.records === at) one.kill();
      return result;
    };
    await submit(one);
    expect(await this.world.until(two, "p")).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
    return two;
  }

  #system(): ReturnType<typeof systemOf> {
    const book = textTool(
      "book",
      (about, { idempotencyKey }) => {
        this.made.add(idempotencyKey);
        if (about === "19") throw new TypeError("no room");
        return about;
      },
      (_about, _output, { idempotencyKey }) => void this.undone.set(idempotencyKey, (this.undone.get(idempotencyKey) ?? 0) + 1),
    );
    return systemOf({
      ...FAIL,
      tools: [book],
      handle: async (_n, ctx) => {
        this.runs += 1;
        for (let index = 0; index < 20; index += 1) await ctx.call(book, String(index)).catch(() => "none");
        return "done";
      },
    });
  }
}

describe("law: an undo that dies goes on where its records end", () => {
  /** Accepted, 20 calls begun and ended, done; then the undo begins, 20 calls are undone, and it ends. */
  const [DONE, ENDED] = [42, 64];

  test("without a kill it takes a record for each call, and one at each end", async () => {
    const killed = new Killed();
    await killed.perform(0, "before");
    expect([killed.records, killed.runs, killed.undone.size]).toEqual([ENDED, 1, 20]);
  });

  test.each(["before", "after"] as const)(
    "a host killed %s each of its records: each call is undone at least once under its key, and the handler is never executed",
    async (when) => {
      for (let at = DONE + 1; at <= ENDED; at += 1) {
        const killed = new Killed();
        await killed.perform(at, when);
        expect([killed.runs, killed.made.size]).toEqual([1, 20]);
        expect([...killed.undone.keys()].toSorted()).toEqual([...killed.made].toSorted());
        // Only the undo whose record was lost runs once more.
        expect([...killed.undone.values()].reduce((sum, count) => sum + count)).toBeLessThanOrEqual(21);
      }
    },
    120_000,
  );
});

describe("law: an agent may undo what its work did to its state", () => {
  const Keyed = contract("Doer", 1, { input: In, output: Text, key: () => "one" });
  const Last = contract("Last", 1, { input: In, output: Text });
  const main = route("main", 1, In)
    .to("doer", Keyed, ({ task }) => task)
    .to("last", Last, ({ task }) => task)
    .output(({ last }) => last);
  const last = agent(Last, {
    handle: ({ n }) => {
      if (n < 0) throw new Fault("agent.refused", "no");
      return { text: "" };
    },
  });

  async function after(undo: Parameters<typeof agent<typeof Keyed, [], [], z.infer<typeof Tally>>>[1]["undo"]): Promise<unknown> {
    const world = new World();
    const doer = agent(Keyed, {
      state: { schema: Tally, initial: { count: 0 } },
      handle: ({ n }, ctx) => {
        ctx.setState({ count: ctx.state.count + Math.abs(n) });
        return { text: String(n) };
      },
      ...(undo === undefined ? {} : { undo }),
    });
    const one = world.join(system("sys", { agents: [doer, last], routes: [main] }), "one");
    await submit(one, "good", 5);
    await world.until(one, "good");
    await submit(one, "bad", -7);
    expect(await world.until(one, "bad")).toMatchObject({ status: "failed" });
    return one.host.inspect({ type: "sys.Doer", id: "one" });
  }

  test("it is given input, output and state, and its state is committed once", async () => {
    const given: unknown[] = [];
    const shown = await after((input, output, ctx) => {
      given.push([input, output, ctx.state]);
      ctx.setState({ count: ctx.state.count + input.n });
    });
    expect(given).toEqual([[{ n: -7 }, { text: "-7" }, { count: 12 }]]);
    expect(shown).toMatchObject({ state: { json: { count: 5 } }, stateVersion: 3 });
  });

  test("one that fails at first is tried again, and nothing is committed before it succeeds", async () => {
    let tries = 0;
    const shown = await after((input, _output, ctx) => {
      ctx.setState({ count: ctx.state.count + input.n });
      if ((tries += 1) < 3) throw new TypeError("not now");
    });
    expect(tries).toBe(3);
    expect(shown).toMatchObject({ state: { json: { count: 5 } }, stateVersion: 3 });
  });

  test("without one the report says that the state stands", async () => {
    expect(await after(undefined)).toMatchObject({
      state: { json: { count: 12 } },
      works: { "bad:1:doer:0:1": { undo: { result: { output: { json: { undone: 0, left: [], stateStands: true } } } } } },
    });
  });
});

describe("what can never be undone", () => {
  const Doer = contract("Doer", 1, { input: In, output: Text });

  function compensation(tools: readonly ToolDefinition[], told: string[]): Compensation {
    const clock = new HandClock();
    const call = (tool: string, count: number) => ({
      key: `${tool}/hash/${count}`,
      tool,
      undo: true,
      open: false,
      input: { json: tool },
      output: { json: tool.toUpperCase() },
    });
    const work: AgentWork = {
      id: "p:1:doer:0:1",
      processId: "p",
      agent: "Doer",
      version: 1,
      attempt: 1,
      status: "running",
      mode: "undo",
      begun: true,
      begunAtMs: 0,
      token: "t",
      holder: "one",
      takeovers: 0,
      input: { json: { n: 1 } },
      retainUntilMs: 0,
      principal: { ...ANONYMOUS, permissions: [] },
      trace: { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
      hop: 1,
      ancestors: [],
      calls: [call("kept", 0), call("gone", 0), call("kept", 1)],
      steps: [],
      waits: [],
      undo: { undoId: "p:1:doer:0:1/undo", attempt: 1 },
    };
    return new Compensation(
      {
        work,
        definition: agent(Doer, { tools, handle: () => ({ text: "" }) }),
        values: new Values(new MemoryStore(), clock, "sys"),
        clock,
        link: {
          tell: async (input) => {
            if (input.kind === "call-undone") told.push(input.key);
            return { id: "p", stateVersion: 0, works: {}, ready: [] };
          },
        },
        log: { info: () => {}, warn: () => {}, error: () => {} },
      },
      0,
      null,
    );
  }

  test("the call of a tool that the system no longer has is named in the report, and does not hold up the others", async () => {
    const told: string[] = [];
    const ended = await compensation([textTool("kept", undefined, () => {})], told).perform();
    expect(told).toEqual(["kept/hash/1", "kept/hash/0"]);
    expect(ended).toEqual({ end: { report: { undone: 2, left: ["gone (p:1:doer:0:1/gone/hash/0)"], stateStands: false } } });
  });

  test("where trying again may help, the compensation has failed, with the reason of each", async () => {
    const told: string[] = [];
    const ended = await compensation(
      [
        textTool("kept", undefined, () => {
          throw new TypeError("not now");
        }),
      ],
      told,
    ).perform();
    expect(told).toEqual([]);
    expect(ended).toMatchObject({
      end: {
        fault: {
          code: "agent.failed",
          message: expect.stringMatching(
            /^0 undone, 3 left: kept \(.*\): agent.failed: TypeError: not now; gone \(.*\): compensation.failed/,
          ),
        },
      },
    });
  });
});

describe("law: what failed is recorded before its handler hears of it", () => {
  const failing = (error: () => unknown, calls: string[], name = ""): ReturnType<typeof textTool<"book">> =>
    textTool("book", () => {
      calls.push(`${name}book`);
      throw error();
    });

  test("a host dies behind a caught failure: the next execution hears the same fault and goes the same way", async () => {
    const world = new World();
    const heard: unknown[] = [];
    const calls: string[] = [];
    const never = gate<string>();
    const members = ["one", "two"].map((name) => {
      const book = failing(() => new RangeError("no room"), calls, `${name} `);
      const handle: DoerHandle = async (_n, ctx) => {
        const way = await ctx.call(book, "x").catch((error: unknown) => (heard.push(error), "instead"));
        return ctx.step("pay", () => (name === "one" ? never.promise : way));
      };
      return world.join(systemOf({ tools: [book], handle }), name);
    });
    const [one, two] = members as [Member, Member];
    await submit(one);
    one.kill();
    expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { text: "instead" } });
    expect(calls).toEqual(["one book"]);
    const fault = { name: "Fault", code: "agent.failed", message: "RangeError: no room" };
    expect(heard).toEqual([expect.objectContaining(fault), expect.objectContaining(fault)]);
    // The cause is for logs: only the execution in which the call failed has it.
    expect(heard.map((error) => (error instanceof Error ? error.cause instanceof RangeError : undefined))).toEqual([true, false]);
  });

  test("a further attempt makes the call again", async () => {
    let calls = 0;
    const book = textTool("book", () => {
      if ((calls += 1) === 1) throw new TypeError("no room");
      return "B";
    });
    expect(await run({ tools: [book], handle: async (_n, ctx) => ctx.call(book, "x") })).toMatchObject({
      status: "completed",
      output: { text: "B" },
    });
    expect(calls).toBe(2);
  });

  test("a fault of the table keeps its code and its details", async () => {
    const seen: unknown[] = [];
    const book = failing(() => new Fault("agent.refused", "full", { rooms: 0 }), []);
    await run({ tools: [book], handle: async (_n, ctx) => ctx.call(book, "x").catch((error: unknown) => (seen.push(error), "none")) });
    expect(seen).toEqual([expect.objectContaining({ code: "agent.refused", message: "full", details: { rooms: 0 } })]);
  });

  test("an output that does not fit is a failed call whose effect may have happened: it is undone with undefined", async () => {
    const undone: unknown[] = [];
    const odd = textTool("odd", undefined, (_about, output) => void undone.push(output));
    const wrong: ToolDefinition = { ...odd, run: () => 5 };
    const outcome = await run({ tools: [wrong], handle: async (_n, ctx) => String(await ctx.call(wrong, "x")) });
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "schema.tool-output" } });
    expect(undone).toEqual([undefined]);
  });

  test("an input that does not fit is refused, and nothing is called", async () => {
    const calls: string[] = [];
    const book: ToolDefinition = failing(() => new Error("not reached"), calls);
    const outcome = await run({ tools: [book], handle: async (_n, ctx) => String(await ctx.call(book, 5)) });
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "schema.tool-input" } });
    expect(calls).toEqual([]);
  });
});

test("a cancelled handler that hangs in a call gives its process free when its grace is over", async () => {
  const world = new World();
  const undone: string[] = [];
  const hang = textTool(
    "hang",
    () => gate<string>().promise,
    (about) => void undone.push(about),
  );
  const one = world.join(systemOf({ tools: [hang], handle: async (_n, ctx) => ctx.call(hang, "x") }), "one");
  await submit(one);
  await one.operations.cancel("p", "enough", CALLER);
  await flush();
  expect(undone).toEqual([]);
  expect(await world.until(one, "p", LIMITS.stopGraceMs + 2 * LIMITS.reminderNearMs)).toMatchObject({ status: "cancelled" });
  expect(undone).toEqual(["x"]);
});
