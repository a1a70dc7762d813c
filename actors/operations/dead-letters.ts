/**
 * @module The dead letter queue and the other listings: dead letters, who decided what, and the decisions.
 *
 * The journal of a process is authoritative for its dead letter. Only an invalid message, which has no process, belongs
 * to the dead letter queue itself. A decision on an invalid message is first claimed in its entry, where one claim
 * wins, then carried out, then closed.
 */
import { z } from "zod";
import type { System } from "../../agents/system.ts";
import { hashJson, plainJson } from "../../runtime/canonical.ts";
import { Fault, faultFrom, isFault, isRetryable, type Json, type WireFault } from "../../runtime/faults.ts";
import { isId, requireId } from "../../runtime/ids.ts";
import { type AuditedAct, auditEntry, bucketOf, DECIDED } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { IndexEntry } from "../../runtime/protocol.ts";
import { requireValue } from "../../runtime/value.ts";
import type { Host } from "../host/host.ts";
import { letterView } from "../host/dead-letter-view.ts";
import { type EntryPage, Listing } from "./listing.ts";
import type { Caller, LetterFilter, Page, ProcessFilter, RedriveOptions, Submission, SubmitResult, TaskReceipt } from "./operations.ts";
import { type KeptBytes, invalidBuckets, invalidId, invalidSlice } from "./invalid-bytes.ts";
import type { Ports } from "../engine/ports.ts";
import type { Requests } from "./requests.ts";

/** The parts that the dead letter queue works on. */
export interface DeadLettersParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
  readonly requests: Requests;
  readonly submit: (task: Submission, caller: Caller) => Promise<SubmitResult>;
}

/** The corrected task of a redriven invalid message. */
const Corrected = z.strictObject({
  id: z.string().optional(),
  route: z.string(),
  input: z.custom<Json>((value) => value !== undefined, "an input is required"),
  timeoutMs: z.int().optional(),
});

/** What the entry of an invalid message records of its decision. `run` counts claims, including those that were released. */
const Claim = z.object({
  run: z.int().default(0),
  decisionId: z.string().optional(),
  decision: z.string().optional(),
  by: z.string().default("unknown"),
  sequence: z.int().optional(),
  taskId: z.string().optional(),
  taskRoute: z.string().optional(),
  taskTraceId: z.string().optional(),
});

/** Statuses of entries whose process was never created. */
const NO_PROCESS: readonly unknown[] = ["void", "refused"];
const LETTER_ID = /^(.+):(\d{1,9})$/;
const DECISION_ID_CHARS = 40;

/** Facts that only identify an entry or that only this file reads. */
const HIDDEN = ["voided"];
const HIDDEN_OF_INVALID = ["run", "sequence", "taskRoute", "taskTraceId"];

type Facts = IndexEntry["facts"];

/** Listings, dead letters and decisions of one system. */
export class DeadLetters {
  readonly #parts: DeadLettersParts;
  readonly #directory: Listing;
  readonly #letters: Listing;
  readonly #audit: Listing;

  constructor(parts: DeadLettersParts) {
    const { ports, system } = parts;
    this.#parts = parts;
    this.#directory = new Listing(ports, system.name, "Directory");
    this.#letters = new Listing(ports, system.name, "DeadLetterQueue");
    this.#audit = new Listing(ports, system.name, "Audit");
  }

