/**
 * @module Any language model of the AI SDK as an endpoint of the gateway: `models: { fast: aiSdk(anthropic("...")) }`. Model agents then
 * call it with all that holds for them: records, budgets, permissions, retries.
 */
import type { Endpoint, EndpointLimits, ModelPrice, Provider, ProviderCall } from "../../agents/index.ts";
import { endpoint, LIMIT_OPTIONS } from "../../agents/model/endpoint.ts";
import { invalid, requireKeys } from "../../agents/definition.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import type { ModelDelta, ModelMessage, ModelReply, ModelRequest } from "../../runtime/model/conversation.ts";
import { faultOfModel } from "../recorded-call.ts";
import type { AiSdkModel, StreamPart } from "./recorded.ts";

/** Options of {@link aiSdk}. */
export interface AiSdkOptions extends EndpointLimits {
  /** Unique within a system. @default the model's id */
  readonly name?: string | undefined;
  /** The provider as OpenTelemetry names it. @default the first part of what the model says, such as `anthropic` */
  readonly provider?: string | undefined;
  readonly contextTokens?: number | undefined;
  /** The price of the model. @default unknown, which budgets of money refuse */
  readonly price?: ModelPrice | undefined;
  /** Further options of the provider, as the AI SDK documents them. */
  readonly providerOptions?: Parameters<AiSdkModel["doGenerate"]>[0]["providerOptions"];
  /** Whether replies are streamed. @default true */
  readonly stream?: boolean | undefined;
}

type Params = Parameters<AiSdkModel["doGenerate"]>[0];
type Prompt = Params["prompt"];
type Content = Awaited<ReturnType<AiSdkModel["doGenerate"]>>["content"][number];
type Finish = Awaited<ReturnType<AiSdkModel["doGenerate"]>>["finishReason"]["unified"];
type Usage = Awaited<ReturnType<AiSdkModel["doGenerate"]>>["usage"];
type Reply = Omit<ModelReply, "endpoint">;

const OPTIONS = ["name", "provider", "contextTokens", "price", "providerOptions", "stream", ...LIMIT_OPTIONS];

/** Makes an endpoint of a language model of the AI SDK. @throws `definition.invalid` */
export function aiSdk(model: AiSdkModel, options: AiSdkOptions = {}): Endpoint {
  requireKeys(options, "aiSdk", OPTIONS);
  if (typeof model !== "object" || model?.specificationVersion !== "v4")
    throw invalid("aiSdk", "the first argument must be a language model of AI SDK 7, such as openai.chat(name)");
  const {
    name = model.modelId,
    provider = model.provider.split(".")[0] ?? model.provider,
    providerOptions,
    stream = true,
    ...rest
  } = options;
  return endpoint({ ...rest, name, model: model.modelId, provider, connect: () => providerOf(model, providerOptions, stream) });
}

function providerOf(model: AiSdkModel, providerOptions: AiSdkOptions["providerOptions"], stream: boolean): Provider {
  return {
    chat: async (request, call) => {
      const params: Params = { ...paramsOf(request, call), ...(providerOptions === undefined ? {} : { providerOptions }) };
      try {
        return stream ? await streamed(model, params, call) : await generated(model, params);
      } catch (error) {
        throw faultOfModel(error, call.signal, call.nowMs);
      }
    },
  };
}

// ---- requests -------------------------------------------------------------------------------------------------------

function paramsOf(request: ModelRequest, { signal, idempotencyKey }: ProviderCall): Params {
  const { tools, toolChoice, answer, temperature, seed } = request;
  type Schema = Extract<NonNullable<Params["tools"]>[number], { type: "function" }>["inputSchema"];
  return {
    prompt: promptOf(request.messages),
    maxOutputTokens: request.outputTokensMax,
    ...(temperature === undefined ? {} : { temperature }),
    ...(seed === undefined ? {} : { seed }),
    ...(tools.length === 0
      ? {}
      : {
          // A JSON Schema is one also if its dialect is newer.
          tools: tools.map(({ name, about, input }) => ({ type: "function", name, description: about, inputSchema: input as Schema })),
          toolChoice: { type: toolChoice },
        }),
    ...(answer === undefined ? {} : { responseFormat: { type: "json", name: answer.name, schema: answer.schema as Schema } }),
    abortSignal: signal,
    headers: { "idempotency-key": idempotencyKey },
  };
}

