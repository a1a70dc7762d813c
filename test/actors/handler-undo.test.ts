/**
 * @module Promises to handlers whose work is undone, and to those that catch what failed.
 */
import { describe, expect, test } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import { type Member, run, submit, systemOf } from "./handler-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

describe("law: what was done is undone, newest first, by its key", () => {
  const fail = { last: () => Promise.reject(new TypeError("no")) };

  test("each recorded step with its result, under the step's own key", async () => {
    const undone: unknown[] = [];
    const undo = (result: string | undefined, { idempotencyKey }: { readonly idempotencyKey: string }): void =>
      void undone.push([result, idempotencyKey]);
    const outcome = await run(
      {
        ...fail,
        handle: async (_n, ctx) => {
          await ctx.step("a", () => "A", { undo });
          await ctx.step("look", () => "nothing to undo");
          await ctx.step("b", () => "B", { undo });
          return "done";
        },
      },
      300_000,
    );
    expect(outcome.status).toBe("failed");
    expect(undone).toEqual([
      ["B", "p:1:doer:0:1/b/0"],
      ["A", "p:1:doer:0:1/a/0"],
    ]);
  });

  test("a step whose effect may have happened without a record is undone with undefined", async () => {
    const undone: unknown[] = [];
    const world = new World();
    const one = world.join(
      systemOf({
        handle: async (_n, ctx) => {
          await ctx.step("a", () => "A", { undo: (result) => void undone.push(result) });
          return ctx.step(
            "b",
            ({ signal }) =>
              new Promise<string>((_resolve, reject) => signal.addEventListener("abort", () => reject(new TypeError("stopped")))),
            { undo: (result) => void undone.push(result) },
          );
        },
      }),
      "one",
    );
    await submit(one);
    await one.operations.cancel("p", "enough", CALLER);
    expect(await world.until(one, "p")).toMatchObject({ status: "cancelled" });
    expect(undone).toEqual([undefined, "A"]);
  });

  test(
    "a handler that caught a failing step and went on is undone whole: the failed step by its key, the " + "others with their results",
    async () => {
      const undone: unknown[] = [];
      const undo = (result: string | undefined): void => void undone.push(result);
      let calls = 0;
      const outcome = await run(
        {
          ...fail,
          handle: async (_n, ctx) => {
            await ctx
              .step(
                "first",
                () => {
                  calls += 1;
                  throw new TypeError("no room");
                },
                { undo },
              )
              .catch(() => undefined);
            for (let hotel = 0; hotel < 2; hotel += 1)
              await ctx
                .step("again", () => {
                  throw new TypeError("no room");
                })
                .catch(() => undefined);
            await Promise.all([ctx.step("second", () => "B", { undo }), ctx.step("third", () => "C", { undo })]);
            return "done";
          },
        },
        300_000,
      );
      expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.failed" } });
      expect([undone.toSorted(), calls]).toEqual([["B", "C", undefined], 1]);
    },
  );

  test("also where nothing but a failed step may have had an effect", async () => {
    const undone: unknown[] = [];
    const outcome = await run(
      {
        ...fail,
        handle: async (_n, ctx) => {
          await ctx
            .step(
              "book",
              () => {
                throw new TypeError("no answer");
              },
              { undo: (result, { idempotencyKey }) => void undone.push([result, idempotencyKey]) },
            )
            .catch(() => undefined);
          return "without";
        },
      },
      300_000,
    );
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.failed" } });
    expect(undone).toEqual([[undefined, "p:1:doer:0:1/book/0"]]);
  });

  test("one that was stopped behind a caught failure is undone to where it was: also the step of which nothing is recorded", async () => {
    const undone: unknown[] = [];
    const undo = (name: string) => ({ undo: (result: string | undefined) => void undone.push([name, result]) });
    const world = new World();
    const one = world.join(
      systemOf({
        handle: async (_n, ctx) => {
          await ctx
            .step(
              "book",
              () => {
                throw new TypeError("no room");
              },
              undo("book"),
            )
            .catch(() => undefined);
          return ctx.step(
            "instead",
            ({ signal }) =>
              new Promise<string>((_resolve, reject) => signal.addEventListener("abort", () => reject(new TypeError("stopped")))),
            undo("instead"),
          );
        },
      }),
      "one",
    );
    await submit(one);
    await one.operations.cancel("p", "enough", CALLER);
    expect(await world.until(one, "p")).toMatchObject({ status: "cancelled" });
    expect(undone).toEqual([
      ["instead", undefined],
      ["book", undefined],
    ]);
  });

  test("each attempt is undone as it went: the tidying of the first, and what the second did instead", async () => {
    const undone: unknown[] = [];
    const undo = (name: string) => ({ undo: (result: string | undefined) => void undone.push([name, result]) });
    const calls: string[] = [];
    const outcome = await run(
      {
        ...fail,
        handle: async (_n, ctx) => {
          calls.push(`attempt ${ctx.attempt}`);
          try {
            await ctx.step(
              "book",
              () => {
                calls.push("book");
                if (ctx.attempt === 1) throw new TypeError("no room");
                return "B";
              },
              undo("book"),
            );
          } catch (error) {
            await ctx.step("tidy", () => "T", undo("tidy"));
            throw error;
          }
          return ctx.step("pay", () => "P", undo("pay"));
        },
      },
      300_000,
    );
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.failed" } });
    expect(calls).toEqual(["attempt 1", "book", "attempt 2", "book", "attempt 1", "attempt 2"]);
    expect(undone).toEqual([
      ["pay", "P"],
      ["tidy", "T"],
      ["book", "B"],
    ]);
  });

  test("also where the handler asks which attempt it is, and no call failed", async () => {
    const undone: unknown[] = [];
    const undo = (name: string) => ({ undo: (result: string | undefined) => void undone.push([name, result]) });
    const outcome = await run(
      {
        ...fail,
        handle: async (_n, ctx) => {
          const hotel =
            ctx.attempt === 1 ? await ctx.step("grand", () => "G", undo("grand")) : await ctx.step("small", () => "S", undo("small"));
          if (ctx.attempt === 1) throw new TypeError("a bug that shows once");
          return hotel;
        },
      },
      300_000,
    );
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.failed" } });
    expect(undone).toEqual([
      ["small", "S"],
      ["grand", "G"],
    ]);
  });

  test("one that caught a failing step, tidied up in another step and threw on is undone too", async () => {
    const undone: unknown[] = [];
    const outcome = await run(
      {
        handle: async (_n, ctx) => {
          try {
            return await ctx.step(
              "book",
              () => {
                throw new TypeError("no room");
              },
              { undo: (result) => void undone.push(["book", result]) },
            );
          } catch (error) {
            await ctx.step("tidy", () => "T", { undo: (result) => void undone.push(["tidy", result]) });
            throw error;
          }
        },
      },
      300_000,
    );
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.failed", message: "TypeError: no room" } });
    expect(undone.toSorted()).toEqual([
      ["book", undefined],
      ["tidy", "T"],
    ]);
  });

  test("a handler that goes another way than it went then is not taken as undone, however often it asks for something new", async () => {
    const undone: unknown[] = [];
    let runs = 0;
    const outcome = await run(
      {
        ...fail,
        handle: async (_n, ctx) => {
          runs += 1;
          for (let attempt = 0; runs > 1; attempt += 1) await ctx.step(`other ${attempt}`, () => null).catch(() => undefined);
          await ctx.step("a", () => "A", { undo: (result) => void undone.push(result) });
          return "done";
        },
      },
      4_000_000,
    );
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(undone).toEqual([]);
  });

  test("an undo that fails is tried again, and what was undone is not undone twice", async () => {
    const undone: string[] = [];
    let tries = 0;
    const outcome = await run(
      {
        ...fail,
        handle: async (_n, ctx) => {
          await ctx.step("a", () => "A", {
            undo: () => {
              if ((tries += 1) < 3) throw new TypeError("not now");
              undone.push("A");
            },
          });
          await ctx.step("b", () => "B", { undo: () => void undone.push("B") });
          return "done";
        },
      },
      600_000,
    );
    expect(outcome).toMatchObject({ status: "failed", fault: { code: "agent.failed" } });
    expect(undone).toEqual(["B", "A"]);
  });
});

