/** @module Budgets of one work item: nothing is bought beyond the grant, what was spent is told, and more is asked for. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { tool } from "../../agents/index.ts";
import { Fault, isFault } from "../../runtime/faults.ts";
import { callOf, ModelRig, replyOf, textOf, type Think } from "./model-rig.ts";
import { flush } from "./engine-rig.ts";
import { gate } from "./world-rig.ts";

/** Makes calls until one fails, and answers how many it made and the code of the fault. */
const greedy: Think = async (ctx) => {
  for (let count = 0; ; count += 1) {
    try {
      await ctx.chat(callOf(`call ${count}`));
    } catch (error) {
      return `${count} ${codeOf(error)}`;
    }
  }
};

function codeOf(error: unknown): string {
  return isFault(error) ? error.code : String(error);
}

const REFUSED = { fault: { code: "budget.exhausted", message: "nothing is left" } } as const;

/** Refuses each request for a larger grant. */
function refusesMore(rig: ModelRig): void {
  const { heard } = rig.world;
  rig.world.heard = (message) => {
    heard(message);
    if (message.body.kind === "wait") void rig.answers(message.body.index, REFUSED, message.body.workId);
  };
}

describe("law: no attempt is made that could exceed the grant", () => {
  const one = { modelCalls: 1, inputTokens: 10, outputTokens: 5, costMicros: 15 };
  test.each([
    // A call reserves 150 tokens and costs 15.
    [{ tokens: 149 }, 0],
    [{ tokens: 150 }, 1],
    [{ tokens: 179 }, 2],
    [{ costMicros: 195 }, 4],
    [{ modelCalls: 3 }, 3],
    [{ tokens: 10_000, modelCalls: 2 }, 2],
  ])("a grant of %j allows %i calls", async (grant, calls) => {
    const rig = new ModelRig();
    refusesMore(rig);
    rig.join(greedy);
    const { result, spent } = await rig.ends("w", { grant });
    expect(result).toMatchObject({ output: { json: { text: `${calls} budget.exhausted` } } });
    expect(rig.models.attempts).toHaveLength(calls);
    const times = (count: number): number => count * calls;
    expect(spent).toEqual(
      calls === 0
        ? { toolCalls: 0, models: {} }
        : {
            toolCalls: 0,
            models: {
              fast: {
                modelCalls: times(one.modelCalls),
                inputTokens: times(one.inputTokens),
                outputTokens: times(one.outputTokens),
                costMicros: times(one.costMicros),
              },
            },
          },
    );
  });

  test("calls at once reserve each for itself", async () => {
    const rig = new ModelRig();
    refusesMore(rig);
    const open = gate();
    rig.models.answer = async () => {
      await open.promise;
      return replyOf("ok");
    };
    rig.join(async (ctx) => {
      const ends = await Promise.allSettled(Array.from({ length: 5 }, (_, index) => ctx.chat(callOf(`${index}`))));
      return ends.map(({ status }) => (status === "fulfilled" ? "+" : "-")).join("");
    });
    await rig.asks("w", { grant: { tokens: 310 } });
    await rig.world.clock.advance(1_000);
    expect(rig.models.attempts, "two reservations of 150 fit in 310").toHaveLength(2);
    open.open();
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "++---" } } } });
  });

  test("money is not spent at an unknown price: budget.price; without a budget of money it is", async () => {
    const rig = new ModelRig();
    rig.models.isPriced = false;
    rig.join(greedy);
    expect(await rig.ends("w", { grant: { costMicros: 1_000 } })).toMatchObject({
      result: { output: { json: { text: "0 budget.price" } } },
    });
    expect(rig.models.attempts).toEqual([]);
    expect(rig.waits, "and no money would help").toEqual([]);
    refusesMore(rig);
    expect(await rig.ends("v", { grant: { modelCalls: 1 } })).toMatchObject({
      result: { output: { json: { text: "1 budget.exhausted" } } },
    });
  });

  test("a provider that reports more than was reserved: recorded as an overrun, and nothing further is bought", async () => {
    const rig = new ModelRig();
    rig.models.answer = () => replyOf("long", { usage: { inputTokens: 100, outputTokens: 90 } });
    rig.join(greedy);
    const { result, spent } = await rig.ends("w", { grant: { tokens: 160 } });
    expect(result).toMatchObject({ output: { json: { text: "1 budget.overrun" } } });
    expect(spent?.models["fast"]).toMatchObject({ inputTokens: 100, outputTokens: 90 });
    expect((await rig.events()).find(({ e }) => e === "model-ended")).toMatchObject({ overrun: true });
    expect(rig.waits, "no one is asked for more").toEqual([]);
  });

  test("tool calls count, also of tools that record no beginning", async () => {
    const look = tool("look", { effect: "read", input: z.string(), output: z.string(), run: async (about) => about });
    const rig = new ModelRig({ tools: [look] });
    refusesMore(rig);
    rig.join(async (ctx) => {
      const ends = await Promise.allSettled(["a", "b", "c"].map((about) => ctx.call(look, about)));
      const told = ends.map((end) => (end.status === "fulfilled" ? "+" : codeOf(end.reason)));
      return `${told.join()} ${ctx.budget.spent.toolCalls}`;
    });
    expect(await rig.ends("w", { grant: { toolCalls: 2 } })).toMatchObject({
      result: { output: { json: { text: "+,+,budget.exhausted 2" } } },
      spent: { toolCalls: 2 },
    });
  });
});

