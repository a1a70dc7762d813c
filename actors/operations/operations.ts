/** @module The operations of a running system for persons and programs: the interface behind HTTP, topics and commands. */
import type { InvalidBytes } from "./invalid-bytes.ts";
import type { LettersDecided, OutcomeAnswer, Receipt, SignalReceipt } from "../../runtime/answers.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import type { ForkReport, ForkWanted, RunDiff } from "../../runtime/cassette/diff.ts";
import type { ReplayReport } from "../../runtime/cassette/replay-report.ts";
import type { AgentsView, CostView, OverviewView, SystemView } from "../../runtime/overview.ts";
import type { TimelineView } from "../../runtime/timeline.ts";
import type { ConversationView } from "../../runtime/conversation-view.ts";
import type { Json, WireFault } from "../../runtime/faults.ts";
import type { FactEntry, FactFilter, ForgetOptions, Forgotten, MemoriesAnswer, MemoryView } from "../../runtime/memory-answers.ts";
import type { DeltaPage, DeltaPlace } from "../../runtime/model/deltas.ts";
import type { DecisionContent, DecisionReceipt } from "../../runtime/people/answers.ts";
import type { DigestView, DriftView } from "../../runtime/overview.ts";
import type { RulesAnswer, RuleView } from "../../runtime/people/rule-view.ts";
import type { ReleasesView, ReleaseView } from "../../runtime/release.ts";
import type { RequestView } from "../../runtime/people/view.ts";
import type { HistoryPage, ProcessView, StopsView } from "../../runtime/process-view.ts";
import type { OutcomeStatus, Trace } from "../../runtime/protocol.ts";
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
export interface ProcessFilter {
  readonly state?: "open" | "ended" | undefined;
  /** Their outcome. */
  readonly status?: OutcomeStatus | undefined;
  readonly route?: string | undefined;
  /** Code of the fault that they ended with. */
  readonly code?: string | undefined;
  /** Subject of the token that they were submitted with. */
  readonly by?: string | undefined;
  /** Accepted from then on, and before. Epoch, milliseconds. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Cost at least so much, in US dollars. */
  readonly minUsd?: number | undefined;
  readonly paused?: boolean | undefined;
  /** Wait for a person. */
  readonly waiting?: boolean | undefined;
  /** Part of their id, or their trace id. */
  readonly text?: string | undefined;
  /** A version that they used: `Agent@prompt/model`. */
  readonly version?: string | undefined;
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

/**
 * The operations of a system. All methods throw coded faults. Pages list the newest entries first; a page may be short or empty and still
 * have a cursor.
 */
export interface Operations {
  /**
   * Accepts a task. `waitMs` 0 returns the receipt at once.
   * @throws `system.overloaded`, `permission.missing`, with nothing recorded
   */
  submit(submission: Submission, caller: Caller, waitMs: number): Promise<SubmitResult>;
  /** A process: what is open, its newest history, its outcome. Throws `process.unknown`. */
  process(id: string): Promise<ProcessView>;
  /** The work history of a process's run: target, input, result and records of each work item. Throws `process.unknown`. */
  stops(id: string): Promise<StopsView>;
  /** The whole history of a process, of all its runs, from a line on. Throws `process.unknown`. */
  history(id: string, from: number, limit: number): Promise<HistoryPage>;
  /**
   * Requests cancellation; resolves when the request is recorded.
   * @throws `process.unknown`, `process.ended`
   */
  cancel(id: string, reason: string, caller: Caller): Promise<TaskReceipt>;
  /**
   * Pauses or resumes a process, or terminates it without compensation; resolves when that is recorded. The same act again changes nothing.
   * @throws `process.unknown`, `process.ended`, `pause.spent`
   */
  act(id: string, what: OperatorAct, options: ActOptions, caller: Caller): Promise<TaskReceipt>;
  /**
   * Gives a signal to a process. The same `signalId` again is the same signal; left out, one is made. Throws `process.unknown`,
   * `process.ended`, `schema.signal` (the payload does not fit what waits for it) and `signal.too-many`, with nothing recorded.
   */
  signal(processId: string, name: string, payload: unknown, caller: Caller, signalId?: string): Promise<SignalReceipt>;
  /**
   * Lines of the directory: id, open, atMs, route, run, traceId, acceptedAtMs, by; of what ended also status and code; of what waits for
   * a person the request and the person.
   */
  processes(filter: ProcessFilter, cursor: string | undefined, limit: number): Promise<Page>;
  /**
   * Entries of the dead letter queue without contents: id, open, atMs, code, message and source; for decided ones also decision, by,
   * reason.
   */
  deadLetters(filter: LetterFilter, cursor: string | undefined, limit: number): Promise<Page>;
  /**
   * One entry of the dead letter queue with its `letter`: original message, fault, attempts, history, path; or the bytes of an invalid
   * message.
   * @throws `deadletter.unknown`
   */
  deadLetter(id: string): Promise<Json>;
  /**
   * Reopens a failed process as a new run, once per dead letter. The same decision again gets the same receipt.
   * @throws `deadletter.unknown`, `deadletter.decided`, `deadletter.nested`, `deadletter.left`, `schema.input`, `schema.task`
   */
  redrive(id: string, options: RedriveOptions, caller: Caller): Promise<TaskReceipt>;
  /**
   * Discards a dead letter without a new run; returns the decided entry.
   * @throws `deadletter.unknown`, `deadletter.decided`
   */
  discard(id: string, reason: string, caller: Caller): Promise<Json>;
  /** Decides on many dead letters, each for itself: one that cannot be decided does not hinder the others. */
  decideLetters(decision: BulkDecision, caller: Caller): Promise<LettersDecided>;
  /** Requests to people without contents, see {@link RequestView}. Open ones that were escalated come first, then the newest. */
  inbox(filter: InboxFilter, cursor: string | undefined, limit: number): Promise<Page>;
  /** A request to a person with all that it shows. Throws `person.unknown`. */
  request(id: string): Promise<RequestView>;
  /**
   * Decides on a request; resolves when the decision is recorded. The same decision again gets the same receipt. A refused decision leaves
   * the request open.
   * @throws `person.unknown`, `person.decided`, `person.changed`, `person.forbidden`, `schema.input`, `schema.output`
   */
  decide(id: string, decision: Decision, caller: Caller): Promise<DecisionReceipt>;
  /** The standing rules of the caller's tenant, the newest first. `all`: also those that have ended. */
  rules(all: boolean, caller: Caller): Promise<RulesAnswer>;
  /** Ends a standing rule of the caller's tenant. Throws `rule.unknown`. */
  revokeRule(id: string, reason: string, caller: Caller): Promise<RuleView>;
  /**
   * Operator actions and checks before acts: id, atMs, who, what, target, why; of checks also agent, tool, verdict and rule. Submissions
   * are in the directory, with their subject in `by`.
   */
  audit(cursor: string | undefined, limit: number, filter?: AuditFilter): Promise<Page>;
  /** The ids of all memories; of one tenant, if one is given. */
  memories(tenant?: string): Promise<MemoriesAnswer>;
  /** Facts of a memory with their contents, the newest first, and the last ones that are gone. Throws `memory.unknown`. */
  memory(memory: string, filter: FactFilter, caller: Caller): Promise<MemoryView>;
  /**
   * Forgets a fact in all its versions, and what was derived from it in any memory; names who had read it.
   * @throws `memory.unknown`
   */
  forgetFact(memory: string, id: string, options: ForgetOptions, caller: Caller): Promise<Forgotten>;
  /**
   * The records of a process and its nested ones, with their contents.
   * @throws `process.unknown`, `cassette.too-large`
   */
  cassette(id: string): Promise<Cassette>;
  /**
   * Replays a process with the code of this host: whether it would do again what is recorded.
   * @throws `process.unknown`, `cassette.too-large`
   */
  replay(id: string): Promise<ReplayReport>;
  /** The bars of the newest run of a process. Throws `process.unknown`. */
  timeline(id: string): Promise<TimelineView>;
  /** The system in numbers, since a time; of one tenant. @default LIMITS.overviewMs ago */
  overview(sinceMs?: number, tenant?: string): Promise<OverviewView>;
  /** What was spent by processes that ended since a time; of one tenant. @default LIMITS.overviewMs ago */
  costs(sinceMs?: number, tenant?: string): Promise<CostView>;
  /** The agents as this host sees them. */
  agents(): AgentsView;
  /** Notes in the audit that the caller looks at contents. The same id is the same look. */
  looked(what: LookedAt, target: string, id: string, caller: Caller): Promise<void>;
  /** Hosts, and what an operator should look at. */
  system(): Promise<SystemView>;
  /** Calls back after changes of processes, dead letters and requests on any host, until the returned function is called. */
  changes(changed: () => void): () => void;
  /**
   * Forks a process with the code and the models of this host. Nothing is written, and no tool is called.
   * @throws `process.unknown`, `cassette.too-large`, `fork.unknown`, `fork.busy`, `model.unknown`, `prompt.unknown`, `schema.task`
   */
  fork(id: string, wanted: ForkWanted): Promise<ForkReport>;
  /**
   * Compares the last runs of two processes.
   * @throws `process.unknown`, `cassette.too-large`
   */
  diff(id: string, other: string): Promise<RunDiff>;
  /**
   * The conversation of a model agent in one work item, made again from the records by the code of this host.
   * @throws `process.unknown`, `work.unknown`, `cassette.too-large`
   */
  conversation(id: string, work: string): Promise<ConversationView>;
  /**
   * A person vouches for a fact, so that other processes may read it although it is untrusted.
   * @throws `memory.unknown`, `person.forbidden`
   */
  promoteFact(memory: string, id: string, reason: string, caller: Caller): Promise<FactEntry>;
  /** The sources of the system, and how current their memories are. */
  sources(): Promise<Json>;
  /**
   * Compares a source with its memory now.
   * @throws `source.unknown`, `source.unavailable`, `memory.full`
   */
  syncSource(name: string, caller: Caller): Promise<Json>;
  /** How agents work together in a window, against the baseline before it. Throws `body.invalid`. */
  drift(filter: DriftFilter): Promise<DriftView>;
  /** What happened since a time, for a person who reads one page a day. Throws `body.invalid`. */
  digest(filter: DigestFilter): Promise<DigestView>;
  /** The releases of prompts and models, as this host uses them. */
  releases(): ReleasesView;
  /**
   * Stops the canary of an agent on all hosts; the act is in the audit. One that is stopped already stays as it is.
   * @throws `release.unknown`
   */
  stopRelease(agent: string, reason: string, caller: Caller): Promise<ReleaseView>;
  /** Actors whose journals are broken: those that this host met, and every bucket of the indexes. */
  broken(): Promise<Json>;
  /**
   * A broken actor begins anew; the act is in the audit. `actor` is its agent (or `Directory`, `DeadLetterQueue`, `Audit`,
   * `ProcessManager`) and its id, with a slash between. An index keeps every entry that can be read.
   * @throws `agent.unknown`, `journal.intact`, `journal.loss`
   */
  setAside(actor: string, options: SetAsideOptions, caller: Caller): Promise<Json>;
  /** Agents, routes, and which of them call which. */
  graph(): Json;
  /** The JSON Schemas of what routes and agents take and give. */
  schemas(): Json;
  /** The models of the system with their endpoints, as this host sees them. */
  models(): Json;
  /**
   * Purges ended processes. Returns `purged`, the number of processes purged (or that would be), and `waiting`, the number that ended and
   * must stay for now.
   */
  purge(options: PurgeOptions, caller: Caller): Promise<Json>;
  /**
   * Calls back after every record of the process that this host writes, until the returned function is called. Records of a process at
   * another host are not reported, so a watcher must also poll.
   */
  watch(id: string, news: () => void): () => void;
  /** Pieces of replies of a process from a place on, on any host; the process counts as followed. Absent: there are none. */
  deltas?(id: string, after: DeltaPlace | undefined): Promise<DeltaPage>;
  /** Calls back at every piece of a process that comes to this host, until the returned function is called. */
  watchDeltas?(id: string, news: () => void): () => void;
  /** Stores an invalid message in the dead letter queue: its bytes and its fault. Resolves on the receipt of the dead letter queue. */
  invalid(bytes: InvalidBytes, fault: WireFault, topic: string): Promise<void>;
}
