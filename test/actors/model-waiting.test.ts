/** @module Handlers that wait for a model: they hold no slot, their process hears that they run, and each end of a run stops them. */
import { describe, expect, test } from "vitest";
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
    const last = gate();
    rig.models.answer = async (attempt) => {
      if (textOf(attempt) === "last") await last.promise;
      return replyOf(textOf(attempt));
    };
    const both: Think = async (ctx) =>
      (await Promise.all([ctx.chat(callOf("first")), ctx.chat(callOf("last"))])).map(({ text }) => text).join();
    rig.join(both);
    await rig.asks("a");
    await rig.asks("b");
    await rig.world.clock.advance(1);
    expect(rig.models.sent.sort(), "the second one is not kept out by the first, which waits").toEqual(["first", "first", "last", "last"]);
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

  test("is released by a host that shuts down, and the next host goes on from the records", async () => {
    const rig = new ModelRig();
    rig.models.answer = (attempt, count) => (count === 2 ? hangsUntilAborted(attempt) : replyOf("next"));
    const one = rig.join(threeCalls, "one");
    await rig.asks();
    const stopped = one.host.stop(LIMITS.drainMs);
    await rig.world.clock.advance(1_000);
    await stopped;
    expect((await rig.work()).status).toBe("ready");
    one.kill();
    rig.join(threeCalls, "two");
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "next" } } } });
    expect(rig.models.sent).toEqual(["go", "next", "next", "next"]);
    expect((await rig.work()).takeovers).toBe(0);
  });
});

function hangsUntilAborted({ signal }: FakeModels["attempts"][number]): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
