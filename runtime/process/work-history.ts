/**
 * @module The work history of a run: each work item with its agent, input and result, derived from the events. Pure.
 */
import type { WireFault } from "../faults.ts";
import type { WorkViewState } from "../process-view.ts";
import type { Value } from "../value.ts";
import { doerName } from "../slip.ts";
import { undoneState } from "./what-stands.ts";
import type { ProcessEvent } from "./events.ts";
import type { Work } from "./work.ts";

/** One work item of a run. Times are epoch milliseconds. */
export interface WorkHistoryItem {
  readonly work: string;
  readonly stop: string;
  /** Name of the agent or nested route. */
  readonly agent: string;
  /** Whether the target is an agent. If so, `actor` is its actor. */
  readonly isAgent: boolean;
  readonly actor: string;
  readonly kind: Work["kind"];
  readonly item: number;
  readonly state: WorkViewState;
  readonly attempts: number;
  readonly askedAtMs: number;
  /** While it is open: when its attempt times out, or when the next attempt begins. */
  readonly dueAtMs?: number;
  readonly endedAtMs?: number;
  readonly input: Value;
  readonly output?: Value;
  readonly fault?: WireFault;
}

/** The work items of the current run, oldest first. The oldest are removed first. */
export class WorkHistoryReader {
  readonly #max: number;
  readonly #works = new Map<string, WorkHistoryItem>();
  #left = 0;

  /** Keeps at most `max` work items. */
  constructor(max: number) {
    this.#max = max;
  }

  get works(): readonly WorkHistoryItem[] {
    return [...this.#works.values()];
  }

  /** Number of work items of the run that were removed. */
  get left(): number {
    return this.#left;
  }

  /** Takes the next event of the process. */
  take(event: ProcessEvent): void {
    switch (event.e) {
      case "accepted":
      case "reopened":
        this.#works.clear();
        this.#left = 0;
        break;
      case "asked":
        this.#ask(event.work);
        break;
      case "asked-again":
        this.#patch(event.workId, { state: "asked", attempts: event.attempt, dueAtMs: event.dueAtMs });
        break;
      case "attempt-failed":
        this.#patch(event.workId, { state: "retrying", fault: event.fault, dueAtMs: event.againAtMs });
        break;
      case "told":
        this.#patch(event.workId, { state: event.state, ...(event.dueAtMs === undefined ? {} : { dueAtMs: event.dueAtMs }) });
        break;
      case "answered":
        this.#answer(event.workId, event.output, event.atMs);
        break;
      case "handed-off":
        this.#end(event.workId, { state: "handed off", endedAtMs: event.atMs });
        break;
      case "failed":
        this.#end(event.workId, { state: "failed", fault: event.fault, endedAtMs: event.atMs });
        break;
      case "undone":
        this.#end(event.workId, { state: undoneState(event.report), endedAtMs: event.atMs });
        break;
      case "undo-failed":
        this.#end(event.workId, { state: "undo failed", fault: event.fault, endedAtMs: event.atMs });
        break;
      case "undo-due":
        for (const id of event.workIds) this.#drop(id);
        break;
      case "ending":
        for (const { work, kind } of this.#works.values()) if (kind !== "undo") this.#drop(work, event.atMs);
        break;
      default:
      // The other events do not change a work item.
    }
  }

  #ask(work: Work): void {
    const { target } = work;
    this.#works.set(work.id, {
      work: work.id,
      stop: work.stop,
      agent: doerName(target),
      isAgent: target.kind === "agent",
      actor: work.actor,
      kind: work.kind,
      item: work.item,
      state: "asked",
      attempts: work.attempt,
      askedAtMs: work.askedAtMs,
      dueAtMs: work.dueAtMs,
      input: work.input,
    });
    const oldest = this.#works.keys().next().value;
    if (this.#works.size <= this.#max || oldest === undefined) return;
    this.#works.delete(oldest);
    this.#left += 1;
  }

  #patch(id: string, patch: Partial<WorkHistoryItem>): void {
    const known = this.#works.get(id);
    if (known !== undefined) this.#works.set(id, { ...known, ...patch });
  }

  #end(id: string, patch: Partial<WorkHistoryItem>): void {
    const known = this.#works.get(id);
    if (known === undefined) return;
    const { dueAtMs: _over, ...rest } = known;
    this.#works.set(id, { ...rest, ...patch });
  }

  /** An answer replaces the fault of an earlier attempt. */
  #answer(id: string, output: Value, atMs: number): void {
    const known = this.#works.get(id);
    if (known === undefined) return;
    const { fault: _survived, ...rest } = known;
    this.#works.set(id, rest);
    this.#end(id, { state: "answered", output, endedAtMs: atMs });
  }

  #drop(id: string, atMs?: number): void {
    const known = this.#works.get(id);
    if (known !== undefined && known.endedAtMs === undefined && known.state !== "dropped")
      this.#end(id, { state: "dropped", ...(atMs === undefined ? {} : { endedAtMs: atMs }) });
  }
}
