/**
 * @module The operations as a token of one tenant sees them: its own processes under the ids that it gave them. What is of another tenant
 * is unknown.
 */
import type { RunDiff } from "../../runtime/cassette/diff.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { insideId, isOfTenant, outsideId } from "../../runtime/ids.ts";
import type { RuleView } from "../../runtime/people/rule-view.ts";
import type { ProcessView } from "../../runtime/process-view.ts";
import type { FactEntry } from "../../runtime/memory-answers.ts";
import { decideLetters } from "../operations/acts.ts";
import type { Operations, Page } from "../operations/operations.ts";

/** The operations of a tenant; all of them for a token without one. */
export function operationsOf(operations: Operations, tenant: string | undefined): Operations {
  return tenant === undefined ? operations : new TenantOperations(operations, tenant);
}

/**
 * The process that a caller of a tenant means by an id.
 * @throws `process.unknown` for an id within the system, which a tenant does not use
 */
export function processOf(id: string, tenant: string | undefined): string {
  if (tenant === undefined) return id;
  const inside = insideId(id, tenant);
  if (!isOfTenant(inside, tenant)) throw new Fault("process.unknown", `there is no process ${id}`);
  return inside;
}

class TenantOperations implements Operations {
  readonly #all: Operations;
  readonly #tenant: string;

  constructor(all: Operations, tenant: string) {
    this.#all = all;
    this.#tenant = tenant;
  }

  #inside(id: string): string {
    return processOf(id, this.#tenant);
  }

