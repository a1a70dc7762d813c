/**
 * @module The laws of agent actors, checked at every record: who runs, what is accepted, what may be forgotten, whose state.
 */
import { entryOf } from "../../runtime/entries.ts";
import { evolveAgent } from "../../runtime/agent/evolve.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import { canonicalJson, plainJson } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { CountLaw } from "./agent-state.ts";
import type { ModelLaws } from "./model-laws.ts";
import type { Value } from "../../runtime/value.ts";
import { type Find, follow, type Shadow, type WrittenKey } from "./shadow.ts";

/** Faults of a handler that does not come to its records again. */
const MISMATCHES: ReadonlySet<string> = new Set(["step.mismatch", "model.mismatch"]);

/** What a handler records first is one of these. */
const REPORTS: ReadonlySet<string> = new Set(["call-begun", "call-ended", "model-begun", "step-done", "failed", "wait-made", "work-done"]);

/** What the laws of agents read. */
export interface AgentLawsParts {
  readonly find: Find;
  /** Handlers tell the ledger of all they do. */
  readonly strict: boolean;
  readonly process: (id: string) => ProcessState | undefined;
  /** The input with which a record of a process asked for a work item; undefined if none did. */
  readonly asked: (workId: string) => Value | undefined;
  /** Tools whose calls are recorded each time that they are made. */
  readonly recordedEach: (tool: string) => boolean;
  readonly models: ModelLaws;
}

/** A call that was recorded as begun. */
export interface BegunCall {
  readonly key: string;
  readonly times: number;
  /** Its end must not stay unknown, so it is recorded each time that it is made. */
  readonly recordedEach: boolean;
}

/** Follows the records of all agent actors. */
export class AgentLaws {
  readonly #parts: AgentLawsParts;
  /** The attempt that each token was given to, by work item and token. */
  readonly #tokens = new Map<string, number>();
  /** Work items whose handler has recorded something. */
  readonly #reported = new Set<string>();
  /** Attempts that ended with a fault: `work item:attempt`. */
  readonly #faulted = new Set<string>();
  /** Calls that were recorded as begun, by work item, in the order of their first beginnings. */
  readonly begunCalls = new Map<string, Map<string, BegunCall>>();
  /** Settled work items that are not in the state of their actor, by id. */
  readonly settled = new Map<string, AgentWork>();
  /** The process of each work item that ever left the state of its actor. */
  readonly left = new Map<string, string>();
  readonly #counts = new Map<string, CountLaw>();

  constructor(parts: AgentLawsParts) {
    this.#parts = parts;
  }

  /** Whether a record says that this attempt of a work item ended with a fault. */
  hasFaulted(workId: string, attempt: number): boolean {
    return this.#faulted.has(`${workId}:${attempt}`);
  }

  /** A record or snapshot of an agent actor was written. */
  wrote(shadow: Shadow<AgentState>, key: WrittenKey): void {
    follow<AgentState, AgentEvent>(shadow, key, evolveAgent, this.#parts.find, (event, before) => this.#event(shadow, event, before));
    const running = Object.values(shadow.state.works).filter((work) => work.status === "running");
    if (running.length > 1)
      this.#parts.find(
        "one running work for each actor",
        `${shadow.type}/${shadow.id} runs ${running.map((work) => work.id).join(" and ")}`,
      );
  }