  async processes({ state, status, route }: ProcessFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const wanted = ({ open, facts }: IndexEntry): boolean =>
      !NO_PROCESS.includes(facts["status"]) &&
      (state === undefined || open === (state === "open")) &&
      (status === undefined || facts["status"] === status) &&
      (route === undefined || facts["route"] === route);
    return pageOf(await this.#directory.page(wanted, cursor, limit));
  }

  async letters({ route, code, decided = false }: LetterFilter, cursor: string | undefined, limit: number): Promise<Page> {
    const wanted = ({ open, facts }: IndexEntry): boolean =>
      open !== decided && (route === undefined || facts["route"] === route) && (code === undefined || facts["code"] === code);
    return pageOf(await this.#letters.page(wanted, cursor, limit));
  }

  async audit(cursor: string | undefined, limit: number): Promise<Page> {
    const { entries, ...rest } = await this.#audit.page(() => true, cursor, limit);
    return { entries: entries.map(({ id, atMs, facts }) => ({ id, atMs, ...facts })), ...rest };
  }

  async letter(id: string): Promise<Json> {
    const entry = await this.#entry(id);
    if (entry === undefined) throw unknown(id);
    return { ...lineOf(entry), letter: entry.content === undefined ? null : await letterView(entry.content, this.#parts.host.values) };
  }

  /** The entry of a dead letter. A process names the bucket of its dead letter; the id of an invalid message names its time slice. */
  async #entry(id: string): Promise<IndexEntry | undefined> {
    const slice = invalidSlice(id);
    if (slice !== undefined) return this.#letters.find(slice, id);
    const letter = letterOf(id);
    if (letter === undefined) return undefined;
    const view = await this.#parts.requests.inspect(letter.processId);
    return "bucket" in view ? this.#letters.find(view.bucket, id) : undefined;
  }

  async redrive(id: string, options: RedriveOptions, caller: Caller): Promise<TaskReceipt> {
    const { input, reason = "" } = options;
    if (input !== undefined) requireValue(plainJson(input));
    const decisionId =
      options.decisionId === undefined
        ? decisionOf([id, "redrive", caller.principal.subject, reason, input === undefined ? null : plainJson(input)])
        : requireId(options.decisionId, "decision id");
    if (invalidSlice(id) !== undefined) return this.#redriveInvalid(id, input, { decisionId, reason }, caller);
    return this.#decide(
      id,
      { what: "redrive", decisionId, reason, ...(input === undefined ? {} : { input: { json: plainJson(input) } }) },
      caller,
    );
  }

  async discard(id: string, reason: string, caller: Caller): Promise<Json> {
    const decisionId = decisionOf([id, "discard", caller.principal.subject, reason]);
    if (invalidSlice(id) !== undefined) return this.#discardInvalid(id, { decisionId, reason }, caller);
    await this.#decide(id, { what: "discard", decisionId, reason }, caller);
    const entry = await this.#entry(id);
    // The entry is opened and closed by effects of the process's records, which may not have been performed yet.
    if (entry?.open === false) return lineOf(entry);
    return {
      ...(entry === undefined ? { id, atMs: this.#nowMs } : lineOf(entry)),
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
    },
    caller: Caller,
  ): Promise<TaskReceipt> {
    const letter = letterOf(id);
    if (letter === undefined) throw unknown(id);
    const { requests } = this.#parts;
    const view = await requests.inspect(letter.processId);
    const route = "route" in view ? view.route : undefined;
    // The same decision is the same message.
    const messageId = `decision-${decisionOf([id, decision.decisionId])}`;
    const message = requests.message(
      letter.processId,
      { kind: "decision", run: letter.run, ...decision },
      caller,
      this.#nowMs + LIMITS.messageLifetimeMsDefault,
      messageId,
    );
    return requests.receipt(route ?? "", message, await requests.insist(message));
  }

  get #nowMs(): number {
    return this.#parts.ports.clock.nowMs();
  }

  // ---- invalid messages ---------------------------------------------------------------------------------------------

  /**
   * Stores an invalid message; resolves on the receipt of the dead letter queue. The same bytes on one topic are one dead letter, however
   * often the broker delivers them.
   */
  async invalid(kept: KeptBytes, fault: WireFault, topic: string, publishedAtMs: number | undefined): Promise<void> {
    const atMs = this.#nowMs;
    const buckets = invalidBuckets(atMs, publishedAtMs);
    for (const bucket of buckets) if ((await this.#letters.find(bucket, invalidId(bucket, topic, kept.sha256))) !== undefined) return;
    try {
      await this.#fileInvalid(buckets[0], kept, fault, topic);
    } catch (error) {
      if (!isFault(error) || error.code !== "process.purged") throw error;
      // Its time slice was purged, so what was stored there was decided long ago.
      await this.#fileInvalid(bucketOf(atMs, 0), kept, fault, topic);
    }
    this.#parts.host.metrics.deadLetter(fault);
  }

  async #fileInvalid(bucket: string, kept: KeptBytes, fault: WireFault, topic: string): Promise<void> {
    const { desk, values } = this.#parts.host;
    const id = invalidId(bucket, topic, kept.sha256);
    const content = await values.keep({ topic, ...kept, fault: plainJson(fault) }, id);
    await desk.file(bucket, { id, open: true, atMs: this.#nowMs, facts: { topic, code: fault.code, message: fault.message }, content });
  }

  async #redriveInvalid(
    id: string,
    input: unknown,
    { decisionId, reason }: { readonly decisionId: string; readonly reason: string },
    caller: Caller,
  ): Promise<TaskReceipt> {
    const entry = await this.#invalid(id);
    const claimed = Claim.parse(entry.facts);
    if (!entry.open && claimed.decisionId === decisionId && claimed.decision === DECIDED.redrive) return receiptOf(claimed);
    requireUndecided(entry, decisionId);
    const task = this.#corrected(input);
    const taskId = requireId(task.id ?? `redrive-${decisionOf([id])}`, "task id");
    const claim = await this.#claim(entry, decisionId);
    const receipt = await this.#submit(claim, { ...task, id: taskId }, caller);
    await this.note({ id: `${id}:redrive`, what: "redrive", target: id, why: reason }, caller);
    await this.#close(claim, {
      ...decidedFacts("redrive", caller, reason, this.#nowMs),
      decisionId,
      taskId,
      taskRoute: receipt.route,
      taskTraceId: receipt.traceId,
      sequence: receipt.sequence,
    });
    return receipt;
  }

  async #discardInvalid(
    id: string,
    { decisionId, reason }: { readonly decisionId: string; readonly reason: string },
    caller: Caller,
  ): Promise<Json> {
    const entry = await this.#invalid(id);
    if (!entry.open && entry.facts["decisionId"] === decisionId) return lineOf(entry);
    const claim = await this.#claim(entry, decisionId);
    await this.note({ id: `${id}:discard`, what: "discard", target: id, why: reason }, caller);
    await this.#close(claim, { ...decidedFacts("discard", caller, reason, this.#nowMs), decisionId });
    return lineOf((await this.#entry(id)) ?? entry);
  }

  async #invalid(id: string): Promise<IndexEntry> {
    const entry = await this.#entry(id);
    if (entry === undefined) throw unknown(id);
    return entry;
  }

  /** Parses the corrected task. An invalid message has no work item to repeat: a person says what the task should have been. */
  #corrected(input: unknown): z.infer<typeof Corrected> {
    const path = "input";
    if (input === undefined)
      throw new Fault(
        "body.invalid",
        "an invalid message is not a task: give the whole corrected task as input, { id?, route, input, " + "timeoutMs? }",
        {
          path,
        },
      );
    const parsed = Corrected.safeParse(input);
    const issue = parsed.error?.issues[0];
    if (!parsed.success)
      throw new Fault(
        "body.invalid",
        `the corrected task at ${["input", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "does not match its schema"}`,
        { path: [path, ...(issue?.path ?? [])].join(".") },
      );
    const route = this.#parts.system.routes.get(parsed.data.route);
    if (route === undefined) throw new Fault("route.unknown", `there is no route ${JSON.stringify(parsed.data.route)}`);
    route.checkTask(parsed.data.input);
    return parsed.data;
  }

  /**
   * Claims an entry for a decision. One of several decisions wins; a repetition of it continues. Returns the claimed entry.
   * @throws `deadletter.decided`
   */
  async #claim(entry: IndexEntry, decisionId: string): Promise<IndexEntry> {
    const { run, decisionId: known } = Claim.parse(entry.facts);
    if (entry.open && known === undefined) await this.#file({ ...entry, facts: { ...entry.facts, run: run + 1, decisionId } });
    const now = await this.#invalid(entry.id);
    requireUndecided(now, decisionId);
    if (now.facts["decisionId"] === undefined)
      throw new Fault("journal.contended", `the decision on ${entry.id} was released in the meantime; decide again`);
    return now;
  }

  /** Submits the task of a claimed invalid message. If it is refused for good, the dead letter is released for any decision. */
  async #submit(claim: IndexEntry, task: Submission, caller: Caller): Promise<TaskReceipt> {
    try {
      return (await this.#parts.submit(task, caller)).receipt;
    } catch (error) {
      const { decisionId: _given, ...facts } = claim.facts;
      // If this fails, the same decision gets the same refusal and releases the dead letter then.
      if (claim.open && !isRetryable(faultFrom(error, "turn.failed")))
        await this.#file({ ...claim, facts: { ...facts, run: Claim.parse(claim.facts).run + 1 } }).catch(() => {});
      throw error;
    }
  }

  async #close(claim: IndexEntry, facts: Facts): Promise<void> {
    await this.#file({ ...claim, open: false, atMs: this.#nowMs, facts: { ...claim.facts, ...facts } });
  }

  /** Files an entry with the next run. The run orders entries: a claim is newer than what it claims and older than what closes it. */
  async #file(entry: IndexEntry): Promise<void> {
    await this.#parts.host.desk.file(invalidSlice(entry.id) ?? "", entry);
  }

