/**
 * @module The operations of a running system: tasks, processes, dead letters, over any ports.
 */
import type { System } from "../../agents/system.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import { diffOf, type ForkReport, type ForkWanted, type RunDiff } from "../../runtime/cassette/diff.ts";
import type { ReplayReport } from "../../runtime/cassette/replay-report.ts";
import type { AgentsView, CostView, OverviewView, SystemView } from "../../runtime/overview.ts";
import type { TimelineView } from "../../runtime/timeline.ts";
import type { ConversationView } from "../../runtime/conversation-view.ts";
import { plainJson } from "../../runtime/canonical.ts";
import { Fault, invariant, type Json, type WireFault } from "../../runtime/faults.ts";
import { graphData } from "../../runtime/graph.ts";
import { insideId, requireId, requireTaskId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { HistoryPage, ProcessView, StopsView } from "../../runtime/process-view.ts";
import type { DeltaPage, DeltaPlace } from "../../runtime/model/deltas.ts";
import type { Message } from "../../runtime/protocol.ts";
import { purgedFault } from "../../runtime/process/purge.ts";
import type { LettersDecided, ModelsAnswer, SignalReceipt } from "../../runtime/answers.ts";
import type { DecisionReceipt } from "../../runtime/people/answers.ts";
import type { RulesAnswer, RuleView } from "../../runtime/people/rule-view.ts";
import type { RequestView } from "../../runtime/people/view.ts";
import { requireJson } from "../../runtime/schema.ts";
import { requireValue } from "../../runtime/value.ts";
import { actOn, decideLetters } from "./acts.ts";
import { BrokenActors } from "./broken-actors.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { Host } from "../host/host.ts";
import { Inbox } from "./inbox.ts";
import { type Logger, SILENT } from "../engine/log.ts";
import type {
  LookedAt,
  ActOptions,
  AuditFilter,
  BulkDecision,
  Caller,
  Decision,
  InboxFilter,
  LetterFilter,
  Operations,
  OperatorAct,
  OutcomeView,
  Page,
  ProcessFilter,
  PurgeOptions,
  RedriveOptions,
  SetAsideOptions,
  Submission,
  SubmitResult,
  TaskReceipt,
} from "./operations.ts";
import { MemoryOperations } from "./memory-operations.ts";
import { keptBytes, type InvalidBytes } from "./invalid-bytes.ts";
import type { Ports } from "../engine/ports.ts";
import { conversationOf } from "../replay/conversation.ts";
import { replay } from "../replay/replay.ts";
import { Cassettes } from "./cassettes.ts";
import { Changes } from "./changes.ts";
import { Overviews } from "./overviews.ts";
import { WorkHistory } from "./work-history.ts";
import { ATTRIBUTE } from "../telemetry/names.ts";
import { taskTrace } from "../telemetry/spans.ts";
import { labelOf, narrowed, timeoutMsOf } from "./submission.ts";
import { endedOutcome, outcomeShown } from "./outcome.ts";
import { ReleaseOperations } from "./releases.ts";
import { Reports } from "./reports.ts";
import { Requests } from "./requests.ts";
import { schemasOf } from "./schemas.ts";
import { RuleOperations } from "./standing-rules.ts";
import { Retention } from "../retention/retention.ts";
import { sourceViews, syncSource } from "./source-operations.ts";
import { Waiters } from "./waiters.ts";
import { Callbacks } from "../engine/callbacks.ts";

/** How long a waiter trusts that a process stays on the host where it was opened, in milliseconds. */
const MOVED_MS = 2_000;

/** The parts that the operations work on. `newId` creates the id of a task that comes without one. */
export interface OperationsParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
  readonly newId: () => string;
  /** Defaults to one with the default retention. */
  readonly retention?: Retention | undefined;
  /** The models of the host. Absent: it has none. */
  readonly models?: (() => ModelsAnswer["models"]) | undefined;
  /** Runs forks. Absent: this host runs none. */
  readonly forking?: ((cassette: Cassette, wanted: ForkWanted) => Promise<ForkReport>) | undefined;
  /** @default no log */
  readonly log?: Logger | undefined;
}

