/** @module The client's errors, each with a code and what to do. */
import { FAULTS, isFaultCode, type Json } from "../runtime/faults.ts";

/** Codes of the client itself. Any other code is the system's; see the fault table. */
export const CLIENT_CODES = {
  "client.unreachable": "Check the address and that the system is running.",
  "client.answer": "Check the address; use a client of the same version as the system.",
  "client.still-open": "Wait again; the process continues.",
} as const;
/** One of {@link CLIENT_CODES}. */
export type ClientCode = keyof typeof CLIENT_CODES;

/** The content of an error. */
export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly fix?: string | undefined;
  readonly status?: number | undefined;
  readonly traceId?: string | undefined;
  readonly details?: Readonly<Record<string, Json>> | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A refusal by the system, or a failure to reach it. */
export class ClientError extends Error {
  /** A fault's code, or one of {@link CLIENT_CODES}. */
  readonly code: string;
  /** What to do. */
  readonly fix: string;
  /** HTTP status; undefined for the client's own codes. */
  readonly status: number | undefined;
  /** The trace id, with which to find more in the system's log. */
  readonly traceId: string | undefined;
  readonly details: Readonly<Record<string, Json>> | undefined;
  /** Minimum delay before a retry can succeed, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor({ code, message, fix, status, traceId, details, retryAfterMs, cause }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ClientError";
    this.code = code;
    this.fix = fix ?? fixOf(code);
    this.status = status;
    this.traceId = traceId;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Returns what to do about a code. */
function fixOf(code: string): string {
  if (Object.hasOwn(CLIENT_CODES, code)) return CLIENT_CODES[code as ClientCode];
  return isFaultCode(code) ? FAULTS[code].fix : "Look up the code in the documentation of the system's own faults.";
}

/** The system runs but cannot serve now: its sidecar or store is unavailable, it is full, or it shuts down. */
const NOT_NOW: ReadonlySet<number | undefined> = new Set([429, 503, 504]);

/**
 * Whether the same call may succeed in a moment. A source that fails is not asked again, since each failure lengthens the pause of its
 * schedule.
 */
export function mayPass(error: unknown): error is ClientError {
  if (!(error instanceof ClientError) || error.code === "source.unavailable") return false;
  return error.code === "client.unreachable" || NOT_NOW.has(error.status);
}
