/**
 * @module One endpoint in one host: its connection, its breaker, its slots, its rest and its rates.
 */
import type { Endpoint, EndpointEnvironment, EndpointSettings, Provider } from "../../agents/model/endpoint.ts";
import type { EndpointView } from "../../runtime/answers.ts";
import { Fault, faultFrom, isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ModelReply } from "../../runtime/model/conversation.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock, ModelAttempt } from "../engine/ports.ts";
import { Breaker, type Verdict } from "../engine/breaker.ts";
import { RateWindow } from "./rate-window.ts";

/** Why an endpoint takes no call now. */
export type Obstacle =
  | { readonly kind: "unconnected"; readonly fault: Fault }
  | { readonly kind: "breaker"; readonly freeAtMs: number }
  | { readonly kind: "rest"; readonly freeAtMs: number }
  | { readonly kind: "rate"; readonly freeAtMs: number }
  | { readonly kind: "slot" }
  | { readonly kind: "context"; readonly contextTokens: number };

/** What a call takes of an endpoint, in tokens. */
export interface Need {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The parts of an endpoint's state. */
export interface EndpointParts {
  readonly endpoint: Endpoint;
  readonly environment: EndpointEnvironment;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when a slot became free, or the breaker closed. */
  readonly onFree: () => void;
  /** Called when the provider asked for a pause. */
  readonly onRest: (ms: number) => void;
}

/** The faults that say that a provider fails. */
const FAILURES: ReadonlySet<string> = new Set(["model.unavailable", "model.malformed"]);

/** One endpoint in one host. */
export class EndpointState {
  readonly endpoint: Endpoint;
  readonly #parts: EndpointParts;
  readonly #breaker: Breaker;
  readonly #rates = new RateWindow();
  #settings: EndpointSettings;
  #running = 0;
  #restUntilMs = 0;
  #provider: Provider | undefined;
  #failed: { readonly fault: Fault; readonly atMs: number } | undefined;
  #connecting: Promise<void> | undefined;

