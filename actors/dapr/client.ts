/**
 * @module The HTTP client of the sidecar: keep-alive, bounded connections, a time limit on every call.
 *
 * Every turn makes a few of these calls, so they are made with undici's `Pool` on one origin: measured against `fetch`
 * and against @dapr/dapr's client in docs/dapr-client.md. `sidecar.ts` uses @dapr/dapr where latency does not matter.
 */
import { type Dispatcher, Pool } from "undici";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, isFaultCode, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";

/**
 * Connections to the sidecar by what they are for; further calls wait in their pool, and their time limit runs. A call
 * of an actor lasts as long as the actor's turn, and the turn needs the store: in one pool, enough calls would leave the
 * turns that they wait for without a connection, and all would stand still until their time limits.
 */
const CONNECTIONS_MAX = { store: 64, actors: 128, others: 64 } as const;
type Purpose = keyof typeof CONNECTIONS_MAX;
/** Bytes of one answer: a full bulk read. A larger one is given up, so that a broken sidecar cannot fill the memory. */
const ANSWER_BYTES_MAX = LIMITS.loadBatchRecords * LIMITS.bodyBytesMax;
/** Characters of a sidecar's error text that are kept in a fault. */
const EXCERPT_CHARS = 300;

/** Where the sidecar is and how to talk to it. */
export interface SidecarOptions {
  /** `http://127.0.0.1:3500` */
  readonly origin: string;
  /** DAPR_API_TOKEN. */
  readonly apiToken?: string | undefined;
  /** Time of one call, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** One call. The path is complete and encoded. */
export interface SidecarCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** A JSON text. */
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  /** For example `traceparent`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came back, whatever its status. */
export interface SidecarAnswer {
  readonly status: number;
  readonly text: string;
  readonly etag?: string | undefined;
}

/**
 * One exchange on undici's dispatch interface, which makes no stream and no AbortSignal for it.
 * Rejects with what broke the exchange, or with the time limit.
 */
function exchange(
  pool: Pool,
  request: Dispatcher.DispatchOptions,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<SidecarAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let etag: string | undefined;
    let abort = (_reason: Error): void => {};
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    };
    const fail = (error: Error): void => {
      end();
      abort(error);
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const cancel = (): void => fail(signal?.reason instanceof Error ? signal.reason : new Error("the call was given up"));
    if (signal?.aborted === true) return cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    pool.dispatch(request, {
      onRequestStart: (controller) => {
        abort = (reason) => controller.abort(reason);
      },
      onResponseStart: (_controller, statusCode, headers) => {
        status = statusCode;
        if (typeof headers["etag"] === "string") etag = headers["etag"];
      },
      onResponseData: (_controller, chunk) => void chunks.push(chunk),
      onResponseEnd: () => {
        end();
        resolve({ status, text: Buffer.concat(chunks).toString("utf8"), ...(etag === undefined ? {} : { etag }) });
      },
      onResponseError: (_controller, error) => {
        end();
        reject(error);
      },
    });
  });
}

/** A pool of connections to one sidecar. */
export class SidecarClient {
  readonly origin: string;
  readonly #pools: Readonly<Record<Purpose, Pool>>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;

  constructor(options: SidecarOptions) {
    this.origin = options.origin;
    this.#timeoutMs = options.timeoutMs ?? LIMITS.sidecarCallMs;
    this.#headers = options.apiToken === undefined ? {} : { "dapr-api-token": options.apiToken };
    this.#pools = { store: this.#open("store"), actors: this.#open("actors"), others: this.#open("others") };
  }

  #open(purpose: Purpose): Pool {
    return new Pool(this.origin, {
      connections: CONNECTIONS_MAX[purpose],
      // No pipelining: one slow call would hold up the calls behind it on its connection.
      pipelining: 1,
      connect: { timeout: this.#timeoutMs },
      maxResponseSize: ANSWER_BYTES_MAX,
      // The limit of the whole call is kept by `call`; undici's two count from other moments and only to the second.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Makes one call, once. Throws `sidecar.unavailable` when there was no whole answer in time; a status is an answer. */
  async call(call: SidecarCall): Promise<SidecarAnswer> {
    try {
      return await exchange(
        this.#pools[purposeOf(call.path)],
        { method: call.method, path: call.path, headers: this.#headersOf(call), body: call.body ?? null },
        this.#timeoutMs,
        call.signal,
      );
    } catch (error) {
      throw new Fault("sidecar.unavailable", `${call.method} ${this.origin}${call.path}: ${reasonOf(error)}`, undefined, { cause: error });
    }
  }

  /** Ends the connections; calls in flight fail. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#pools).map((pool) => pool.destroy()));
  }

  #headersOf(call: SidecarCall): Record<string, string> {
    const headers: Record<string, string> = { ...this.#headers, ...call.headers };
    if (call.body !== undefined) headers["content-type"] = call.contentType ?? "application/json";
    return headers;
  }
}

function purposeOf(path: string): Purpose {
  if (path.startsWith("/v1.0/state/")) return "store";
  return path.startsWith("/v1.0/actors/") && path.includes("/method/") ? "actors" : "others";
}

/**
 * One segment of a path. `.` and `..` are refused: encoding leaves them as they are and servers resolve them, so a call
 * would reach another resource.
 */
export function segment(text: string): string {
  if (text === "" || text === "." || text === "..")
    throw new Fault("id.invalid", `${JSON.stringify(text)} cannot stand in a path of the sidecar`);
  return encodeURIComponent(text);
}

/** What an answer that is no success says, short enough for a message. */
export function excerpt(answer: SidecarAnswer): string {
  const text = answer.text.length > EXCERPT_CHARS ? `${answer.text.slice(0, EXCERPT_CHARS)}...` : answer.text;
  return text === "" ? `status ${answer.status} without a body` : `status ${answer.status}: ${text}`;
}

/** Parses JSON; `undefined` when it is none. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The caller decides what a text that is no JSON means.
    return undefined;
  }
}

/** What daprd 1.18.2 puts before the body of an app that answered neither 200 nor 404 (pkg/actors/targets/app/transport/http/http.go). */
const APP_ANSWER = /error from actor service: \(\d{3}\) (\{.*\})/s;

/**
 * The coded fault that an app's error answer carries, if it does. daprd passes such a body on as it is from some paths
 * and as a part of its own message from others.
 */
export function codedFault(text: string): Fault | undefined {
  const body = parseJson(text);
  const direct = faultIn(body);
  if (direct !== undefined) return direct;
  const message = field(body, "message");
  const inner = typeof message === "string" ? APP_ANSWER.exec(message)?.[1] : undefined;
  return inner === undefined ? undefined : faultIn(parseJson(inner));
}

function faultIn(body: Json | undefined): Fault | undefined {
  const error = field(body, "error");
  const code = field(error, "code");
  const message = field(error, "message");
  if (typeof code !== "string" || !isFaultCode(code) || typeof message !== "string") return undefined;
  const details = field(error, "details");
  return new Fault(code, message, isObject(details) ? details : undefined);
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) ? entryOf(value, name) : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const code = "code" in error && typeof error.code === "string" ? `${error.code} ` : "";
  return `${code}${error.message}`;
}
