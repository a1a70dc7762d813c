/** @module A gateway on a driven clock, whose endpoints answer when the test says so. */
import { endpoint, type Endpoint, type EndpointOptions, Fault, type ModelRequest, type Provider } from "../../agents/index.ts";
import { Gateway, type GatewayParts } from "../../actors/gateway/gateway.ts";
import { SILENT } from "../../actors/engine/log.ts";
import type { ModelAttempt } from "../../actors/engine/ports.ts";
import type { ModelReply } from "../../runtime/model/conversation.ts";
import { flush, HandClock } from "../actors/engine-rig.ts";

/** A request that an endpoint received and has not answered. */
export interface Open {
  readonly endpoint: string;
  readonly key: string;
  readonly model: string;
  readonly signal: AbortSignal;
  succeed(parts?: Partial<ModelReply>): void;
  fail(fault: Fault): void;
}

/** A request of a few tokens. */
const REQUEST: ModelRequest = { messages: [{ role: "user", text: "Hello?" }], tools: [], toolChoice: "auto", outputTokensMax: 10 };
/** Tokens that an attempt of the rig reserves. */
export const TOKENS = 20;

/** The fault of a failed provider. */
export const DOWN = (): Fault => new Fault("model.unavailable", "down");

/** A gateway and its endpoints. */
export class GatewayRig {
  readonly clock = new HandClock();
  readonly open: Open[] = [];
  #count = 0;

  /** An endpoint of the rig. */
  endpoint(name: string, options: Partial<EndpointOptions> = {}): Endpoint {
    const chat: Provider["chat"] = (_request, { signal, idempotencyKey, model }) =>
      new Promise((resolve, reject) => {
        const remove = (): void => void this.open.splice(this.open.indexOf(one), 1);
        const one: Open = {
          ...{ endpoint: name, key: idempotencyKey, model, signal },
          succeed: (parts = {}) => {
            remove();
            resolve({ text: "Hello.", calls: [], finish: "stop", model, ...parts });
          },
          fail: (fault) => {
            remove();
            reject(fault);
          },
        };
        this.open.push(one);
      });
    return endpoint({ name, model: name, provider: "test", connect: () => ({ chat }), ...options });
  }

  /** A host with one model `m`, or with these. */
  host(models: Readonly<Record<string, readonly Endpoint[]>>, parts: Partial<GatewayParts> = {}): Gateway {
    const environment = { env: {}, secret: async () => "" };
    return new Gateway({ system: "s", models: new Map(Object.entries(models)), environment, clock: this.clock, log: SILENT, ...parts });
  }

  /** An attempt that never rejects: it gives the reply or the fault. */
  attempt(gateway: Gateway, more: Partial<ModelAttempt> = {}): Promise<ModelReply | Fault> {
    this.#count += 1;
    const signal = new AbortController().signal;
    const attempt: ModelAttempt = {
      model: "m",
      request: REQUEST,
      inputTokensMax: TOKENS - REQUEST.outputTokensMax,
      idempotencyKey: `k${this.#count}`,
      signal,
      ...more,
    };
    return gateway.attempt(attempt).catch((error: unknown) => {
      if (error instanceof Fault) return error;
      throw error;
    });
  }

  /** Lets all promises settle that do not wait for the clock. */
  async settle(): Promise<void> {
    await flush(4);
  }

  /** Moves the clock. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }
}
