/** @module The parts of which the table of shapes is made: answers of servers, and what they are. */
import type { FaultCode } from "../../runtime/faults.ts";
import type { ChatReply } from "../../runtime/model/chat-reply.ts";
import type { AskedCall } from "../../runtime/model/conversation.ts";

/** What a server sends. */
export interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The connection ends after the body without the end of the response. */
  readonly cut?: boolean;
}

/** Parts of a reply. */
export interface ExpectedReply extends Omit<Partial<ChatReply>, "calls"> {
  readonly calls?: readonly Readonly<AskedCall>[];
}

/** What an answer is: parts of the reply and what it must not have, or a fault. */
export type ShapeEnd =
  | { readonly reply: ExpectedReply; readonly without?: readonly (keyof ChatReply)[] }
  | { readonly fault: FaultCode; readonly retryAfterMs?: number | undefined };

/** One row of the table. */
export interface Shape {
  readonly name: string;
  /** Whether the request asked for a stream. */
  readonly streamed: boolean;
  readonly sent: Sent;
  readonly end: ShapeEnd;
}

export const MODEL = "test-model";
export const USAGE = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };
export const JSON_TYPE = { "content-type": "application/json" };
const STREAM_TYPE = { "content-type": "text/event-stream" };

export type Body = Readonly<Record<string, unknown>>;

/** A row whose answer is one body. */
export function whole(
  name: string,
  body: Body | string,
  end: ShapeEnd,
  status = 200,
  headers: Readonly<Record<string, string>> = JSON_TYPE,
): Shape {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { name, streamed: false, sent: { status, headers, body: text }, end };
}

/** A row whose answer is a stream: objects are chunks, texts are lines as they are. */
export function stream(name: string, events: readonly (Body | string)[], end: ShapeEnd, more: { readonly cut?: boolean } = {}): Shape {
  const body = events.map((event) => (typeof event === "string" ? event : `data: ${JSON.stringify(event)}\n\n`)).join("");
  return { name, streamed: true, sent: { status: 200, headers: STREAM_TYPE, body, ...more }, end };
}

export const message = (fields: Body, finish: unknown = "stop", more: Body = {}): Body => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  model: MODEL,
  choices: [{ index: 0, message: { role: "assistant", ...fields }, finish_reason: finish }],
  usage: USAGE,
  ...more,
});

export const chunk = (delta: Body, finish: unknown = null, more: Body = {}): Body => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  model: MODEL,
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});

export const call = (id: unknown, name: unknown, args: unknown): Body => ({ id, type: "function", function: { name, arguments: args } });
export const piece = (fields: Body, asked: Body): Body => chunk({ tool_calls: [{ ...fields, function: asked }] });
export const usageChunk: Body = { id: "chatcmpl-1", object: "chat.completion.chunk", model: MODEL, choices: [], usage: USAGE };
export const DONE = "data: [DONE]\n\n";
export const FIRST = chunk({ role: "assistant", content: "" });
export const USED = { inputTokens: 12, outputTokens: 3 };
export const HELLO = { text: "Hello.", calls: [], finish: "stop" } as const;
export const PAY = { name: "pay", arguments: '{"amount":10}' } as const;
export const MAIL = { name: "mail", arguments: "{}" } as const;
export const PAYS = { calls: [{ id: "a", ...PAY }], finish: "calls" } as const;
export const PAYS_AND_MAILS = {
  calls: [
    { id: "a", ...PAY },
    { id: "b", ...MAIL },
  ],
} as const;
export const PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>";
