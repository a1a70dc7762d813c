/** @module Shapes of errors, and of the pauses that they ask for. */
import type { FaultCode } from "../../runtime/faults.ts";
import { type Body, JSON_TYPE, PAGE, type Shape, whole } from "./shape-parts.ts";

const fails = (
  name: string,
  status: number,
  body: Body | string,
  fault: FaultCode,
  retryAfterMs?: number,
  headers: Readonly<Record<string, string>> = {},
): Shape => whole(name, body, { fault, retryAfterMs }, status, { ...JSON_TYPE, ...headers });

const error = (text: string, code: unknown = null, type = "invalid_request_error"): Body => ({
  error: { message: text, type, param: null, code },
});

/** Errors. */
export const ERRORS: readonly Shape[] = [
  fails("a wrong key", 401, error("Incorrect API key provided", "invalid_api_key"), "model.rejected"),
  fails("an unknown model", 404, error("The model does not exist", "model_not_found"), "model.rejected"),
  fails("an unknown model of Ollama", 404, { error: 'model "x" not found' }, "model.rejected"),
  fails("a parameter that is not taken", 400, error("Unsupported value: temperature", "unsupported_value"), "model.rejected"),
  fails("a malformed history", 400, error("messages with role tool must follow tool_calls"), "model.rejected"),
  fails("errors of FastAPI", 422, { detail: [{ loc: ["body", "messages"], msg: "field required", type: "missing" }] }, "model.rejected"),
  fails("a context that is too long", 400, error("too long", "context_length_exceeded"), "model.context-length"),
  fails(
    "a context that is too long, vLLM",
    400,
    {
      object: "error",
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      type: "BadRequestError",
      code: 400,
    },
    "model.context-length",
  ),
  fails(
    "a context that is too long, llama.cpp",
    500,
    { error: { code: 500, message: "the request exceeds the available context size", type: "server_error" } },
    "model.context-length",
  ),
  fails("a body that is too large", 413, "", "model.context-length"),
  fails(
    "a prompt that Azure filters",
    400,
    {
      error: {
        message: "The response was filtered",
        code: "content_filter",
        status: 400,
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    },
    "model.filtered",
  ),
  fails("no credit", 429, error("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), "model.quota", undefined, {
    "retry-after": "5",
  }),
  fails("payment required", 402, error("Insufficient Balance", null, "unknown_error"), "model.quota"),
  fails("a failed server", 500, error("The server had an error", null, "server_error"), "model.unavailable"),
  fails("a failed server without a body", 500, "", "model.unavailable"),
  fails("a proxy's page", 502, PAGE, "model.unavailable", undefined, { "content-type": "text/html" }),
  fails("an overloaded server", 503, { error: "server busy" }, "model.unavailable", 4_000, { "retry-after": "4" }),
  fails("an overloaded provider", 529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "model.unavailable"),
  fails("a timeout of the server", 408, "", "model.unavailable"),
  fails("a redirect", 302, "", "model.malformed", undefined, {}),
];

const rate = (
  name: string,
  headers: Readonly<Record<string, string>>,
  retryAfterMs: number | undefined,
  text = "Rate limit reached",
): Shape => fails(name, 429, error(text, "rate_limit_exceeded", "requests"), "model.rate-limited", retryAfterMs, headers);

/** Pauses. */
export const WAITS: readonly Shape[] = [
  rate("a pause in seconds", { "retry-after": "7" }, 7_000),
  rate("a pause in parts of a second", { "retry-after": "0.5" }, 500),
  rate("a pause of more than a minute", { "retry-after": "90" }, 90_000),
  rate("a pause until a date", { date: "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:28:12 GMT" }, 12_000),
  rate(
    "a pause until a date that is over",
    { date: "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:27:00 GMT" },
    undefined,
  ),
  rate("a pause in milliseconds", { "retry-after-ms": "250" }, 250),
  rate("milliseconds that cannot be read beside valid seconds", { "retry-after-ms": "soon", "retry-after": "3" }, 3_000),
  rate("a pause of -1", { "retry-after": "-1" }, undefined),
  rate("a pause of 0", { "retry-after": "0" }, undefined),
  rate("a pause that cannot be read", { "retry-after": "later" }, undefined),
  rate("only the reset of the tokens", { "x-ratelimit-reset-tokens": "6m0s" }, 360_000),
  rate(
    "the reset of what is used up",
    {
      "x-ratelimit-reset-requests": "120ms",
      "x-ratelimit-remaining-requests": "59",
      "x-ratelimit-reset-tokens": "1m30s",
      "x-ratelimit-remaining-tokens": "0",
    },
    90_000,
  ),
  rate("seconds in a text", {}, 6_000, "Please retry after 6 seconds."),
  rate("a length in a text", {}, 1_500, "Rate limit reached. Please try again in 1.5s."),
  rate("milliseconds in a text", {}, 120, "Please try again in 120ms."),
  rate("no pause", {}, undefined),
];
