/** @module The whole history of a process, derived from its events. The state keeps only the newest entries. Pure. */
import type { HistoryPage } from "../process-view.ts";
import type { ProcessEvent } from "./events.ts";
import { evolveProcess } from "./evolve.ts";
import { newProcess, type ProcessState } from "./state.ts";

/** A history entry with its number and its run. */
type NumberedLine = HistoryPage["lines"][number];

/** Reads the events of one process, beginning with the first. */
export class HistoryReader {
  #state: ProcessState;

  constructor(id: string) {
    this.#state = newProcess(id);
  }

  /** Takes the next event. Returns the history entries that it adds, with the same numbers as in the state. */
  take(event: ProcessEvent): readonly NumberedLine[] {
    const before = linesOf(this.#state);
    this.#state = evolveProcess(this.#state, event);
    const { history, run } = this.#state;
    const after = linesOf(this.#state);
    const added = Math.max(0, after - before);
    return history.slice(history.length - added).map((line, index) => ({ ...line, line: after - added + index, run }));
  }
}

function linesOf(state: ProcessState): number {
  return (state.historyGone ?? 0) + state.history.length;
}