describe("what a failed attempt costs", () => {
  const full = { modelCalls: 1, inputTokens: 100, outputTokens: 50, costMicros: 150 };
  test.each([
    ["nothing if it was surely not sent", new Fault("model.unavailable", "breaker open", { sent: false }), undefined],
    ["nothing if the provider refused it", new Fault("model.rate-limited", "wait", { status: 429 }), undefined],
    ["nothing if the provider failed with an answer", new Fault("model.unavailable", "failed", { status: 503 }), undefined],
    ["its full reservation if it timed out", new Fault("model.unavailable", "no answer"), full],
    ["its full reservation if its answer is no answer", new Fault("model.malformed", "<html>"), full],
    ["its full reservation if anything else was thrown", new TypeError("socket closed"), full],
    [
      "what the provider reported, if it did",
      new Fault("model.malformed", "cut", { usage: { inputTokens: 20, outputTokens: 1 }, endpoint: "fake" }),
      { modelCalls: 1, inputTokens: 20, outputTokens: 1, costMicros: 21 },
    ],
  ])("%s", async (_name, error, expected) => {
    const rig = new ModelRig();
    rig.models.answer = () => {
      throw error;
    };
    rig.join(async (ctx) => (await ctx.chat(callOf("a", { retry: { triesMax: 1 } }))).text);
    const { result, spent } = await rig.ends();
    expect(result).toHaveProperty("fault");
    expect(spent?.models["fast"]).toEqual(expected);
  });

  test("a reply without usage costs its full reservation", async () => {
    const rig = new ModelRig();
    rig.models.answer = () => replyOf("no count", { usage: undefined });
    rig.join(async (ctx) => (await ctx.chat(callOf("a"))).text);
    expect((await rig.ends()).spent?.models["fast"]).toEqual(full);
  });
});