  #letter(id: string): string {
    const inside = insideId(id, this.#tenant);
    if (id.startsWith("invalid-") || !isOfTenant(inside, this.#tenant))
      throw new Fault("deadletter.unknown", `there is no dead letter ${JSON.stringify(id)}`);
    return inside;
  }

  #memory(id: string): string {
    const inside = insideId(id, this.#tenant);
    if (!isOfTenant(inside, this.#tenant)) throw new Fault("memory.unknown", `there is no memory ${id}`);
    return inside;
  }

  #request(id: string): string {
    const inside = insideId(id, this.#tenant);
    if (!isOfTenant(inside, this.#tenant)) throw new Fault("person.unknown", `there is no request ${JSON.stringify(id)}`);
    return inside;
  }

  submit: Operations["submit"] = async (submission, caller, waitMs) => {
    const { receipt, outcome } = await this.#all.submit(submission, caller, waitMs);
    return { receipt: shown(receipt), ...(outcome === undefined ? {} : { outcome: shown(outcome) }) };
  };

  process: Operations["process"] = async (id) => shownProcess(await this.#all.process(this.#inside(id)));
  stops: Operations["stops"] = async (id) => this.#all.stops(this.#inside(id));
  /** A cassette names actors and processes by their ids within the system. */
  cassette: Operations["cassette"] = async (id) => this.#all.cassette(this.#inside(id));
  replay: Operations["replay"] = async (id) => {
    const report = await this.#all.replay(this.#inside(id));
    const divergences = report.divergences.map(({ process, work, ...one }) => ({
      ...{ process: outsideId(process), ...one },
      ...(work === undefined ? {} : { work: outsideId(work) }),
    }));
    const skipped = report.skipped.map(({ work, why }) => ({ work: outsideId(work), why }));
    return { ...report, id: outsideId(report.id), divergences, skipped };
  };
  timeline: Operations["timeline"] = async (id) => {
    const { bars, ...view } = await this.#all.timeline(this.#inside(id));
    const out = (name: string | undefined): string | undefined => (name === undefined ? undefined : outsideId(name));
    return {
      ...view,
      id: outsideId(view.id),
      bars: bars.map((bar) => ({
        ...bar,
        ...{ id: outsideId(bar.id), in: out(bar.in), work: out(bar.work), request: out(bar.request), process: out(bar.process) },
      })),
    };
  };
  overview: Operations["overview"] = async (sinceMs) => {
    const { oldestOpen, ...view } = await this.#all.overview(sinceMs, this.#tenant);
    return { ...view, ...(oldestOpen === undefined ? {} : { oldestOpen: { ...oldestOpen, id: outsideId(oldestOpen.id) } }) };
  };
  costs: Operations["costs"] = async (sinceMs) => {
    const { dearest, ...view } = await this.#all.costs(sinceMs, this.#tenant);
    return { ...view, dearest: dearest.map((one) => ({ ...one, id: outsideId(one.id) })) };
  };
  agents: Operations["agents"] = () => this.#all.agents();
  system: Operations["system"] = async () => ofAll("the hosts are");
  looked: Operations["looked"] = (what, target, ...rest) => {
    const inside = { process: this.#inside, deadletter: this.#letter, request: this.#request, memory: this.#memory }[what];
    return this.#all.looked(what, inside.call(this, target), ...rest);
  };
  /** Releases and invalid messages are of all tenants. */
  changes: Operations["changes"] = (changed) =>
    this.#all.changes((changes) => {
      const own = changes.filter(({ kind, id }) => kind !== "release" && !id.startsWith("invalid-") && isOfTenant(id, this.#tenant));
      if (own.length > 0) changed(own.map((one) => ({ ...one, id: outsideId(one.id) })));
    });
  fork: Operations["fork"] = async (id, { at, ...wanted }) => {
    const inside = this.#inside(id);
    // A work item is named by its process first.
    const own = inside !== id && at.startsWith(`${id}:`) ? `${inside}${at.slice(id.length)}` : at;
    const { diff, ...report } = await this.#all.fork(inside, { ...wanted, at: own });
    return { ...report, id: outsideId(report.id), at, diff: outsideDiff(diff) };
  };
  diff: Operations["diff"] = async (id, other) => outsideDiff(await this.#all.diff(this.#inside(id), this.#inside(other)));
  conversation: Operations["conversation"] = async (id, work) => {
    const inside = this.#inside(id);
    // A work item is named by its process first.
    const own = inside === id || !work.startsWith(id) ? work : `${inside}${work.slice(id.length)}`;
    const view = await this.#all.conversation(inside, own);
    return { ...view, process: outsideId(view.process), work: outsideId(view.work) };
  };
  history: Operations["history"] = async (id, from, limit) => this.#all.history(this.#inside(id), from, limit);
  watch: Operations["watch"] = (id, news) => this.#all.watch(this.#inside(id), news);
  cancel: Operations["cancel"] = async (id, reason, caller) => shown(await this.#all.cancel(this.#inside(id), reason, caller));
  act: Operations["act"] = async (id, ...rest) => shown(await this.#all.act(this.#inside(id), ...rest));
  signal: Operations["signal"] = async (id, ...rest) => shown(await this.#all.signal(this.#inside(id), ...rest));
  processes: Operations["processes"] = async (filter, cursor, limit) =>
    shownPage(await this.#all.processes({ ...filter, tenant: this.#tenant }, cursor, limit));
  deadLetters: Operations["deadLetters"] = async (filter, cursor, limit) =>
    shownPage(await this.#all.deadLetters({ ...filter, tenant: this.#tenant }, cursor, limit));
  inbox: Operations["inbox"] = async ({ processId, ...filter }, cursor, limit) =>
    shownPage(
      await this.#all.inbox(
        { ...filter, ...(processId === undefined ? {} : { processId: this.#inside(processId) }), tenant: this.#tenant },
        cursor,
        limit,
      ),
    );
  request: Operations["request"] = async (id) => shownRequest(await this.#all.request(this.#request(id)));
  decide: Operations["decide"] = async (id, decision, caller) => shownRequest(await this.#all.decide(this.#request(id), decision, caller));
  rules: Operations["rules"] = async (all, caller) => {
    const { entries } = await this.#all.rules(all, caller);
    return { entries: entries.map(shownRule) };
  };
  revokeRule: Operations["revokeRule"] = async (id, reason, caller) => shownRule(await this.#all.revokeRule(id, reason, caller));
  audit: Operations["audit"] = async (cursor, limit, filter = {}) => {
    const { process, what } = filter;
    const inside = process === undefined ? undefined : this.#inside(process);
    return shownPage(await this.#all.audit(cursor, limit, { process: inside, what, tenant: this.#tenant }));
  };
  deadLetter: Operations["deadLetter"] = async (id) => shownEntry(await this.#all.deadLetter(this.#letter(id)));
  redrive: Operations["redrive"] = async (id, options, caller) => shown(await this.#all.redrive(this.#letter(id), options, caller));
  decideLetters: Operations["decideLetters"] = (decision, caller) => decideLetters(this, decision, caller);
  discard: Operations["discard"] = async (id, reason, caller) => shownEntry(await this.#all.discard(this.#letter(id), reason, caller));
  graph: Operations["graph"] = () => this.#all.graph();
  schemas: Operations["schemas"] = () => this.#all.schemas();
  models: Operations["models"] = () => this.#all.models();
  invalid: Operations["invalid"] = (...message) => this.#all.invalid(...message);

  memories: Operations["memories"] = async () => ({ memories: (await this.#all.memories(this.#tenant)).memories.map(outsideId) });
  memory: Operations["memory"] = async (memory, ...rest) => {
    const { id, facts, ...view } = await this.#all.memory(this.#memory(memory), ...rest);
    return { id: outsideId(id), facts: facts.map(shownFact), ...view };
  };
  forgetFact: Operations["forgetFact"] = async (memory, ...rest) => {
    const { facts, readers, purged, waiting, ...told } = await this.#all.forgetFact(this.#memory(memory), ...rest);
    return {
      facts: facts.map(shownPlace),
      readers: readers.map(shownWork),
      ...told,
      ...(purged === undefined ? {} : { purged: purged.map(outsideId) }),
      ...(waiting === undefined ? {} : { waiting: waiting.map(outsideId) }),
    };
  };
  promoteFact: Operations["promoteFact"] = async (memory, ...rest) => shownFact(await this.#all.promoteFact(this.#memory(memory), ...rest));

  /** What is of all tenants. */
  purge: Operations["purge"] = async () => ofAll("a purge is");
  sources: Operations["sources"] = async () => ofAll("sources are");
  syncSource: Operations["syncSource"] = async () => ofAll("a source is");
  drift: Operations["drift"] = (filter) => this.#all.drift({ ...filter, tenant: this.#tenant });
  digest: Operations["digest"] = async (filter) => {
    const { people, deadLetters, dearest, ...view } = await this.#all.digest({ ...filter, tenant: this.#tenant });
    return {
      ...view,
      people: people.map(({ request, ...one }) => ({ ...one, request: outsideId(request) })),
      deadLetters: deadLetters.map(({ example, ...one }) => ({ ...one, example: outsideId(example) })),
      dearest: dearest.map(({ id, ...one }) => ({ ...one, id: outsideId(id) })),
    };
  };
  releases: Operations["releases"] = () => ofAll("releases are");
  stopRelease: Operations["stopRelease"] = async () => ofAll("a release is");
  broken: Operations["broken"] = async () => ofAll("broken journals are");
  setAside: Operations["setAside"] = async () => ofAll("a broken journal is");
}

function ofAll(what: string): never {
  throw new Fault("auth.role", `${what} of all tenants; it needs a token without a tenant`);
}

function shown<T extends { readonly id: string; readonly parent?: string | undefined }>(view: T): T {
  return { ...view, id: outsideId(view.id), ...(view.parent === undefined ? {} : { parent: outsideId(view.parent) }) };
}

function shownProcess({ waits, requests, ...view }: ProcessView): ProcessView {
  return {
    ...shown(view),
    ...(waits === undefined
      ? {}
      : { waits: waits.map((wait) => ({ ...wait, ...(wait.request === undefined ? {} : { request: outsideId(wait.request) }) })) }),
    ...(requests === undefined ? {} : { requests: requests.map(shownRequest) }),
  };
}

function shownRequest<T extends { readonly id: string; readonly processId: string }>(view: T): T {
  return { ...view, id: outsideId(view.id), processId: outsideId(view.processId) };
}

function shownRule(rule: RuleView): RuleView {
  return { ...rule, request: outsideId(rule.request) };
}

/** Fields of an entry that name a process or a dead letter. */
const NAMES: readonly string[] = ["id", "processId", "parent", "target", "request"];

function shownEntry(entry: Json): Json {
  if (typeof entry !== "object" || entry === null) return entry;
  return Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [name, NAMES.includes(name) && typeof value === "string" ? outsideId(value) : value]),
  );
}

function shownFact({ writer, parents, readers, ...fact }: FactEntry): FactEntry {
  return { ...fact, writer: shownWork(writer), parents: parents.map(shownPlace), readers: readers.map(shownWork) };
}

function shownPlace<T extends { readonly memory: string }>(place: T): T {
  return { ...place, memory: outsideId(place.memory) };
}

function shownWork<T extends { readonly processId: string; readonly workId: string }>(work: T): T {
  return { ...work, processId: outsideId(work.processId), workId: outsideId(work.workId) };
}

function shownPage({ entries, ...rest }: Page): Page {
  return { entries: entries.map(shownEntry), ...rest };
}

function outsideDiff(diff: RunDiff): RunDiff {
  return { ...diff, a: outsideId(diff.a), b: outsideId(diff.b) };
}
