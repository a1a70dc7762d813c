/** @module What the client throws: always with a code and what to do. */
import { FAULTS, isFaultCode, type Json } from "../runtime/faults.ts";

/** Codes of the client's own; any other code is the system's, see the table of faults. */
export const CLIENT_CODES = {
  "client.unreachable": "Check the address, and that the system is up.",
  "client.answer": "Check the address; use a client of the system's own version.",
  "client.still-open": "Wait again: the process goes on.",
} as const;
/** One of {@link CLIENT_CODES}. */
export type ClientCode = keyof typeof CLIENT_CODES;

/** What an error says. */
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

/** What the system refused, or why it could not be asked. */
export class ClientError extends Error {
  /** A fault's code, or one of {@link CLIENT_CODES}. */
  readonly code: string;
  /** What to do. */
  readonly fix: string;
  /** HTTP status; undefined for the client's own codes. */
  readonly status: number | undefined;
  /** Where the system's log has more. */
  readonly traceId: string | undefined;
  readonly details: Readonly<Record<string, Json>> | undefined;
  /** Trying again is of no use before this time has passed, in milliseconds. */
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

/** What to do about a code. */
function fixOf(code: string): string {
  if (Object.hasOwn(CLIENT_CODES, code)) return CLIENT_CODES[code as ClientCode];
  return isFaultCode(code) ? FAULTS[code].fix : "Look the code up where the system's own faults are documented.";
}

/** The system is there and cannot serve now: its sidecar or store is away, it is full, or it stops. */
const NOT_NOW: ReadonlySet<number | undefined> = new Set([429, 503, 504]);

/** Whether the same call may succeed a moment later. */
export function mayPass(error: unknown): error is ClientError {
  return error instanceof ClientError && (error.code === "client.unreachable" || NOT_NOW.has(error.status));
}
