/**
 * @module The dead letter queue and the other listings: dead letters, who decided what, and the decisions.
 *
 * The journal of a process is authoritative for its dead letter. Invalid messages, which have no process, are in
 * invalid-messages.ts.
 */
import type { System } from "../../agents/system.ts";
import { plainJson } from "../../runtime/canonical.ts";
import type { Json, WireFault } from "../../runtime/faults.ts";
import { isId, isOfTenant, requireId } from "../../runtime/ids.ts";
import { auditEntry, bucketOf } from "../../runtime/index-actor.ts";
import { entryFilter, isProcess } from "../../runtime/process-filter.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { doneText } from "../../runtime/look.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { requireValue } from "../../runtime/value.ts";
import type { Host } from "../host/host.ts";
import { letterView } from "../host/dead-letter-view.ts";
import { type EntryPage, Listing } from "./listing.ts";
import type {
  AuditFilter,
  Caller,
  LetterFilter,
  Page,
  ProcessFilter,
  RedriveOptions,
  Submission,
  SubmitResult,
  TaskReceipt,
} from "./operations.ts";
import { invalidSlice, type KeptBytes } from "./invalid-bytes.ts";
import type { Ports } from "../engine/ports.ts";
import { ATTRIBUTE } from "../telemetry/names.ts";
import { actTrace } from "../telemetry/spans.ts";
import { decidedFacts, decisionOf, shownEntry, unknownLetter } from "./dead-letter-entry.ts";
import { type AuditNote, InvalidMessages } from "./invalid-messages.ts";
import type { Requests } from "./requests.ts";

/** The parts that the dead letter queue works on. */
export interface DeadLettersParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
  readonly requests: Requests;
  readonly submit: (task: Submission, caller: Caller) => Promise<SubmitResult>;
}

/** The entries that a filter wants; those of processes that never were are left out. */
function processesWanted({ tenant, ...filter }: ProcessFilter): (entry: IndexEntry) => boolean {
  const wanted = entryFilter(filter);
  return (entry) => (tenant === undefined || isOfTenant(entry.id, tenant)) && isProcess(entry) && wanted(entry);
}

const LETTER_ID = /^(.+):(\d{1,9})$/;

/** Listings, dead letters and decisions of one system. */
export class DeadLetters {
  readonly #parts: DeadLettersParts;
  /** The listings, for reports over them. */
  readonly directory: Listing;
  readonly queue: Listing;
  readonly auditLines: Listing;
  readonly #invalid: InvalidMessages;

  constructor(parts: DeadLettersParts) {
    const { ports, system, host } = parts;
    this.#parts = parts;
    this.directory = new Listing(ports, system.name, "Directory", host);
    this.queue = new Listing(ports, system.name, "DeadLetterQueue", host);
    this.auditLines = new Listing(ports, system.name, "Audit", host);
    this.#invalid = new InvalidMessages({ ...parts, letters: this.queue, note: (act, caller) => this.note(act, caller) });
  }

  /** Notes every broken bucket in the quarantine of the host. */
  async findBroken(): Promise<void> {
    for (const listing of [this.directory, this.queue, this.auditLines]) await listing.findBroken();
  }

  async processes(
    filter: ProcessFilter & { readonly isWanted?: ((id: string) => boolean) | undefined },
    cursor: string | undefined,
    limit: number,
  ): Promise<Page> {
    const { isWanted, ...rest } = filter;
    const fits = processesWanted(rest);
    const wanted = isWanted === undefined ? fits : (entry: IndexEntry): boolean => isWanted(entry.id) && fits(entry);
    // Entries stand in the bucket of the time at which their process was accepted.
    const oldest = filter.sinceMs === undefined ? "" : bucketOf(Math.max(0, filter.sinceMs - LIMITS.indexBucketMs), 0);
    return pageOf(await this.directory.page(wanted, cursor, limit, oldest));
  }

  async letters({ route, code, decided = false, tenant }: LetterFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const wanted = ({ id, open, facts }: IndexEntry): boolean =>
      (tenant === undefined || (invalidSlice(id) === undefined && isOfTenant(id, tenant))) &&
      open !== decided &&
      (route === undefined || facts["route"] === route) &&
      (code === undefined || facts["code"] === code);
    return pageOf(await this.queue.page(wanted, cursor, limit));
  }

  async audit(cursor: string | undefined, limit: number, { process, what: done, tenant }: AuditFilter = {}): Promise<Page> {
    const wanted = ({ facts: { target, what, kind } }: IndexEntry): boolean =>
      (done === undefined || done === what || done === doneText({ what: String(what), kind: kind?.toString() })) &&
      (process === undefined || target === process || letterOf(String(target))?.processId === process) &&
      (tenant === undefined || (what !== "purge" && invalidSlice(String(target)) === undefined && isOfTenant(String(target), tenant)));
    const { entries, ...rest } = await this.auditLines.page(wanted, cursor, limit);
    return { entries: entries.map(({ id, atMs, facts }) => ({ id, atMs, ...facts })), ...rest };
  }

