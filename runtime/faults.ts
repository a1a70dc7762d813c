/**
 * @module Faults: the class that is thrown, codes of the user's own, and what a thrown value says.
 *
 * A fault is an operating error and a value; a programmer's error is thrown and ends the turn. The table is in
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

/** What may be said with a fault beside its details. */
export interface FaultMore {
  /** What led to the fault. When a handler throws the fault, the text of the cause is kept in the record, shortened. */
  readonly cause?: unknown;
  /** The next attempt waits at least this long, up to `LIMITS.retryAfterMsMax`. Anything but a positive number is ignored. */
  readonly retryAfterMs?: number | undefined;
}

/** What a fault from a record brings: its rules, and the text of its cause. */
interface Carried {
  readonly rules: FaultRules;
  readonly cause: string | undefined;
}

/** A classified failure. Thrown at boundaries and in handlers; a {@link WireFault} inside the system. */
export class Fault extends Error {
  /** A code of the table, or one that was defined with {@link defineFault}. */
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

  /** Whether a policy may try again after this fault. */
  get retryable(): boolean {
    return this.#carried.rules.retryable;
  }

  /** Status of an HTTP answer that carries this fault. */
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

  /** The fault of a record, also one whose code this host has no definition of. `thrown` is what it was made of in this host. */
  static fromWire(fault: WireFault, thrown?: unknown): Fault {
    const { code, message, details, retryAfterMs, cause } = fault;
    // The compiler knows the codes of the table alone; the rules come with the fault.
    return new Fault(code as FaultCode, message, details, { cause: thrown, retryAfterMs, [CARRIED]: { rules: rulesOf(fault), cause } });
  }
}

function requireRules(code: string): FaultRules {
  const rules = isFaultCode(code) ? FAULTS[code] : defined.get(code);
  if (rules !== undefined) return rules;
  throw new Fault("definition.invalid", `${quoted(code)} is no code of the table; define it with defineFault`, { where: "new Fault" });
}

// ---- codes of the user's own ----------------------------------------------------------------------------------------

/** What a fault of the user's own is. */
export interface FaultDefinition {
  /** Whether the same request may succeed later, so that a policy may try again. */
  readonly retryable: boolean;
  /** Status of an HTTP answer that carries this fault, 400 to 599. @default 503 when it is retryable, else 422 */
  readonly http?: number;
  /** What to do about it, in one sentence. */
  readonly fix: string;
}

/** What a maker is told beside the message. */
export interface FaultOptions extends FaultMore {
  /** Facts for the reader, JSON only, up to `LIMITS.faultDetailsLengthMax` characters. */
  readonly details?: Readonly<Record<string, Json>>;
}

/** Makes faults of one code of the user's own; see {@link defineFault}. */
export interface FaultMaker<Code extends string> {
  (message: string, options?: FaultOptions): Fault & { readonly code: Code };
  readonly code: Code;
  /** Whether a caught value is a fault of this code. Never throws. */
  is(value: unknown): value is Fault & { readonly code: Code };
}

const STATUS_RETRYABLE = 503;
const STATUS_FINAL = 422;

/** Codes are known to the whole program, as the table is. A later definition of a code must say the same. */
const defined = new Map<string, FaultRules>();

/**
 * Defines a fault code of your own, such as `card.declined`, and gives a function that makes faults of it.
 * @throws `definition.invalid` for a code that is not of the form `word.word`, is in the table, or is defined otherwise.
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
    return `a code has the form word.word, in small letters, digits and dashes, and at most ${LIMITS.faultCodeLengthMax} characters`;
  if (isFaultCode(code)) return "the code is in the fault table; choose another";
  if (typeof retryable !== "boolean") return "retryable must be true or false";
  if (!isFaultStatus(httpStatus)) return "http must be a status from 400 to 599";
  if (typeof fix !== "string" || fix === "" || fix.length > LIMITS.faultFixLengthMax || !fix.isWellFormed())
    return `fix must be a text of 1 to ${LIMITS.faultFixLengthMax} characters that says what to do`;
  const known = defined.get(code);
  return known === undefined || (known.retryable === retryable && known.httpStatus === httpStatus && known.fix === fix)
    ? undefined
    : "the code is defined already, and otherwise";
}

function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, LIMITS.faultCodeLengthMax)) : `a ${typeof value}`;
}

// ---- faults as values, and what was thrown --------------------------------------------------------------------------

/** A fault of the system as a value, within its bounds. */
export function wireFault(code: FaultCode, message: string, details?: Readonly<Record<string, Json>>): WireFault {
  return boundedFault({ code, message, details });
}

/** True for a {@link Fault} of any copy of this module (two copies may be loaded in one process). Never throws. */
export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && safely(() => FAULT_MARK in value, false);
}

/** What a caught value says, as a fault: coded faults keep their code, everything else becomes `fallback`. Never throws. */
export function faultFrom(value: unknown, fallback: FaultCode): WireFault {
  return codedFault(value) ?? wireFault(fallback, thrownText(value));
}

/**
 * What user code threw, as a fault with the text of its cause: class, message and the first lines of the stack. A fault
 * of the system itself that passed through user code carries none. Never throws.
 */
export function faultFromUserCode(value: unknown): WireFault {
  const coded = codedFault(value);
  if (coded === undefined) return boundedFault({ ...wireFault("agent.failed", thrownText(value)), cause: causeText(value) });
  const isOfSystem = isFaultCode(coded.code) && !USER_CODES.has(coded.code);
  return isOfSystem || coded.cause !== undefined ? coded : boundedFault({ ...coded, cause: causeText(value) });
}

/** Codes of the table that handlers throw. */
const USER_CODES: ReadonlySet<FaultCode> = new Set<FaultCode>(["agent.failed", "agent.refused"]);

function codedFault(value: unknown): WireFault | undefined {
  if (!isFault(value)) return undefined;
  return safely(() => {
    const parsed = WireFault.safeParse(value.toWire());
    return parsed.success ? boundedFault(parsed.data) : undefined;
  }, undefined);
}

/** Whether a policy may try again after this fault. */
export function isRetryable(fault: WireFault): boolean {
  return rulesOf(fault).retryable;
}

/** Ends the turn when a rule that the code itself guarantees does not hold: a defect, not an operating error. */
export function invariant(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(`invariant: ${text}`);
}

/** The branch of a closed union that cannot be reached. */
export function assertNever(value: never): never {
  throw new Error(`invariant: unexpected ${JSON.stringify(value)}`);
}
