/**
 * @module Invalid messages: dead letters without a process, which the dead letter queue itself keeps.
 *
 * A decision on an invalid message is first claimed in its entry, where one claim wins, then carried out, then closed.
 */
import { z } from "zod";
import type { System } from "../../agents/system.ts";
import { plainJson } from "../../runtime/canonical.ts";
import { Fault, faultFrom, isFault, isRetryable, type Json, type WireFault } from "../../runtime/faults.ts";
import { requireTaskId } from "../../runtime/ids.ts";
import { type AuditedAct, bucketOf, DECIDED } from "../../runtime/index-actor.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import type { Ports } from "../engine/ports.ts";
import type { Host } from "../host/host.ts";
import { decidedFacts, decisionOf, shownEntry, unknownLetter } from "./dead-letter-entry.ts";
import { invalidBuckets, invalidId, invalidSlice, type KeptBytes } from "./invalid-bytes.ts";
import type { Listing } from "./listing.ts";
import type { Caller, Submission, SubmitResult, TaskReceipt } from "./operations.ts";

/** The parts that decisions on invalid messages work on. */
export interface InvalidMessagesParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
  /** The entries of the dead letter queue. */
  readonly letters: Listing;
  readonly submit: (task: Submission, caller: Caller) => Promise<SubmitResult>;
  /** Records a decision in the audit. */
  readonly note: (act: AuditNote, caller: Caller) => Promise<void>;
}

/** An operator action for the audit; without an id, it gets one. */
export type AuditNote = Omit<AuditedAct, "id" | "atMs" | "who"> & { readonly id?: string };

/** A decision on an invalid message. The same id is the same decision. */
export interface InvalidDecision {
  readonly decisionId: string;
  readonly reason: string;
}

type Facts = IndexEntry["facts"];

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

/** The invalid messages of one system. */
export class InvalidMessages {
  readonly #parts: InvalidMessagesParts;

  constructor(parts: InvalidMessagesParts) {
    this.#parts = parts;
  }

  get #nowMs(): number {
    return this.#parts.ports.clock.nowMs();
  }

  /** The entry of an invalid message; its id names its time slice. */
  async find(id: string): Promise<IndexEntry | undefined> {
    const slice = invalidSlice(id);
    return slice === undefined ? undefined : this.#parts.letters.find(slice, id);
  }

  /**
   * Stores an invalid message; resolves on the receipt of the dead letter queue. The same bytes on one topic are one dead letter, however
   * often the broker delivers them.
   */
  async store(kept: KeptBytes, fault: WireFault, topic: string, publishedAtMs: number | undefined): Promise<void> {
    const atMs = this.#nowMs;
    const buckets = invalidBuckets(atMs, publishedAtMs);
    for (const bucket of buckets) if ((await this.#parts.letters.find(bucket, invalidId(bucket, topic, kept.sha256))) !== undefined) return;
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

  /** Submits the corrected task of an invalid message. A repeated decision gets the same receipt. */
  async redrive(id: string, input: unknown, { decisionId, reason }: InvalidDecision, caller: Caller): Promise<TaskReceipt> {
    const entry = await this.#require(id);
    const claimed = Claim.parse(entry.facts);
    if (!entry.open && claimed.decisionId === decisionId && claimed.decision === DECIDED.redrive) return receiptOf(claimed);
    requireUndecided(entry, decisionId);
    const task = this.#corrected(input);
    const taskId = requireTaskId(task.id ?? `redrive-${decisionOf([id])}`);
    const claim = await this.#claim(entry, decisionId);
    const receipt = await this.#submit(claim, { ...task, id: taskId }, caller);
    await this.#parts.note({ id: `${id}:redrive`, what: "redrive", target: id, why: reason }, caller);
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

  /** Closes an invalid message without a task. A repeated decision gets the same entry. */
  async discard(id: string, { decisionId, reason }: InvalidDecision, caller: Caller): Promise<Json> {
    const entry = await this.#require(id);
    if (!entry.open && entry.facts["decisionId"] === decisionId) return shownEntry(entry);
    const claim = await this.#claim(entry, decisionId);
    await this.#parts.note({ id: `${id}:discard`, what: "discard", target: id, why: reason }, caller);
    await this.#close(claim, { ...decidedFacts("discard", caller, reason, this.#nowMs), decisionId });
    return shownEntry((await this.find(id)) ?? entry);
  }

  async #require(id: string): Promise<IndexEntry> {
    const entry = await this.find(id);
    if (entry === undefined) throw unknownLetter(id);
    return entry;
  }

  /** Parses the corrected task. An invalid message has no work item to repeat: a person says what the task should have been. */
  #corrected(input: unknown): z.infer<typeof Corrected> {
    const path = "input";
    if (input === undefined)
      throw new Fault(
        "body.invalid",
        "an invalid message is not a task: give the whole corrected task as input, { id?, route, input, timeoutMs? }",
        { path },
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
    const now = await this.#require(entry.id);
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

function receiptOf({ taskId = "", taskRoute = "", taskTraceId = "", sequence = 0 }: z.infer<typeof Claim>): TaskReceipt {
  return { id: taskId, route: taskRoute, run: 1, sequence, traceId: taskTraceId };
}
