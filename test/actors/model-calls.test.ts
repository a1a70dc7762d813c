/** @module Guarantees to handlers that call models: recorded once, tried again as declared, the same after any crash. */
import { describe, expect, test } from "vitest";
import { tool } from "../../agents/index.ts";
import { Fault, isFault } from "../../runtime/faults.ts";
import { hashText } from "../../runtime/canonical.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { z } from "zod";
import { callOf, ModelRig, replyOf, textOf, type Think } from "./model-rig.ts";
import { flush } from "./engine-rig.ts";
import { gate } from "./world-rig.ts";

/** Each call says what the one before answered. */
const threeCalls: Think = async (ctx) => {
  let text = "go";
  for (let count = 0; count < 3; count += 1) text = (await ctx.chat(callOf(text))).text;
  return text;
};

const noLine = (): never => {
  throw new Fault("model.unavailable", "the line is dead");
};

function codeOf(error: unknown): string {
  return isFault(error) ? error.code : String(error);
}

describe("a model call is recorded", () => {
  test("as begun with its facts and reservation, and as ended with reply, usage, cost and endpoint", async () => {
    const rig = new ModelRig();
    rig.join(async (ctx) => (await ctx.chat(callOf("hello"))).text);
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "re hello" } } } });
    const hash = hashText("hello");
    const { facts } = callOf("hello");
    const key = `model:fast/${hash}#0`;
    expect((await rig.events()).filter(({ e }) => e.startsWith("model"))).toEqual([
      {
        ...{ e: "model-begun", workId: "w", key, model: "fast", hash, facts, attempt: 1, tries: 1, atMs: expect.any(Number) },
        reserved: { inputTokens: 100, outputTokens: 50, costMicros: 150 },
      },
      {
        ...{ e: "model-ended", workId: "w", key, model: "fast", attempt: 1, endpoint: "fake", answered: "fake-1" },
        reply: { json: replyOf("re hello") },
        usage: { inputTokens: 10, outputTokens: 5 },
        spent: { modelCalls: 1, inputTokens: 10, outputTokens: 5, costMicros: 15 },
      },
    ]);
    expect(rig.models.attempts[0]).toMatchObject({ idempotencyKey: `w/${key}`, inputTokensMax: 100 });
  });

  test("once under its hash and count: the same request again is another call", async () => {
    const rig = new ModelRig();
    let answers = 0;
    rig.models.answer = () => replyOf(`${(answers += 1)}`);
    rig.join(async (ctx) => [await ctx.chat(callOf("a")), await ctx.chat(callOf("a"))].map(({ text }) => text).join());
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "1,2" } } } });
    expect(new Set(rig.models.attempts.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
  });

  test("with no more bytes for call 60 of a growing conversation than for call 10", async () => {
    const rig = new ModelRig();
    rig.join(async (ctx) => {
      let hash = hashText("start");
      const messages: { readonly role: "user"; readonly text: string }[] = [];
      for (let count = 0; count < 60; count += 1) {
        messages.push({ role: "user", text: `turn ${String(count).padStart(3, "0")}` });
        hash = hashText(`${hash} ${count}`);
        const call = callOf("", { hash });
        await ctx.chat({ ...call, request: { ...call.request, messages: [...messages] } });
      }
      return "";
    });
    await rig.ends();
    const sizes = (await rig.events()).filter(({ e }) => e.startsWith("model")).map((event) => JSON.stringify(event).length);
    const of = (call: number): number => sizes.slice(2 * call, 2 * call + 2).reduce((sum, size) => sum + size, 0);
    expect(of(59) / of(9)).toBeLessThan(1.05);
  });
});