function promptOf(messages: readonly ModelMessage[]): Prompt {
  const prompt: Prompt = [];
  for (const message of messages) {
    const last = prompt.at(-1);
    if (message.role === "tool") {
      const result = toolResult(message);
      if (last?.role === "tool") last.content.push(result);
      else prompt.push({ role: "tool", content: [result] });
    } else prompt.push(spoken(message));
  }
  return prompt;
}

function toolResult({
  callId,
  name,
  text,
}: Extract<ModelMessage, { role: "tool" }>): Extract<
  Extract<Prompt[number], { role: "tool" }>["content"][number],
  { type: "tool-result" }
> {
  return { type: "tool-result", toolCallId: callId, toolName: name, output: { type: "text", value: text } };
}

function spoken(message: Exclude<ModelMessage, { role: "tool" }>): Prompt[number] {
  if (message.role !== "assistant")
    return message.role === "system"
      ? { role: "system", content: message.text }
      : { role: "user", content: [{ type: "text", text: message.text }] };
  const { text, calls, reasoning } = message;
  return {
    role: "assistant",
    content: [
      ...(reasoning === undefined || calls.length === 0 ? [] : [{ type: "reasoning" as const, text: reasoning }]),
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...calls.map((call) => ({ type: "tool-call" as const, toolCallId: call.id, toolName: call.name, input: readable(call.arguments) })),
    ],
  };
}

/** Calls with arguments that are no JSON were not made, and the conversation says so. */
function readable(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

// ---- replies --------------------------------------------------------------------------------------------------------

async function generated(model: AiSdkModel, params: Params): Promise<Reply> {
  const { content, finishReason, usage, response, structuredOutputText } = await model.doGenerate(params);
  const collected = new Collected(response?.modelId ?? model.modelId);
  for (const part of content) collected.part(part);
  return collected.reply(finishReason.unified, usage, structuredOutputText);
}

async function streamed(model: AiSdkModel, params: Params, { onDelta }: ProviderCall): Promise<Reply> {
  const { stream } = await model.doStream(params);
  const collected = new Collected(model.modelId);
  let end: Extract<StreamPart, { type: "finish" }> | undefined;
  const reader = stream.getReader();
  for (;;) {
    const { done, value: part } = await reader.read();
    if (done) break;
    if (part.type === "error") throw part.error;
    if (part.type === "finish") end = part;
    collected.stream(part);
    const delta = deltaOf(part);
    if (delta !== undefined) onDelta?.(delta);
  }
  if (end === undefined) throw cut();
  return collected.reply(end.finishReason.unified, end.usage, undefined);
}

function deltaOf(part: StreamPart): ModelDelta | undefined {
  if (part.type === "text-delta") return { text: part.delta };
  if (part.type === "reasoning-delta") return { reasoning: part.delta };
  return part.type === "tool-input-start" ? { tool: part.toolName } : undefined;
}

function cut(): Fault {
  return new Fault("model.unavailable", "the provider's answer was cut before its end");
}

/** A reply while it is collected. */
class Collected {
  model: string;
  #text = "";
  #reasoning = "";
  readonly #calls: ModelReply["calls"] = [];

  constructor(model: string) {
    this.model = model;
  }

  stream(part: StreamPart): void {
    if (part.type === "text-delta") this.#text += part.delta;
    else if (part.type === "reasoning-delta") this.#reasoning += part.delta;
    else if (part.type === "response-metadata") this.model = part.modelId ?? this.model;
    else if (part.type === "tool-call") this.part(part);
  }

  part(part: Content): void {
    if (part.type === "text") this.#text += part.text;
    else if (part.type === "reasoning") this.#reasoning += part.text;
    // Calls that the provider itself made are over.
    else if (part.type === "tool-call" && part.providerExecuted !== true)
      this.#calls.push({ id: part.toolCallId, name: part.toolName, arguments: part.input });
  }

  reply(finish: Finish, usage: Usage, answer: string | undefined): Reply {
    if (finish === "interrupted" || finish === "error") throw cut();
    const { inputTokens, outputTokens } = usage;
    const counted = inputTokens.total !== undefined && outputTokens.total !== undefined;
    return {
      text: answer ?? this.#text,
      calls: this.#calls,
      ...(this.#reasoning === "" ? {} : { reasoning: this.#reasoning }),
      finish: FINISH[finish] ?? (this.#calls.length > 0 ? "calls" : "stop"),
      model: this.model,
      ...(counted ? { usage: { inputTokens: inputTokens.total ?? 0, outputTokens: outputTokens.total ?? 0 } } : {}),
    };
  }
}

const FINISH: Readonly<Partial<Record<Finish, ModelReply["finish"]>>> = {
  length: "length",
  "content-filter": "filter",
};
