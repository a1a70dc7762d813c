/**
 * @module What was asked of whom, with what, and what came back: the works of a process, told by its events. Pure.
 */
import type { WireFault } from "../faults.ts";
import type { WorkViewState } from "../process-view.ts";
import type { Value } from "../value.ts";
import { doerName } from "../slip.ts";
import { undoneState } from "./what-stands.ts";
import type { ProcessEvent } from "./events.ts";
import type { Work } from "./work.ts";

/** One piece of work of a run. Moments are epoch milliseconds. */
export interface WorkTold {
  readonly work: string;
  readonly stop: string;
  /** Agent, or nested route. */
  readonly agent: string;
  /** The target is an agent; `actor` is its actor. */
  readonly isAgent: boolean;
  readonly actor: string;
  readonly kind: Work["kind"];
  readonly item: number;
  readonly state: WorkViewState;
  readonly attempts: number;
  readonly askedAtMs: number;
  /** While it is open: when its attempt times out, or the next one is made. */
  readonly dueAtMs?: number;
  readonly endedAtMs?: number;
  readonly input: Value;
  readonly output?: Value;
  readonly fault?: WireFault;
}

/** The works of the current run, in the order in which they were asked; the oldest leave first. */
export class WorksTold {
  readonly #max: number;
  readonly #works = new Map<string, WorkTold>();
  #left = 0;

  /** Keeps at most `max` works. */
  constructor(max: number) {
    this.#max = max;
  }

  get works(): readonly WorkTold[] {
    return [...this.#works.values()];
  }

  /** Works of the run that are no longer kept. */
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
      // The other events tell nothing of a piece of work.
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

  #patch(id: string, patch: Partial<WorkTold>): void {
    const known = this.#works.get(id);
    if (known !== undefined) this.#works.set(id, { ...known, ...patch });
  }

  #end(id: string, patch: Partial<WorkTold>): void {
    const known = this.#works.get(id);
    if (known === undefined) return;
    const { dueAtMs: _over, ...rest } = known;
    this.#works.set(id, { ...rest, ...patch });
  }

  /** A fault of an earlier attempt is history once an answer is there. */
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
