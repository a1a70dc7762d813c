/**
 * @module Reads the answers of a server: a body or a stream, an error, a failed connection.
 */
import { Fault, isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { faultOfAnswer, malformed } from "../../runtime/model/chat-faults.ts";
import { type ChatReply, replyOfBody, type ReplyParts } from "../../runtime/model/chat-reply.ts";
import { ChatStream, cut } from "../../runtime/model/chat-stream.ts";
import type { ModelRequest } from "../../runtime/model/conversation.ts";
import type { ProviderCall } from "./endpoint.ts";

/** An answer whose status is an error, thrown through the `openai` package. */
export class HttpAnswer extends Error {
  readonly response: Response;
  readonly body: string;

  constructor(response: Response, body: string) {
    super("an answer with an error status");
    this.response = response;
    this.body = body;
  }
}

/** Reads a reply, streamed or not. @throws `model.*` */
export async function readReply(response: Response, request: ModelRequest, call: ProviderCall): Promise<ChatReply> {
  const parts = partsOf(response, request, call);
  const type = response.headers.get("content-type") ?? "";
  // Some servers do not stream although they were told to.
  if (!type.includes("event-stream") && (type.includes("json") || response.body === null))
    return replyOfBody(await textOfBody(response), parts);
  const stream = new ChatStream(parts);
  const pieces = piecesOf(response);
  for await (const piece of pieces) {
    for (const delta of stream.push(piece)) call.onDelta?.(delta);
    if (stream.done) break;
  }
  return stream.end();
}

function partsOf(response: Response, { messages }: ModelRequest, { model, nowMs }: ProviderCall): ReplyParts {
  const ids = messages.flatMap((message) => (message.role === "assistant" ? message.calls.map(({ id }) => id) : []));
  return { header: headerOf(response), nowMs, model, knownIds: new Set(ids) };
}

function headerOf(response: Response): ReplyParts["header"] {
  return (name) => response.headers.get(name) ?? undefined;
}

/** The whole body as text. */
export async function textOfBody(response: Response): Promise<string> {
  let text = "";
  for await (const piece of piecesOf(response)) text += piece;
  return text;
}

/** How long the end of a stream is awaited after its end mark, so that its connection can be used again. */
const END_MS_MAX = 1_000;

async function* piecesOf(response: Response): AsyncGenerator<string, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let bytes = 0;
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isOver = done;
      if (done) break;
      bytes += value.byteLength;
      if (bytes > LIMITS.modelBodyBytesMax) throw malformed(`its body has more than ${LIMITS.modelBodyBytesMax} bytes`, "");
      yield decoder.decode(value, { stream: true });
    }
    yield decoder.decode();
  } finally {
    if (!isOver) void finish(reader, bytes > LIMITS.modelBodyBytesMax);
  }
}

async function finish(reader: ReadableStreamDefaultReader<Uint8Array>, atOnce: boolean): Promise<void> {
  const cancel = (): void => void reader.cancel().catch(() => {});
  if (atOnce) return cancel();
  const timer = setTimeout(cancel, END_MS_MAX);
  try {
    while (!(await reader.read()).done);
  } catch {
    // The connection has ended.
  } finally {
    clearTimeout(timer);
  }
}

/** Errors of connections that never came to be: nothing was sent. */
const UNSENT: ReadonlySet<string> = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"],
  ...["CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "ERR_TLS_CERT_ALTNAME_INVALID"],
]);

/** What fetch says of a port that the Fetch standard blocks ("bad port"). It has no code. */
const BAD_PORT = "bad port";

/** The fault of what a request threw: an answer with an error status, a failed connection, or a cut one. */
export function faultOfThrown(error: unknown, { signal, nowMs }: ProviderCall): Fault {
  const chain = causesOf(error);
  const answer = chain.find((one) => one instanceof HttpAnswer);
  if (answer !== undefined)
    return faultOfAnswer({ status: answer.response.status, header: headerOf(answer.response), body: answer.body }, nowMs);
  const known = chain.find(isFault);
  if (known !== undefined) return known;
  if (signal.aborted) return isFault(signal.reason) ? signal.reason : new Fault("model.unavailable", "the model call was cancelled");
  const codes = chain.flatMap((one) => (one instanceof Error && "code" in one && typeof one.code === "string" ? [one.code] : []));
  const unsent = codes.find((code) => UNSENT.has(code));
  if (unsent !== undefined) return new Fault("model.unavailable", `the provider cannot be reached: ${unsent}`, { sent: false });
  if (chain.some((one) => one instanceof Error && one.message === BAD_PORT))
    return new Fault("model.rejected", "fetch refuses the port of the base URL, which browsers block too; use another port", {
      sent: false,
    });
  if (chain.some((one) => one instanceof Error && /terminated|aborted|socket hang up/i.test(one.message))) return cut();
  return new Fault("model.unavailable", `the connection to the provider failed${codes[0] === undefined ? "" : `: ${codes[0]}`}`);
}

function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let next: unknown = error; next !== undefined && next !== null && chain.length < LIMITS.faultCausesMax * 2;) {
    chain.push(next);
    if (next instanceof AggregateError) chain.push(...next.errors);
    next = next instanceof Error ? next.cause : undefined;
  }
  return chain;
}
