/** @module The whole history of a process, line by line from its events: the state keeps the newest lines only. Pure. */
import type { HistoryPage } from "../process-view.ts";
import type { ProcessEvent } from "./events.ts";
import { evolveProcess } from "./evolve.ts";
import { newProcess, type ProcessState } from "./state.ts";

/** A line with its number and its run. */
type NumberedLine = HistoryPage["lines"][number];

/** Reads the events of one process from the first on. */
export class HistoryReader {
  #state: ProcessState;

  constructor(id: string) {
    this.#state = newProcess(id);
  }

  /** Takes the next event. Returns the lines that it adds, which have the same numbers as in the state. */
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
