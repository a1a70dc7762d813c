/** @module The laws of pauses and terminations of a process, followed from its events alone. */
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Find } from "./shadow.ts";

const BEGINS: ReadonlySet<ProcessEvent["e"]> = new Set([
  "stop-begun",
  "asked",
  "asked-again",
  "wait-begun",
  "stop-done",
  "ended",
  "answered",
]);

/** Holds the laws of pauses and terminations of one process. */
export class PauseLaw {
  #isPaused = false;
  #isTerminated = false;
  #taken = 0;
  readonly #orders = new Set<string>();

  /** The next event of the process. */
  follow(event: ProcessEvent, { id }: ProcessState, find: Find): void {
    if (this.#isPaused && BEGINS.has(event.e)) find("a paused process begins nothing", `${id}: ${event.e} while it is paused`);
    if (this.#isPaused && event.e === "wait-ended" && event.signalId === undefined && event.request?.by === undefined)
      find("time stands still while a process is paused", `${event.waitId} of ${id} ended by time`);
    if (this.#isTerminated && (event.e === "asked" || event.e === "undo-due"))
      find("a terminated process compensates nothing", `${id}: ${event.e} after its termination`);
    switch (event.e) {
      case "paused":
        this.#take(event.act.decisionId, find);
        this.#isPaused = true;
        return;
      case "resumed":
        this.#take(event.act?.decisionId, find);
        this.#isPaused = false;
        return;
      case "terminated":
        this.#isPaused = false;
        this.#isTerminated = true;
        return;
      case "tree-taken":
        if (event.sequence <= this.#taken)
          find("the newest order of a parent counts", `${id} took order ${event.sequence} after ${this.#taken}`);
        this.#taken = Math.max(this.#taken, event.sequence);
        return;
      case "reopened":
        if (this.#isTerminated) find("a terminated process is not opened again", `${id} was opened as run ${event.run}`);
        return;
      default:
    }
  }

  #take(order: string | undefined, find: Find): void {
    if (order === undefined) return;
    if (this.#orders.has(order)) find("an order is taken once", `${order} was taken again`);
    this.#orders.add(order);
  }
}
