/** @module Options of requests of the client. */
import type { EntryFilter } from "../runtime/process-filter.ts";
import type { CallOptions } from "./connection.ts";

/** Which lines of the audit are returned. */
export interface AuditOptions extends PageOptions {
  /** Only what concerns this process. */
  readonly process?: string | undefined;
  /** Only this, such as `redrive`; `call` and `agent made` are checks. */
  readonly what?: string | undefined;
}

/** Options of `submit`. */
export interface SubmitOptions extends CallOptions {
  /** Task id. The same id with the same input is the same task. @default a new id, made before the first attempt */
  readonly id?: string | undefined;
  /** Lifetime of the task, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** The permissions that the task is given: some of those of the token. @default all of them */
  readonly permissions?: readonly string[] | undefined;
  /** The input is, or holds, a text of strangers: the name of where it comes from, such as `mail`. @default it is trusted */
  readonly untrusted?: string | undefined;
  /** How long to wait for the outcome, in milliseconds, at most 60,000. Use `wait` for longer. @default 0 */
  readonly waitMs?: number | undefined;
}

/** Options of a paged listing. */
export interface PageOptions extends CallOptions {
  /** The `cursor` of the previous page. */
  readonly cursor?: string | undefined;
  /** Entries per page, 1 to 200. @default 50 */
  readonly limit?: number | undefined;
}

/** Which processes to list. */
export interface ListOptions extends PageOptions, EntryFilter {
  /** Wait for a person. */
  readonly waiting?: boolean | undefined;
}

/** Which dead letters to list. */
export interface LetterListOptions extends PageOptions {
  readonly route?: string | undefined;
  readonly code?: string | undefined;
  /** Lists dead letters that were redriven or discarded. @default lists those without a decision */
  readonly decided?: boolean | undefined;
}

/** Options of a redrive. */
export interface RedriveOptions extends CallOptions {
  /** Replaces the input of the failed work item. */
  readonly input?: unknown;
  readonly reason?: string | undefined;
  /** A repeated request with the same id is the same decision. */
  readonly decisionId?: string | undefined;
  /** What compensation left standing was undone by hand; otherwise the redrive of such a dead letter is refused. */
  readonly undoneByHand?: boolean | undefined;
}
