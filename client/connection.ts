/** @module The connection to one system's HTTP API: requests with a token, retries within a time limit, and coded errors. */
import type { z } from "zod";
import { ErrorAnswer } from "../runtime/answers.ts";
import { ClientError, mayPass } from "./errors.ts";
import { readEvents, type ServerEvent } from "./events.ts";

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call, which rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long to retry while the system is unreachable or not ready, in milliseconds from the first failure. */
  readonly patienceMs?: number | undefined;
  /** Called once per outage with its first error, when the call is retried. */
  readonly onLost?: ((error: ClientError) => void) | undefined;
}

/** Options of a connection. */
export interface ConnectOptions extends CallOptions {
  /** The address, such as `http://127.0.0.1:3100`. */
  readonly url: string;
  /** The bearer token. */
  readonly token?: string | undefined;
  /** The function that makes requests. @default the global fetch */
  readonly fetch?: typeof fetch | undefined;
}

/** One request. */
export interface Call extends CallOptions {
  readonly path: string;
  /** Values of the query string; undefined ones are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** The request's body. With it the request is a POST. Each POST of the API may be repeated. */
  readonly body?: object;
  /** Additional time that the answer may take, in milliseconds. */
  readonly waitMs?: number;
}

const CALL_TIMEOUT_MS = 10_000;
const RETRY_MS = 200;
const PATIENCE_MS = 10_000;
/** Maximum silence of a stream. The server sends comments to keep it alive. */
const STREAM_SILENCE_MS = 60_000;
const STATUS_NO_CONTENT = 204;

/** The requests of one client. All methods throw {@link ClientError}. */
export class Connection {
  readonly url: string;
  readonly #options: ConnectOptions;
  readonly #fetch: typeof fetch;

  constructor(options: ConnectOptions) {
    this.#options = options;
    this.url = options.url.replace(/\/$/, "");
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Sends a request and returns the answer, which must fit the schema. `what` names it in an error. */
  async call<T>(schema: z.ZodType<T>, what: string, call: Call): Promise<T> {
    return this.#insist(call, async (signal) => {
      const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS + (call.waitMs ?? 0));
      const response = await this.#send(call, {}, [signal, timeout]);
      return this.#read(schema, await this.#text(response, signal), what, response.status);
    });
  }

  /** One try: the answer to a GET with any status, if it matches the schema. */
  async look<T>(schema: z.ZodType<T>, what: string, call: Call): Promise<T> {
    const signal = this.#signalOf(call);
    const response = await this.#request(call, {}, [signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    return this.#read(schema, await this.#text(response, signal), what, response.status);
  }

  /**
   * Yields the events of a path after `lastId`. Reopens a broken stream after the last received event. Ends when the server ends the
   * stream or the caller stops reading.
   */
  async *events(call: Call, after: string | undefined): AsyncGenerator<ServerEvent> {
    let lastId = after;
    for (;;) {
      const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
      const response = await this.#insist(call, (signal) => this.#send(call, headers, [signal]));
      if (response.status === STATUS_NO_CONTENT) return;
      try {
        for await (const event of readEvents(response, STREAM_SILENCE_MS)) {
          lastId = event.id ?? lastId;
          yield event;
        }
      } catch {
        // The connection broke; the next round opens it again.
      }
      await pause(RETRY_MS, this.#signalOf(call));
    }
  }

  /** Parses a JSON text. Throws `client.answer` if it is not JSON or does not fit the schema. */
  parse<T>(schema: z.ZodType<T>, text: string, what: string): T {
    return this.#read(schema, text, what, undefined);
  }

  /** Retries until it works, the time limit has passed, or a retry cannot change the answer. */
  async #insist<T>(options: CallOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = this.#signalOf(options);
    const { patienceMs = this.#options.patienceMs ?? PATIENCE_MS, onLost = this.#options.onLost } = options;
    let endAtMs: number | undefined;
    for (;;) {
      try {
        return await work(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!mayPass(error)) throw error;
        const isFirst = endAtMs === undefined;
        endAtMs ??= performance.now() + patienceMs;
        if (performance.now() + RETRY_MS > endAtMs) throw error;
        if (isFirst) onLost?.(error);
      }
      await pause(RETRY_MS, signal);
    }
  }

  /** Returns the response to a request, or throws if it was refused. */
  async #send(call: Call, headers: Readonly<Record<string, string>>, signals: readonly AbortSignal[]): Promise<Response> {
    const response = await this.#request(call, headers, signals);
    if (response.ok) return response;
    const answer = ErrorAnswer.safeParse(await response.json().catch(() => undefined));
    if (!answer.success) throw this.#foreign(response.status);
    const { error, traceId } = answer.data;
    throw new ClientError({ ...error, status: response.status, traceId });
  }

  async #request(call: Call, headers: Readonly<Record<string, string>>, signals: readonly AbortSignal[]): Promise<Response> {
    const url = new URL(this.url + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) url.searchParams.set(name, String(value));
    const { token } = this.#options;
    const sent = call.body === undefined ? {} : { method: "POST", body: JSON.stringify(call.body) };
    try {
      return await this.#fetch(url, {
        ...sent,
        headers: {
          ...headers,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        },
        signal: AbortSignal.any([...signals]),
      });
    } catch (error) {
      this.#signalOf(call).throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  async #text(response: Response, signal: AbortSignal): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  #read<T>(schema: z.ZodType<T>, text: string, what: string, status: number | undefined): T {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw this.#foreign(status, error);
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue === undefined ? "" : ` (${issue.path.join(".") || "top"}: ${issue.message})`;
    throw new ClientError({
      code: "client.answer",
      message: `the answer for ${what} has an unknown form${where}.`,
    });
  }

  #unreachable(cause: unknown): ClientError {
    return new ClientError({ code: "client.unreachable", message: `no system answers at ${this.url}.`, cause });
  }

  #foreign(status: number | undefined, cause?: unknown): ClientError {
    const said = status === undefined ? "the answer is not JSON" : `status ${status} without a code`;
    return new ClientError({ code: "client.answer", message: `the answer at ${this.url} is not from a Troupe system: ${said}.`, cause });
  }

  #signalOf({ signal }: CallOptions): AbortSignal {
    const signals = [signal, this.#options.signal].filter((one) => one !== undefined);
    return AbortSignal.any(signals);
  }
}

/** Resolves after a time. Rejects with the signal's reason. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (then: () => void) => (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      then();
    };
    const aborted = (): void => end(() => reject(signal.reason as Error))();
    const timer = setTimeout(() => end(resolve)(), ms);
    signal.addEventListener("abort", aborted);
    if (signal.aborted) aborted();
  });
}