describe("law: what is recorded is never bought again", () => {
  /** Runs the handler on a host that dies right after its n-th write to the actor, then on another one. */
  async function diesAfter(think: Think, writes: number): Promise<{ readonly rig: ModelRig; readonly died: boolean }> {
    const rig = new ModelRig({ tools: [look] });
    const { store } = rig.world;
    const insert = store.insert.bind(store);
    const one = rig.join(think, "one");
    let count = 0;
    store.insert = async (key, text) => {
      const done = await insert(key, text);
      if (key.includes("sys.Thinker/w") && (count += 1) === writes) one.kill();
      return done;
    };
    void rig.asks().catch(() => undefined);
    await flush();
    rig.join(think, "two");
    await rig.ends();
    return { rig, died: count > writes };
  }

  const look = tool("look", { effect: "read", input: z.string(), output: z.string(), run: async (about) => `seen ${about}` });

  const chain: Think = async (ctx) => {
    const first = await ctx.chat(callOf("one"));
    const seen = await ctx.call(look, first.text);
    const [left, right] = await Promise.all([ctx.chat(callOf(`${String(seen)} l`)), ctx.chat(callOf(`${String(seen)} r`))]);
    await ctx.chat(callOf(`${left.text}|${right.text}`)).catch(() => undefined);
    return `${left.text}|${right.text} ${ctx.budget.spent.models["fast"]?.modelCalls ?? 0}`;
  };

  test("a host that dies between any two records: the other host calls only what has no recorded end", async () => {
    let writes = 1;
    for (; ; writes += 1) {
      const { rig, died } = await diesAfter(chain, writes);
      const events = await rig.events();
      const ended = events.filter(({ e }) => e === "model-ended").length;
      const lost = rig.models.attempts.length - ended;
      expect(ended, `${writes}`).toBe(4);
      expect(lost, `what was open when the host died after record ${writes} is made again`).toBeLessThanOrEqual(2);
      const times = Map.groupBy(rig.models.attempts, ({ idempotencyKey }) => idempotencyKey);
      expect(times.size, "each call has one key").toBe(4);
      const { spent } = await rig.work();
      const begun = events.filter(({ e }) => e === "model-begun").length;
      expect(spent?.models["fast"]?.modelCalls, `record ${writes}: each begun try counts`).toBe(begun);
      expect(spent?.models["fast"]?.inputTokens, "an end that was not recorded is paid for in full").toBe(4 * 10 + (begun - 4) * 100);
      if (!died) break;
    }
    expect(writes).toBeGreaterThan(10);
  });

  test("a further attempt of the work item receives the recorded replies, and repeats only what failed", async () => {
    const rig = new ModelRig();
    rig.models.answer = (attempt, count) => (textOf(attempt) === "two" && count < 4 ? noLine() : replyOf(textOf(attempt)));
    rig.join(async (ctx) => {
      const first = await ctx.chat(callOf("one", { retry: { triesMax: 1 } }));
      const second = await ctx.chat(callOf("two", { retry: { triesMax: 1 } }));
      return `${first.text} ${second.text}`;
    });
    for (const attempt of [1, 2])
      expect(await rig.ends("w", { attempt })).toMatchObject({ result: { fault: { code: "model.unavailable" } } });
    expect(await rig.ends("w", { attempt: 3 })).toMatchObject({ result: { output: { json: { text: "one two" } } } });
    expect(rig.models.sent).toEqual(["one", "two", "two", "two"]);
  });

  test("a fault that the handler catches is the same for each execution of the attempt", async () => {
    const rig = new ModelRig();
    const stuck = gate();
    rig.models.answer = (attempt) => {
      if (textOf(attempt) === "bad") throw new Fault("model.filtered", "no");
      return replyOf("good");
    };
    const think =
      (hangs: boolean): Think =>
      async (ctx) => {
        const code = await ctx.chat(callOf("bad")).then(() => "none", codeOf);
        const { text } = await ctx.chat(callOf(`after ${code}`));
        if (hangs) await stuck.promise;
        return `${code} ${text}`;
      };
    const one = rig.join(think(true), "one");
    await rig.asks();
    one.kill();
    rig.join(think(false), "two");
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "model.filtered good" } } } });
    expect(rig.models.sent).toEqual(["bad", "after model.filtered"]);
  });

  test("a race of two models has the same winner in each execution", async () => {
    const rig = new ModelRig();
    const slow = gate();
    rig.models.answer = async (attempt) => {
      if (textOf(attempt) === "slow") await slow.promise;
      return replyOf(textOf(attempt));
    };
    const stuck = gate();
    const winners: string[] = [];
    const think =
      (hangs: boolean): Think =>
      async (ctx) => {
        const calls = ["slow", "quick"].map((text) => ctx.chat(callOf(text)));
        const { text } = await Promise.race(calls);
        winners.push(text);
        await Promise.all(calls);
        if (hangs) await stuck.promise;
        return text;
      };
    const one = rig.join(think(true), "one");
    await rig.asks();
    slow.open();
    await flush();
    one.kill();
    rig.join(think(false), "two");
    await rig.ends();
    expect(winners).toEqual(["quick", "quick"]);
    expect(rig.models.attempts).toHaveLength(2);
  });

  test("a request that is built differently is model.mismatch, with both hashes, and nothing is bought", async () => {
    const rig = new ModelRig();
    const stuck = gate();
    const think =
      (prompt: string, hangs: boolean): Think =>
      async (ctx) => {
        const { text } = await ctx.chat(callOf(prompt));
        if (hangs) await stuck.promise;
        return text;
      };
    const one = rig.join(think("old", true), "one");
    await rig.asks();
    one.kill();
    rig.join(think("new", false), "two");
    expect(await rig.ends()).toMatchObject({
      result: { fault: { code: "model.mismatch", details: { model: "fast", recorded: hashText("old"), rebuilt: hashText("new") } } },
    });
    expect(rig.models.sent).toEqual(["old"]);
  });
});

