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

/** For calls that outlast a restart of the system. `onLost` is called once in each outage, with its first error. */
export interface AcrossRestart {
  readonly onLost: (error: Error) => void;
}

const ErrorBody = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string(), fix: z.string().optional() }),
  traceId: z.string().optional(),
});
const CALL_TIMEOUT_MS = 10_000;
const RETRY_MS = 200;
/** How long a system that was reached before may be away: its app drains, is started again, and its actors are placed. */
const RESTART_MS = 120_000;
const MINUTE_MS = 60_000;
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
  post(path: string, body: object, query: Query = {}, waitMs = 0, restart?: AcrossRestart): Promise<unknown> {
    return this.#patiently("POST", path, query, JSON.stringify(body), waitMs, restart);
  }

  /**
   * The events of a path. A stream that breaks is opened again after the last event that was received, also across a
   * restart of the system. The generator ends when its caller leaves it.
   */
  async *events(path: string, restart: AcrossRestart): AsyncGenerator<ServerEvent> {
    let lastId: string | undefined;
    for (let isFirst = true; ; isFirst = false) {
      const response = await this.#stream(path, lastId, isFirst ? undefined : restart);
      try {
        for await (const event of readEvents(response, STREAM_SILENCE_MS)) {
          lastId = event.id ?? lastId;
          yield event;
        }
      } catch {
        // The connection broke off; the next round opens it again.
      }
      await this.#pause();
    }
  }

  async #patiently(method: string, path: string, query: Query, body?: string, waitMs = 0, restart?: AcrossRestart): Promise<unknown> {
    return this.#insist(async () => {
      const response = await this.#fetch(method, path, query, {}, AbortSignal.timeout(CALL_TIMEOUT_MS + waitMs), body);
      const text = await response.text().catch((error: unknown) => {
        throw this.#unreachable(error);
      });
      try {
        return JSON.parse(text);
      } catch (error) {
        throw this.#notOurs(response.status, error);
      }
    }, restart);
  }

  #stream(path: string, lastId: string | undefined, restart: AcrossRestart | undefined): Promise<Response> {
    const headers = { accept: "text/event-stream", ...(lastId === undefined ? {} : { "last-event-id": lastId }) };
    return this.#insist(() => this.#fetch("GET", path, {}, headers, undefined), restart);
  }

  /**
   * Tries until it works, the patience is over, or trying again cannot change the answer. The patience is that of the options,
   * from the first try on; or that of a restart, from the first failure on.
   */
  async #insist<T>(work: () => Promise<T>, restart?: AcrossRestart): Promise<T> {
    const { patienceMs, signal } = this.#options;
    let endAtMs = restart === undefined ? performance.now() + patienceMs : undefined;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Error && mayPass(error))) throw error;
        if (endAtMs === undefined) {
          endAtMs = performance.now() + Math.max(patienceMs, RESTART_MS);
          restart?.onLost(error);
        }
        if (performance.now() + RETRY_MS > endAtMs) throw error;
      }
      await this.#pause();
    }
  }

  /** Waits before the next try. Throws the reason when the command ends. */
  async #pause(): Promise<void> {
    const { signal } = this.#options;
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
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
      throw this.#unreachable(error);
    }
    if (response.ok) return response;
    throw refusal(await response.json().catch(() => undefined), response.status) ?? this.#notOurs(response.status);
  }

  #unreachable(cause: unknown): CliError {
    return new CliError(
      "NOT_REACHABLE",
      `no system answers at ${this.#options.url}.`,
      "Start one with `troupe up`, or say where it is: --url, TROUPE_URL, or --state with its folder.",
      cause,
    );
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

/** Whether the same call may succeed a moment later. */
function mayPass(error: Error): boolean {
  return error instanceof Refused ? NOT_NOW.has(error.status) : error instanceof CliError && error.code === "NOT_REACHABLE";
}

/** What is printed when a system that answered before does not. */
export function lostText(url: string, error: Error): string {
  const why = error instanceof Refused || error instanceof CliError ? error.code : error.message;
  return `The system at ${url} does not answer (${why}); trying again for up to ${RESTART_MS / MINUTE_MS} minutes.`;
}

function refusal(json: unknown, status: number): Refused | undefined {
  const body = ErrorBody.safeParse(json);
  if (!body.success) return undefined;
  const { code, message, fix } = body.data.error;
  return new Refused({ code, message, fix: fix ?? fixOf(code), status, traceId: body.data.traceId });
}
