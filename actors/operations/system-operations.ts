/**
 * @module The operations of a running system: tasks, processes, dead letters, over any ports.
 */
import type { System } from "../../agents/system.ts";
import type { AgentsView, CostView, OverviewView, SystemView } from "../../runtime/overview.ts";
import type { TimelineView } from "../../runtime/timeline.ts";
import { plainJson } from "../../runtime/canonical.ts";
import { Fault, invariant, type Json, type WireFault } from "../../runtime/faults.ts";
import { graphData } from "../../runtime/graph.ts";
import { requireId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { HistoryPage, ProcessView, StopsView } from "../../runtime/process-view.ts";
import type { DeltaPage, DeltaPlace } from "../../runtime/model/deltas.ts";
import { purgedFault } from "../../runtime/process/purge.ts";
import type { ModelsAnswer, SignalReceipt } from "../../runtime/answers.ts";
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
  Caller,
  Operations,
  OperatorAct,
  Page,
  ProcessFilter,
  PurgeOptions,
  SetAsideOptions,
  TaskReceipt,
} from "./operations.ts";
import { MemoryOperations } from "./memory-operations.ts";
import { keptBytes, type InvalidBytes } from "./invalid-bytes.ts";
import type { Ports } from "../engine/ports.ts";
import { type Forking, RecordedRuns } from "./recorded-runs.ts";
import { Submitter } from "./submitter.ts";
import { Changes } from "./changes.ts";
import { IndexNews } from "./index-news.ts";
import { Listing } from "./listing.ts";
import { Overviews } from "./overviews.ts";
import { WorkHistory } from "./work-history.ts";
import { ReleaseOperations } from "./releases.ts";
import { Reports } from "./reports.ts";
import { Requests } from "./requests.ts";
import { schemasOf } from "./schemas.ts";
import { RuleOperations } from "./standing-rules.ts";
import { Retention } from "../retention/retention.ts";
import { sourceViews, syncSource } from "./source-operations.ts";
import { Callbacks } from "../engine/callbacks.ts";

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
  readonly forking?: Forking | undefined;
  /** @default no log */
  readonly log?: Logger | undefined;
}

/** The operations of one system. The process may be on any host: every request goes through the transport. */
export class SystemOperations implements Operations {
  readonly #parts: OperationsParts;
  readonly #requests: Requests;
  readonly #deadLetters: DeadLetters;
  readonly #inbox: Inbox;
  readonly #rules: RuleOperations;
  readonly #retention: Retention;
  readonly #watchers = new Callbacks();
  readonly #works: WorkHistory;
  readonly #runs: RecordedRuns;
  readonly #submitter: Submitter;
  readonly #overviews: Overviews;
  readonly #changes: Changes;
  readonly #broken: BrokenActors;
  readonly #memories: MemoryOperations;
  /** The program that serves the host starts its looks. */
  readonly releasing: ReleaseOperations;
  readonly reports: Reports;

  constructor(parts: OperationsParts) {
    this.#parts = parts;
    this.#requests = new Requests(parts.ports, parts.system.name);
    const journals = { ports: parts.ports, system: parts.system.name, values: parts.host.values };
    this.#works = new WorkHistory(journals);
    const requireProcess = (id: string): Promise<unknown> => this.process(id);
    this.#runs = new RecordedRuns({ system: parts.system, journals, requireProcess, forking: parts.forking });
    this.#submitter = new Submitter({ ...parts, requests: this.#requests });
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
    this.#overviews = new Overviews({
      ...{ ...parts, ...indexes },
      ...{ models: () => parts.models?.() ?? [], others: () => this.releasing.problems() },
    });
    const releases = new Listing(parts.ports, parts.system.name, "Releases", parts.host);
    this.#changes = new Changes(parts.ports.clock, () => [
      ...[new IndexNews("process", directory), new IndexNews("deadletter", letters)],
      ...[new IndexNews("request", this.#inbox.listing), new IndexNews("release", releases)],
    ]);
    this.reports = new Reports({ system: parts.system.name, clock: parts.ports.clock, ...indexes });
    parts.host.listen((_before, after) => {
      this.#watchers.tell(after.id);
      const { id, task, outcome } = after;
      if (task !== undefined) this.#changes.tell([{ kind: "process", id, route: task.route, status: outcome?.status ?? "open" }]);
    });
  }

  submit: Operations["submit"] = (...asked) => this.#submitter.submit(...asked);

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

  async timeline(id: string): Promise<TimelineView> {
    return this.#works.timeline(await this.process(id));
  }

  overview = (sinceMs?: number, tenant?: string): Promise<OverviewView> => this.#overviews.overview(sinceMs, tenant);
  costs = (sinceMs?: number, tenant?: string): Promise<CostView> => this.#overviews.costs(sinceMs, tenant);
  agents = (): AgentsView => this.#overviews.agents();
  looked = (what: LookedAt, target: string, id: string, caller: Caller): Promise<void> =>
    this.#deadLetters.note({ id, what: "looked at content", target, why: "", kind: what }, caller);
  system = (): Promise<SystemView> => this.#overviews.system();
  changes: Operations["changes"] = (changed) => this.#changes.follow(changed);

  cassette: Operations["cassette"] = (id) => this.#runs.cassette(requireId(id, "process id"));
  replay: Operations["replay"] = (id) => this.#runs.replay(id);
  fork: Operations["fork"] = (...asked) => this.#runs.fork(...asked);
  diff: Operations["diff"] = (...asked) => this.#runs.diff(...asked);
  conversation: Operations["conversation"] = (...asked) => this.#runs.conversation(...asked);

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

  deadLetters: Operations["deadLetters"] = (...asked) => this.#deadLetters.letters(...asked);
  deadLetter: Operations["deadLetter"] = (id) => this.#deadLetters.letter(id);
  redrive: Operations["redrive"] = (...asked) => this.#deadLetters.redrive(...asked);
  discard: Operations["discard"] = (...asked) => this.#deadLetters.discard(...asked);
  decideLetters: Operations["decideLetters"] = (...asked) => decideLetters(this.#deadLetters, ...asked);
  inbox: Operations["inbox"] = (...asked) => this.#inbox.list(...asked);
  request: Operations["request"] = (id) => this.#inbox.request(id);
  decide: Operations["decide"] = (...asked) => this.#inbox.decide(...asked);
  rules: Operations["rules"] = (...asked) => this.#rules.list(...asked);
  revokeRule: Operations["revokeRule"] = (...asked) => this.#rules.revoke(...asked);
  audit: Operations["audit"] = (...asked) => this.#deadLetters.audit(...asked);

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