describe("transient faults are tried again inside the call", () => {
  test("with a growing pause, the same request under the same key, each try recorded", async () => {
    const rig = new ModelRig();
    rig.models.answer = (_attempt, count) => (count < 3 ? noLine() : replyOf("at last"));
    rig.join(async (ctx) => (await ctx.chat(callOf("hello"))).text);
    await rig.asks();
    expect(rig.models.attempts).toHaveLength(1);
    await rig.world.clock.advance(LIMITS.modelBackoffMs);
    expect(rig.models.attempts).toHaveLength(2);
    await rig.world.clock.advance(2 * LIMITS.modelBackoffMs);
    expect(rig.results.get("w")).toMatchObject({ result: { output: { json: { text: "at last" } } } });
    expect((await rig.events()).flatMap(({ e }) => (e.startsWith("model") ? [e] : []))).toEqual([
      ...["model-begun", "model-tried", "model-begun", "model-tried"],
      ...["model-begun", "model-ended"],
    ]);
    expect(new Set(rig.models.attempts.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  test("after the last one the handler receives the fault, which stays retryable for its stop", async () => {
    const rig = new ModelRig();
    rig.models.answer = noLine;
    rig.join(threeCalls);
    expect(await rig.ends()).toMatchObject({ result: { fault: { code: "model.unavailable" } } });
    expect(rig.models.attempts).toHaveLength(LIMITS.modelTriesDefault);
  });

  test("never after a fault that is not transient", async () => {
    const rig = new ModelRig();
    rig.models.answer = () => {
      throw new Fault("model.rejected", "the key is wrong", { status: 401 });
    };
    rig.join(threeCalls);
    expect(await rig.ends()).toMatchObject({ result: { fault: { code: "model.rejected" } } });
    expect(rig.models.attempts).toHaveLength(1);
  });

  test("a Retry-After is kept within 10 %, never earlier, also by a host that takes the work over in the pause", async () => {
    const rig = new ModelRig();
    const atMs: number[] = [];
    rig.models.answer = (_attempt, count) => {
      atMs.push(rig.world.clock.nowMs());
      if (count === 1) throw new Fault("model.rate-limited", "wait", { status: 429 }, { retryAfterMs: 40_000 });
      return replyOf("done");
    };
    const one = rig.join(threeCalls, "one");
    await rig.asks();
    await rig.world.clock.advance(5_000);
    one.kill();
    rig.join(threeCalls, "two");
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "done" } } } });
    const waited = (atMs[1] ?? 0) - (atMs[0] ?? 0);
    expect(waited).toBeGreaterThanOrEqual(40_000);
    expect(waited).toBeLessThanOrEqual(44_000);
  });

  test("a longer Retry-After than the limit gives up at once, so that the handler may use another model", async () => {
    const rig = new ModelRig();
    rig.models.answer = ({ model }) => {
      if (model === "fast")
        throw new Fault("model.rate-limited", "wait", { status: 429 }, { retryAfterMs: LIMITS.modelRetryAfterMsMax + 1 });
      return replyOf(model);
    };
    rig.join(async (ctx) => (await ctx.chat(callOf("a")).catch(() => ctx.chat(callOf("a", { model: "careful" })))).text);
    await rig.asks();
    expect(rig.results.get("w")).toMatchObject({ result: { output: { json: { text: "careful" } } } });
  });
});

describe("a host without models", () => {
  test("rejects a chat with model.unknown, recorded for the attempt", async () => {
    const rig = new ModelRig({ withoutModels: true });
    rig.join(async (ctx) => ctx.chat(callOf("a")).then(() => "", codeOf));
    expect(await rig.ends()).toMatchObject({ result: { output: { json: { text: "model.unknown" } } } });
    expect((await rig.events()).some((event) => event.e === "failed" && event.failure.kind === "model")).toBe(true);
  });
});
