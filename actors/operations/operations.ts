/**
 * @module What a person or program outside may ask of a running system: the face behind HTTP, topics and commands.
 */
import type { InvalidBytes } from "./invalid-bytes.ts";
import type { OutcomeAnswer, Receipt, SignalReceipt } from "../../runtime/answers.ts";
import type { Json, WireFault } from "../../runtime/faults.ts";
import type { HistoryPage, ProcessView, StopsView } from "../../runtime/process-view.ts";
import type { OutcomeStatus, Principal, Trace } from "../../runtime/protocol.ts";

/** A task as it comes from outside. `timeoutMs` defaults to LIMITS.taskTimeoutMsDefault. */
export interface Submission {
  /** Same id and same input: the same process. Left out: one is made. */
  readonly id?: string | undefined;
  readonly route: string;
  readonly input: unknown;
  readonly timeoutMs?: number | undefined;
}

/** Who asks, and in which trace. */
export interface Caller {
  readonly principal: Principal;
  /** The caller's trace context, continued by the task. */
  readonly trace?: Trace | undefined;
}

/** A task is accepted when this is given. */
export type TaskReceipt = Readonly<Receipt>;

/** How a process ended, with contents in place of references. Moments are epoch milliseconds. */
export type OutcomeView = Readonly<OutcomeAnswer>;

/** What is given for a task that stands in the journal. */
export interface SubmitResult {
  readonly receipt: TaskReceipt;
  /** Present when the process ended within the time that the caller waits. */
  readonly outcome?: OutcomeView;
}

/** A part of a listing, at most as long as was asked for. */
export interface Page {
  readonly entries: readonly Json[];
  /** Pass it back for the next page; absent on the last. */
  readonly cursor?: string;
}

/** What is purged now, beside what is purged by itself. */
export interface PurgeOptions {
  /** In place of the configured retention. What somebody may still speak of stays, however short this is. */
  readonly olderThanMs?: number | undefined;
  /** Only counts. */
  readonly dryRun?: boolean | undefined;
}

/** Which processes are listed. Left out: all. */
export interface ProcessFilter {
  readonly state?: "open" | "ended" | undefined;
  /** How they ended. */
  readonly status?: OutcomeStatus | undefined;
  readonly route?: string | undefined;
}

/** Which dead letters are listed. */
export interface LetterFilter {
  readonly route?: string | undefined;
  /** Code of the fault. */
  readonly code?: string | undefined;
  /** Default false: those that wait for a decision. */
  readonly decided?: boolean | undefined;
}

/** What a person wants of a redrive. */
export interface RedriveOptions {
  /** Replaces the input of the work that failed, checked against its schema. For invalid: the whole corrected task. */
  readonly input?: unknown;
  readonly reason?: string | undefined;
  /** The same id: the same decision, and the same receipt. Left out: made of the letter, the caller and the request, so that a repeated request is the same decision. */
  readonly decisionId?: string | undefined;
}

/** All methods throw coded faults. Entries of pages are the newest first; a page may be short, also empty, and have a cursor. */
export interface Operations {
  /** Accepts a task. `waitMs` 0 answers with the receipt at once. Throws `system.overloaded` with nothing recorded. */
  submit(submission: Submission, caller: Caller, waitMs: number): Promise<SubmitResult>;
  /** A process: what is open, its newest history, its outcome. Throws `process.unknown`. */
  process(id: string): Promise<ProcessView>;
  /** The work items of a process's run: what was asked of whom, with what, what came back, and what the handlers recorded. Throws `process.unknown`. */
  stops(id: string): Promise<StopsView>;
  /** The whole history of a process, of all its runs, from a line on. Throws `process.unknown`. */
  history(id: string, from: number, limit: number): Promise<HistoryPage>;
  /** Asks for cancellation; resolves when that is recorded. Throws `process.unknown`, `process.ended`. */
  cancel(id: string, reason: string, caller: Caller): Promise<TaskReceipt>;
  /**
   * Gives a signal to a process. The same `signalId` again is the same signal; left out, one is made. Throws `process.unknown`,
   * `process.ended`, `schema.signal` (the payload does not fit what waits for it) and `signal.too-many`, with nothing recorded.
   */
  signal(processId: string, name: string, payload: unknown, caller: Caller, signalId?: string): Promise<SignalReceipt>;
  /** Lines of the directory: id, open, atMs, route, run, traceId, acceptedAtMs, by; of what ended also status and code. */
  processes(filter: ProcessFilter, cursor: string | undefined, limit: number): Promise<Page>;
  /** Lines of the dead letter queue, without contents: id, open, atMs, code, message and where from; of what is decided also decision, by, reason. */
  deadLetters(filter: LetterFilter, cursor: string | undefined, limit: number): Promise<Page>;
  /** One line of the dead letter queue with its `letter`: original message, fault, attempts, history, path; or poison's bytes. Throws `deadletter.unknown`. */
  deadLetter(id: string): Promise<Json>;
  /**
   * Opens a failed process again as a new run. Once per letter: the same decision again gives the same receipt.
   * Throws `deadletter.unknown`, `deadletter.decided`, `deadletter.nested`, `schema.input`, `schema.task`.
   */
  redrive(id: string, options: RedriveOptions, caller: Caller): Promise<TaskReceipt>;
  /** Ends the wait of a letter without a new run; gives the decided line. Throws `deadletter.unknown`, `deadletter.decided`. */
  discard(id: string, reason: string, caller: Caller): Promise<Json>;
  /** Who changed what: id, atMs, who, what, target, why. Submits stand in the directory, by whom in `by`. */
  audit(cursor: string | undefined, limit: number): Promise<Page>;
  /** Agents, routes, and who leads to whom. */
  graph(): Json;
  /** Purges what has ended. Gives `purged`, how many processes went (or would), and `waiting`, how many ended and may not go yet. */
  purge(options: PurgeOptions, caller: Caller): Promise<Json>;
  /**
   * Calls back after every record of the process that this host writes, until the result is called. A process at
   * another host tells nothing here: whoever watches also looks now and then.
   */
  watch(id: string, news: () => void): () => void;
  /** Keeps what could not be used: its bytes and why, at the dead letter queue. Resolves on the dead letter queue's receipt. */
  invalid(bytes: InvalidBytes, fault: WireFault, topic: string): Promise<void>;
}
