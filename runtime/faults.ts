/**
 * @module Faults: the thrown class, user-defined codes, and the conversion of thrown values.
 *
 * A fault is an operating error as a value. A programming error is thrown as another error and ends the turn. The table is in
 * `faults/table.ts`, the form in records and messages in `faults/wire.ts`.
 */
import type { FaultRules } from "./faults/row.ts";
import { FAULTS, type FaultCode, isFaultCode } from "./faults/table.ts";
import { causeText, safely, thrownText } from "./faults/thrown.ts";
import { boundedFault, boundedPauseMs, isCodeForm, isFaultStatus, type Json, rulesOf, WireFault } from "./faults/wire.ts";
import { LIMITS } from "./limits.ts";

export { FAULTS, type FaultCode, isFaultCode } from "./faults/table.ts";
export { boundedFault, boundedPauseMs, type Json, rulesOf, WireFault } from "./faults/wire.ts";

const FAULT_MARK = Symbol.for("troupe.fault");
const CARRIED = Symbol("carried");

/** Options of a fault besides its details. */
export interface FaultMore {
  /** The cause of the fault. If a handler throws the fault, the cause's text is recorded, shortened. */
  readonly cause?: unknown;
  /** Minimum delay before the next attempt, up to `LIMITS.retryAfterMsMax`. A value that is not a positive number is ignored. */
  readonly retryAfterMs?: number | undefined;
}

/** What a recorded fault brings: its rules, and the text of its cause. */
interface Carried {
  readonly rules: FaultRules;
  readonly cause: string | undefined;
}

/** A classified failure. Thrown at boundaries and in handlers; a {@link WireFault} inside the system. */
export class Fault extends Error {
  /** A code of the table, or one defined with {@link defineFault}. */
  readonly code: string;
  readonly details: Readonly<Record<string, Json>> | undefined;
  readonly retryAfterMs: number | undefined;
  readonly [FAULT_MARK] = true;
  readonly #carried: Carried;

  /** @throws `definition.invalid` for a code that is neither in the table nor defined with {@link defineFault}. */
  constructor(
    code: FaultCode,
    message: string,
    details?: Readonly<Record<string, Json>>,
    more: FaultMore & { readonly [CARRIED]?: Carried } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "Fault";
    this.code = code;
    this.details = details;
    this.retryAfterMs = boundedPauseMs(more.retryAfterMs);
    this.#carried = more[CARRIED] ?? { rules: requireRules(code), cause: undefined };
  }

  /** Whether a retry policy may try again after this fault. */
  get retryable(): boolean {
    return this.#carried.rules.retryable;
  }

  /** HTTP status of a response that carries this fault. */
  get httpStatus(): number {
    return this.#carried.rules.httpStatus;
  }

  /** What to do about it. */
  get fix(): string {
    return this.#carried.rules.fix;
  }

  toWire(): WireFault {
    const { code, message, details, retryAfterMs } = this;
    const { rules, cause } = this.#carried;
    return boundedFault({ code, message, details, ...rules, retryAfterMs, cause });
  }

  /** Returns the fault of a record, also if this host does not define its code. `thrown` is the original value in this host. */
  static fromWire(fault: WireFault, thrown?: unknown): Fault {
    const { code, message, details, retryAfterMs, cause } = fault;
    // The compiler knows only the codes of the table; the rules come with the fault.
    return new Fault(code as FaultCode, message, details, { cause: thrown, retryAfterMs, [CARRIED]: { rules: rulesOf(fault), cause } });
  }
}

function requireRules(code: string): FaultRules {
  const rules = isFaultCode(code) ? FAULTS[code] : defined.get(code);
  if (rules !== undefined) return rules;
  throw new Fault("definition.invalid", `${quoted(code)} is not a known fault code; define it with defineFault`, { where: "new Fault" });
}

// ---- user-defined codes ---------------------------------------------------------------------------------------------

/** Options of {@link defineFault}. */
export interface FaultDefinition {
  /** Whether the same request may succeed later, so that a retry policy may try again. */
  readonly retryable: boolean;
  /** HTTP status of a response that carries this fault, 400 to 599. @default 503 if retryable, else 422 */
  readonly http?: number;
  /** What to do about it, in one sentence. */
  readonly fix: string;
}

/** Options of a {@link FaultMaker}. */
export interface FaultOptions extends FaultMore {
  /** Facts for the reader, JSON only, up to `LIMITS.faultDetailsLengthMax` characters. */
  readonly details?: Readonly<Record<string, Json>>;
}

/** Makes faults of one user-defined code; see {@link defineFault}. */
export interface FaultMaker<Code extends string> {
  (message: string, options?: FaultOptions): Fault & { readonly code: Code };
  readonly code: Code;
  /** Whether a caught value is a fault of this code. Never throws. */
  is(value: unknown): value is Fault & { readonly code: Code };
}

