/** @module Errors of the command for people: a code, what happened and what to do; never a stack trace. */
import { ClientError, type ClientCode } from "../../client/index.ts";
import { FAULTS, isFault, isFaultCode, type Json } from "../../runtime/faults.ts";
import { LaunchError, messageOf } from "../dapr/problem.ts";
import { oneLine } from "./output.ts";

/** Codes of the command itself; those of Dapr's launcher are in `dapr/problem.ts`, those of a system in `runtime/faults.ts`. */
export type CliCode =
  | "USAGE"
  | "PROJECT_ABSENT"
  | "SYSTEM_FILE"
  | "SYSTEM_EXPORT"
  | "SYSTEM_LOAD"
  | "RUN_FILE"
  | "STATE_FOLDER"
  | "APP_ANSWER"
  | "PART_ENDED"
  | "TASKS_FILE"
  | "STORE_ABSENT"
  | "MODEL_KEY"
  | "NOT_REACHABLE"
  | "STILL_OPEN"
  | "DOWN_LATE";

/** Exit codes of every command; `EXIT_TEXT` explains them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, denied: 4, open: 5 } as const;

/** The exit codes as every help text shows them. */
export const EXIT_TEXT = `Exit codes: 0 done, 1 failed (also: the process ended badly), 2 wrong usage,
3 not reachable or not ready, 4 token missing or not allowed, 5 still open,
130 interrupted (Ctrl-C).`;

/** An error of the command, with what to do about it. */
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

/** An error that the app's process printed before it ended. The message already has code and fix. */
export class AppSaid extends Error {}

/** The command was ended from outside: Ctrl-C, a signal, a closed terminal. */
export class Interrupted extends Error {
  /** The exit code of the command. */
  readonly exitCode: number;

  constructor(how: string, exitCode: number = EXIT.failed) {
    super(how);
    this.name = "Interrupted";
    this.exitCode = exitCode;
  }
}

/** Any thrown value as text for a person. */
export function problemText(error: unknown): string {
  if (error instanceof AppSaid || error instanceof LaunchError) return error.message;
  if (error instanceof ClientError) return withFix(oneLine(`${shownCode(error)}: ${error.message}`), oneLine(shownFix(error)));
  if (error instanceof CliError) return withFix(`${error.code}: ${error.message}`, error.fix);
  if (isFault(error)) return withFix(`${error.code}: ${error.message}`, fixOf(error));
  return withFix(`an unexpected error: ${messageOf(error)}`, "This is a defect of Troupe: report what you did and this line.");
}

/** What to do about a fault: from the table for a code of Troupe, else from the fault itself. */
export function fixOf({ code, fix }: { readonly code: string; readonly fix?: string | undefined }): string {
  return isFaultCode(code) ? FAULTS[code].fix : (fix ?? "Look the code up in docs/troubleshooting.md.");
}

/** The client's own codes as the command names them, with what to do at a terminal. */
const OF_CLIENT: ReadonlyMap<string, readonly [code: CliCode, fix: string]> = new Map([
  [
    "client.unreachable",
    ["NOT_REACHABLE", "Start one with `troupe up`, or give its address: --url, TROUPE_URL, or --state with its folder."],
  ],
  ["client.answer", ["APP_ANSWER", "Check the address: --url, TROUPE_URL or --state; use a `troupe` of the system's own version."]],
  ["client.still-open", ["STILL_OPEN", "Look again: troupe show --follow."]],
] satisfies readonly (readonly [ClientCode, readonly [CliCode, string]])[]);

/** The code of what a client threw, as the command shows it. */
export function shownCode({ code }: ClientError): string {
  return OF_CLIENT.get(code)?.[0] ?? code;
}

/** What to do at a terminal about what a client threw. */
function shownFix({ code, status, fix }: ClientError): string {
  return (
    OF_CLIENT.get(code)?.[1] ??
    (DENIED.has(status) && code.startsWith("auth.") ? "Give a token that may do this: --token, or TROUPE_TOKEN." : fix)
  );
}

/** Whether the system itself refused the request. */
export function isRefused(error: unknown): error is ClientError {
  return error instanceof ClientError && error.status !== undefined && error.status < STATUS_SERVER_ERROR;
}

const STATUS_SERVER_ERROR = 500;
const DENIED: ReadonlySet<number | undefined> = new Set([401, 403]);
/** The system cannot serve now: its sidecar or store is down, it is full, or it is stopping. */
const NOT_NOW: ReadonlySet<number | undefined> = new Set([429, 503]);
const EXIT_OF_CODE: { readonly [Code in CliCode]?: number } = { USAGE: EXIT.usage, NOT_REACHABLE: EXIT.unreachable, STILL_OPEN: EXIT.open };

/** The exit code that an error means. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return EXIT_OF_CODE[error.code] ?? EXIT.failed;
  if (!(error instanceof ClientError)) return EXIT.failed;
  const own = OF_CLIENT.get(error.code)?.[0];
  if (own !== undefined) return EXIT_OF_CODE[own] ?? EXIT.failed;
  if (DENIED.has(error.status)) return EXIT.denied;
  return NOT_NOW.has(error.status) ? EXIT.unreachable : EXIT.failed;
}

/** Any thrown value as JSON for a program, with the content of {@link problemText}. */
export function problemJson(error: unknown): Json {
  const parts = coded(error);
  const [code = "", ...rest] = problemText(error).split(": ");
  return { error: parts ?? { code: /^[A-Z_]+$/.test(code) ? code : "UNEXPECTED", message: rest.join(": ") || code } };
}

function coded(error: unknown): { readonly [key: string]: string } | undefined {
  if (error instanceof ClientError)
    return {
      code: shownCode(error),
      message: error.message,
      fix: shownFix(error),
      ...(error.traceId === undefined ? {} : { traceId: error.traceId }),
    };
  if (error instanceof CliError) return { code: error.code, message: error.message, fix: error.fix };
  return isFault(error) ? { code: error.code, message: error.message, fix: fixOf(error) } : undefined;
}

function withFix(text: string, fix: string): string {
  return `${text}\nWhat to do: ${fix}`;
}
