/** @module Promises of the adapter of OpenAI's Agents SDK: what is recorded is not bought again, and a record holds no secret. */
import { Agent, type Model, type ModelRequest, type ModelResponse, Runner, type StreamEvent, Usage } from "@openai/agents";
import { describe, expect, test } from "vitest";
import { recorded, toolList } from "../../adapters/openai-agents/index.ts";
import { runLocal } from "../../testing/index.ts";
import { EXECUTIONS, searchTool, Steps, thrice } from "./rig.ts";

const runner = new Runner({ tracingDisabled: true });

function response(output: ModelResponse["output"]): ModelResponse {
  return {
    output,
    usage: new Usage({ requests: 1, inputTokens: 7, outputTokens: 3, totalTokens: 10 }),
    responseId: "r1",
    providerData: { headers: { "x-secret": "secret" } },
  };
}

const message = (text: string): ModelResponse["output"][number] => ({
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text }],
});
const call = (query: string, callId = "c1"): ModelResponse["output"][number] => ({
  type: "function_call",
  callId,
  name: "search",
  status: "completed",
  arguments: JSON.stringify({ query }),
});

/** A model that counts what it is asked, and answers as the test says. */
class FakeModel implements Model {
  readonly requests: ModelRequest[] = [];
  readonly #answer: (request: ModelRequest) => ModelResponse;

  constructor(answer: (request: ModelRequest) => ModelResponse) {
    this.#answer = answer;
  }

  async getResponse(request: ModelRequest): Promise<ModelResponse> {
    this.requests.push(request);
    return this.#answer(request);
  }

  async *getStreamedResponse(request: ModelRequest): AsyncGenerator<StreamEvent> {
    this.requests.push(request);
    const { output, usage } = this.#answer(request);
    yield { type: "response_started" };
    for (const delta of ["Go to ", "sea city."]) yield { type: "output_text_delta", delta };
    yield { type: "model", event: { secret: "of the provider" } };
    const counted = { requests: 1, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, totalTokens: usage.totalTokens };
    yield { type: "response_done", response: { id: "r1", usage: counted, output } } as StreamEvent;
  }
}

/** Calls the tool, then answers. */
function twoReplies(): FakeModel {
  return new FakeModel(({ input }) =>
    response(
      Array.isArray(input) && input.some((item) => item.type === "function_call_result") ? [message("Go to sea city.")] : [call("sea")],
    ),
  );
}

describe("a handler with a run of its own, executed three times", () => {
  test("buys each reply once and calls each tool once", async () => {
    const { search, made } = searchTool();
    const model = twoReplies();
    let runs = 0;
    const outcome = await runLocal(
      thrice([search], async (ctx) => {
        const guide = new Agent({ name: "Guide", instructions: "Help.", model: recorded(ctx, model), tools: toolList(ctx, [search]) });
        const result = await runner.run(guide, "Where to?");
        runs += 1;
        expect(result.state.usage.totalTokens).toBe(20);
        return String(result.finalOutput);
      }),
      "main",
      "x",
    );
    expect(outcome).toMatchObject({ status: "completed", output: "Go to sea city." });
    expect([model.requests.length, made, runs]).toEqual([2, ["sea"], EXECUTIONS]);
    expect(model.requests[0]?.tools).toMatchObject([{ type: "function", name: "search", description: "Finds a city" }]);
    expect(JSON.stringify(model.requests[1]?.input)).toContain("sea city");
  });

  test("buys each streamed reply once", async () => {
    const { search, made } = searchTool();
    const model = twoReplies();
    const texts: string[] = [];
    const outcome = await runLocal(
      thrice([search], async (ctx) => {
        const guide = new Agent({ name: "Guide", instructions: "Help.", model: recorded(ctx, model), tools: toolList(ctx, [search]) });
        const result = await runner.run(guide, "Where to?", { stream: true });
        let text = "";
        for await (const event of result)
          if (event.type === "raw_model_stream_event" && event.data.type === "output_text_delta") text += event.data.delta;
        await result.completed;
        texts.push(text);
        return String(result.finalOutput);
      }),
      "main",
      "x",
    );
    expect(outcome).toMatchObject({ status: "completed", output: "Go to sea city." });
    expect([model.requests.length, made]).toEqual([2, ["sea"]]);
    // Pieces of texts are shown while a reply is received, and are not recorded.
    expect(texts).toEqual(["Go to sea city.".repeat(2), "", ""]);
  });

  test("is tried again by its stop after a fault that may pass, with the replies before it from the records", async () => {
    const { search } = searchTool();
    let failures = 0;
    const model = new FakeModel(({ input }) => {
      if (!Array.isArray(input) || !input.some((item) => item.type === "function_call_result")) return response([call("sea")]);
      failures += 1;
      if (failures === 1) throw Object.assign(new Error("overloaded"), { status: 503, headers: new Headers() });
      return response([message("Done.")]);
    });
    const outcome = await runLocal(
      thrice([search], async (ctx) => {
        const guide = new Agent({ name: "Guide", model: recorded(ctx, model), tools: toolList(ctx, [search]) });
        return String((await runner.run(guide, "Where to?")).finalOutput);
      }),
      "main",
      "x",
    );
    expect(outcome.history.map(({ code }) => code)).toContain("model.unavailable");
    expect(model.requests).toHaveLength(3);
  });
});