describe("law: a call that failed is recorded before its handler hears of it", () => {
  test(
    "a host dies behind a caught failure: the next run hears the same fault and goes the same way, without " + "doing the call again",
    async () => {
      const world = new World();
      const heard: unknown[] = [];
      const calls: string[] = [];
      const never = gate<string>();
      const members = ["one", "two"].map((name) =>
        world.join(
          systemOf({
            handle: async (_n, ctx) => {
              const way = await ctx
                .step("book", () => {
                  calls.push(`${name} book`);
                  throw new RangeError("no room");
                })
                .catch((error: unknown) => (heard.push(error), "instead"));
              return ctx.step("pay", () => (name === "one" ? never.promise : way));
            },
          }),
          name,
        ),
      );
      const [one, two] = members as [Member, Member];
      await submit(one);
      one.kill();
      expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { text: "instead" } });
      expect(calls).toEqual(["one book"]);
      const fault = { name: "Fault", code: "agent.failed", message: "RangeError: no room" };
      expect(heard).toEqual([expect.objectContaining(fault), expect.objectContaining(fault)]);
      // The cause is for logs: only the run in which the call failed has it.
      expect(heard.map((error) => (error instanceof Error ? error.cause instanceof RangeError : undefined))).toEqual([true, false]);
    },
  );

  test("a further attempt makes the call again", async () => {
    let calls = 0;
    const outcome = await run({
      handle: async (_n, ctx) =>
        ctx.step("book", () => {
          if ((calls += 1) === 1) throw new TypeError("no room");
          return "B";
        }),
    });
    expect(outcome).toMatchObject({ status: "completed", output: { text: "B" } });
    expect(calls).toBe(2);
  });

  test("a fault of the table keeps its code and its details", async () => {
    const seen: unknown[] = [];
    await run({
      handle: async (_n, ctx) =>
        ctx
          .step("book", () => {
            throw new Fault("agent.refused", "full", { rooms: 0 });
          })
          .catch((error: unknown) => (seen.push(error), "none")),
    });
    expect(seen).toEqual([expect.objectContaining({ code: "agent.refused", message: "full", details: { rooms: 0 } })]);
  });
});
