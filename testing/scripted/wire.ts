/** @module What the server sends: an HTTP answer in pieces, made of a JSON document, of server-sent events, or of an error. Pure. */
import type { Json } from "../../runtime/faults.ts";

/** A piece of an HTTP body, and the pause before it. */
export interface WirePiece {
  readonly text: string;
  readonly delayMs: number;
}

/** How an answer ends: in order, by the end of the connection, or not at all. */
export const WIRE_ENDS = ["complete", "cut", "hang"] as const;

/** An HTTP answer. Without pieces and with the end `cut`, not even its head is sent. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly WirePiece[];
  readonly end: (typeof WIRE_ENDS)[number];
}

/** Pauses of an answer: before it, and before each further piece. */
export interface Delays {
  readonly delayMs: number;
  readonly pieceDelayMs: number;
}

/** Every reply names this model, so that none can pass for that of a real one. */
export const SCRIPTED = "scripted";

const UNAUTHORIZED_STATUS = 401;
const SERVER_ERROR_STATUS = 500;
const EVENT_STREAM = "text/event-stream; charset=utf-8";

/** An answer with a JSON document. */
export function jsonAnswer(status: number, content: Json, headers: Readonly<Record<string, string>> = {}, delayMs = 0): WireAnswer {
  return textAnswer(status, JSON.stringify(content), { "content-type": "application/json", ...headers }, delayMs);
}

/** An answer with a body as it is. */
export function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>>, delayMs = 0): WireAnswer {
  return { status, headers, pieces: [{ text, delayMs }], end: "complete" };
}

/** An answer that streams events as they are. */
export function streamAnswer(events: readonly string[], { delayMs, pieceDelayMs }: Delays): WireAnswer {
  const pieces = events.map((text, index) => ({ text, delayMs: index === 0 ? delayMs : pieceDelayMs }));
  return { status: 200, headers: { "content-type": EVENT_STREAM }, pieces, end: "complete" };
}

/** One server-sent event. */
export function event(data: string): string {
  return `data: ${data}\n\n`;
}

/** An error in the form of the OpenAI API. */
export function errorAnswer(status: number, code: Json, message: string, headers: Readonly<Record<string, string>> = {}): WireAnswer {
  const type =
    status === UNAUTHORIZED_STATUS ? "authentication_error" : status < SERVER_ERROR_STATUS ? "invalid_request_error" : "server_error";
  return jsonAnswer(status, { error: { message, type, param: null, code } }, headers);
}
