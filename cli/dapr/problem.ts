/** @module The coded errors of finding, building, starting and stopping Dapr. */

/** The codes of `LaunchError`. Each has one cause and one thing to do. */
export type LaunchCode =
  | "SYSTEM_UNSUPPORTED"
  | "GO_ABSENT"
  | "GO_OLD"
  | "DISK_SPACE"
  | "BUILD_BUSY"
  | "BUILD_FAILED"
  | "FOLDER_LOCKED"
  | "FOLDER_FOREIGN"
  | "PORT_TAKEN"
  | "START_FAILED"
  | "START_TIMEOUT"
  | "STOP_FAILED"
  | "STORE_NOT_FOUND"
  | "STORE_FAILED"
  | "RESOURCE_INVALID";

/** The content of a `LaunchError`. */
export interface LaunchProblem {
  readonly code: LaunchCode;
  /** What happened, in one sentence. */
  readonly what: string;
  /** What the reader can do about it. */
  readonly fix: string;
  /** The last lines a child process printed, oldest first. */
  readonly lines?: readonly string[];
  readonly cause?: unknown;
}

/** Maximum log lines in the text of an error; `lines` has all of them. */
const SHOWN_LINES = 12;

/** A launch error: a code, what happened, what to do, and the last log lines. */
export class LaunchError extends Error {
  readonly code: LaunchCode;
  readonly fix: string;
  readonly lines: readonly string[];

  constructor(problem: LaunchProblem) {
    super(describe(problem), problem.cause === undefined ? undefined : { cause: problem.cause });
    this.name = "LaunchError";
    this.code = problem.code;
    this.fix = problem.fix;
    this.lines = problem.lines ?? [];
  }
}

function describe(problem: LaunchProblem): string {
  const shown = (problem.lines ?? []).slice(-SHOWN_LINES).map((line) => `  | ${line}`);
  return [`${problem.code}: ${problem.what}`, ...shown, `What to do: ${problem.fix}`].join("\n");
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error such as `ENOENT`, if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
