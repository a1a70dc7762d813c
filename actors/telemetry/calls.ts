/**
 * @module What is observed of the calls of one handler: a span for each try of a model call and each execution of a tool, tokens and
 * durations. What is sent and answered is in the spans only by opt-in.
 */
import type { Attributes } from "@opentelemetry/api";
import { isFault, type Json } from "../../runtime/faults.ts";
import type { ModelMessage, ModelReply, ModelRequest } from "../../runtime/model/conversation.ts";
import type { Trace } from "../../runtime/protocol.ts";
import type { WorkRelease } from "../../runtime/release.ts";
import type { HostMetrics } from "./metrics.ts";
import { ATTRIBUTE, CHAT, CONTENT_VARIABLE, EXECUTE_TOOL } from "./names.ts";
import { inCallSpan } from "./spans.ts";
import { promptAttributes } from "./version.ts";

/** The parts of what is observed. */
export interface CallTelemetryParts {
  readonly metrics: HostMetrics;
  readonly trace: Trace;
  readonly agent: string;
  readonly processId: string;
  readonly workId: string;
  /** Absent: the agent has no model. */
  readonly release?: WorkRelease | undefined;
}

/** One try of a model call. */
export interface ObservedChat {
  readonly model: string;
  readonly request: ModelRequest;
  /** The provider of an endpoint or of a model, as OpenTelemetry names it. */
  readonly providerOf: (endpoint: string) => string | undefined;
}

/** One execution of a tool. */
export interface ObservedTool {
  readonly tool: string;
  readonly key: string;
  readonly input: Json;
}

/** The observer of one execution of a handler. */
export class CallTelemetry {
  readonly #parts: CallTelemetryParts;

  constructor(parts: CallTelemetryParts) {
    this.#parts = parts;
  }

  /** Makes a try of a model call in a span `chat {model}`, and measures it. */
  async chat({ model, request, providerOf }: ObservedChat, attempt: () => Promise<ModelReply>): Promise<ModelReply> {
    const { metrics, trace, agent, release } = this.#parts;
    const began = performance.now();
    // The endpoint is chosen within the try, so a try that fails names the provider of the first one.
    const tried = (reply: ModelReply | undefined, code: string | undefined): void =>
      metrics.modelTried({
        ...{ agent, model, release, code, ms: performance.now() - began },
        ...{ provider: providerOf(reply?.endpoint ?? model), answered: reply?.model, usage: reply?.usage },
      });
    const span = {
      name: `${CHAT} ${model}`,
      kind: "client",
      begun: () => ({ ...this.#facts(CHAT), ...providerAttribute(providerOf(model)), ...requestAttributes(model, request) }),
      ended: (reply: ModelReply) => replyAttributes(reply, providerOf(reply.endpoint)),
    } as const;
    try {
      const reply = await inCallSpan(trace, span, attempt);
      tried(reply, undefined);
      return reply;
    } catch (error) {
      tried(undefined, isFault(error) ? error.code : "error");
      throw error;
    }
  }

  /** Runs a tool in a span `execute_tool {tool}`. */
  tool<T>({ tool, key, input }: ObservedTool, run: () => Promise<T>): Promise<T> {
    const span = {
      name: `${EXECUTE_TOOL} ${tool}`,
      kind: "internal",
      begun: () => ({
        ...this.#facts(EXECUTE_TOOL),
        [ATTRIBUTE.tool]: tool,
        [ATTRIBUTE.toolType]: "function",
        [ATTRIBUTE.toolCall]: key,
        ...content(ATTRIBUTE.toolArguments, () => input),
      }),
      ended: (output: T) => content(ATTRIBUTE.toolResult, () => output),
    } as const;
    return inCallSpan(this.#parts.trace, span, run);
  }

  #facts(operation: string): Attributes {
    const { agent, processId, workId, release } = this.#parts;
    return {
      [ATTRIBUTE.operation]: operation,
      [ATTRIBUTE.agent]: agent,
      [ATTRIBUTE.process]: processId,
      [ATTRIBUTE.conversation]: processId,
      [ATTRIBUTE.work]: workId,
      ...promptAttributes(release),
    };
  }
}

function providerAttribute(provider: string | undefined): Attributes {
  return provider === undefined ? {} : { [ATTRIBUTE.provider]: provider };
}

function requestAttributes(model: string, request: ModelRequest): Attributes {
  const { outputTokensMax, temperature, seed, answer, messages } = request;
  return {
    [ATTRIBUTE.requestModel]: model,
    [ATTRIBUTE.maxTokens]: outputTokensMax,
    [ATTRIBUTE.outputType]: answer === undefined ? "text" : "json",
    ...(temperature === undefined ? {} : { [ATTRIBUTE.temperature]: temperature }),
    ...(seed === undefined ? {} : { [ATTRIBUTE.seed]: seed }),
    ...content(ATTRIBUTE.inputMessages, () => messages.map(messageContent)),
  };
}

function replyAttributes(reply: ModelReply, provider: string | undefined): Attributes {
  const { model, endpoint, finish, usage } = reply;
  return {
    [ATTRIBUTE.responseModel]: model,
    [ATTRIBUTE.endpoint]: endpoint,
    [ATTRIBUTE.finishReasons]: [FINISH_REASONS[finish]],
    ...providerAttribute(provider),
    ...(usage === undefined ? {} : { [ATTRIBUTE.inputTokens]: usage.inputTokens, [ATTRIBUTE.outputTokens]: usage.outputTokens }),
    ...content(ATTRIBUTE.outputMessages, () => [
      { ...messageContent({ role: "assistant", ...reply }), finish_reason: FINISH_REASONS[finish] },
    ]),
  };
}

const FINISH_REASONS: Readonly<Record<ModelReply["finish"], string>> = {
  stop: "stop",
  calls: "tool_call",
  length: "length",
  filter: "content_filter",
};

/** A message in the form of the conventions: its role and its parts. */
function messageContent(message: ModelMessage): { readonly role: string; readonly parts: readonly object[] } {
  const { role, text } = message;
  if (role === "tool") return { role, parts: [{ type: "tool_call_response", id: message.callId, response: text }] };
  const calls = role === "assistant" ? message.calls : [];
  return {
    role,
    parts: [
      ...(text === "" ? [] : [{ type: "text", content: text }]),
      ...calls.map(({ id, name, arguments: given }) => ({ type: "tool_call", id, name, arguments: given })),
    ],
  };
}

function content(name: string, of: () => unknown): Attributes {
  return process.env[CONTENT_VARIABLE] === "true" ? { [name]: JSON.stringify(of()) } : {};
}
