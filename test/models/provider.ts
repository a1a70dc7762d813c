/** @module An endpoint at a scripted model, and requests to it. */
import { openai, type OpenAiOptions } from "../../agents/model/openai.ts";
import type { Provider } from "../../agents/model/endpoint.ts";
import { Fault } from "../../runtime/faults.ts";
import type { ChatReply } from "../../runtime/model/chat-reply.ts";
import type { ModelDelta, ModelRequest } from "../../runtime/model/conversation.ts";

const NOW_MS = Date.UTC(2026, 9, 21);
const NO_SECRETS = (): Promise<string> => Promise.reject(new Error("no secrets"));

/** Connects an endpoint. */
export function connectTo(baseUrl: string, options: Partial<OpenAiOptions> = {}): Promise<Provider> {
  return openai({ model: "asked-model", baseUrl, ...options }).connect({ env: {}, secret: NO_SECRETS });
}

/** How a request is made. */
export interface Asking {
  /** After this time the attempt is ended, as the gateway ends it. */
  readonly timeoutMs?: number;
  readonly onDelta?: (delta: ModelDelta) => void;
}

/** Makes one request whose last message is this text. Errors that are no faults are thrown. */
export async function replyTo(provider: Provider, text: string, { timeoutMs = 10_000, onDelta }: Asking = {}): Promise<ChatReply | Fault> {
  const request: ModelRequest = { messages: [{ role: "user", text }], tools: [], toolChoice: "none", outputTokensMax: 1_000 };
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Fault("model.unavailable", "the attempt took too long")), timeoutMs);
  try {
    return await provider.chat(request, { model: "asked-model", signal: timeout.signal, idempotencyKey: text, nowMs: NOW_MS, onDelta });
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
