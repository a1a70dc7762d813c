/** @module The form of a fault in messages and records, and its bounds. Pure. */
import { z } from "zod";
import { canonicalJson } from "../canonical.ts";
import { LIMITS } from "../limits.ts";
import type { FaultRules } from "./row.ts";
import { FAULTS, isFaultCode } from "./table.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const CODE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const STATUS_MIN = 400;
const STATUS_MAX = 599;

/** Whether a text has the form of a fault code, `word.word`. */
export function isCodeForm(text: string): boolean {
  return text.length <= LIMITS.faultCodeLengthMax && CODE.test(text);
}

/** Whether a number is an HTTP status that a fault may have. */
export function isFaultStatus(status: number): boolean {
  return Number.isInteger(status) && status >= STATUS_MIN && status <= STATUS_MAX;
}

/**
 * A fault in messages and records. A user-defined code carries its rules, so that a host without its definition decides the same.
 * For a code of the table, the table decides. Persisted: changing this needs a version bump.
 */
export const WireFault: z.ZodType<WireFault> = z
  .strictObject({
    code: z.custom<string>((value) => typeof value === "string" && isCodeForm(value), "a fault code of the form word.word is expected"),
    message: z.string(),
    /** Facts for the reader, JSON only. */
    details: z
      .record(
        z.string(),
        z.custom<Json>((value) => value !== undefined),
      )
      .optional(),
    retryable: z.boolean().optional(),
    httpStatus: z.custom<number>((value) => typeof value === "number" && isFaultStatus(value)).optional(),
    fix: z.string().optional(),
    /** Minimum delay before the next attempt. */
    retryAfterMs: z.int().nonnegative().optional(),
    /** What a handler threw: class, message and the first lines of the stack. */
    cause: z.string().optional(),
  })
  .refine(
    ({ code, retryable, httpStatus, fix }) =>
      isFaultCode(code) || (retryable !== undefined && httpStatus !== undefined && fix !== undefined),
    "a fault code that is not in the table needs retryable, httpStatus and fix",
  );
export type WireFault = {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, Json>> | undefined;
  readonly retryable?: boolean | undefined;
  readonly httpStatus?: number | undefined;
  readonly fix?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: string | undefined;
};

/**
 * Returns the rules of a fault: its row of the table, else the rules that it carries. An unknown code without rules is not
 * retryable.
 */
export function rulesOf(fault: WireFault): FaultRules {
  const { code, retryable = false, httpStatus = FAULTS["agent.refused"].httpStatus, fix = FAULTS["agent.refused"].fix } = fault;
  return isFaultCode(code) ? FAULTS[code] : { retryable, httpStatus, fix };
}

/**
 * Returns a fault that fits in each record. Error texts may have any size, and a text with half a surrogate pair cannot be
 * stored. Details are copied, so that each reader sees the same.
 */
export function boundedFault(fault: WireFault): WireFault {
  const { code, message, cause } = fault;
  const rules = isFaultCode(code) ? undefined : rulesOf(fault);
  const details = fault.details === undefined ? undefined : boundedDetails(fault.details);
  const retryAfterMs = boundedPauseMs(fault.retryAfterMs);
  return {
    code,
    message: shortText(message, LIMITS.faultMessageLengthMax),
    ...(details === undefined ? {} : { details }),
    ...(rules === undefined
      ? {}
      : { retryable: rules.retryable, httpStatus: rules.httpStatus, fix: shortText(rules.fix, LIMITS.faultFixLengthMax) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(cause === undefined ? {} : { cause: shortText(cause, LIMITS.faultCauseLengthMax) }),
  };
}

/** Returns a pause in whole milliseconds within its limit; undefined if it is not a positive number. */
export function boundedPauseMs(ms: number | undefined): number | undefined {
  return typeof ms === "number" && ms > 0 ? Math.ceil(Math.min(ms, LIMITS.retryAfterMsMax)) : undefined;
}

/** Returns a text of at most `max` characters with a note of its length, without halves of surrogate pairs. */
export function shortText(text: string, max: number): string {
  // A text that was already shortened is kept.
  if (text.length <= max || (text.length <= max + CUT_LENGTH_MAX && CUT.test(text))) return text.toWellFormed();
  return `${text.slice(0, max)}... (${text.length} characters)`.toWellFormed();
}

const CUT = /\.\.\. \(\d+ characters\)$/;
const CUT_LENGTH_MAX = "... (9007199254740991 characters)".length;

function boundedDetails(details: unknown): Readonly<Record<string, Json>> | undefined {
  if (typeof details !== "object" || details === null || Array.isArray(details)) return undefined;
  try {
    const text = canonicalJson(details as Readonly<Record<string, Json>>);
    return text.length <= LIMITS.faultDetailsLengthMax ? (JSON.parse(text) as Readonly<Record<string, Json>>) : undefined;
  } catch {
    // Details that are not JSON cannot be recorded.
    return undefined;
  }
}
