/** @module A running system as the commands see it: its HTTP API, with coded errors and a bounded patience. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { readEvents, type ServerEvent } from "./events.ts";
import { CliError, fixOf, NOT_NOW, Refused } from "../text/problem.ts";

/** How to reach a system. */
export interface ApiOptions {
  readonly url: string;
  readonly token: string | undefined;
  /** How long a system that is not there or not ready is asked again, in milliseconds. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** Values of a query; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

const ErrorBody = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string(), fix: z.string().optional() }),
  traceId: z.string().optional(),
});
const CALL_TIMEOUT_MS = 10_000;
const RETRY_MS = 200;
/** How long a stream may be silent: the server sends comments to keep it alive. */
const STREAM_SILENCE_MS = 60_000;

/** A client of one system. Every method throws coded errors: NOT_REACHABLE, APP_ANSWER, and what the system refuses. */
export class Api {
  readonly #options: ApiOptions;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  }

  /** Where the system answers. */
  get url(): string {
    return this.#options.url;
  }

  get(path: string, query: Query = {}): Promise<unknown> {
    return this.#patiently("GET", path, query);
  }

  /** Posts JSON. `waitMs`: how much longer than usual the answer may take. The call is one that may be repeated. */
  post(path: string, body: object, query: Query = {}, waitMs = 0): Promise<unknown> {
    return this.#patiently("POST", path, query, JSON.stringify(body), waitMs);
  }

  /**
   * The events of a path, from the one after `lastId`. The stream is opened anew when it breaks; it ends when the caller
   * has seen enough.
   */
  async *events(path: string): AsyncGenerator<ServerEvent> {
    let lastId: string | undefined;
    for (;;) {
      const response = await this.#stream(path, lastId);
      try {
        for await (const event of readEvents(response, STREAM_SILENCE_MS)) {
          lastId = event.id ?? lastId;
          yield event;
        }
      } catch (error) {
        if (this.#options.signal.aborted) throw error;
      }
      await sleep(RETRY_MS, undefined, { signal: this.#options.signal });
    }
  }

  async #patiently(method: string, path: string, query: Query, body?: string, waitMs = 0): Promise<unknown> {
    return this.#insist(async () => {
      const response = await this.#fetch(method, path, query, {}, AbortSignal.timeout(CALL_TIMEOUT_MS + waitMs), body);
      return response.json().catch((error: unknown) => {
        throw this.#notOurs(response.status, error);
      });
    });
  }

  #stream(path: string, lastId: string | undefined): Promise<Response> {
    const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
    return this.#insist(() => this.#fetch("GET", path, {}, headers, undefined));
  }

  /** Tries until it works, the patience is over, or the answer is one that trying again does not change. */
  async #insist<T>(work: () => Promise<T>): Promise<T> {
    const { patienceMs, signal } = this.#options;
    const endAtMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        const again = error instanceof Refused ? NOT_NOW.has(error.status) : error instanceof CliError && error.code === "NOT_REACHABLE";
        if (!again || performance.now() + RETRY_MS > endAtMs) throw error;
      }
      await sleep(RETRY_MS, undefined, { signal });
    }
  }

  async #fetch(
    method: string,
    path: string,
    query: Query,
    headers: Readonly<Record<string, string>>,
    timeout: AbortSignal | undefined,
    body?: string,
  ): Promise<Response> {
    const { signal } = this.#options;
    const url = new URL(this.#options.url.replace(/\/$/, "") + path);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers: { ...this.#headers, ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body }),
        signal: timeout === undefined ? signal : AbortSignal.any([signal, timeout]),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new CliError(
        "NOT_REACHABLE",
        `no system answers at ${this.#options.url}.`,
        "Start one with `troupe up`, or say where it is: --url, TROUPE_URL, or --state with its folder.",
        error,
      );
    }
    if (response.ok) return response;
    throw refusal(await response.json().catch(() => undefined), response.status) ?? this.#notOurs(response.status);
  }

  #notOurs(status: number, cause?: unknown): CliError {
    return new CliError(
      "APP_ANSWER",
      `what answers at ${this.#options.url} is no Troupe system: ${status} without a code.`,
      "Check the address: --url, TROUPE_URL or --state.",
      cause,
    );
  }
}

function refusal(json: unknown, status: number): Refused | undefined {
  const body = ErrorBody.safeParse(json);
  if (!body.success) return undefined;
  const { code, message, fix } = body.data.error;
  return new Refused({ code, message, fix: fix ?? fixOf({ code }), status, traceId: body.data.traceId });
}