  async letter(id: string): Promise<Json> {
    const entry = await this.#entry(id);
    if (entry === undefined) throw unknownLetter(id);
    return { ...shownEntry(entry), letter: entry.content === undefined ? null : await letterView(entry.content, this.#parts.host.values) };
  }

  /** The entry of a dead letter. A process names the bucket of its dead letter; the id of an invalid message names its time slice. */
  async #entry(id: string): Promise<IndexEntry | undefined> {
    if (invalidSlice(id) !== undefined) return this.#invalid.find(id);
    const letter = letterOf(id);
    if (letter === undefined) return undefined;
    const view = await this.#parts.requests.inspect(letter.processId);
    return "bucket" in view ? this.queue.find(view.bucket, id) : undefined;
  }

  async redrive(id: string, options: RedriveOptions, caller: Caller): Promise<TaskReceipt> {
    const { input, reason = "", undoneByHand } = options;
    if (input !== undefined) requireValue(plainJson(input));
    const decisionId =
      options.decisionId === undefined
        ? decisionOf([id, "redrive", caller.principal.subject, reason, input === undefined ? null : plainJson(input)])
        : requireId(options.decisionId, "decision id");
    if (invalidSlice(id) !== undefined) return this.#invalid.redrive(id, input, { decisionId, reason }, caller);
    return this.#decide(
      id,
      {
        what: "redrive",
        decisionId,
        reason,
        ...(input === undefined ? {} : { input: { json: plainJson(input) } }),
        ...(undoneByHand === true ? { undoneByHand } : {}),
      },
      caller,
    );
  }

  async discard(id: string, reason: string, caller: Caller): Promise<Json> {
    const decisionId = decisionOf([id, "discard", caller.principal.subject, reason]);
    if (invalidSlice(id) !== undefined) return this.#invalid.discard(id, { decisionId, reason }, caller);
    await this.#decide(id, { what: "discard", decisionId, reason }, caller);
    const entry = await this.#entry(id);
    // The entry is opened and closed by effects of the process's records, which may not have been performed yet.
    if (entry?.open === false) return shownEntry(entry);
    return {
      ...(entry === undefined ? { id, atMs: this.#nowMs } : shownEntry(entry)),
      open: false,
      ...decidedFacts("discard", caller, reason, this.#nowMs),
    };
  }

  async #decide(
    id: string,
    decision: {
      readonly what: "redrive" | "discard";
      readonly decisionId: string;
      readonly reason: string;
      readonly input?: { readonly json: Json };
      readonly undoneByHand?: true;
    },
    caller: Caller,
  ): Promise<TaskReceipt> {
    const letter = letterOf(id);
    if (letter === undefined) throw unknownLetter(id);
    const { requests } = this.#parts;
    const view = await requests.inspect(letter.processId);
    const known = "route" in view ? view : undefined;
    const facts = { [ATTRIBUTE.process]: letter.processId, [ATTRIBUTE.act]: decision.what };
    const trace = actTrace({ process: known?.traceparent, caller: caller.trace }, facts, this.#parts.ports.random);
    // The same decision is the same message.
    const messageId = `decision-${decisionOf([id, decision.decisionId])}`;
    const message = requests.message(
      letter.processId,
      { kind: "decision", run: letter.run, ...decision },
      { ...caller, trace },
      this.#nowMs + LIMITS.messageLifetimeMsDefault,
      messageId,
    );
    return requests.receipt(known?.route ?? "", message, await requests.insist(message));
  }

  get #nowMs(): number {
    return this.#parts.ports.clock.nowMs();
  }

  /** Stores an invalid message, see {@link InvalidMessages.store}. */
  invalid(kept: KeptBytes, fault: WireFault, topic: string, publishedAtMs: number | undefined): Promise<void> {
    return this.#invalid.store(kept, fault, topic, publishedAtMs);
  }

  /**
   * Records an operator action in the audit that no journal contains.
   * @throws `sidecar.unavailable`
   */
  async note({ id, what, ...act }: AuditNote, caller: Caller): Promise<void> {
    const { host, ports } = this.#parts;
    const atMs = this.#nowMs;
    await host.audit.file(
      bucketOf(atMs, 0),
      auditEntry({ id: id ?? `${what}-${ports.random.token()}`, atMs, who: caller.principal.subject, what, ...act }),
    );
  }
}

function letterOf(id: string): { readonly processId: string; readonly run: number } | undefined {
  const [, processId, run] = LETTER_ID.exec(id) ?? [];
  return processId === undefined || !isId(processId) || Number(run) < 1 ? undefined : { processId, run: Number(run) };
}

function pageOf({ entries, ...rest }: EntryPage): Page {
  return { entries: entries.map(shownEntry), ...rest };
}
