/** @module What a handler's context says of its work item: the same in each execution. */
import type { AgentLog, HandOff, Principal, SentBackOutput } from "../../agents/context.ts";
import { handOffTo } from "../../agents/context.ts";
import { firstLabel } from "../../runtime/agent/labels.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { hashText } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import { isUntrusted, joined, type Label } from "../../runtime/label.ts";
import type { ClaimCounts } from "../../runtime/model/claims.ts";

/** Facts of one work item. */
export class ExecutionFacts {
  readonly #work: AgentWork;
  readonly log: AgentLog;
  /** Set before the handler begins. */
  sentBack: SentBackOutput | undefined;
  #uuids = 0;
  #label: Label;
  #claims: ClaimCounts | undefined;

  constructor(work: AgentWork, log: AgentLog) {
    this.#work = work;
    this.log = log;
    this.#label = firstLabel(work);
  }

  get principal(): Principal {
    return this.#work.principal;
  }

  /** Of all that the handler has received so far, in the recorded order. */
  get label(): Label {
    return this.#label;
  }

  get inputLabel(): Label {
    return joined(this.#work.label);
  }

  /** Notes the label of something that the handler receives now, as its principal sees it. */
  received(label: Label | undefined): void {
    if (isUntrusted(label)) this.#label = joined(this.#label, label);
  }

  /** Of the answer. Absent: they were not checked. */
  get claims(): ClaimCounts | undefined {
    return this.#claims;
  }

  noteClaims(claims: ClaimCounts): void {
    this.#claims = claims;
  }

  get release(): AgentWork["release"] {
    return this.#work.release;
  }

  get attempt(): number {
    return this.#work.attempt;
  }

  get processId(): string {
    return this.#work.processId;
  }

  /** For observers of executions, such as the simulator. */
  get workId(): string {
    return this.#work.id;
  }

  /** The time at which this work item first began: the same in each execution. */
  now(): number {
    return this.#work.begunAtMs;
  }

  /** Derived from the work id and the count of calls: the same in each execution, and unique to the work item. */
  uuid(): string {
    const text = hashText(`${this.#work.id}/uuid/${this.#uuids}`);
    this.#uuids += 1;
    // Layout of RFC 9562, version 8 (custom).
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-8${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20, 32)}`;
  }

  handOff(target: { readonly name: string }, input: Json): HandOff {
    return handOffTo(target.name, input);
  }
}
