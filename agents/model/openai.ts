/**
 * @module `openai`: an endpoint at any server of OpenAI's Chat Completions protocol: OpenAI, Azure, Ollama, vLLM, LiteLLM.
 *
 * The `openai` package signs and sends; what comes back is judged by runtime/model/, because the package takes an error page with status
 * 200, an empty object and a cut stream for success. It is loaded when a host connects the endpoint.
 */
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import {
  ANSWER_FORMS,
  type AnswerForm,
  chatBody,
  OUTPUT_LIMITS,
  type OutputLimit,
  REASONING_FIELDS,
  type ReasoningField,
} from "../../runtime/model/chat-request.ts";
import type { ModelRequest } from "../../runtime/model/conversation.ts";
import { invalid, requireKeys, requireText } from "../definition.ts";
import {
  type Endpoint,
  endpoint,
  type EndpointEnvironment,
  type EndpointLimits,
  LIMIT_OPTIONS,
  type ModelPrice,
  type Provider,
  type ProviderCall,
} from "./endpoint.ts";
import { faultOfThrown, HttpAnswer, readReply, textOfBody } from "./http-reply.ts";
import { hider, type Hide } from "./hide.ts";
import { PRICES, priceIn, type PriceTable } from "./prices.ts";
import { type Configured, otherwiseOf, type SecretReference } from "./reference.ts";

const BASE_URL = "https://api.openai.com/v1";
const URL_CHARS_MAX = 2_048;

/** Options of {@link openai}. Only `model` is required. */
export interface OpenAiOptions extends EndpointLimits {
  /** The model as the provider names it, such as `gpt-5-mini`. */
  readonly model: string | Configured<string>;
  /**
   * Unique within a system; in records, logs and metrics.
   * @default the model, with the host of `baseUrl`
   */
  readonly name?: string | undefined;
  /** @default OPENAI_BASE_URL, else OpenAI's own */
  readonly baseUrl?: string | undefined;
  /**
   * A key, or `secret(store, name)`. An `http:` base URL needs none.
   * @default OPENAI_API_KEY; it is not sent to an `http:` address of another machine that the code names
   */
  readonly apiKey?: string | SecretReference | undefined;
  /** The provider as OpenTelemetry names it. @default `openai` */
  readonly provider?: string | undefined;
  /** Further headers of each request, such as `api-key`, which then is the key. They are treated as secrets. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Further fields of each request, as the provider documents them, such as `{ reasoning_effort: "low" }`. */
  readonly extra?: Readonly<Record<string, Json>> | undefined;
  /** Whether replies are streamed. @default true */
  readonly stream?: boolean | undefined;
  /**
   * How an answer that must be JSON is requested: by its schema, as a JSON object of any form, or only in words. It is checked in any case.
   * @default schema
   */
  readonly answers?: AnswerForm | undefined;
  /** The field that limits the output. @default `max_completion_tokens` at OpenAI and Azure, else `max_tokens` */
  readonly outputLimit?: OutputLimit | undefined;
  /** The field in which reasoning is sent back on turns with tool calls. @default `reasoning_content` at DeepSeek, else none */
  readonly reasoning?: ReasoningField | undefined;
  /** Tokens that a request and its reply may have together. Needed to notice a server that cuts a long conversation silently. */
  readonly contextTokens?: number | undefined;
  /** The price of the model. @default that of `prices` */
  readonly price?: ModelPrice | undefined;
  /** Prices by model. @default {@link PRICES}, unless `baseUrl` names another provider */
  readonly prices?: PriceTable | undefined;
  /** Replaces `fetch`, for tests and proxies. */
  readonly fetch?: typeof fetch | undefined;
}

const OPTIONS = [
  ...["model", "name", "baseUrl", "apiKey", "provider", "headers", "extra", "stream", "answers", "outputLimit", "reasoning"],
  ...["contextTokens", "price", "prices", "fetch"],
  ...LIMIT_OPTIONS,
];

/** Defines an endpoint of the Chat Completions protocol. @throws `definition.invalid` */
export function openai(options: OpenAiOptions): Endpoint {
  requireKeys(options, "openai", OPTIONS);
  const model = requireText(otherwiseOf(options.model), "openai", "model", URL_CHARS_MAX);
  const where = `openai ${JSON.stringify(options.name ?? model)}`;
  const url = options.baseUrl === undefined ? undefined : requireUrl(options.baseUrl, where);
  requireOneOf(options.answers, ANSWER_FORMS, where, "answers");
  requireOneOf(options.outputLimit, OUTPUT_LIMITS, where, "outputLimit");
  requireOneOf(options.reasoning, REASONING_FIELDS, where, "reasoning");
  const { apiKey, prices = url === undefined || isOpenAi(url) ? PRICES : undefined } = options;
  if (apiKey !== undefined && typeof apiKey !== "string" && apiKey.kind !== "secret")
    throw invalid(where, "apiKey must be a text or secret(store, name)");
  const name = options.name ?? (url === undefined ? model : `${model}@${url.host}`);
  const limits = Object.fromEntries(LIMIT_OPTIONS.map((key) => [key, options[key]]));
  return endpoint({
    name,
    model: options.model,
    provider: options.provider ?? "openai",
    contextTokens: options.contextTokens,
    price: options.price ?? ((named) => (prices === undefined ? undefined : priceIn(prices, named))),
    ...limits,
    connect: (environment) => connect(name, options, environment),
  });
}

