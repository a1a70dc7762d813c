/**
 * @module Compensation of a work item: from its records alone, newest first, whichever part dies in between.
 */
import { describe, expect, test } from "vitest";
import type { ToolDefinition } from "../../agents/index.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { type DoerHandle, type Member, run, submit, systemOf, textTool } from "./handler-rig.ts";
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

  test("a write without an undo stands, and the history and the dead letter say so; a read and a step do not count", async () => {
    const charge = textTool("charge");
    const book = textTool("book", undefined, () => undefined);
    const look = textTool("look", undefined, undefined, { effect: "read" });
    const work = async (made: readonly ToolDefinition[]): Promise<unknown> => {
      const world = new World();
      const one = world.join(
        systemOf({
          ...FAIL,
          tools: [charge, book, look],
          handle: async (_n, ctx) => {
            for (const one of made) await ctx.call(one, "a");
            return ctx.step("look", () => "done");
          },
        }),
        "one",
      );
      await submit(one);
      await world.until(one, "p", 1_000);
      const { history, outcome } = await one.operations.process("p");
      return [history.findLast(({ stop }) => stop === "doer")?.what, outcome?.deadLetter];
    };
    expect(await work([charge])).toEqual(["its effect stands: charge", expect.objectContaining({ stands: ["charge of Doer at doer"] })]);
    expect(await work([book, charge])).toMatchObject(["undone, but an effect stands: charge", { stands: ["charge of Doer at doer"] }]);
    expect(await work([look])).toEqual(["nothing to undo", expect.not.objectContaining({ stands: expect.anything() })]);
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
  expect(await world.until(one, "p", LIMITS.stopGraceMs + 2 * LIMITS.askAgainMs)).toMatchObject({ status: "cancelled" });
  expect(undone).toEqual(["x"]);
});
