/**
 * @module An endpoint: one model at one provider, as a value. The gateway of a host connects it and keeps its limits.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { ModelDelta, ModelReply, ModelRequest } from "../../runtime/model/conversation.ts";
import { invalid, requireInt, requireKeys, requireText } from "../definition.ts";
import { type Configured, isConfigured, otherwiseOf } from "./reference.ts";

/** What a provider receives beside the request. */
export interface ProviderCall {
  /** The model as the provider names it, as currently configured. */
  readonly model: string;
  readonly signal: AbortSignal;
  /** Constant over attempts of the call. */
  readonly idempotencyKey: string;
  /** The time of the host in milliseconds since 1970. */
  readonly nowMs: number;
  readonly onDelta?: ((delta: ModelDelta) => void) | undefined;
}

/** A connected endpoint. */
export interface Provider {
  /**
   * Makes one request, without retries.
   * @throws faults `model.*`; details `sent: false` say that nothing was bought
   */
  chat(request: ModelRequest, call: ProviderCall): Promise<Omit<ModelReply, "endpoint">>;
}

/** Price of a million tokens in US dollars. */
export interface ModelPrice {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
}

/** What an endpoint may read when a host connects it. */
export interface EndpointEnvironment {
  /** Variables of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * A value of a Dapr secret store.
   * @throws `model.unknown` if the store does not have it, `model.unavailable` if the store does not answer
   */
  readonly secret: (store: string, name: string) => Promise<string>;
}

/** What may change while a host runs. All limits are for one host. */
export interface EndpointSettings {
  /** The model as the provider names it. */
  readonly model: string;
  /** Share of the calls, relative to the other endpoints of the model. 0: only if no other one is available. */
  readonly weight: number;
  /** Time of one attempt in milliseconds. */
  readonly timeoutMs: number;
  /** Maximum number of attempts at the same time. */
  readonly concurrency: number;
  /** Maximum number of requests in any 60 seconds; undefined: unlimited. */
  readonly requestsPerMinute: number | undefined;
  /** Maximum number of tokens, input and output, in any 60 seconds; undefined: unlimited. */
  readonly tokensPerMinute: number | undefined;
}

/** One model at one provider. */
export interface Endpoint extends EndpointSettings {
  readonly kind: "endpoint";
  /** Unique within a system; in records, logs and metrics. */
  readonly name: string;
  /** The provider as OpenTelemetry names it, such as `openai`. */
  readonly provider: string;
  /** Tokens that a request and its reply may have together, if known. */
  readonly contextTokens: number | undefined;
  /** Settings that a Dapr configuration store may change. */
  readonly configured: Readonly<Partial<Record<keyof EndpointSettings, Configured<string | number>>>>;
  /** The price of a model. Undefined: unknown; then calls with a budget of money are refused (`budget.price`). */
  price(model: string): ModelPrice | undefined;
  /** Connects once per host. @throws `model.unknown` if a key or a base URL is missing */
  connect(environment: EndpointEnvironment): Promise<Provider>;
}

/** Limits of an endpoint; each may come from a Dapr configuration store, with `configuration(store, key, otherwise)`. */
export interface EndpointLimits {
  /**
   * Share of the calls, relative to the other endpoints of the model. 0: only if no other one is available.
   * @default 1
   */
  readonly weight?: number | Configured<number> | undefined;
  /**
   * Time of one attempt in milliseconds, after it has a slot. After it: `model.unavailable`.
   * @default 120,000
   */
  readonly timeoutMs?: number | Configured<number> | undefined;
  /**
   * Maximum number of attempts at the same time in one host; further calls wait.
   * @default 64
   */
  readonly concurrency?: number | Configured<number> | undefined;
  /** Maximum number of requests of one host in any 60 seconds. @default unlimited */
  readonly requestsPerMinute?: number | Configured<number> | undefined;
  /** Maximum number of tokens of one host, input and output, in any 60 seconds. @default unlimited */
  readonly tokensPerMinute?: number | Configured<number> | undefined;
}

