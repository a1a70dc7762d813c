/**
 * @module The HTTP client of the sidecar: keep-alive, bounded connections, a time limit on every call.
 *
 * Every turn makes a few of these calls. They use undici's `Pool` on one origin; docs/dapr-client.md compares it with
 * `fetch` and with the client of @dapr/dapr. `sidecar.ts` uses @dapr/dapr where latency does not matter.
 */
import { type Dispatcher, Pool } from "undici";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, isFaultCode, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";

/**
 * Connections to the sidecar, by purpose. Further calls wait in their pool while their time limit runs. An actor call
 * lasts as long as the actor's turn, and the turn needs the store. With one shared pool, enough actor calls would take
 * every connection and the turns they wait for would have none: a deadlock until the time limits.
 */
const CONNECTIONS_MAX = { store: 64, actors: 128, others: 64 } as const;
type Purpose = keyof typeof CONNECTIONS_MAX;
/** Maximum bytes of one answer: a full bulk read. A larger answer is cancelled, so that a broken sidecar cannot fill the memory. */
const ANSWER_BYTES_MAX = LIMITS.loadBatchRecords * LIMITS.bodyBytesMax;
const STATUS_OK = 200;
/** Characters of a sidecar's error text that a fault keeps. */
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

/** The answer, with any status. */
export interface SidecarAnswer {
  readonly status: number;
  readonly text: string;
  readonly etag?: string | undefined;
}

/**
 * One exchange on undici's dispatch interface, which creates no stream and no AbortSignal for it. Rejects with the error of the exchange
 * or with the time limit. What ends while it waits for a connection is not sent: else a sidecar that is slow for a while would from then on
 * be busy with calls that nothing waits for, and each new one would wait behind them until its own time limit.
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
    let failed: Error | undefined;
    let abort = (_reason: Error): void => {};
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    };
    const fail = (error: Error): void => {
      failed = error;
      end();
      abort(error);
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const cancel = (): void => fail(signal?.reason instanceof Error ? signal.reason : new Error("the call was cancelled"));
    if (signal?.aborted === true) return cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    pool.dispatch(request, {
      onRequestStart: (controller) => {
        // Thrown, as an abort would close the connection.
        if (failed !== undefined) throw failed;
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
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #acceptedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SidecarOptions) {
    this.origin = options.origin;
    this.#timeoutMs = options.timeoutMs ?? LIMITS.sidecarCallMs;
    this.#headers = options.apiToken === undefined ? {} : { "dapr-api-token": options.apiToken };
    this.#pools = { store: this.#open("store"), actors: this.#open("actors"), others: this.#open("others") };
  }

  #open(purpose: Purpose): Pool {
    return new Pool(this.origin, {
      connections: CONNECTIONS_MAX[purpose],
      // No pipelining: a slow call would delay the calls behind it on its connection.
      pipelining: 1,
      connect: { timeout: this.#timeoutMs },
      maxResponseSize: ANSWER_BYTES_MAX,
      // `call` enforces the limit of the whole call. undici's two limits start at other moments and have a resolution of
      // seconds.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * Makes one call, without a retry. Any status is an answer.
   * @throws `sidecar.unavailable` when no complete answer came in time.
   */
  async call(call: SidecarCall): Promise<SidecarAnswer> {
    const purpose = purposeOf(call.path);
    try {
      const answer = await exchange(
        this.#pools[purpose],
        { method: call.method, path: call.path, headers: this.#headersOf(call), body: call.body ?? null },
        this.#timeoutMs,
        call.signal,
      );
      if (purpose === "actors") this.#noteAnswer(answer);
      return answer;
    } catch (error) {
      throw new Fault("sidecar.unavailable", `${call.method} ${this.origin}${call.path}: ${reasonOf(error)}`, undefined, { cause: error });
    }
  }

  /** Any small call. Throws `sidecar.unavailable` if the sidecar is away or refuses this app's token. */
  async reach(): Promise<void> {
    const answer = await this.call({ method: "GET", path: "/v1.0/metadata" });
    if (answer.status !== STATUS_OK) throw new Fault("sidecar.unavailable", excerpt(answer));
  }

  #noteAnswer({ status, text }: SidecarAnswer): void {
    this.#answeredAtMs = Date.now();
    // A 200 is no answer of the app if it is empty.
    if (status === STATUS_OK && text !== "") this.#acceptedAtMs = this.#answeredAtMs;
  }

  /** When an actor call was last answered, and when one last succeeded. Epoch, milliseconds. */
  get actorAnswers(): { readonly answeredAtMs: number; readonly acceptedAtMs: number } {
    return { answeredAtMs: this.#answeredAtMs, acceptedAtMs: this.#acceptedAtMs };
  }

  /** Closes the connections; calls in flight fail. */
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
 * Encodes one segment of a path. `.` and `..` are rejected: encoding leaves them unchanged and servers resolve them, so the call would
 * reach another resource.
 */
export function segment(text: string): string {
  if (text === "" || text === "." || text === "..")
    throw new Fault("id.invalid", `${JSON.stringify(text)} is not allowed as a segment of a sidecar path`);
  return encodeURIComponent(text);
}

/** The text of an unsuccessful answer, shortened for an error message. */
export function excerpt(answer: SidecarAnswer): string {
  const text = answer.text.length > EXCERPT_CHARS ? `${answer.text.slice(0, EXCERPT_CHARS)}...` : answer.text;
  return text === "" ? `status ${answer.status} without a body` : `status ${answer.status}: ${text}`;
}

/** Parses JSON; `undefined` for text that is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The caller decides what text that is not JSON means.
    return undefined;
  }
}

/**
 * The prefix that daprd 1.18.2 puts before the body of an app that answered neither 200 nor 404
 * (pkg/actors/targets/app/transport/http/http.go).
 */
const APP_ANSWER = /error from actor service: \(\d{3}\) (\{.*\})/s;

/**
 * The coded fault in an app's error answer, if there is one. On some paths daprd passes the body on unchanged, on others as a part of its
 * own message.
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
