/** @module Errors of the command as a person reads them: a code, what happened, what to do, never a stack trace. */
import { FAULTS, isFault, isFaultCode, type Json } from "../../runtime/faults.ts";
import { LaunchError, messageOf } from "../dapr/problem.ts";

/** Codes of the command itself; those of Dapr's launcher are in `dapr/problem.ts`, those of a system in `runtime/faults.ts`. */
export type CliCode =
  | "USAGE"
  | "SYSTEM_FILE"
  | "SYSTEM_EXPORT"
  | "SYSTEM_LOAD"
  | "RUN_FILE"
  | "STATE_FOLDER"
  | "APP_ANSWER"
  | "PART_ENDED"
  | "TASKS_FILE"
  | "STORE_ABSENT"
  | "NOT_REACHABLE"
  | "STILL_OPEN"
  | "DOWN_LATE";

/** Exit codes of every command; `EXIT_TEXT` says them to people. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, denied: 4, open: 5 } as const;

/** The exit codes as every help text shows them. */
export const EXIT_TEXT = `Exit codes: 0 done, 1 failed (also: the process ended badly), 2 wrong usage,
3 not reachable or not ready, 4 token missing or not allowed, 5 still open.`;

/** Something a person can act on. */
export class CliError extends Error {
  readonly code: CliCode;
  readonly fix: string;

  constructor(code: CliCode, what: string, fix: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause });
    this.name = "CliError";
    this.code = code;
    this.fix = fix;
  }
}

/** What the app's process said before it ended; it speaks for itself, code and all. */
export class AppSaid extends Error {}

/** The run was ended from outside: Ctrl-C, a signal, a terminal that went away. */
export class Interrupted extends Error {
  constructor(how: string) {
    super(how);
    this.name = "Interrupted";
  }
}

/** Any thrown value as text for a person. */
export function problemText(error: unknown): string {
  if (error instanceof AppSaid || error instanceof LaunchError) return error.message;
  if (error instanceof Refused || error instanceof CliError) return withFix(`${error.code}: ${error.message}`, error.fix);
  if (isFault(error)) return withFix(`${error.code}: ${error.message}`, fixOf(error));
  return withFix(`an unexpected error: ${messageOf(error)}`, "This is a defect of Troupe: report what you did and this line.");
}

/** What to do about a fault: as the table says, else as the fault says itself. Nothing is known of a code that a newer version made. */
export function fixOf({ code, fix }: { readonly code: string; readonly fix?: string | undefined }): string {
  return isFaultCode(code) ? FAULTS[code].fix : (fix ?? "Look the code up in the README.");
}

/** An error answer of a running system: a fault's code, also one that this version does not know, with what to do. */
export class Refused extends Error {
  readonly code: string;
  readonly fix: string;
  readonly status: number;
  readonly traceId: string | undefined;

  constructor(answer: {
    readonly code: string;
    readonly message: string;
    readonly fix: string;
    readonly status: number;
    readonly traceId: string | undefined;
  }) {
    super(answer.message);
    this.name = "Refused";
    this.code = answer.code;
    this.fix = DENIED.has(answer.status) ? "Give a token that may do this: --token, or TROUPE_TOKEN." : answer.fix;
    this.status = answer.status;
    this.traceId = answer.traceId;
  }
}

const DENIED: ReadonlySet<number> = new Set([401, 403]);
/** The system is there and cannot serve now: its sidecar or store is away, it is full, or it stops. */
export const NOT_NOW: ReadonlySet<number> = new Set([429, 503]);
const EXIT_OF_CODE: { readonly [Code in CliCode]?: number } = { USAGE: EXIT.usage, NOT_REACHABLE: EXIT.unreachable, STILL_OPEN: EXIT.open };

/** The exit code that an error means. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return EXIT_OF_CODE[error.code] ?? EXIT.failed;
  if (!(error instanceof Refused)) return EXIT.failed;
  if (DENIED.has(error.status)) return EXIT.denied;
  return NOT_NOW.has(error.status) ? EXIT.unreachable : EXIT.failed;
}

/** Any thrown value as JSON for a program: the same as {@link problemText}. */
export function problemJson(error: unknown): Json {
  const parts = coded(error);
  const [code = "", ...rest] = problemText(error).split(": ");
  return { error: parts ?? { code: /^[A-Z_]+$/.test(code) ? code : "UNEXPECTED", message: rest.join(": ") || code } };
}

function coded(error: unknown): { readonly [key: string]: string } | undefined {
  if (error instanceof Refused)
    return { code: error.code, message: error.message, fix: error.fix, ...(error.traceId === undefined ? {} : { traceId: error.traceId }) };
  if (error instanceof CliError) return { code: error.code, message: error.message, fix: error.fix };
  return isFault(error) ? { code: error.code, message: error.message, fix: fixOf(error) } : undefined;
}

function withFix(text: string, fix: string): string {
  return `${text}\nWhat to do: ${fix}`;
}
