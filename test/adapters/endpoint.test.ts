/** @module Promises of models of the AI SDK as endpoints: a request arrives whole, a reply is read whole, a failure has its code. */
import { APICallError } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, type ModelDelta, type ModelRequest, model, route, system } from "../../agents/index.ts";
import { aiSdk } from "../../adapters/ai-sdk/index.ts";
import { runLocal } from "../../testing/index.ts";
import { searchTool } from "./rig.ts";

type Part = Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"] extends ReadableStream<infer P> ? P : never;
type Finish = Extract<Part, { type: "finish" }>["finishReason"]["unified"];

const USAGE = {
  inputTokens: { total: 7, noCache: 7, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 3, text: 3, reasoning: undefined },
};
const finish = (unified: Finish): Part => ({ type: "finish", usage: USAGE, finishReason: { unified, raw: undefined } });

const PARTS: readonly Part[] = [
  { type: "response-metadata", modelId: "m-2026" },
  { type: "reasoning-delta", id: "r", delta: "Hm." },
  { type: "text-delta", id: "t", delta: "I " },
  { type: "text-delta", id: "t", delta: "look." },
  { type: "tool-input-start", id: "c1", toolName: "search" },
  { type: "tool-call", toolCallId: "c1", toolName: "search", input: '{"query":"sea"}' },
  { type: "tool-call", toolCallId: "c2", toolName: "web", input: "{}", providerExecuted: true },
];

function streaming(parts: readonly Part[]): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    modelId: "m",
    provider: "acme.chat",
    doStream: async () => ({
      stream: new ReadableStream<Part>({
        start: (controller) => {
          for (const part of parts) controller.enqueue(part);
          controller.close();
        },
      }),
    }),
  });
}

const REQUEST: ModelRequest = {
  messages: [
    { role: "system", text: "Plan." },
    { role: "user", text: "Where to?" },
    {
      role: "assistant",
      text: "",
      reasoning: "Hm.",
      calls: [
        { id: "c0", name: "search", arguments: '{"query":"a"}' },
        { id: "c9", name: "search", arguments: "{" },
      ],
    },
    { role: "tool", callId: "c0", name: "search", text: '{"city":"b"}' },
    { role: "tool", callId: "c9", name: "search", text: "not JSON" },
  ],
  tools: [{ name: "search", about: "Finds", input: { type: "object" } }],
  toolChoice: "auto",
  answer: { name: "plan", schema: { type: "object", properties: {} } },
  outputTokensMax: 99,
  temperature: 0,
  seed: 5,
};

async function chat(mock: MockLanguageModelV4, options: Parameters<typeof aiSdk>[1] = {}, onDelta?: (delta: ModelDelta) => void) {
  const provider = await aiSdk(mock, options).connect({ env: {}, secret: () => Promise.reject(new Error("none")) });
  return provider.chat(REQUEST, { model: "m", signal: new AbortController().signal, idempotencyKey: "k", nowMs: 0, onDelta });
}

