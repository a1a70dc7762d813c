/**
 * @module What was asked of whom, with what, and what came back: the works of a process, told by its events. Pure.
 */
import type { WireFault } from "../faults.ts";
import type { Value } from "../value.ts";
import { doerName } from "../slip.ts";
import { UNDONE_TEXTS, undoneText } from "./evolve-work.ts";
import type { ProcessEvent } from "./events.ts";
import type { Work } from "./work.ts";

/** How a work item stands. `waiting`: between two attempts. `dropped`: nothing waits for its answer any more. */
export const STANDINGS = ["asked", "waiting", "answered", "handed off", "failed", ...UNDONE_TEXTS, "undo failed", "dropped"] as const;
type Standing = (typeof STANDINGS)[number];

/** One piece of work of a run. Moments are epoch milliseconds. */
export interface WorkTold {
  readonly work: string;
  readonly stop: string;
  /** Agent, or nested route. */
  readonly agent: string;
  readonly kind: Work["kind"];
  readonly item: number;
  readonly state: Standing;
  readonly attempts: number;
  readonly askedAtMs: number;
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
        this.#patch(event.workId, { state: "asked", attempts: event.attempt });
        break;
      case "attempt-failed":
        this.#patch(event.workId, { state: "waiting", fault: event.fault });
        break;
      case "answered":
        this.#answer(event.workId, event.output, event.atMs);
        break;
      case "handed-off":
        this.#patch(event.workId, { state: "handed off", endedAtMs: event.atMs });
        break;
      case "failed":
        this.#patch(event.workId, { state: "failed", fault: event.fault, endedAtMs: event.atMs });
        break;
      case "undone":
        this.#patch(event.workId, { state: undoneText(event.report), endedAtMs: event.atMs });
        break;
      case "undo-failed":
        this.#patch(event.workId, { state: "undo failed", fault: event.fault, endedAtMs: event.atMs });
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
    this.#works.set(work.id, {
      work: work.id,
      stop: work.stop,
      agent: doerName(work.target),
      kind: work.kind,
      item: work.item,
      state: "asked",
      attempts: work.attempt,
      askedAtMs: work.askedAtMs,
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

  /** A fault of an earlier attempt is history once an answer is there. */
  #answer(id: string, output: Value, atMs: number): void {
    const known = this.#works.get(id);
    if (known === undefined) return;
    const { fault: _survived, ...rest } = known;
    this.#works.set(id, { ...rest, state: "answered", output, endedAtMs: atMs });
  }

  #drop(id: string, atMs?: number): void {
    const known = this.#works.get(id);
    if (known?.state === "asked" || known?.state === "waiting")
      this.#patch(id, { state: "dropped", ...(atMs === undefined ? {} : { endedAtMs: atMs }) });
  }
}
