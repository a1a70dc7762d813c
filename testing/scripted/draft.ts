/**
 * @module A reply on its way to the wire: Chat Completions as one document or as chunks. Pure.
 *
 * The parts are JSON of any type, so that shapes and manglings can send what servers should not send.
 */
import type { Json } from "../../runtime/faults.ts";
import type { ScriptedReply } from "./reply.ts";
import { event, jsonAnswer, SCRIPTED, streamAnswer, type WireAnswer } from "./wire.ts";

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A tool call. Undefined parts are not sent. */
export interface DraftCall {
  readonly id: Json | undefined;
  readonly index: Json | undefined;
  readonly name: Json | undefined;
  readonly arguments: Json;
}

/** A reply in the terms of the protocol. */
export interface Draft {
  readonly content: Json;
  readonly reasoning: string | undefined;
  readonly refusal: Json;
  readonly calls: readonly DraftCall[];
  readonly finish: Json;
  readonly usage: JsonObject | undefined;
  /** Further fields of the message. */
  readonly more: JsonObject;
}

/** One chunk of a stream. */
export interface DraftChunk {
  /** Undefined: a chunk without choices. */
  readonly delta: JsonObject | undefined;
  readonly finish: Json;
  /** Further fields of the chunk. */
  readonly more?: JsonObject | undefined;
}

/** Facts of a reply that do not come from the script. */
export interface WireFacts {
  readonly id: string;
  readonly createdSeconds: number;
  readonly isStreamed: boolean;
  /** The client asked for a chunk with the usage. */
  readonly wantsUsage: boolean;
}

/** The end mark of a stream. */
export const DONE = event("[DONE]");

const WORDS = /\s*\S+\s*/g;
/** Characters of the pieces into which the arguments of a call are split. */
const ARGUMENT_PIECE_CHARS = 12;
const FINISH_TEXTS = { stop: "stop", calls: "tool_calls", length: "length", filter: "content_filter" } as const;

/** The reply in the terms of the protocol. */
export function draftOf({ text, calls, refusal, reasoning, finish, usage: { inputTokens, outputTokens } }: ScriptedReply): Draft {
  return {
    content: text === "" && (calls.length > 0 || refusal !== undefined) ? null : text,
    reasoning,
    refusal: refusal ?? null,
    calls: calls.map((call, index) => ({ id: call.id, index, name: call.name, arguments: call.arguments })),
    finish: FINISH_TEXTS[finish],
    usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens },
    more: {},
  };
}

/** The whole reply as one document. */
export function documentOf(draft: Draft, facts: WireFacts): JsonObject {
  const { content, reasoning, refusal, calls, finish, usage, more } = draft;
  const message = {
    role: "assistant",
    content,
    refusal,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => callOf(call, call.arguments)) }),
    ...more,
  };
  return {
    ...head("chat.completion", facts),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The reply as the chunks of a stream, without the end mark. */
export function chunksOf(draft: Draft, { wantsUsage }: WireFacts): readonly DraftChunk[] {
  const { content, reasoning, refusal, calls, finish, usage, more } = draft;
  const delta = (fields: JsonObject): DraftChunk => ({ delta: fields, finish: null });
  return [
    delta({ role: "assistant", content: calls.length > 0 && content === null ? null : "" }),
    ...words(reasoning ?? "").map((part) => delta({ reasoning_content: part })),
    ...(typeof content === "string" ? words(content) : content === null ? [] : [content]).map((part) => delta({ content: part })),
    ...(typeof refusal === "string" ? words(refusal) : refusal === null ? [] : [refusal]).map((part) => delta({ refusal: part })),
    ...calls.flatMap(callChunks),
    ...(Object.keys(more).length === 0 ? [] : [delta(more)]),
    { delta: {}, finish },
    ...(wantsUsage && usage !== undefined ? [{ delta: undefined, finish: null, more: { usage } }] : []),
  ];
}

/** A chunk as an event. */
export function chunkEvent({ delta, finish, more = {} }: DraftChunk, facts: WireFacts): string {
  const choices = delta === undefined ? [] : [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return event(JSON.stringify({ ...head("chat.completion.chunk", facts), choices, ...more }));
}

/** The answer that sends a reply in order. */
export function answerOf(draft: Draft, reply: ScriptedReply, facts: WireFacts): WireAnswer {
  if (!facts.isStreamed) return jsonAnswer(200, documentOf(draft, facts), {}, reply.delayMs);
  return streamAnswer([...chunksOf(draft, facts).map((chunk) => chunkEvent(chunk, facts)), DONE], reply);
}

/** The chunks of one call: id and name first, then the arguments in pieces. */
function callChunks(call: DraftCall): readonly DraftChunk[] {
  const { index } = call;
  const parts = typeof call.arguments === "string" ? split(call.arguments, ARGUMENT_PIECE_CHARS) : [call.arguments];
  const place = index === undefined ? {} : { index };
  return [callOf(call, ""), ...parts.map((part) => ({ function: { arguments: part } }))].map((fields) => ({
    delta: { tool_calls: [{ ...place, ...fields }] },
    finish: null,
  }));
}

function callOf({ id, name }: DraftCall, argumentsSent: Json): JsonObject {
  const called = { ...(name === undefined ? {} : { name }), arguments: argumentsSent };
  return { ...(id === undefined ? {} : { id }), type: "function", function: called };
}

function head(object: string, { id, createdSeconds }: WireFacts): JsonObject {
  return { id, object, created: createdSeconds, model: SCRIPTED, system_fingerprint: SCRIPTED };
}

function words(text: string): readonly string[] {
  return text.match(WORDS) ?? (text === "" ? [] : [text]);
}

function split(text: string, length: number): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += length) parts.push(text.slice(at, at + length));
  return parts;
}
