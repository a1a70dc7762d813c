/** @module Handlers that wait for a model: they hold no slot, their process hears that they run, and each end of a run stops them. */
import { describe, expect, test } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { callOf, type FakeModels, ModelRig, replyOf, textOf, type Think } from "./model-rig.ts";
import { flush } from "./engine-rig.ts";
import { gate } from "./world-rig.ts";

/** Each call says what the one before answered. */
const threeCalls: Think = async (ctx) => {
  let text = "go";
  for (let count = 0; count < 3; count += 1) text = (await ctx.chat(callOf(text))).text;
  return text;
};

describe("a handler that waits for a model", () => {
  test("holds no slot: 2,000 works wait at once under the default concurrency, and all end", async () => {
    const count = 2_000;
    const rig = new ModelRig();
    const answered = gate();
    rig.models.answer = async () => {
      await answered.promise;
      return replyOf("done");
    };
    const one = rig.join(threeCalls);
    await Promise.all(Array.from({ length: count }, (_, index) => rig.asks(`w${index}`)));
    await flush();
    expect(LIMITS.agentConcurrencyDefault).toBeLessThan(count);
    expect(rig.models.attempts).toHaveLength(count);
    expect(one.host.running, "none of them holds a slot").toBe(0);
    answered.open();
    await flush(400);
    expect(rig.results.size).toBe(count);
    expect(rig.models.attempts).toHaveLength(3 * count);
  });

  test("stays running for its process, and its time goes on", async () => {
    const rig = new ModelRig();
    rig.models.answer = () => new Promise(() => {});
    rig.join(threeCalls);
    await rig.asks();
    await rig.world.clock.advance(60_000);
    expect((await rig.work()).status).toBe("running");
    expect(await rig.asks()).toMatchObject({ work: { state: "running", runningMs: 60_000 } });
  });

  test("with several calls at once needs a slot only to act on a reply", async () => {
    const rig = new ModelRig({ concurrency: 1 });
    const [first, last] = [gate(), gate()];
    rig.models.answer = async (attempt) => {
      await (textOf(attempt) === "first" ? first : last).promise;
      return replyOf(textOf(attempt));
    };
    let acted = 0;
    rig.join(async (ctx) => {
      const calls = [ctx.chat(callOf("first")).then(() => (acted += 1)), ctx.chat(callOf("last"))];
      await Promise.all(calls);
      return "done";
    });
    await rig.asks("a");
    await rig.asks("b");
    expect(rig.models.sent.sort()).toEqual(["first", "first", "last", "last"]);
    first.open();
    await rig.world.clock.advance(1);
    expect(acted, "the second one acts on its first reply while the first one waits for its last").toBe(2);
    last.open();
    await rig.world.clock.advance(1);
    expect(rig.results.size).toBe(2);
  });

  test("is aborted when its work item is compensated; what it had begun is paid for in full", async () => {
    const rig = new ModelRig();
    rig.models.answer = hangsUntilAborted;
    rig.join(threeCalls);
    await rig.asks();
    await rig.undoes();
    await rig.world.clock.advance(1_000);
    expect(rig.models.attempts[0]?.signal.aborted).toBe(true);
    expect(rig.results.get("w/undo")).toMatchObject({
      result: { output: { json: { undone: 0 } } },
      spent: { models: { fast: { modelCalls: 1, inputTokens: 100, outputTokens: 50, costMicros: 150 } } },
    });
  });

  describe("on a host that shuts down", () => {
    type Second = (attempt: FakeModels["attempts"][number], rig: ModelRig) => Promise<ReturnType<typeof replyOf>>;

    /** The host `one` stops during the second call, and the host `two` goes on. */
    async function stopsAtSecond(second: Second, drainMs: number): Promise<ModelRig> {
      const rig = new ModelRig();
      rig.models.answer = (attempt, count) => (count === 2 ? second(attempt, rig) : replyOf("next"));
      const one = rig.join(threeCalls, "one");
      await rig.asks();
      const stopped = one.host.stop();
      await rig.world.clock.advance(drainMs);
      await stopped;
      expect((await rig.work()).status).toBe("ready");
      one.kill();
      rig.join(threeCalls, "two");
      expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "next" } } } });
      expect((await rig.work()).takeovers, "no host has died").toBe(0);
      return rig;
    }

    test("it has a short time to end, and its reply is not lost", async () => {
      const rig = await stopsAtSecond(async ({ signal }, { world }) => {
        await new Promise<void>((resolve) => world.clock.after(LIMITS.modelDrainMs / 2, resolve));
        expect(signal.aborted).toBe(false);
        return replyOf("next");
      }, LIMITS.modelDrainMs - 100);
      expect(rig.models.sent).toEqual(["go", "next", "next"]);
    });

    test("it is given up after that, and paid for in full", async () => {
      const rig = await stopsAtSecond(hangsUntilAborted, LIMITS.modelDrainMs + 100);
      expect(rig.models.sent).toEqual(["go", "next", "next", "next"]);
      expect((await rig.work()).spent?.models["fast"]).toMatchObject({ modelCalls: 4, inputTokens: 3 * 10 + 100 });
    });

    test("it is given up after that, and costs nothing if it was not sent", async () => {
      const rig = await stopsAtSecond(async (attempt) => {
        await hangsUntilAborted(attempt).catch(() => undefined);
        throw new Fault("model.unavailable", "given up while it waited for a place", { sent: false });
      }, LIMITS.modelDrainMs + 100);
      expect((await rig.work()).spent?.models["fast"]).toMatchObject({ modelCalls: 3, inputTokens: 3 * 10 });
    });
  });
});

function hangsUntilAborted({ signal }: FakeModels["attempts"][number]): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