function requireUrl(text: string, where: string): URL {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw invalid(where, "baseUrl must be an address that begins with http:// or https://");
  return url;
}

function requireOneOf(value: unknown, known: readonly string[], where: string, field: string): void {
  if (value !== undefined && !known.some((one) => one === value)) throw invalid(where, `${field} must be one of ${known.join(", ")}`);
}

// ---- connecting -----------------------------------------------------------------------------------------------------

async function connect(name: string, options: OpenAiOptions, environment: EndpointEnvironment): Promise<Provider> {
  const url = baseUrl(name, options, environment);
  const key = await keyOf(name, options, url, environment);
  const hide = hider([key, ...Object.values(options.headers ?? {})]);
  const { OpenAI } = await import("openai");
  const { fetch: send = fetch, headers = {} } = options;
  const client = new OpenAI({
    baseURL: url.href,
    // The package wants a key; without one, no header is sent.
    apiKey: key ?? "none",
    organization: isOpenAi(url) ? (environment.env["OPENAI_ORG_ID"] ?? null) : null,
    project: isOpenAi(url) ? (environment.env["OPENAI_PROJECT_ID"] ?? null) : null,
    defaultHeaders: key === undefined ? { Authorization: null, ...headers } : headers,
    // The gateway owns attempts and time.
    maxRetries: 0,
    timeout: TIMEOUT_MS,
    logLevel: "off",
    fetch: async (input, init) => {
      const response = await send(input, init);
      // The package would keep only the parts of an error that it knows.
      if (!response.ok) throw new HttpAnswer(response, await textOfBody(response));
      return response;
    },
  });
  const settings = settingsOf(options, url);
  const post = (request: ModelRequest, call: ProviderCall): Promise<Response> =>
    client
      .post("/chat/completions", {
        body: chatBody(request, { ...settings, model: call.model }),
        headers: { "Idempotency-Key": call.idempotencyKey },
        signal: call.signal,
        stream: settings.stream,
      })
      .asResponse();
  return { chat: (request, call) => chat(request, call, post, hide) };
}

/** Above every timeout of an endpoint, which ends the attempt. */
const TIMEOUT_MS = 2_147_483_647;

function settingsOf(options: OpenAiOptions, url: URL): Omit<Parameters<typeof chatBody>[1], "model"> {
  const isNewest = isOpenAi(url) || url.hostname.endsWith(".azure.com");
  return {
    stream: options.stream ?? true,
    answers: options.answers ?? "schema",
    outputLimit: options.outputLimit ?? (isNewest ? "max_completion_tokens" : "max_tokens"),
    reasoning: options.reasoning ?? (url.hostname.endsWith("deepseek.com") ? "reasoning_content" : "none"),
    extra: options.extra ?? {},
  };
}

async function chat(
  request: ModelRequest,
  call: ProviderCall,
  post: (request: ModelRequest, call: ProviderCall) => Promise<Response>,
  hide: Hide,
): ReturnType<Provider["chat"]> {
  try {
    const response = await post(request, call);
    return await readReply(response, request, call);
  } catch (error) {
    throw hide(isFault(error) ? error : faultOfThrown(error, call));
  }
}

function baseUrl(name: string, options: OpenAiOptions, { env }: EndpointEnvironment): URL {
  const text = options.baseUrl ?? (env["OPENAI_BASE_URL"]?.trim() || BASE_URL);
  if (URL.canParse(text)) return new URL(text);
  throw new Fault("model.unknown", `endpoint ${JSON.stringify(name)} has no address: OPENAI_BASE_URL is not a URL`, { sent: false });
}

async function keyOf(
  name: string,
  { apiKey, baseUrl: named, headers = {} }: OpenAiOptions,
  url: URL,
  { env, secret }: EndpointEnvironment,
): Promise<string | undefined> {
  if (typeof apiKey === "object") return await secret(apiKey.store, apiKey.name);
  const isPlain = url.protocol === "http:";
  const fromEnvironment = named !== undefined && isPlain && !isLoopback(url) ? undefined : env["OPENAI_API_KEY"]?.trim() || undefined;
  const key = apiKey ?? fromEnvironment;
  if (key !== undefined || isPlain || Object.keys(headers).some((header) => KEY_HEADERS.includes(header.toLowerCase()))) return key;
  const text = `endpoint ${JSON.stringify(name)} has no key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a local server`;
  throw new Fault("model.unknown", text, { endpoint: name, sent: false });
}

/** Headers that carry a key by themselves. */
const KEY_HEADERS: readonly string[] = ["authorization", "api-key", "x-api-key"];

function isOpenAi(url: URL): boolean {
  return url.hostname === "openai.com" || url.hostname.endsWith(".openai.com");
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
