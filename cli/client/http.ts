/** @module Talks to a running system over its HTTP API. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Fault, isFaultCode, type Json } from "../../runtime/faults.ts";
import { CliError } from "../text/problem.ts";

const HistoryLine = z.object({
  atMs: z.int(),
  what: z.string(),
  stop: z.string(),
  agent: z.string(),
  attempt: z.int(),
  code: z.string().optional(),
});
export type HistoryLine = z.infer<typeof HistoryLine>;

const Outcome = z.object({
  status: z.enum(["completed", "partial", "failed", "cancelled", "expired"]),
  atMs: z.int(),
  output: z.custom<Json>().optional(),
  fault: z.object({ code: z.string(), message: z.string() }).optional(),
});

/** What the command shows of a process. */
const ProcessView = z.object({
  id: z.string(),
  phase: z.string(),
  route: z.string().optional(),
  traceId: z.string().optional(),
  acceptedAtMs: z.int().optional(),
  history: z.array(HistoryLine),
  outcome: Outcome.optional(),
});
export type ProcessView = z.infer<typeof ProcessView>;

const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** A task as the command submits it: always with an id, so that a repeated try is the same task. */
export interface TaskToSubmit {
  readonly id: string;
  readonly route: string;
  readonly input: Json;
}

/** No task has this id, and asking for it changes nothing. */
const READY_PROBE_ID = "troupe-ready-probe";
const CALL_TIMEOUT_MS = 10_000;
const RETRY_MS = 100;
/** How long a system that has just started may answer "not yet". */
const PATIENCE_MS = 30_000;
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 503, 504]);

/** A client of one app. */
export class SystemClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, appToken: string | undefined) {
    this.#url = url;
    this.#headers = appToken === undefined || appToken === "" ? {} : { "dapr-api-token": appToken };
  }

  /** Resolves when the system reads its journal: it listens and is healthy a little before that. Nothing is written. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.process(READY_PROBE_ID, signal);
  }

  /** Submits a task until a receipt is there. Throws the fault of a task that is refused. */
  async submit(task: TaskToSubmit, signal: AbortSignal): Promise<void> {
    await this.#patiently("POST", "/tasks", signal, JSON.stringify(task));
  }

  /** A process, or `undefined` when there is none of that id. */
  async process(id: string, signal: AbortSignal): Promise<ProcessView | undefined> {
    try {
      const body = await this.#patiently("GET", `/processes/${encodeURIComponent(id)}`, signal);
      const view = ProcessView.safeParse(body);
      if (view.success) return view.data;
      throw new CliError("APP_ANSWER", `the answer for process ${id} has an unknown form.`, "Use a command of the app's own version.");
    } catch (error) {
      if (error instanceof Fault && error.code === "process.unknown") return undefined;
      throw error;
    }
  }

  async #patiently(method: string, path: string, signal: AbortSignal, body?: string): Promise<unknown> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#call(method, path, signal, body);
      if ("json" in answer) return answer.json;
      signal.throwIfAborted();
      if (!answer.retryable || performance.now() > end) throw answer.error;
      await sleep(RETRY_MS);
    }
  }

  async #call(method: string, path: string, signal: AbortSignal, body?: string): Promise<Answer> {
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: { ...this.#headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
      });
      const json: unknown = await response.json();
      return response.ok ? { json } : { retryable: RETRYABLE_STATUS.has(response.status), error: refusal(json, response.status) };
    } catch (error) {
      return { retryable: true, error: new CliError("APP_ANSWER", `the app at ${this.#url} does not answer.`, "Look at its log.", error) };
    }
  }
}

type Answer = { readonly json: unknown } | { readonly retryable: boolean; readonly error: Error };

function refusal(json: unknown, status: number): Error {
  const body = ErrorBody.safeParse(json);
  if (!body.success) return new CliError("APP_ANSWER", `the app answered ${status} without a code.`, "Look at its log.");
  const { code, message } = body.data.error;
  return isFaultCode(code)
    ? new Fault(code, message)
    : new CliError("APP_ANSWER", `${code}: ${message}`, "Use a command of the app's own version.");
}