  constructor(parts: EndpointParts) {
    this.endpoint = parts.endpoint;
    this.#parts = parts;
    this.#settings = parts.endpoint;
    const { clock, log, endpoint } = parts;
    this.#breaker = new Breaker({
      clock,
      onChange: (state) => {
        if (state === "open") log.warn({ endpoint: endpoint.name }, "the endpoint of a model fails; no calls go to it for a while");
        else if (state === "closed") log.info({ endpoint: endpoint.name }, "the endpoint of a model answers again");
        parts.onFree();
      },
    });
  }

  get isConnected(): boolean {
    return this.#provider !== undefined;
  }

  /** The settings as currently configured. */
  get settings(): EndpointSettings {
    return this.#settings;
  }

  /** Takes settings that were configured anew. */
  configure(settings: EndpointSettings): void {
    this.#settings = settings;
    this.#parts.onFree();
  }

  /** What an operator sees. */
  get view(): EndpointView {
    const { name, provider } = this.endpoint;
    const restMs = Math.max(0, this.#restUntilMs - this.#parts.clock.nowMs());
    const { model, weight, concurrency } = this.#settings;
    const connection =
      this.#provider === undefined ? (this.#failed === undefined ? "not connected" : this.#failed.fault.message) : "connected";
    return { name, provider, model, weight, concurrency, running: this.#running, breaker: this.#breaker.state, restMs, connection };
  }

  /** Connects unless it is connected; never rejects. After a failure it tries again after a pause. */
  connect(): Promise<void> | undefined {
    if (this.#provider !== undefined) return undefined;
    const { clock } = this.#parts;
    if (this.#failed !== undefined && clock.nowMs() < this.#failed.atMs + LIMITS.connectRetryMs) return undefined;
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    const { endpoint, environment, clock, log } = this.#parts;
    try {
      this.#provider = await within(clock, LIMITS.connectMs, `endpoint ${JSON.stringify(endpoint.name)}`, endpoint.connect(environment));
      this.#failed = undefined;
      this.#parts.onFree();
    } catch (error) {
      const fault = isFault(error) ? error : Fault.fromWire(faultFrom(error, "model.unknown"));
      if (this.#failed?.fault.message !== fault.message) log.warn({ endpoint: endpoint.name, code: fault.code }, fault.message);
      this.#failed = { fault, atMs: clock.nowMs() };
    }
  }

  /** Takes no call before that time. */
  rest(ms: number): void {
    this.#restUntilMs = Math.max(this.#restUntilMs, this.#parts.clock.nowMs() + ms);
    this.#parts.onFree();
  }

  /** Why a call cannot be made now; undefined: it can. */
  obstacle({ inputTokens, outputTokens }: Need): Obstacle | undefined {
    const nowMs = this.#parts.clock.nowMs();
    const { contextTokens } = this.endpoint;
    // The need is an upper bound of an estimate; the estimate itself must fit.
    if (contextTokens !== undefined && inputTokens / LIMITS.modelTokensSafetyRatio + outputTokens > contextTokens)
      return { kind: "context", contextTokens };
    if (this.#provider === undefined) {
      return {
        kind: "unconnected",
        fault: this.#failed?.fault ?? new Fault("model.unknown", "the endpoint is not connected", { sent: false }),
      };
    }
    if (this.#restUntilMs > nowMs) return { kind: "rest", freeAtMs: this.#restUntilMs };
    if (this.#breaker.freeAtMs > nowMs) return { kind: "breaker", freeAtMs: this.#breaker.freeAtMs };
    const { concurrency } = this.#settings;
    if (this.#running >= concurrency) return { kind: "slot" };
    const freeAtMs = this.#rates.freeAtMs(nowMs, inputTokens + outputTokens, this.#settings);
    return freeAtMs > nowMs ? { kind: "rate", freeAtMs } : undefined;
  }

  /** Makes the attempt. The caller has found no obstacle, and nothing ran since. */
  async run(attempt: ModelAttempt, { inputTokens, outputTokens }: Need): Promise<ModelReply> {
    const provider = this.#provider;
    if (provider === undefined) throw new Fault("model.unknown", "the endpoint is not connected", { sent: false });
    const { clock, onFree, onRest } = this.#parts;
    this.#running += 1;
    const settle = this.#rates.take(clock.nowMs(), inputTokens + outputTokens);
    try {
      if (attempt.ready !== undefined) await attempt.ready();
      const reply = await this.#breaker.run(() => this.#once(provider, attempt), verdictOf);
      if (reply.usage !== undefined) settle(reply.usage.inputTokens + reply.usage.outputTokens);
      return reply;
    } catch (error) {
      const fault = withDetails(isFault(error) ? error : Fault.fromWire(faultFrom(error, "model.unavailable")), {
        endpoint: this.endpoint.name,
      });
      if (fault.details?.["sent"] === false) settle(0);
      if (fault.retryAfterMs !== undefined) {
        this.rest(fault.retryAfterMs);
        onRest(fault.retryAfterMs);
      }
      throw fault;
    } finally {
      this.#running -= 1;
      onFree();
    }
  }

  async #once(provider: Provider, attempt: ModelAttempt): Promise<ModelReply> {
    const { clock } = this.#parts;
    const { timeoutMs, model } = this.#settings;
    const { name } = this.endpoint;
    const controller = new AbortController();
    const stop = (): void => controller.abort(cancelled(attempt.signal.reason));
    attempt.signal.addEventListener("abort", stop, { once: true });
    const cancelTimer = clock.after(timeoutMs, () =>
      controller.abort(
        new Fault("model.unavailable", `endpoint ${name} did not answer within ${timeoutMs} ms`, { endpoint: name, timeoutMs }),
      ),
    );
    // A provider may ignore the signal; its slot is free all the same.
    const given = Promise.withResolvers<never>();
    controller.signal.addEventListener("abort", () => given.reject(controller.signal.reason), { once: true });
    let isOver = false;
    try {
      const { request, idempotencyKey, onDelta } = attempt;
      const chat = provider.chat(request, {
        model,
        signal: controller.signal,
        idempotencyKey,
        nowMs: clock.nowMs(),
        onDelta: onDelta === undefined ? undefined : (delta) => (isOver ? undefined : onDelta(delta)),
      });
      const reply = await Promise.race([chat, given.promise]);
      return { ...reply, endpoint: name };
    } finally {
      isOver = true;
      cancelTimer();
      attempt.signal.removeEventListener("abort", stop);
      given.promise.catch(() => {});
    }
  }
}

/** The fault of a call that its work item no longer needs. */
export function cancelled(reason: unknown): Fault {
  return new Fault("model.unavailable", `the model call was cancelled${isFault(reason) ? `: ${reason.message}` : ""}`, { cancelled: true });
}

/** The same fault with further details. */
export function withDetails(fault: Fault, more: Readonly<Record<string, Json>>): Fault {
  const wire = fault.toWire();
  return Fault.fromWire({ ...wire, details: { ...wire.details, ...more } });
}

function verdictOf(error: unknown): Verdict {
  if (!isFault(error)) return "failed";
  if (error.details?.["cancelled"] === true) return "unknown";
  return FAILURES.has(error.code) ? "failed" : "answered";
}

/** Waits for a value, but not for ever. */
async function within<T>(clock: Clock, ms: number, what: string, value: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(ms, () =>
    late.reject(new Fault("model.unavailable", `${what} could not be connected within ${ms} ms`, { sent: false })),
  );
  try {
    return await Promise.race([value, late.promise]);
  } finally {
    cancel();
    late.promise.catch(() => {});
  }
}
