/** @module Shapes that are answers in the place of a reply: errors in the forms of several servers, and what is no reply. Pure. */
import type { Json } from "../../runtime/faults.ts";
import { errorAnswer, jsonAnswer, textAnswer, type WireAnswer } from "./wire.ts";

const HTML = { "content-type": "text/html" };
const PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center>a proxy</center></body></html>";
const TOO_LONG = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.";

const limited = (headers: Readonly<Record<string, string>>, message = "Rate limit reached"): WireAnswer =>
  errorAnswer(429, "rate_limit_exceeded", message, headers);
const bare = (status: number, content: Json): WireAnswer => jsonAnswer(status, content);

/** The answers by name. */
export const ERROR_ANSWERS = {
  "ok-with-error": bare(200, { error: { message: "overloaded", type: "server_error" } }),
  "ok-with-error-text": bare(200, { error: "the model requires more memory" }),
  "ok-empty-object": bare(200, {}),
  "ok-without-choices": bare(200, { object: "chat.completion", choices: [] }),
  "ok-empty-body": textAnswer(200, "", {}),
  "ok-html-page": textAnswer(200, PAGE, HTML),
  "error-text": bare(500, { error: "the model runner has stopped" }),
  "error-detail": bare(422, { detail: [{ loc: ["body", "messages"], msg: "field required", type: "missing" }] }),
  "error-html-page": textAnswer(502, PAGE, HTML),
  "error-empty-body": textAnswer(500, "", {}),
  "server-error": errorAnswer(500, null, "The server had an error"),
  unavailable: errorAnswer(503, null, "The server is busy", { "retry-after": "1" }),
  overloaded: bare(529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
  "key-wrong": errorAnswer(401, "invalid_api_key", "Incorrect API key provided"),
  "model-unknown": errorAnswer(404, "model_not_found", "The model does not exist"),
  "history-refused": errorAnswer(400, null, "messages with role tool must follow tool_calls"),
  "context-length": errorAnswer(400, "context_length_exceeded", TOO_LONG),
  "context-length-text": bare(400, { object: "error", message: TOO_LONG, type: "BadRequestError", param: null, code: 400 }),
  filtered: bare(400, {
    error: {
      message: "The response was filtered",
      code: "content_filter",
      status: 400,
      innererror: { code: "ResponsibleAIPolicyViolation" },
    },
  }),
  quota: jsonAnswer(
    429,
    { error: { message: "You exceeded your current quota", type: "insufficient_quota", param: null, code: "insufficient_quota" } },
    { "retry-after": "5" },
  ),
  "rate-limited": limited({ "retry-after": "1" }),
  "rate-limited-date": limited({ date: "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:28:02 GMT" }),
  "rate-limited-milliseconds": limited({ "retry-after-ms": "250" }),
  "rate-limited-unreadable-milliseconds": limited({ "retry-after-ms": "soon", "retry-after": "1" }),
  "rate-limited-reset": limited({ "x-ratelimit-reset-tokens": "1m0s" }),
  "rate-limited-text": limited({}, "Please retry after 2 seconds."),
  "rate-limited-negative": limited({ "retry-after": "-1" }),
  "rate-limited-zero": limited({ "retry-after": "0" }),
} as const satisfies Readonly<Record<string, WireAnswer>>;