  #event(shadow: Shadow<AgentState>, event: AgentEvent, before: AgentState): void {
    const { find, strict, models } = this.#parts;
    models.follow(event, before);
    if (REPORTS.has(event.e) && "workId" in event) this.#handled(entryOf(before.works, event.workId));
    switch (event.e) {
      case "begun":
      case "taken-over":
        return this.#begun(shadow, event, before);
      case "work-accepted":
        if (entryOf(before.works, event.work.id) !== undefined || this.settled.has(event.work.id))
          find("work is accepted once", `${event.work.id} was accepted again`);
        return;
      case "work-done":
        this.#deterministic(event);
        if ("fault" in event.result) this.#faulted.add(`${event.workId}:${entryOf(before.works, event.workId)?.attempt ?? 0}`);
        if (strict) this.#countOf(shadow).ended(before, event);
        return;
      case "call-begun":
        return this.#callBegun(event);
      case "undo-done":
        if (strict) this.#countOf(shadow).ended(before, event);
        return;
      case "settled":
        for (const id of event.workIds) this.#left(before, id);
        return;
      case "recalled":
        return this.#recalled(event.work);
      case "tombstoned":
        if (this.settled.has(event.workId))
          find("an undo finds the work item that it undoes", `${event.workId} has settled, and was taken for unknown`);
        return;
      case "forgotten":
        if (strict) for (const id of event.workIds) this.#forgotten(before, id);
        return;
      default:
    }
  }

  /**
   * Handlers of the scenarios are deterministic, so each execution reaches the calls that an earlier one recorded. If not, it received
   * other results, or in another order; `received-law.ts` compares these directly.
   */
  #deterministic({ workId, result }: Extract<AgentEvent, { e: "work-done" }>): void {
    if (this.#parts.strict && "fault" in result && MISMATCHES.has(result.fault.code))
      this.#parts.find("each execution of an attempt is told the same", `${workId}: ${result.fault.message}`);
  }

  /** A handler runs after the record of the process that asks for it, and on the input that this record names. */
  #handled(work: AgentWork | undefined): void {
    if (work === undefined || !work.begun || work.mode !== "do" || work.stored === true || this.#reported.has(work.id)) return;
    this.#reported.add(work.id);
    const asked = this.#parts.asked(work.id);
    const same = asked !== undefined && canonicalJson(plainJson(asked)) === canonicalJson(plainJson(work.input));
    if (!same) this.#parts.find("a handler runs on what its process recorded", `${work.id} ran on ${JSON.stringify(work.input)}`);
  }

  #callBegun({ workId, key, tool }: Extract<AgentEvent, { e: "call-begun" }>): void {
    const calls = this.begunCalls.get(workId) ?? new Map<string, BegunCall>();
    this.begunCalls.set(workId, calls);
    const times = (calls.get(key)?.times ?? 0) + 1;
    calls.set(key, { key, times, recordedEach: this.#parts.recordedEach(tool) });
  }

  #countOf({ type, id }: Shadow<AgentState>): CountLaw {
    const actor = `${type}/${id}`;
    const known = this.#counts.get(actor);
    if (known !== undefined) return known;
    const made = new CountLaw(actor, this.#parts.find);
    this.#counts.set(actor, made);
    return made;
  }

  #begun(shadow: Shadow<AgentState>, event: Extract<AgentEvent, { e: "begun" | "taken-over" }>, before: AgentState): void {
    const { find } = this.#parts;
    const was = entryOf(before.works, event.workId);
    const settled = was?.status === "tombstone" || was?.status === "undone";
    if (settled && entryOf(shadow.state.works, event.workId)?.mode === "do")
      find("work never runs after it was undone", `${event.workId} was ${was.status} and began`);
    const name = `${event.workId} ${event.token}`;
    const attempt = was?.attempt ?? 0;
    const known = this.#tokens.get(name);
    if (known !== undefined && known !== attempt)
      find("a token is given to one attempt", `${event.token} of ${event.workId} was of attempt ${known} and is of attempt ${attempt}`);
    this.#tokens.set(name, attempt);
  }

  #left(before: AgentState, id: string): void {
    const work = entryOf(before.works, id);
    if (work?.status !== "done" && work?.status !== "undone" && work?.status !== "tombstone")
      this.#parts.find("only settled work items leave the state", `${id} is ${work?.status ?? "unknown"}`);
    else {
      this.settled.set(id, work);
      this.left.set(id, work.processId);
    }
  }

  #recalled(work: AgentWork): void {
    const left = this.settled.get(work.id);
    this.settled.delete(work.id);
    if (left === undefined || lastingText(left) !== lastingText(work))
      this.#parts.find(
        "a settled work item comes back as it left",
        `${work.id}: ${JSON.stringify(left)} came back as ${JSON.stringify(work)}`,
      );
  }

  #forgotten(before: AgentState, id: string): void {
    const work = entryOf(before.works, id);
    if (work === undefined || work.retainUntilMs <= 0) return;
    const task = this.#parts.process(work.processId)?.task;
    if (task !== undefined && work.retainUntilMs < task.deadlineAtMs)
      this.#parts.find("a deduplication entry leaves only after its message", `${id} was forgotten too early`);
  }
}

/** What must be the same of a work item that left the state and came back. */
function lastingText({ token: _token, holder: _holder, hop: _hop, askedAtMs: _asked, ...lasting }: AgentWork): string {
  return canonicalJson(JSON.parse(JSON.stringify(lasting)) as Json);
}
