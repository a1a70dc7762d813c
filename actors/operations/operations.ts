/** @module The operations of a running system for persons and programs: the interface behind HTTP, topics and commands. */
import type { InvalidBytes } from "./invalid-bytes.ts";
import type { LettersDecided, SignalReceipt } from "../../runtime/answers.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import type { ForkReport, ForkWanted, RunDiff } from "../../runtime/cassette/diff.ts";
import type { ReplayReport } from "../../runtime/cassette/replay-report.ts";
import type { Change } from "../../runtime/change.ts";
import type { AgentsView, CostView, OverviewView, SystemView } from "../../runtime/overview.ts";
import type { TimelineView } from "../../runtime/timeline.ts";
import type { ConversationView } from "../../runtime/conversation-view.ts";
import type { Json, WireFault } from "../../runtime/faults.ts";
import type { FactEntry, FactFilter, ForgetOptions, Forgotten, MemoriesAnswer, MemoryView } from "../../runtime/memory-answers.ts";
import type { DeltaPage, DeltaPlace } from "../../runtime/model/deltas.ts";
import type { DecisionReceipt } from "../../runtime/people/answers.ts";
import type { DigestView, DriftView } from "../../runtime/overview.ts";
import type { RulesAnswer, RuleView } from "../../runtime/people/rule-view.ts";
import type { ReleasesView, ReleaseView } from "../../runtime/release.ts";
import type { RequestView } from "../../runtime/people/view.ts";
import type { HistoryPage, ProcessView, StopsView } from "../../runtime/process-view.ts";
import type {
  Submission,
  Caller,
  TaskReceipt,
  SubmitResult,
  OperatorAct,
  ActOptions,
  BulkDecision,
  Page,
  SetAsideOptions,
  PurgeOptions,
  LookedAt,
  ProcessFilter,
  LetterFilter,
  InboxFilter,
  Decision,
  AuditFilter,
  DriftFilter,
  DigestFilter,
  RedriveOptions,
} from "./operation-options.ts";

export type * from "./operation-options.ts";

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
  /** Calls back after changes of processes, dead letters, requests and releases on any host, until the returned function is called. */
  changes(changed: (changes: readonly Change[]) => void): () => void;
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
