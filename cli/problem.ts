/** @module Errors of the command as a person reads them: a code, what happened, what to do, never a stack trace. */
import { FAULTS, isFault, isFaultCode } from "../runtime/faults.ts";
import { LaunchError, messageOf } from "./dapr/problem.ts";

/** Codes of the command itself; those of Dapr's launcher are in `dapr/problem.ts`, those of a system in `runtime/faults.ts`. */
export type CliCode = "USAGE" | "SYSTEM_FILE" | "SYSTEM_EXPORT" | "SYSTEM_LOAD" | "RUN_FILE" | "APP_ANSWER" | "PART_ENDED" | "TASKS_FILE";

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

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
  if (error instanceof CliError) return withFix(`${error.code}: ${error.message}`, error.fix);
  if (isFault(error)) return withFix(`${error.code}: ${error.message}`, fixOf(error.code));
  return withFix(`an unexpected error: ${messageOf(error)}`, "This is a defect of Troupe: report what you did and this line.");
}

/** What to do about a fault code; nothing is known of a code that a newer version made. */
export function fixOf(code: string): string {
  return isFaultCode(code) ? FAULTS[code].fix : "Look the code up in the README.";
}

/** The exit code that an error means. */
export function exitCodeOf(error: unknown): number {
  return error instanceof CliError && error.code === "USAGE" ? EXIT.usage : EXIT.failed;
}

function withFix(text: string, fix: string): string {
  return `${text}\nWhat to do: ${fix}`;
}