describe("a record", () => {
  const REQUEST: ModelRequest = { input: "one", modelSettings: {}, tools: [], outputType: "text", handoffs: [], tracing: false };

  test("is found again with another signal, and not with another input or setting; it holds nothing raw", async () => {
    const steps = new Steps();
    const model = new FakeModel(() => response([message("hi")]));
    const ask = (more: Partial<ModelRequest>): Promise<ModelResponse> => recorded(steps.next(), model).getResponse({ ...REQUEST, ...more });
    const first = await ask({});
    const again = await ask({ signal: new AbortController().signal, tracing: true });
    expect(again).toEqual(first);
    expect(again.usage).toBeInstanceOf(Usage);
    expect(model.requests).toHaveLength(1);
    await ask({ input: "two" });
    await ask({ modelSettings: { temperature: 0.5 } });
    expect(model.requests).toHaveLength(3);
    expect(JSON.stringify([...steps.records])).not.toContain("secret");
  });

  test("of a stream gives what the library acts on only when it is complete", async () => {
    const steps = new Steps();
    const gate = Promise.withResolvers<void>();
    const model: Model = {
      getResponse: () => Promise.reject(new Error("not called")),
      getStreamedResponse: async function* (request) {
        for await (const event of twoReplies().getStreamedResponse(request)) {
          if (event.type === "response_done") await gate.promise;
          yield event;
        }
      },
    };
    const events = recorded(steps.next(), model).getStreamedResponse(REQUEST)[Symbol.asyncIterator]();
    const types: unknown[] = [];
    for (let count = 0; count < 3; count += 1) types.push((await events.next()).value?.type);
    expect([types, steps.records.size]).toEqual([["response_started", "output_text_delta", "output_text_delta"], 0]);
    gate.resolve();
    expect((await events.next()).value?.type).toBe("response_done");
    expect([(await events.next()).done, steps.records.size]).toEqual([true, 1]);
    expect(JSON.stringify([...steps.records])).not.toContain("of the provider");
  });

  test("of a stream that breaks does not exist", async () => {
    const steps = new Steps();
    const broken: Model = {
      getResponse: () => Promise.reject(new Error("not called")),
      getStreamedResponse: async function* () {
        yield { type: "response_started" };
        throw Object.assign(new Error("Connection error."), { name: "Error" });
      },
    };
    const read = async (): Promise<void> => {
      for await (const _event of recorded(steps.next(), broken).getStreamedResponse(REQUEST));
    };
    await expect(read()).rejects.toMatchObject({ code: "model.unavailable" });
    expect(steps.records.size).toBe(0);
  });
});