  /**
   * Records an operator action in the audit that no journal contains.
   * @throws `sidecar.unavailable`
   */
  async note({ id, what, target, why }: Omit<AuditedAct, "id" | "atMs" | "who"> & { readonly id?: string }, caller: Caller): Promise<void> {
    const { host, ports } = this.#parts;
    const atMs = this.#nowMs;
    await host.audit.file(
      bucketOf(atMs, 0),
      auditEntry({ id: id ?? `${what}-${ports.random.token()}`, atMs, who: caller.principal.subject, what, target, why }),
    );
  }
}

/**
 * Checks that no other decision holds the dead letter.
 * @throws `deadletter.decided`
 */
function requireUndecided({ id, open, facts }: IndexEntry, decisionId: string): void {
  const { decisionId: other, by } = Claim.parse(facts);
  if (other !== undefined && other !== decisionId)
    throw new Fault("deadletter.decided", `${id} was decided${open ? "" : ` by ${by}`}; the decision is ${other}`, { decisionId: other });
}

function letterOf(id: string): { readonly processId: string; readonly run: number } | undefined {
  const [, processId, run] = LETTER_ID.exec(id) ?? [];
  return processId === undefined || !isId(processId) || Number(run) < 1 ? undefined : { processId, run: Number(run) };
}

function decisionOf(parts: readonly Json[]): string {
  return hashJson(parts).slice(0, DECISION_ID_CHARS);
}

function decidedFacts(what: keyof typeof DECIDED, caller: Caller, reason: string, atMs: number): Facts {
  return { decision: DECIDED[what], by: caller.principal.subject, reason, decidedAtMs: atMs };
}

function receiptOf({ taskId = "", taskRoute = "", taskTraceId = "", sequence = 0 }: z.infer<typeof Claim>): TaskReceipt {
  return { id: taskId, route: taskRoute, run: 1, sequence, traceId: taskTraceId };
}

function unknown(id: string): Fault {
  return new Fault("deadletter.unknown", `there is no dead letter ${JSON.stringify(id)}`);
}

/** An entry as it is shown, without the facts that only identify it. */
function lineOf({ id, open, atMs, facts }: IndexEntry): { readonly [key: string]: Json } {
  const hidden = invalidSlice(id) === undefined ? HIDDEN : HIDDEN_OF_INVALID;
  return { id, open, atMs, ...Object.fromEntries(Object.entries(facts).filter(([name]) => !hidden.includes(name))) };
}

function pageOf({ entries, ...rest }: EntryPage): Page {
  return { entries: entries.map(lineOf), ...rest };
}
