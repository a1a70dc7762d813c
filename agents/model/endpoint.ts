/**
 * @module An endpoint: one model at one provider, as a value. The gateway of a host connects it and keeps its limits.
 */
import type { ModelDelta, ModelReply, ModelRequest } from "../../runtime/model/conversation.ts";

/** What a provider receives beside the request. */
export interface ProviderCall {
  readonly signal: AbortSignal;
  /** Constant over attempts of the call. */
  readonly idempotencyKey: string;
  readonly onDelta?: ((delta: ModelDelta) => void) | undefined;
}

/** A connected endpoint. */
export interface Provider {
  /** Makes one request, without retries. @throws faults `model.*` */
  chat(request: ModelRequest, call: ProviderCall): Promise<Omit<ModelReply, "endpoint">>;
}

/** Price of a million tokens in US dollars. */
export interface ModelPrice {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
}

/** What an endpoint may read when a host connects it. */
export interface EndpointEnvironment {
  /** A variable of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A value of a Dapr secret store. @throws `secret.missing`-like coded faults */
  readonly secret: (store: string, name: string) => Promise<string>;
}

/** One model at one provider. All limits are for one host. */
export interface Endpoint {
  readonly kind: "endpoint";
  /** Unique within a system; in records, logs and metrics. */
  readonly name: string;
  /** The model as the provider names it. */
  readonly model: string;
  /** The provider as OpenTelemetry names it, such as `openai`. */
  readonly provider: string;
  /** Share of the calls, relative to the other endpoints of the model. @default 1 */
  readonly weight: number;
  /** Time of one attempt in milliseconds. */
  readonly timeoutMs: number;
  /** Most attempts at the same time. */
  readonly concurrency: number;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Tokens that a request and its reply may have together, if known. */
  readonly contextTokens: number | undefined;
  /** Absent: unknown; then calls with a budget of money are refused (`budget.price`). */
  readonly price: ModelPrice | undefined;
  /** Connects once per host. @throws `model.unknown` if a key or a base URL is missing */
  connect(environment: EndpointEnvironment): Promise<Provider>;
}
