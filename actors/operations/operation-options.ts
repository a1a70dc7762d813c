/** @module What the operations of a running system take and give, besides the views of runtime/. */
import type { OutcomeAnswer, Receipt } from "../../runtime/answers.ts";
import type { Json } from "../../runtime/faults.ts";
import type { DecisionContent } from "../../runtime/people/answers.ts";
import type { EntryFilter } from "../../runtime/process-filter.ts";
import type { Trace } from "../../runtime/protocol.ts";
import type { Principal } from "../../runtime/protocol/principal.ts";

/** A task from outside. `timeoutMs` defaults to LIMITS.taskTimeoutMsDefault. */
export interface Submission {
  /** The same id with the same input, of one tenant, is the same process. If omitted, an id is generated. */
  readonly id?: string | undefined;
  readonly route: string;
  readonly input: unknown;
  readonly timeoutMs?: number | undefined;
  /** The permissions that the task is given: some of the caller's. @default all of them */
  readonly permissions?: readonly string[] | undefined;
  /** The input is or holds a text of strangers: the name of where it comes from, such as `mail`. @default trusted */
  readonly untrusted?: string | undefined;
}

/** The caller's identity and trace. */
export interface Caller {
  readonly principal: Principal;
  /** The caller's trace context, which the task continues. */
  readonly trace?: Trace | undefined;
}

/** Proves that a task is accepted. */
export type TaskReceipt = Readonly<Receipt>;

/** How a process ended, with contents in place of references. Times are milliseconds since the epoch. */
export type OutcomeView = Readonly<OutcomeAnswer>;

/** The result for a task that is recorded in the journal. */
export interface SubmitResult {
  readonly receipt: TaskReceipt;
  /** Present if the process ended while the caller waited. */
  readonly outcome?: OutcomeView;
}

/** What an operator may do with an open process, besides cancelling it. */
export type OperatorAct = "pause" | "resume" | "terminate";

/** Options of an operator's act. `tree`: a pause or its end is also for nested routes; a termination always is. @default true */
export interface ActOptions {
  readonly reason: string;
  readonly tree?: boolean | undefined;
}

/** One decision on many dead letters. `ids`: at most LIMITS.lettersDecidedMax. */
export interface BulkDecision {
  readonly ids: readonly string[];
  readonly what: "redrive" | "discard";
  readonly reason: string;
}

/** A part of a listing, at most as long as the limit. */
export interface Page {
  readonly entries: readonly Json[];
  /** Pass it back for the next page; absent on the last page. */
  readonly cursor?: string;
  /** Broken buckets: their entries are missing. Absent when there are none. */
  readonly broken?: readonly string[];
}

/** Options of setting a broken actor aside. */
export interface SetAsideOptions {
  readonly reason: string;
  /** Required for agents and process managers, which go on from their last record before the break. */
  readonly acceptLoss?: boolean | undefined;
}

/** Options of a purge by a person. */
export interface PurgeOptions {
  /** Replaces the configured retention. However short it is, processes stay while others may still refer to them. */
  readonly olderThanMs?: number | undefined;
  /** Only counts, without purging. */
  readonly dryRun?: boolean | undefined;
}

/** What contents are looked at. */
export type LookedAt = "process" | "deadletter" | "request" | "memory";

/** Which processes are listed. An omitted field matches all. */
export interface ProcessFilter extends EntryFilter {
  /** Wait for a person. */
  readonly waiting?: boolean | undefined;
  /** Only those of this tenant. */
  readonly tenant?: string | undefined;
}

/** Which dead letters are listed. */
export interface LetterFilter {
  readonly route?: string | undefined;
  /** Code of their fault. */
  readonly code?: string | undefined;
  /**
   * Whether decided dead letters are listed instead of those that wait for a decision.
   * @default false
   */
  readonly decided?: boolean | undefined;
  /** Only those of this tenant's processes. */
  readonly tenant?: string | undefined;
}

/** Which requests to people are listed. An omitted field matches all. */
export interface InboxFilter {
  /** @default open */
  readonly state?: "open" | "decided" | undefined;
  /** The person that is asked. */
  readonly person?: string | undefined;
  readonly route?: string | undefined;
  readonly processId?: string | undefined;
  /** Only those of this tenant's processes. */
  readonly tenant?: string | undefined;
}

/** A person's decision on a request, with the hash of what was shown. `always.rule`: the index of a rule that the request offers. */
export type Decision = {
  readonly hash: string;
  /**
   * The same id is the same decision and gets the same receipt. If omitted, it is derived from the request, the caller and the decision,
   * so that a repeated one is the same.
   */
  readonly decisionId?: string | undefined;
} & DecisionContent;

/** Which lines of the audit are listed. An omitted field matches all. */
export interface AuditFilter {
  /** What was done to this process or its dead letters, and the checks of its calls. */
  readonly process?: string | undefined;
  /** What was done, such as `redrive`; `call` and `agent made` are checks. */
  readonly what?: string | undefined;
  /** Only what concerns the processes of this tenant. */
  readonly tenant?: string | undefined;
}

/** Which ended processes drift is measured over. Epoch, milliseconds. */
export interface DriftFilter {
  /** Beginning of the window. @default a day ago */
  readonly sinceMs?: number | undefined;
  /** Beginning of the baseline, which ends where the window begins. @default seven windows before that */
  readonly baselineMs?: number | undefined;
  /** Only those of this tenant. */
  readonly tenant?: string | undefined;
}

/** What a digest is of. Epoch, milliseconds. */
export interface DigestFilter {
  /** @default a day before the end */
  readonly sinceMs?: number | undefined;
  /** @default now */
  readonly untilMs?: number | undefined;
  /** Only what is of this tenant. */
  readonly tenant?: string | undefined;
}

/** Options of a redrive. */
export interface RedriveOptions {
  /** Replaces the input of the failed work item and is checked against its schema. For an invalid message: the whole corrected task. */
  readonly input?: unknown;
  readonly reason?: string | undefined;
  /**
   * The same id is the same decision and gets the same receipt. If omitted, it is derived from the dead letter, the caller and the
   * request, so that a repeated request is the same decision.
   */
  readonly decisionId?: string | undefined;
  /** What compensation left standing was undone by hand. Without it the redrive of such a dead letter is refused. */
  readonly undoneByHand?: boolean | undefined;
}
