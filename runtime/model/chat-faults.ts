/**
 * @module What an error of an OpenAI-compatible server means, as a coded fault. Pure.
 *
 * Errors come as `{error: {message, type, code}}`, as `{error: "text"}`, as `{detail: ...}`, as HTML or with no body; codes are texts or
 * numbers. The status decides first, then the code, then the text.
 */
import { Fault, type FaultCode, type Json } from "../faults.ts";
import { type ReadHeader, retryAfterMs } from "./retry-after.ts";

/** An answer of a server that is not a reply, or whose body turned out to hold an error. */
export interface ErrorAnswer {
  /** HTTP status; undefined for an error within a stream. */
  readonly status: number | undefined;
  readonly header: ReadHeader;
  readonly body: string;
}

/** What an error says, in whichever form it came. */
interface Said {
  readonly message: string;
  readonly code: string;
  readonly type: string;
  /** A status in the body, where the HTTP status was 200. */
  readonly status: number | undefined;
  readonly filtered: boolean;
}

const SAID_CHARS_MAX = 500;

const CONTEXT_CODE = /context_length|context_window|string_above_max_length/;
const CONTEXT_TEXT = anyOf(
  /maximum (context|model) length|maximum context|context (length|window|size)|too many (input )?tokens|reduce the length/,
  /(prompt|input|request)( is|'s)? too (long|large)|longer than the model/,
  /exceeds? the (available |model's |maximum )?(context|number of tokens)/,
);
const FILTER_CODE = /content_?filter|content_policy|responsibleaipolicy|data_inspection|moderation|safety/i;
const FILTER_TEXT = /content (management )?(filter|policy)|content_filter|flagged by|safety system/i;
const QUOTA_CODE = /insufficient_quota|billing|quota_exceeded|insufficient_balance|credit/i;
const QUOTA_TEXT = /exceeded your current quota|insufficient (balance|quota|credits?)|credit balance|billing hard limit/i;
const RATE_CODE = /rate_?limit|too_many_requests|throttl/i;
const BUSY_CODE = /overloaded|server_error|internal|unavailable|timeout|bad_gateway/i;
const REJECT_CODE =
  /invalid_request|invalid_api_key|authentication|permission|not_found|model_not_found|unsupported|unauthorized|badrequest/i;

const STATUS = { quota: 402, tooLarge: 413, rate: 429, server: 500, last: 599 } as const;
/** Timeout, conflict, locked, too early: the same request may succeed later. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 423, 425]);
const STATUS_REDIRECT_MIN = 300;
const STATUS_ERROR_MIN = 400;

/** The fault of an error answer. `nowMs` is the time of this host, for a `Retry-After` that is a date. */
export function faultOfAnswer({ status, header, body }: ErrorAnswer, nowMs: number): Fault {
  const said = saidIn(body);
  const known = status !== undefined && status >= STATUS_REDIRECT_MIN ? status : said.status;
  const code = codeOf(known, said);
  const pause = code === "model.rate-limited" || code === "model.unavailable" ? retryAfterMs(header, said.message, nowMs) : undefined;
  // Only a status of HTTP says that no reply was begun, and so that nothing was bought.
  const details: Record<string, Json> = {
    ...(status === undefined || status < STATUS_ERROR_MIN ? {} : { status }),
    ...(said.code === "" ? (said.status === undefined ? {} : { code: said.status }) : { code: said.code }),
  };
  return new Fault(code, `${START[code]}${told(known, said.message)}`, details, { retryAfterMs: pause });
}

/** A fault for a body that is not an answer of the protocol. */
export function malformed(what: string, body: string): Fault {
  return new Fault("model.malformed", `the provider's answer is not one of the protocol: ${what}${told(undefined, plain(body))}`);
}

type ErrorCode = Extract<
  FaultCode,
  | "model.unavailable"
  | "model.rate-limited"
  | "model.quota"
  | "model.rejected"
  | "model.malformed"
  | "model.context-length"
  | "model.filtered"
>;

const START: Readonly<Record<ErrorCode, string>> = {
  "model.unavailable": "the provider failed",
  "model.rate-limited": "the provider asks to wait",
  "model.quota": "the account at the provider has no credit left",
  "model.rejected": "the provider refused the request",
  "model.malformed": "the provider's answer is not one of the protocol",
  "model.context-length": "the conversation is too long for the model",
  "model.filtered": "a content filter of the provider stopped the request",
};

function codeOf(status: number | undefined, said: Said): ErrorCode {
  const names = `${said.code} ${said.type}`;
  if (status !== undefined && status < STATUS_ERROR_MIN) return "model.malformed";
  if (QUOTA_CODE.test(names) || QUOTA_TEXT.test(said.message) || status === STATUS.quota) return "model.quota";
  if (status === STATUS.rate || RATE_CODE.test(names)) return "model.rate-limited";
  if (CONTEXT_CODE.test(names) || CONTEXT_TEXT.test(said.message) || status === STATUS.tooLarge) return "model.context-length";
  if (status !== undefined && (status >= STATUS.server || PASSING.has(status))) return "model.unavailable";
  if (said.filtered || FILTER_CODE.test(names) || FILTER_TEXT.test(said.message)) return "model.filtered";
  if (status !== undefined) return "model.rejected";
  if (BUSY_CODE.test(names)) return "model.unavailable";
  return REJECT_CODE.test(names) ? "model.rejected" : "model.unavailable";
}

function told(status: number | undefined, message: string): string {
  const from = status === undefined ? "" : ` (HTTP ${status})`;
  if (message === "") return from;
  return `${from}: ${message.length > SAID_CHARS_MAX ? `${message.slice(0, SAID_CHARS_MAX).toWellFormed()}...` : message}`;
}

// ---- the forms of an error ------------------------------------------------------------------------------------------

function saidIn(body: string): Said {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { message: plain(body), code: "", type: "", status: undefined, filtered: false };
  }
  const root = recordOf(value) ?? {};
  const error = recordOf(root["error"]) ?? root;
  const inner = recordOf(error["innererror"]) ?? recordOf(error["inner_error"]) ?? {};
  const code = textOf(error["code"]);
  const status = statusIn(error["code"]) ?? statusIn(error["status"]) ?? statusIn(root["status"]);
  return {
    message: messageOf(root, error, body),
    code: statusIn(error["code"]) === undefined ? code : "",
    type: [textOf(error["type"]), textOf(inner["code"])].join(" ").trim(),
    status,
    filtered: /policy|filter/i.test(textOf(inner["code"])),
  };
}

function messageOf(root: Readonly<Record<string, unknown>>, error: Readonly<Record<string, unknown>>, body: string): string {
  const first = [root["error"], error["message"], root["message"], root["detail"], error["detail"]].find(
    (one) => typeof one === "string" && one !== "",
  );
  if (typeof first === "string") return first;
  const detail = root["detail"] ?? error["message"];
  return detail === undefined || detail === null ? plain(body) : JSON.stringify(detail);
}

function statusIn(value: unknown): number | undefined {
  const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === "number" && Number.isInteger(status) && status >= STATUS_ERROR_MIN && status <= STATUS.last ? status : undefined;
}

/** The words of a page or text in one line. */
function plain(body: string): string {
  return body
    .slice(0, 8 * SAID_CHARS_MAX)
    .replace(/<(script|style)[^>]*>.*?<\/\1>/gis, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** The value as an object that is no list. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function anyOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join("|"), "i");
}