describe("an endpoint", () => {
  test("is named after its model, and takes the limits and the price of any endpoint", () => {
    const limits = { name: "mine", concurrency: 3, price: { inputPerMillion: 1, outputPerMillion: 2 } };
    expect(aiSdk(streaming([]))).toMatchObject({ kind: "endpoint", name: "m", model: "m", provider: "acme" });
    const made = aiSdk(streaming([]), limits);
    expect([made.name, made.concurrency, made.price("m")]).toEqual(["mine", 3, limits.price]);
    expect(() => aiSdk("openai/gpt" as never)).toThrow(expect.objectContaining({ code: "definition.invalid" }));
    expect(() => aiSdk(streaming([]), { prize: 1 } as never)).toThrow(expect.objectContaining({ code: "definition.invalid" }));
  });

  test("passes on the whole request, and reads the whole reply, with its pieces as they come", async () => {
    const mock = streaming([...PARTS, finish("tool-calls")]);
    const deltas: ModelDelta[] = [];
    expect(await chat(mock, { providerOptions: { acme: { speed: 1 } } }, (delta) => deltas.push(delta))).toEqual({
      text: "I look.",
      calls: [{ id: "c1", name: "search", arguments: '{"query":"sea"}' }],
      reasoning: "Hm.",
      finish: "calls",
      model: "m-2026",
      usage: { inputTokens: 7, outputTokens: 3 },
    });
    expect(deltas).toEqual([{ reasoning: "Hm." }, { text: "I " }, { text: "look." }, { tool: "search" }]);
    expect(mock.doStreamCalls[0]).toMatchObject({
      prompt: [
        { role: "system", content: "Plan." },
        { role: "user", content: [{ type: "text", text: "Where to?" }] },
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "Hm." },
            { type: "tool-call", toolCallId: "c0", toolName: "search", input: { query: "a" } },
            { type: "tool-call", toolCallId: "c9", input: {} },
          ],
        },
        { role: "tool", content: [{ toolCallId: "c0", output: { type: "text", value: '{"city":"b"}' } }, { toolCallId: "c9" }] },
      ],
      ...{ maxOutputTokens: 99, temperature: 0, seed: 5, toolChoice: { type: "auto" }, providerOptions: { acme: { speed: 1 } } },
      tools: [{ type: "function", name: "search", description: "Finds", inputSchema: { type: "object" } }],
      responseFormat: { type: "json", name: "plan", schema: { type: "object", properties: {} } },
      headers: { "idempotency-key": "k" },
    });
  });

  test("reads the same reply without a reader of its pieces", async () => {
    expect(await chat(streaming([...PARTS, finish("tool-calls")]))).toMatchObject({ text: "I look.", reasoning: "Hm.", model: "m-2026" });
  });

  test("reads a reply that is not streamed", async () => {
    const content = [{ type: "reasoning", text: "Hm." } as const, { type: "text", text: "draft" } as const];
    const mock = new MockLanguageModelV4({
      doGenerate: {
        content,
        structuredOutputText: "{}",
        finishReason: { unified: "stop", raw: "" },
        usage: { ...USAGE, outputTokens: { ...USAGE.outputTokens, total: undefined } },
        warnings: [],
      },
    });
    expect(await chat(mock, { stream: false })).toEqual({
      text: "{}",
      calls: [],
      reasoning: "Hm.",
      finish: "stop",
      model: "mock-model-id",
    });
  });

  test.each<[Finish, string]>([
    ["length", "length"],
    ["content-filter", "filter"],
    ["stop", "stop"],
    ["other", "stop"],
  ])("reads the end %s as %s", async (unified, expected) => {
    expect(await chat(streaming([{ type: "text-delta", id: "t", delta: "x" }, finish(unified)]))).toMatchObject({ finish: expected });
  });

  const apiError = (statusCode: number | undefined, responseBody = "", more: object = {}): APICallError =>
    new APICallError({
      message: "said",
      url: "x",
      requestBodyValues: {},
      responseBody,
      ...(statusCode === undefined ? {} : { statusCode }),
      ...more,
    });
  test.each<[string, () => MockLanguageModelV4, string]>([
    ["a stream without its end", () => streaming(PARTS), "model.unavailable"],
    ["an interrupted reply", () => streaming([finish("interrupted")]), "model.unavailable"],
    ["an error in the stream", () => streaming([{ type: "error", error: apiError(500) }]), "model.unavailable"],
    ["too many requests", () => failing(apiError(429)), "model.rate-limited"],
    ["no credit", () => failing(apiError(429, '{"error":{"code":"insufficient_quota"}}')), "model.quota"],
    ["a wrong key", () => failing(apiError(401)), "model.rejected"],
    ["too long a context", () => failing(apiError(400, '{"error":{"code":"context_length_exceeded"}}')), "model.context-length"],
    ["a failed connection", () => failing(apiError(undefined, "", { isRetryable: true })), "model.unavailable"],
    ["an answer that is none", () => failing(Object.assign(new Error("no JSON"), { name: "AI_JSONParseError" })), "model.malformed"],
    ["a missing key", () => failing(Object.assign(new Error("no key"), { name: "AI_LoadAPIKeyError" })), "model.rejected"],
  ])("has a code for %s", async (_what, mock, code) => {
    await expect(chat(mock())).rejects.toMatchObject({ code });
  });

  function failing(error: Error): MockLanguageModelV4 {
    return new MockLanguageModelV4({ doStream: () => Promise.reject(error) });
  }

  test("serves a model agent, with its tools and its schema", async () => {
    const { search, made } = searchTool();
    const mock = new MockLanguageModelV4({
      modelId: "m",
      doStream: async ({ prompt }) => {
        const parts = prompt.some(({ role }) => role === "tool")
          ? [{ type: "text-delta", id: "t", delta: '{"to":"sea city"}' } as const, finish("stop")]
          : [...PARTS, finish("tool-calls")];
        return streaming(parts).doStream({ prompt });
      },
    });
    const Planner = contract("Planner", 1, { input: z.object({ wish: z.string() }), output: z.object({ to: z.string() }) });
    const planner = agent(Planner, model({ instructions: "Plan the trip.", tools: [search] }));
    const main = route("main", 1, z.object({ wish: z.string() }))
      .to("plan", Planner, ({ task }) => task)
      .output(({ plan }) => plan);
    const outcome = await runLocal(system("sys", { agents: [planner], routes: [main], models: { default: aiSdk(mock) } }), main, {
      wish: "sea",
    });
    expect(outcome).toMatchObject({ status: "completed", output: { to: "sea city" } });
    expect([made, mock.doStreamCalls.length]).toEqual([["sea"], 2]);
  });
});