describe("a grant that does not suffice", () => {
  test("is asked for, and the handler goes on with the larger one; its actor and its slot are free meanwhile", async () => {
    const rig = new ModelRig({ concurrency: 1 });
    const member = rig.join(greedy);
    await rig.asks("w", { grant: { modelCalls: 2, tokens: 5_000 } });
    await rig.world.clock.advance(1_000);
    expect(rig.models.attempts).toHaveLength(2);
    expect(rig.waits).toEqual([{ kind: "wait", workId: "w", index: 0, for: { kind: "budget", need: { modelCalls: 3 } } }]);
    expect((await rig.work()).status).toBe("parked");
    expect(member.host.running).toBe(0);
    await rig.answers(0, { output: { json: { modelCalls: 4, tokens: 5_000 } } });
    await rig.world.clock.advance(1_000);
    expect(rig.models.attempts).toHaveLength(4);
    await rig.answers(1, REFUSED);
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "4 budget.exhausted" } } } });
  });

  test("is asked for once: a host that takes the work over takes the same way", async () => {
    const rig = new ModelRig();
    const stuck = gate();
    const seen: string[] = [];
    const think =
      (hangs: boolean): Think =>
      async (ctx) => {
        const note = (): void => void seen.push(`${ctx.budget.grant?.modelCalls} ${ctx.budget.spent.models["fast"]?.modelCalls ?? 0}`);
        note();
        await ctx.chat(callOf("a"));
        note();
        await ctx.chat(callOf("b"));
        note();
        if (hangs) await stuck.promise;
        return "done";
      };
    const one = rig.join(think(true), "one");
    await rig.asks("w", { grant: { modelCalls: 1 } });
    await rig.world.clock.advance(1_000);
    await rig.answers(0, { output: { json: { modelCalls: 2 } } });
    await rig.world.clock.advance(1_000);
    expect(seen).toEqual(["1 0", "1 1", "2 2"]);
    one.kill();
    rig.join(think(false), "two");
    expect(await rig.ends("w", { grant: { modelCalls: 1 } })).toMatchObject({ result: { output: { json: { text: "done" } } } });
    expect(seen.slice(3), "what the handler sees of its budget is the same").toEqual(["1 0", "1 1", "2 2"]);
    expect(rig.models.sent).toEqual(["a", "b"]);
    expect(new Set(rig.waits.map(({ index }) => index)).size).toBe(1);
  });

  test("an answer that grants too little is a fault, and is not asked for again and again", async () => {
    const rig = new ModelRig();
    rig.join(greedy);
    await rig.asks("w", { grant: { modelCalls: 0 } });
    await rig.world.clock.advance(1_000);
    await rig.answers(0, { output: { json: { modelCalls: 0 } } });
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "0 budget.exhausted" } } } });
  });

  test("a further attempt has the grant of its own request, and what earlier ones spent counts", async () => {
    const rig = new ModelRig();
    refusesMore(rig);
    rig.join(async (ctx) => {
      const before = ctx.budget.spent.models["fast"]?.modelCalls ?? 0;
      const done = await greedy(ctx, 1);
      if (ctx.attempt === 1) throw new Fault("agent.failed", done);
      return `${before} ${done} ${ctx.budget.spent.models["fast"]?.modelCalls}`;
    });
    expect(await rig.ends("w", { grant: { modelCalls: 2 } })).toMatchObject({
      result: { fault: { message: "2 budget.exhausted" } },
      spent: { models: { fast: { modelCalls: 2 } } },
    });
    expect(await rig.ends("w", { attempt: 2, grant: { modelCalls: 5 } })).toMatchObject({
      result: { output: { json: { text: "2 5 budget.exhausted 5" } } },
      spent: { models: { fast: { modelCalls: 5 } } },
    });
    expect(rig.models.sent, "recorded calls are not made again").toEqual(["call 0", "call 1", "call 2", "call 3", "call 4"]);
  });

  test("a further attempt with a larger grant need not reach what the handler did when its budget had ended", async () => {
    const rig = new ModelRig();
    refusesMore(rig);
    rig.join(async (ctx) => {
      await ctx.chat(callOf("a"));
      try {
        return (await ctx.chat(callOf("b"))).text;
      } catch {
        await ctx.step("without b", () => 1);
        throw new Fault("agent.failed", "b is too dear");
      }
    });
    expect(await rig.ends("w", { grant: { modelCalls: 1 } })).toMatchObject({ result: { fault: { code: "agent.failed" } } });
    expect(await rig.ends("w", { attempt: 2, grant: { modelCalls: 2 } })).toMatchObject({ result: { output: {} } });
    expect(rig.models.sent).toEqual(["a", "b"]);
  });
});

describe("what was spent is told with each end of a work item", () => {
  test("also with a fault, and to a repeated request", async () => {
    const rig = new ModelRig();
    rig.join(async (ctx) => {
      await ctx.chat(callOf("a"));
      throw new Fault("agent.refused", "no");
    });
    const spent = { toolCalls: 0, models: { fast: { modelCalls: 1, inputTokens: 10, outputTokens: 5, costMicros: 15 } } };
    expect(await rig.ends()).toMatchObject({ result: { fault: { code: "agent.refused" } }, spent });
    expect(await rig.ends()).toMatchObject({ result: { fault: { code: "agent.refused" } }, spent });
  });

  test("an attempt that a further one supersedes settles at its reservation", async () => {
    const rig = new ModelRig();
    rig.models.answer = ({ signal }, count) =>
      count === 1 ? new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))) : replyOf("ok");
    rig.join(async (ctx) => (await ctx.chat(callOf("a"))).text);
    await rig.asks();
    expect(await rig.ends("w", { attempt: 2 })).toMatchObject({
      result: { output: { json: { text: "ok" } } },
      spent: { models: { fast: { modelCalls: 2, inputTokens: 110, outputTokens: 55, costMicros: 165 } } },
    });
    expect(rig.models.attempts.map(textOf)).toEqual(["a", "a"]);
    await flush();
  });
});
