/** @module Promises of the adapter of the AI SDK: what is recorded is not bought again, and a record holds no secret. */
import { APICallError, generateText, isStepCount, streamText, wrapLanguageModel } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { describe, expect, test } from "vitest";
import { recorded, toolSet } from "../../adapters/ai-sdk/index.ts";
import { runLocal } from "../../testing/index.ts";
import { EXECUTIONS, searchTool, Steps, thrice } from "./rig.ts";

type Generate = Extract<ConstructorParameters<typeof MockLanguageModelV4>[0], object>["doGenerate"];
type Result = Exclude<Generate, undefined | readonly unknown[] | ((...given: never[]) => unknown)>;
type Part = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"] extends ReadableStream<infer P> ? P : never;

const USAGE = {
  inputTokens: { total: 7, noCache: 7, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 3, text: 3, reasoning: undefined },
};

function reply(content: Result["content"], unified: Result["finishReason"]["unified"] = "stop"): Result {
  return {
    content,
    finishReason: { unified, raw: unified },
    usage: USAGE,
    warnings: [],
    request: { body: { apiKey: "secret-of-the-request" } },
    response: {
      id: "r1",
      modelId: "m-1",
      timestamp: new Date(5),
      headers: { "x-secret": "secret-of-the-response" },
      body: { more: "secret" },
    },
  };
}

const CALL = { type: "tool-call", toolCallId: "c1", toolName: "search", input: '{"query":"sea"}' } as const;

/** Calls the tool, then answers. */
function twoReplies(): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt }) =>
      prompt.at(-1)?.role === "tool" ? reply([{ type: "text", text: "Go to sea city." }]) : reply([CALL], "tool-calls"),
  });
}

