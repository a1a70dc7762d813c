/** @module The form of a reply on the wire: Chat Completions as one JSON document or as server-sent events. Pure. */
import type { Json } from "../../runtime/faults.ts";
import type { ScriptedReply } from "./reply.ts";

/** A piece of an HTTP body, and the pause before it. */
export interface WirePiece {
  readonly text: string;
  readonly delayMs: number;
}

/** An HTTP answer. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly WirePiece[];
  /** How it ends: in order, by a reset of the connection, or not at all. */
  readonly end: "complete" | "cut" | "hang";
}

/** Every reply says by this name that it is not of a real model: as `model` and in `system_fingerprint`. */
export const SCRIPTED = "scripted";

/** A chunk of a stream: an object, or a text that is sent as it is. */
export type Chunk = { readonly [key: string]: Json };

/** Facts of a reply that do not come from the script. */
export interface WireFacts {
  readonly id: string;
  readonly createdSeconds: number;
  /** The client asked for a chunk with the usage. */
  readonly wantsUsage: boolean;
}

const WORDS = /\s*\S+\s*/g;
/** Pieces into which the arguments of a call are split. */
const ARGUMENT_CHARS = 12;
const FINISH_TEXTS = { stop: "stop", calls: "tool_calls", length: "length", filter: "content_filter" } as const;

/** The whole reply as one document. */
export function wholeDocument(reply: ScriptedReply, facts: WireFacts): Chunk {
  const { text, calls, refusal, reasoning } = reply;
  const message = {
    role: "assistant",
    content: text === "" && (calls.length > 0 || refusal !== undefined) ? null : text,
    refusal: refusal ?? null,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => toolCall(call.id, call.name, call.arguments)) }),
  };
  return {
    ...head("chat.completion", facts),
    choices: [{ index: 0, message, logprobs: null, finish_reason: FINISH_TEXTS[reply.finish] }],
    usage: usageOf(reply),
  };
}

/** The reply as the chunks of a stream, without the final `[DONE]`. */
export function chunksOf(reply: ScriptedReply, facts: WireFacts): readonly Chunk[] {
  const chunk = (delta: Chunk, finish: string | null = null): Chunk => ({
    ...head("chat.completion.chunk", facts),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(facts.wantsUsage ? { usage: null } : {}),
  });
  const calls = reply.calls.flatMap((call, index) => [
    chunk({ tool_calls: [{ index, ...toolCall(call.id, call.name, "") }] }),
    ...split(call.arguments, ARGUMENT_CHARS).map((part) => chunk({ tool_calls: [{ index, function: { arguments: part } }] })),
  ]);
  const usage = { ...head("chat.completion.chunk", facts), choices: [], usage: usageOf(reply) };
  return [
    chunk({ role: "assistant", content: reply.calls.length > 0 && reply.text === "" ? null : "" }),
    ...words(reply.reasoning ?? "").map((part) => chunk({ reasoning_content: part })),
    ...words(reply.text).map((part) => chunk({ content: part })),
    ...words(reply.refusal ?? "").map((part) => chunk({ refusal: part })),
    ...calls,
    chunk({}, FINISH_TEXTS[reply.finish]),
    ...(facts.wantsUsage ? [usage] : []),
  ];
}

/** The answer with the whole reply. */
export function wholeAnswer(reply: ScriptedReply, facts: WireFacts): WireAnswer {
  return jsonAnswer(200, wholeDocument(reply, facts), {}, reply.delayMs);
}

/** The answer that streams the reply. */
export function streamedAnswer(reply: ScriptedReply, facts: WireFacts): WireAnswer {
  return streamAnswer([...chunksOf(reply, facts).map((chunk) => JSON.stringify(chunk)), "[DONE]"], reply);
}

/** An answer that streams the given data, one event each. */
export function streamAnswer(data: readonly string[], delays: Pick<ScriptedReply, "delayMs" | "pieceDelayMs">): WireAnswer {
  const pieces = data.map((item, index) => ({ text: `data: ${item}\n\n`, delayMs: index === 0 ? delays.delayMs : delays.pieceDelayMs }));
  return { status: 200, headers: { "content-type": "text/event-stream; charset=utf-8" }, pieces, end: "complete" };
}

/** An answer with a JSON document. */
export function jsonAnswer(status: number, content: Json, headers: Readonly<Record<string, string>> = {}, delayMs = 0): WireAnswer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    pieces: [{ text: JSON.stringify(content), delayMs }],
    end: "complete",
  };
}

/** An error in the form of the OpenAI API. */
export function errorAnswer(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}): WireAnswer {
  const type = status === 401 ? "authentication_error" : status < 500 ? "invalid_request_error" : "server_error";
  return jsonAnswer(status, { error: { message, type, param: null, code } }, headers);
}

function head(object: string, { id, createdSeconds }: WireFacts): Chunk {
  return { id, object, created: createdSeconds, model: SCRIPTED, system_fingerprint: SCRIPTED };
}

function usageOf({ usage: { inputTokens, outputTokens } }: ScriptedReply): Chunk {
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
}

function toolCall(id: string, name: string, text: string): { readonly id: string; readonly type: string; readonly function: Chunk } {
  return { id, type: "function", function: { name, arguments: text } };
}

function words(text: string): readonly string[] {
  return text.match(WORDS) ?? (text === "" ? [] : [text]);
}

function split(text: string, length: number): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += length) parts.push(text.slice(at, at + length));
  return parts;
}