const STATUS_RETRYABLE = 503;
const STATUS_FINAL = 422;

/** Codes are known to the whole program, like the table. A second definition of a code must be equal to the first. */
const defined = new Map<string, FaultRules>();

/**
 * Defines a fault code of your own, such as `card.declined`, and returns a function that makes faults with it.
 * @throws `definition.invalid` for a code that is not of the form `word.word`, is in the table, or is already defined differently
 */
export function defineFault<const Code extends string>(code: Code, { retryable, http, fix }: FaultDefinition): FaultMaker<Code> {
  const rules = { retryable, httpStatus: http ?? (retryable ? STATUS_RETRYABLE : STATUS_FINAL), fix };
  const problem = problemOf(code, rules);
  if (problem !== undefined) throw new Fault("definition.invalid", `fault ${quoted(code)}: ${problem}`, { where: "defineFault" });
  defined.set(code, rules);
  const make = (message: string, { details, ...more }: FaultOptions = {}): Fault & { readonly code: Code } =>
    new Fault(code as string as FaultCode, message, details, { ...more, [CARRIED]: { rules, cause: undefined } }) as Fault & {
      readonly code: Code;
    };
  const is = (value: unknown): value is Fault & { readonly code: Code } => isFault(value) && safely(() => value.code === code, false);
  return Object.freeze(Object.assign(make, { code, is }));
}

function problemOf(code: string, { retryable, httpStatus, fix }: FaultRules): string | undefined {
  if (typeof code !== "string" || !isCodeForm(code))
    return `a code must have the form word.word, in small letters, digits and dashes, and at most ${LIMITS.faultCodeLengthMax} characters`;
  if (isFaultCode(code)) return "the code is in the fault table; choose another";
  if (typeof retryable !== "boolean") return "retryable must be true or false";
  if (!isFaultStatus(httpStatus)) return "http must be a status from 400 to 599";
  if (typeof fix !== "string" || fix === "" || fix.length > LIMITS.faultFixLengthMax || !fix.isWellFormed())
    return `fix must be a text of 1 to ${LIMITS.faultFixLengthMax} characters that says what to do`;
  const known = defined.get(code);
  return known === undefined || (known.retryable === retryable && known.httpStatus === httpStatus && known.fix === fix)
    ? undefined
    : "the code is already defined with other options; define it once";
}

function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, LIMITS.faultCodeLengthMax)) : `a ${typeof value}`;
}

// ---- faults as values, and thrown values ----------------------------------------------------------------------------

/** Returns a fault of the system as a value, within its bounds. */
export function wireFault(code: FaultCode, message: string, details?: Readonly<Record<string, Json>>): WireFault {
  return boundedFault({ code, message, details });
}

/** Whether a value is a {@link Fault} of any copy of this module (two copies may be loaded in one process). Never throws. */
export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && safely(() => FAULT_MARK in value, false);
}

/** Converts a caught value to a fault: a coded fault keeps its code, any other value becomes `fallback`. Never throws. */
export function faultFrom(value: unknown, fallback: FaultCode): WireFault {
  return codedFault(value) ?? wireFault(fallback, thrownText(value));
}

/**
 * Converts what user code threw to a fault with the text of its cause: class, message and the first lines of the stack. A fault
 * of the system that passed through user code carries no cause. Never throws.
 */
export function faultFromUserCode(value: unknown): WireFault {
  const coded = codedFault(value);
  if (coded === undefined) return boundedFault({ ...wireFault("agent.failed", thrownText(value)), cause: causeText(value) });
  const isOfSystem = isFaultCode(coded.code) && !USER_CODES.has(coded.code);
  return isOfSystem || coded.cause !== undefined ? coded : boundedFault({ ...coded, cause: causeText(value) });
}

/** Codes of the table that handlers may throw. */
const USER_CODES: ReadonlySet<FaultCode> = new Set<FaultCode>(["agent.failed", "agent.refused"]);

function codedFault(value: unknown): WireFault | undefined {
  if (!isFault(value)) return undefined;
  return safely(() => {
    const parsed = WireFault.safeParse(value.toWire());
    return parsed.success ? boundedFault(parsed.data) : undefined;
  }, undefined);
}

/** Whether a retry policy may try again after this fault. */
export function isRetryable(fault: WireFault): boolean {
  return rulesOf(fault).retryable;
}

/** Ends the turn if an internal rule does not hold. This is a defect, not an operating error. */
export function invariant(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(`invariant: ${text}`);
}

/** The unreachable branch of a closed union. */
export function assertNever(value: never): never {
  throw new Error(`invariant: unexpected ${JSON.stringify(value)}`);
}