function streamOf(parts: readonly Part[]): ReadableStream<Part> {
  return new ReadableStream<Part>({
    start: (controller) => {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

const TEXT_PARTS: readonly Part[] = [
  { type: "stream-start", warnings: [] },
  { type: "response-metadata", id: "r1", timestamp: new Date(5) },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "Go to " },
  { type: "text-delta", id: "t", delta: "sea city." },
  { type: "text-end", id: "t" },
  { type: "finish", usage: USAGE, finishReason: { unified: "stop", raw: "stop" } },
];
const CALL_PARTS: readonly Part[] = [
  { type: "stream-start", warnings: [] },
  { type: "tool-input-start", id: "c1", toolName: "search" },
  { type: "tool-input-delta", id: "c1", delta: '{"query":' },
  { type: "tool-input-delta", id: "c1", delta: '"sea"}' },
  { type: "tool-input-end", id: "c1" },
  CALL,
  { type: "finish", usage: USAGE, finishReason: { unified: "tool-calls", raw: "tool_calls" } },
];

describe("a handler with a loop of its own, executed three times", () => {
  test("buys each reply once and calls each tool once, with generateText", async () => {
    const { search, made } = searchTool();
    const model = twoReplies();
    let answers = 0;
    const outcome = await runLocal(
      thrice([search], async (ctx) => {
        const { text, steps, usage } = await generateText({
          model: wrapLanguageModel({ model, middleware: recorded(ctx) }),
          tools: toolSet(ctx, [search]),
          stopWhen: isStepCount(5),
          maxRetries: 0,
          prompt: "Where to?",
        });
        answers += 1;
        expect([steps.length, usage.totalTokens, steps[0]?.response.timestamp]).toEqual([2, 20, new Date(5)]);
        return text;
      }),
      "main",
      "x",
    );
    expect(outcome).toMatchObject({ status: "completed", output: "Go to sea city." });
    expect([model.doGenerateCalls.length, made, answers]).toEqual([2, ["sea"], EXECUTIONS]);
    // The tool was described, and its result came back to the model.
    expect(model.doGenerateCalls[0]?.tools).toMatchObject([
      { name: "search", description: "Finds a city", inputSchema: { type: "object" } },
    ]);
    expect(JSON.stringify(model.doGenerateCalls[1]?.prompt)).toContain("sea city");
  });

  test("buys each streamed reply once, with streamText", async () => {
    const { search, made } = searchTool();
    const model = new MockLanguageModelV4({
      doStream: async ({ prompt }) => ({ stream: streamOf(prompt.at(-1)?.role === "tool" ? TEXT_PARTS : CALL_PARTS) }),
    });
    const deltas: string[][] = [];
    const outcome = await runLocal(
      thrice([search], async (ctx) => {
        const result = streamText({
          model: wrapLanguageModel({ model, middleware: recorded(ctx) }),
          tools: toolSet(ctx, [search]),
          stopWhen: isStepCount(5),
          maxRetries: 0,
          prompt: "Where to?",
        });
        const seen: string[] = [];
        for await (const delta of result.textStream) seen.push(delta);
        deltas.push(seen);
        return await result.text;
      }),
      "main",
      "x",
    );
    expect(outcome).toMatchObject({ status: "completed", output: "Go to sea city." });
    expect([model.doStreamCalls.length, made]).toEqual([2, ["sea"]]);
    // As it came at first; as recorded then.
    expect(deltas).toEqual([["Go to ", "sea city."], ["Go to sea city."], ["Go to sea city."]]);
  });

  test("tells the model the fault of a tool, and an input that does not fit, and goes on the same way each time", async () => {
    const { search, made } = searchTool();
    const wrong = ['{"query":"nowhere"}', '{"question":1}', "{"];
    const model = new MockLanguageModelV4({
      doGenerate: async ({ prompt }) => {
        const turn = prompt.filter(({ role }) => role === "tool").length;
        const input = wrong[turn];
        return input === undefined
          ? reply([{ type: "text", text: "Stay at home." }])
          : reply([{ ...CALL, toolCallId: `c${turn}`, input }], "tool-calls");
      },
    });
    const outcome = await runLocal(
      thrice([search], async (ctx) => {
        const middleware = recorded(ctx);
        const { text } = await generateText({
          model: wrapLanguageModel({ model, middleware }),
          tools: toolSet(ctx, [search]),
          stopWhen: isStepCount(9),
          maxRetries: 0,
          prompt: "Where to?",
        });
        return text;
      }),
      "main",
      "x",
    );
    expect(outcome).toMatchObject({ status: "completed", output: "Stay at home." });
    expect(model.doGenerateCalls).toHaveLength(4);
    expect(JSON.stringify(model.doGenerateCalls[3]?.prompt)).toContain("there is no such place");
    expect(made.length).toBeLessThanOrEqual(EXECUTIONS);
  });

  test("is tried again by its stop after a fault that may pass, with the replies before it from the records", async () => {
    const { search } = searchTool();
    let failures = 0;
    const model = new MockLanguageModelV4({
      doGenerate: async ({ prompt }) => {
        if (prompt.at(-1)?.role !== "tool") return reply([CALL], "tool-calls");
        failures += 1;
        if (failures === 1)
          throw new APICallError({
            message: "slow down",
            url: "https://model.example",
            requestBodyValues: {},
            statusCode: 429,
            responseHeaders: { "retry-after": "0.001" },
            responseBody: "{}",
          });
        return reply([{ type: "text", text: "Done." }]);
      },
    });
    const outcome = await runLocal(
      thrice([search], async (ctx) => {
        const wrapped = wrapLanguageModel({ model, middleware: recorded(ctx) });
        const { text } = await generateText({
          model: wrapped,
          tools: toolSet(ctx, [search]),
          stopWhen: isStepCount(5),
          prompt: "Where to?",
        });
        return text;
      }),
      "main",
      "x",
    );
    expect(outcome.history.map(({ code }) => code)).toContain("model.rate-limited");
    // One reply that asks for the tool, one failure, one reply: although the handler ran three times.
    expect(model.doGenerateCalls).toHaveLength(3);
  });
});

describe("a record", () => {
  const call = async (steps: Steps, options: Partial<Parameters<typeof generateText>[0]>): Promise<unknown> => {
    const model = wrapLanguageModel({
      model: new MockLanguageModelV4({ doGenerate: reply([{ type: "text", text: "hi" }]) }),
      middleware: recorded(steps.next()),
    });
    return (await generateText({ prompt: "one", ...options, model } as Parameters<typeof generateText>[0])).text;
  };

  test("is found again with other headers and another signal, and not with another prompt, setting or tool", async () => {
    const steps = new Steps();
    await call(steps, {});
    await call(steps, { headers: { authorization: "other" }, abortSignal: new AbortController().signal });
    expect(steps.made).toBe(1);
    await call(steps, { prompt: "two" });
    await call(steps, { temperature: 0.5 });
    await call(steps, { tools: toolSet({ call: () => Promise.reject(new Error("not called")) }, [searchTool().search]) });
    expect(steps.made).toBe(4);
  });

  test("holds no header and no body of HTTP, and its name only a hash", async () => {
    const steps = new Steps();
    await call(steps, { headers: { authorization: "secret-of-the-caller" } });
    const text = JSON.stringify([...steps.records]);
    expect(text).toContain('"text":"hi"');
    expect(text).not.toContain("secret");
    expect([...steps.records.keys()]).toEqual([expect.stringMatching(/^model \S+ [0-9a-f]{24}$/)]);
  });

  test("counts equal calls of one execution", async () => {
    const steps = new Steps();
    const model = new MockLanguageModelV4({ doGenerate: reply([{ type: "text", text: "hi" }]) });
    for (let execution = 0; execution < 2; execution += 1) {
      const ctx = steps.next();
      // Two middlewares of one handler share the count.
      for (let count = 0; count < 2; count += 1)
        await generateText({ model: wrapLanguageModel({ model, middleware: recorded(ctx) }), prompt: "one" });
    }
    expect(model.doGenerateCalls).toHaveLength(2);
  });
});

describe("a stream", () => {
  /** A model whose stream the test feeds. */
  function fed(): { readonly model: MockLanguageModelV4; readonly feed: ReadableStreamDefaultController<Part> } {
    let feed: ReadableStreamDefaultController<Part> | undefined;
    const stream = new ReadableStream<Part>({
      start: (controller) => {
        feed = controller;
      },
    });
    const model = new MockLanguageModelV4({ doStream: async () => ({ stream }) });
    if (feed === undefined) throw new Error("a stream is started when it is made");
    return { model, feed };
  }

  test("shows texts at once, and a tool call only when the reply is recorded", async () => {
    const steps = new Steps();
    const { model, feed } = fed();
    const middleware = recorded(steps.next());
    const params = { prompt: [] };
    const wrapped = wrapLanguageModel({ model, middleware }) as unknown as MockLanguageModelV4;
    const { stream } = await wrapped.doStream(params);
    const reader = stream.getReader();
    feed.enqueue({ type: "text-start", id: "t" });
    feed.enqueue({ type: "text-delta", id: "t", delta: "Hm. " });
    expect([(await reader.read()).value?.type, (await reader.read()).value?.type]).toEqual(["text-start", "text-delta"]);
    expect(steps.records.size).toBe(0);
    feed.enqueue(CALL);
    const next = reader.read();
    feed.enqueue({ type: "finish", usage: USAGE, finishReason: { unified: "tool-calls", raw: undefined } });
    feed.close();
    expect((await next).value).toEqual(CALL);
    expect(steps.records.size).toBe(1);
    expect((await reader.read()).value?.type).toBe("finish");
    expect((await reader.read()).done).toBe(true);
  });

  test("that breaks is a fault and no record; a reader that left does not stop the record", async () => {
    const steps = new Steps();
    const broken = fed();
    const wrapped = wrapLanguageModel({ model: broken.model, middleware: recorded(steps.next()) }) as unknown as MockLanguageModelV4;
    const { stream } = await wrapped.doStream({ prompt: [] });
    broken.feed.enqueue({ type: "error", error: new APICallError({ message: "gone", url: "x", requestBodyValues: {}, statusCode: 503 }) });
    await expect(stream.getReader().read()).rejects.toMatchObject({ code: "model.unavailable" });
    expect(steps.records.size).toBe(0);

    const left = fed();
    const other = wrapLanguageModel({ model: left.model, middleware: recorded(steps.next()) }) as unknown as MockLanguageModelV4;
    const opened = await other.doStream({ prompt: [] });
    await opened.stream.cancel();
    for (const part of TEXT_PARTS) left.feed.enqueue(part);
    left.feed.close();
    await expect.poll(() => steps.records.size).toBe(1);
  });

  test("that cannot be opened rejects before it", async () => {
    const model = new MockLanguageModelV4({
      doStream: async () => {
        throw new APICallError({ message: "no", url: "x", requestBodyValues: {}, statusCode: 401, responseBody: "" });
      },
    });
    const wrapped = wrapLanguageModel({ model, middleware: recorded(new Steps().next()) }) as unknown as MockLanguageModelV4;
    await expect(wrapped.doStream({ prompt: [] })).rejects.toMatchObject({ code: "model.rejected" });
  });
});
