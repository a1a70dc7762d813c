/** @module What adapters of other model libraries share: names of recorded calls, values that can be recorded, what models are
 * told, and faults of providers. */
import { hashJson } from "../runtime/canonical.ts";
import { Fault, isFault, type Json } from "../runtime/faults.ts";
import { faultOfAnswer } from "../runtime/model/chat-faults.ts";
import { type EditedInput, editedText } from "../runtime/model/telling.ts";

/** Characters of a hash in the name of a step. */
const HASH_CHARS = 24;

/** How often each call was made in one execution of a handler. */
const counts = new WeakMap<object, Map<string, number>>();

/**
 * The name of a call for `ctx.step`: the same in each execution of a handler. It depends on all that is sent, and on how often the same
 * was sent before.
 */
export function callName(ctx: object, model: string, sent: unknown): string {
  const name = `model ${model} ${hashJson(storable(sent)).slice(0, HASH_CHARS)}`;
  const known = counts.get(ctx) ?? new Map<string, number>();
  counts.set(ctx, known);
  const count = (known.get(name) ?? 0) + 1;
  known.set(name, count);
  return count === 1 ? name : `${name} ${count}`;
}

/** A value as JSON: bytes as base64, times and URLs as texts. Functions, symbols and what is undefined are left out. */
export function storable(value: unknown): Json {
  return stored(value) ?? null;
}

function stored(value: unknown): Json | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Date) return value.toISOString();
  if (value instanceof URL) return value.href;
  if (Array.isArray(value)) return value.map(storable);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
      const made = stored(item);
      return made === undefined ? [] : [[key, made]];
    }),
  );
}

/** Makes a call of a tool for a model of another library, which is told where a person has changed the input. */
export async function toldCall(make: (edited: (edit: EditedInput) => void) => Promise<unknown>): Promise<unknown> {
  let edit: EditedInput | undefined;
  const output = await make((made) => (edit = made));
  return edit === undefined ? output : { note: editedText(edit), output };
}

/** What errors of these libraries have in common: the answer of the provider, in one of several forms. */
interface ProviderError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly statusCode?: unknown;
  readonly status?: unknown;
  readonly responseHeaders?: unknown;
  readonly headers?: unknown;
  readonly responseBody?: unknown;
  readonly error?: unknown;
  readonly isRetryable?: unknown;
}

/** Errors of the AI SDK for answers that are not of the provider's protocol. */
const MALFORMED: ReadonlySet<unknown> = new Set([
  ...["AI_JSONParseError", "AI_TypeValidationError", "AI_InvalidResponseDataError", "AI_EmptyResponseBodyError"],
]);

/** The fault of what a model threw: of a provider's answer as by the gateway, so that transient ones are retryable. */
export function faultOfModel(error: unknown, signal: AbortSignal | undefined, nowMs: number): unknown {
  if (isFault(error) || typeof error !== "object" || error === null) return error;
  if (signal?.aborted === true) return signal.reason;
  const { name, message, statusCode, status = statusCode, responseBody, error: inner, isRetryable } = error as ProviderError;
  const header = headerOf((error as ProviderError).responseHeaders ?? (error as ProviderError).headers);
  const text = typeof message === "string" ? message : "";
  const more = { cause: error };
  if (typeof status === "number") {
    const body =
      typeof responseBody === "string" && responseBody !== "" ? responseBody : JSON.stringify({ error: inner ?? { message: text } });
    return faultOfAnswer({ status, header, body }, nowMs);
  }
  if (MALFORMED.has(name))
    return new Fault("model.malformed", `the provider's answer is not one of its protocol: ${text}`, undefined, more);
  if (isRetryable === true || isConnection(error)) return new Fault("model.unavailable", `the provider failed: ${text}`, undefined, more);
  return new Fault("model.rejected", `the model cannot be called: ${text}`, { sent: false }, more);
}

/** What the system and the libraries say when a connection failed. */
function isConnection(error: object): boolean {
  const { message, cause, code } = error as { readonly message?: unknown; readonly cause?: unknown; readonly code?: unknown };
  if (typeof code === "string" && /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code)) return true;
  if (typeof message === "string" && /^(fetch failed|terminated|Connection error\.|Request timed out\.)$/.test(message)) return true;
  return typeof cause === "object" && cause !== null && cause !== error && isConnection(cause);
}

function headerOf(headers: unknown): (name: string) => string | undefined {
  if (headers instanceof Headers) return (name) => headers.get(name) ?? undefined;
  const entries = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  const known = new Map(entries.map(([key, value]: [string, unknown]) => [key.toLowerCase(), String(value)]));
  return (name) => known.get(name.toLowerCase());
}
