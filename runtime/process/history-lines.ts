/** @module The history of a process: one entry for each event that people care about, the newest ones. Pure. */
import { entryOf } from "../entries.ts";
import { LIMITS } from "../limits.ts";
import { doerName } from "../slip.ts";
import type { HistoryLine, ProcessState } from "./state.ts";
import type { Wait } from "./wait.ts";

/** Adds a history entry of a work item. */
export function line(state: ProcessState, id: string, atMs: number, what: string, code?: string): ProcessState {
  const work = entryOf(state.works, id);
  if (work === undefined) return state;
  return addLine(state, {
    atMs,
    what,
    stop: work.stop,
    agent: doerName(work.target),
    attempt: work.attempt,
    ...(code === undefined ? {} : { code }),
  });
}

/** Adds a history entry of a wait. */
export function waitLine(state: ProcessState, wait: Wait, atMs: number, what: string, code?: string): ProcessState {
  const asker = wait.asker === undefined ? undefined : entryOf(state.works, wait.asker.workId);
  return addLine(state, {
    atMs,
    what,
    stop: wait.stop,
    agent: asker === undefined ? "" : doerName(asker.target),
    attempt: asker?.attempt ?? 1,
    ...(code === undefined ? {} : { code }),
  });
}

/** Adds a history entry. The oldest is removed first. */
export function addLine(state: ProcessState, added: HistoryLine): ProcessState {
  const { history } = state;
  if (history.length < LIMITS.historyMax) return { ...state, history: [...history, added] };
  return { ...state, history: [...history.slice(1 - LIMITS.historyMax), added], historyGone: (state.historyGone ?? 0) + 1 };
}