/** The operations of one system. The process may be on any host: every request goes through the transport. */
export class SystemOperations implements Operations {
  readonly #parts: OperationsParts;
  readonly #waiters: Waiters;
  readonly #requests: Requests;
  readonly #deadLetters: DeadLetters;
  readonly #inbox: Inbox;
  readonly #rules: RuleOperations;
  readonly #retention: Retention;
  readonly #watchers = new Callbacks();
  readonly #works: WorkHistory;
  readonly #cassettes: Cassettes;
  readonly #overviews: Overviews;
  readonly #changes: Changes;
  readonly #broken: BrokenActors;
  #forks = 0;
  readonly #memories: MemoryOperations;
  /** The program that serves the host starts its looks. */
  readonly releasing: ReleaseOperations;
  readonly reports: Reports;

  constructor(parts: OperationsParts) {
    this.#parts = parts;
    this.#requests = new Requests(parts.ports, parts.system.name);
    const journals = { ports: parts.ports, system: parts.system.name, values: parts.host.values };
    this.#works = new WorkHistory(journals);
    this.#cassettes = new Cassettes(journals);
    this.#overviews = new Overviews({ ...parts, models: () => parts.models?.() ?? [] });
    this.#changes = new Changes(parts.ports.clock, () => this.#overviews.mark());
    this.#deadLetters = new DeadLetters({ ...parts, requests: this.#requests, submit: (task, caller) => this.submit(task, caller, 0) });
    this.#inbox = new Inbox({ ...parts, system: parts.system.name, requests: this.#requests });
    this.#rules = new RuleOperations({
      ...{ system: parts.system.name, ports: parts.ports, requests: this.#requests },
      note: (act, caller) => this.#deadLetters.note(act, caller),
    });
    this.#broken = new BrokenActors({
      system: parts.system.name,
      host: parts.host,
      findBuckets: async () => {
        await this.#deadLetters.findBroken();
        await this.#inbox.findBroken();
      },
      note: (act, caller) => this.#deadLetters.note(act, caller),
    });
    this.#retention = parts.retention ?? new Retention({ system: parts.system.name, ports: parts.ports, host: parts.host, log: SILENT });
    this.#memories = new MemoryOperations({
      host: parts.host,
      retention: this.#retention,
      note: (act, caller) => this.#deadLetters.note(act, caller),
    });
    this.releasing = new ReleaseOperations({
      ...{ system: parts.system, ports: parts.ports, host: parts.host, log: parts.log ?? SILENT },
      note: (act, caller) => this.#deadLetters.note(act, caller),
    });
    const { directory, queue: letters, auditLines: audit } = this.#deadLetters;
    const indexes = { directory, letters, audit, inbox: this.#inbox.listing };
    this.reports = new Reports({ system: parts.system.name, clock: parts.ports.clock, ...indexes });
    this.#waiters = new Waiters(parts.ports.clock, (id, waitedMs) => this.#lookFor(id, waitedMs));
    parts.host.listen((before, after) => {
      this.#watchers.tell(after.id);
      this.#changes.tell();
      if (after.phase === "ended" && before.phase !== "ended")
        void this.#waiters.wake(after.id, () => endedOutcome(after, parts.host.values)).catch(() => {});
    });
  }

  async submit(submission: Submission, caller: Caller, waitMs: number): Promise<SubmitResult> {
    const message = await this.#taskMessage(submission, caller);
    const ended = waitMs > 0 ? this.#waiters.wait(message.to.id, waitMs) : undefined;
    try {
      const receipt = this.#requests.receipt(submission.route, message, await this.#requests.insist(message));
      const outcome = await ended?.outcome;
      return outcome === undefined ? { receipt } : { receipt, outcome };
    } finally {
      ended?.end();
    }
  }

  async #taskMessage(submission: Submission, caller: Caller): Promise<Message> {
    const { system, ports, host, newId } = this.#parts;
    const route = system.routes.get(submission.route);
    if (route === undefined)
      throw new Fault(
        "route.unknown",
        `there is no route ${JSON.stringify(submission.route)}; the routes are ${[...system.routes.keys()].join(", ")}`,
      );
    const principal = narrowed(caller.principal, submission);
    const content = route.checkTask(submission.input);
    const id = insideId(submission.id === undefined ? newId() : requireTaskId(submission.id), caller.principal.tenant);
    if (submission.id === undefined) host.processes.noteMadeId(id);
    const timeoutMs = timeoutMsOf(submission);
    const slip = await host.values.store(route.slipValue);
    // Complete, however large: its process stores it with record 1, so a refused task leaves nothing behind.
    const input = { json: content };
    requireValue(content);
    const nowMs = ports.clock.nowMs();
    const trace = taskTrace(caller.trace, { [ATTRIBUTE.process]: id, [ATTRIBUTE.route]: submission.route }, ports.random);
    return this.#requests.message(
      id,
      { kind: "task", route: submission.route, slip, input, timeoutMs, nesting: [], ...labelOf(submission) },
      { ...caller, principal, trace },
      nowMs + timeoutMs,
      id,
    );
  }

  async process(id: string): Promise<ProcessView> {
    const view = await this.#requests.inspect(requireId(id, "process id"));
    if (view.phase === "open" || view.phase === "ended") return view;
    if (view.phase === "purged") throw Fault.fromWire(purgedFault(id));
    throw new Fault("process.unknown", `there is no process ${id}`);
  }

  async deltas(id: string, after: DeltaPlace | undefined): Promise<DeltaPage> {
    const { transport } = this.#parts.ports;
    const answer = await transport.deltas?.(this.#requests.process(id), { ...(after === undefined ? {} : { after }) });
    return answer !== undefined && "entries" in answer ? answer : { epoch: "", from: 0, entries: [] };
  }

  watchDeltas(id: string, news: () => void): () => void {
    return this.#parts.host.pieces.listen(id, news);
  }

  async stops(id: string): Promise<StopsView> {
    const { sequence } = await this.process(id);
    return this.#works.stops(id, sequence);
  }

  async history(id: string, from: number, limit: number): Promise<HistoryPage> {
    await this.process(id);
    return this.#works.history(id, from, limit);
  }

  watch(id: string, news: () => void): () => void {
    return this.#watchers.watch(id, news);
  }

  /**
   * The outcome of a process that a caller waits for. A process that is open on this host, or about to be, wakes its waiters itself. It
   * is read only in case it has moved to another host.
   */
  async #lookFor(id: string, waitedMs: number): Promise<OutcomeView | undefined> {
    const { processes } = this.#parts.host;
    return (processes.isOpen(id) || processes.isNew(id)) && waitedMs < MOVED_MS ? undefined : this.#outcome(id);
  }

  async #outcome(id: string): Promise<OutcomeView | undefined> {
    const view = await this.#requests.inspect(id);
    if (view.phase !== "ended" || view.outcome === undefined) return undefined;
    return outcomeShown(view, view.outcome);
  }

  async timeline(id: string): Promise<TimelineView> {
    const { sequence } = await this.process(id);
    return this.#works.timeline(id, sequence);
  }

  overview = (sinceMs?: number, tenant?: string): Promise<OverviewView> => this.#overviews.overview(sinceMs, tenant);
  costs = (sinceMs?: number, tenant?: string): Promise<CostView> => this.#overviews.costs(sinceMs, tenant);
  agents = (): AgentsView => this.#overviews.agents();
  looked = (what: LookedAt, target: string, id: string, caller: Caller): Promise<void> =>
    this.#deadLetters.note({ id, what: "looked at content", target, why: what }, caller);
  system = (): Promise<SystemView> => this.#overviews.system();
  changes = (changed: () => void): (() => void) => this.#changes.follow(changed);

  async cassette(id: string): Promise<Cassette> {
    await this.process(id);
    return this.#cassettes.read(requireId(id, "process id"));
  }

  async replay(id: string): Promise<ReplayReport> {
    return replay(this.#parts.system, await this.cassette(id));
  }

  async fork(id: string, wanted: ForkWanted): Promise<ForkReport> {
    const { forking } = this.#parts;
    if (forking === undefined || this.#forks >= LIMITS.forksAtOnceMax)
      throw new Fault("fork.busy", forking === undefined ? "this host runs no forks" : `${this.#forks} forks run; that is the limit`);
    this.#forks += 1;
    try {
      return await forking(await this.cassette(id), wanted);
    } finally {
      this.#forks -= 1;
    }
  }

  async diff(id: string, other: string): Promise<RunDiff> {
    const [a, b] = await Promise.all([this.cassette(id), this.cassette(other)]);
    return diffOf(a, b);
  }

  async conversation(id: string, work: string): Promise<ConversationView> {
    return conversationOf(this.#parts.system, await this.cassette(id), work);
  }

  async cancel(id: string, reason: string, caller: Caller): Promise<TaskReceipt> {
    const message = this.#requests.message(
      requireId(id, "process id"),
      { kind: "cancel", reason },
      caller,
      this.#parts.ports.clock.nowMs() + LIMITS.messageLifetimeMsDefault,
    );
    const receipt = this.#requests.receipt("", message, await this.#parts.ports.transport.deliver(message));
    const view = await this.process(id);
    return { ...receipt, route: view.route, run: view.run, traceId: view.traceId };
  }

  act(id: string, what: OperatorAct, options: ActOptions, caller: Caller): Promise<TaskReceipt> {
    return actOn({ requests: this.#requests, ports: this.#parts.ports }, id, what, options, caller);
  }

  async signal(processId: string, name: string, payload: unknown, caller: Caller, signalId?: string): Promise<SignalReceipt> {
    const { ports } = this.#parts;
    if (name.length === 0 || name.length > LIMITS.idLengthMax)
      throw new Fault("body.invalid", `a signal has a name of 1 to ${LIMITS.idLengthMax} characters`, { path: "name" });
    const json = requireJson(payload, `payload of signal ${name}`, "body.invalid");
    requireValue(json);
    const known = signalId === undefined ? ports.random.token() : requireId(signalId, "signal id");
    const message = this.#requests.message(
      requireId(processId, "process id"),
      { kind: "signal", name, signalId: known, payload: { json } },
      caller,
      ports.clock.nowMs() + LIMITS.messageLifetimeMsDefault,
    );
    const answer = await this.#requests.insist(message);
    const { id, run, sequence, traceId } = this.#requests.receipt("", message, answer);
    const status = "receipt" in answer ? answer.signal : undefined;
    invariant(status !== undefined, "the receipt of a signal has its status");
    return { id, name, signalId: known, ...status, run, sequence, traceId };
  }

  async processes({ waiting, ...filter }: ProcessFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const ids = waiting === undefined ? undefined : await this.#overviews.waiting(filter.tenant);
    const isWanted = ids === undefined ? undefined : (id: string): boolean => ids.has(id) === waiting;
    return this.#inbox.named(await this.#deadLetters.processes({ ...filter, isWanted }, cursor, limit));
  }

  deadLetters(filter: LetterFilter, cursor: string | undefined, limit: number): Promise<Page> {
    return this.#deadLetters.letters(filter, cursor, limit);
  }

  deadLetter(id: string): Promise<Json> {
    return this.#deadLetters.letter(id);
  }

  redrive(id: string, options: RedriveOptions, caller: Caller): Promise<TaskReceipt> {
    return this.#deadLetters.redrive(id, options, caller);
  }

  discard(id: string, reason: string, caller: Caller): Promise<Json> {
    return this.#deadLetters.discard(id, reason, caller);
  }

  decideLetters(decision: BulkDecision, caller: Caller): Promise<LettersDecided> {
    return decideLetters(this.#deadLetters, decision, caller);
  }

  inbox(filter: InboxFilter, cursor: string | undefined, limit: number): Promise<Page> {
    return this.#inbox.list(filter, cursor, limit);
  }

  request(id: string): Promise<RequestView> {
    return this.#inbox.request(id);
  }

  decide(id: string, decision: Decision, caller: Caller): Promise<DecisionReceipt> {
    return this.#inbox.decide(id, decision, caller);
  }

  rules(all: boolean, caller: Caller): Promise<RulesAnswer> {
    return this.#rules.list(all, caller);
  }

  revokeRule(id: string, reason: string, caller: Caller): Promise<RuleView> {
    return this.#rules.revoke(id, reason, caller);
  }

  audit(cursor: string | undefined, limit: number, filter?: AuditFilter): Promise<Page> {
    return this.#deadLetters.audit(cursor, limit, filter);
  }

  async broken(): Promise<Json> {
    return { entries: plainJson(await this.#broken.list()) };
  }

  async setAside(actor: string, options: SetAsideOptions, caller: Caller): Promise<Json> {
    return plainJson(await this.#broken.setAside(actor, options, caller));
  }

  models(): Json {
    return { models: plainJson(this.#parts.models?.() ?? []) };
  }

  memories: Operations["memories"] = (tenant) => this.#memories.list(tenant);
  memory: Operations["memory"] = (...asked) => this.#memories.show(...asked);
  forgetFact: Operations["forgetFact"] = (...asked) => this.#memories.forget(...asked);
  promoteFact: Operations["promoteFact"] = (...asked) => this.#memories.promote(...asked);

  async sources(): Promise<Json> {
    return { sources: plainJson(await sourceViews(this.#parts.system, this.#parts.host)) };
  }

  async syncSource(name: string, caller: Caller): Promise<Json> {
    await this.#deadLetters.note({ what: "sync", target: name, why: "" }, caller);
    return plainJson(await syncSource(this.#parts.host, name, caller.principal.subject));
  }

  drift: Operations["drift"] = (filter) => this.reports.drift(filter);
  digest: Operations["digest"] = (filter) => this.reports.digest(filter);
  releases: Operations["releases"] = () => this.releasing.list();
  stopRelease: Operations["stopRelease"] = (...asked) => this.releasing.stop(...asked);

  graph(): Json {
    const { slip, about } = this.#parts.system;
    return graphData(slip, about);
  }

  schemas(): Json {
    return plainJson(schemasOf(this.#parts.system));
  }

  async purge(options: PurgeOptions, caller: Caller): Promise<Json> {
    const { olderThanMs, dryRun = false } = options;
    if (olderThanMs !== undefined && (!Number.isSafeInteger(olderThanMs) || olderThanMs < LIMITS.retentionMsMin)) {
      throw new Fault("body.invalid", `olderThanMs is ${olderThanMs}, but must be a whole number from ${LIMITS.retentionMsMin}`, {
        path: "olderThanMs",
      });
    }
    if (!dryRun)
      await this.#deadLetters.note(
        { what: "purge", target: this.#parts.system.name, why: olderThanMs === undefined ? "" : `older than ${olderThanMs} ms` },
        caller,
      );
    const { purged, waiting } = await this.#retention.sweepWhole({ retentionMs: olderThanMs, dryRun });
    return { purged, waiting };
  }

  invalid(bytes: InvalidBytes, fault: WireFault, topic: string): Promise<void> {
    return this.#deadLetters.invalid(keptBytes(bytes), fault, topic, bytes.publishedAtMs);
  }
}