/** Options of {@link endpoint}. */
export interface EndpointOptions extends EndpointLimits {
  /** Unique within a system. */
  readonly name: string;
  readonly model: string | Configured<string>;
  /** The provider as OpenTelemetry names it. */
  readonly provider: string;
  readonly contextTokens?: number | undefined;
  /** A fixed price, or a function of the model's name. @default unknown */
  readonly price?: ModelPrice | ((model: string) => ModelPrice | undefined) | undefined;
  readonly connect: (environment: EndpointEnvironment) => Provider | Promise<Provider>;
}

/** The options that {@link EndpointLimits} has. */
export const LIMIT_OPTIONS: readonly (keyof EndpointLimits)[] = [
  "weight",
  "timeoutMs",
  "concurrency",
  "requestsPerMinute",
  "tokensPerMinute",
];
const OPTIONS = ["name", "model", "provider", "contextTokens", "price", "connect", ...LIMIT_OPTIONS];
const NAME_CHARS_MAX = 128;

/** Maximum of each numeric setting; below the minimum or above: `definition.invalid`, and a configured value is ignored. */
export const SETTING_BOUNDS = {
  weight: [0, 1_000_000],
  timeoutMs: [1, LIMITS.callTimeoutMsMax],
  concurrency: [1, LIMITS.endpointConcurrencyMax],
  requestsPerMinute: [1, 10_000_000],
  tokensPerMinute: [1, 1_000_000_000],
} as const satisfies Readonly<Record<keyof EndpointLimits, readonly [number, number]>>;

/** Defines an endpoint for a provider of your own; `openai({...})` is one. @throws `definition.invalid` */
export function endpoint(options: EndpointOptions): Endpoint {
  requireKeys(options, "endpoint", OPTIONS);
  const name = requireText(options.name, "endpoint", "name", NAME_CHARS_MAX);
  const where = `endpoint ${JSON.stringify(name)}`;
  if (typeof options.connect !== "function") throw invalid(where, "connect must be a function");
  const number = (key: keyof EndpointLimits): number | undefined => {
    const value = otherwiseOf(options[key]);
    const [min, max] = SETTING_BOUNDS[key];
    return value === undefined ? undefined : requireInt(value, where, key, min, max);
  };
  const { contextTokens, price, connect } = options;
  if (contextTokens !== undefined) requireInt(contextTokens, where, "contextTokens", 1, Number.MAX_SAFE_INTEGER);
  return Object.freeze({
    kind: "endpoint",
    name,
    model: requireText(otherwiseOf(options.model), where, "model", NAME_CHARS_MAX),
    provider: requireText(options.provider, where, "provider", NAME_CHARS_MAX),
    weight: number("weight") ?? 1,
    timeoutMs: number("timeoutMs") ?? LIMITS.modelTimeoutMsDefault,
    concurrency: number("concurrency") ?? LIMITS.endpointConcurrencyDefault,
    requestsPerMinute: number("requestsPerMinute"),
    tokensPerMinute: number("tokensPerMinute"),
    contextTokens,
    configured: configuredOf(options),
    price: priceOf(price, where),
    connect: async (environment: EndpointEnvironment) => connect(environment),
  });
}

function configuredOf(options: EndpointOptions): Endpoint["configured"] {
  const keys = ["model", ...LIMIT_OPTIONS] as const;
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = options[key];
      return isConfigured(value) ? [[key, value]] : [];
    }),
  );
}

function priceOf(price: EndpointOptions["price"], where: string): Endpoint["price"] {
  if (price === undefined) return () => undefined;
  if (typeof price === "function") return price;
  requireKeys(price, `${where}, price`, ["inputPerMillion", "outputPerMillion"]);
  for (const [field, value] of Object.entries(price)) {
    if (typeof value !== "number" || !(value >= 0))
      throw invalid(where, `price.${field} must be a number of US dollars per million tokens`);
  }
  return () => price;
}
