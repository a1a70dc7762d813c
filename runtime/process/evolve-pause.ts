/** @module How pauses and terminations change the state of a process. Pure. */
import { entryOf } from "../entries.ts";
import { LIMITS } from "../limits.ts";
import { withoutRequest } from "./account.ts";
import type { ProcessEvent } from "./events.ts";
import { addLine } from "./history-lines.ts";
import type { Paused, Resumed, Terminated } from "./pausing.ts";
import { act } from "./runs.ts";
import type { ProcessState } from "./state.ts";
import { isPersonWait, type Wait } from "./wait.ts";
import type { Work } from "./work.ts";

/** Events of pauses and terminations. */
export type PauseEvent = Extract<
  ProcessEvent,
  { e: "paused" | "resumed" | "tree-ordered" | "tree-taken" | "held-back" | "taken-back" | "terminated" }
>;

/** The state after an event of a pause or termination. */
export function evolvePause(state: ProcessState, event: PauseEvent): ProcessState {
  switch (event.e) {
    case "paused":
      return paused(state, event);
    case "resumed":
      return resumed(state, event);
    case "tree-ordered":
      return { ...state, tree: event.order };
    case "tree-taken":
      return { ...state, treeTaken: event.sequence };
    case "held-back": {
      const { what, atMs } = event;
      const text = what.kind === "decided" ? "decision kept" : what.kind === "result" ? "answer kept" : "wait kept";
      const place = what.kind === "decided" ? what.wait.stop : (entryOf(state.works, what.workId)?.stop ?? "");
      return line({ ...state, heldBack: [...(state.heldBack ?? []), what] }, atMs, text, place);
    }
    case "taken-back": {
      const rest = state.heldBack?.slice(event.count) ?? [];
      return { ...state, heldBack: rest.length === 0 ? undefined : rest };
    }
    case "terminated":
      return terminated(state, event);
    default:
      return event satisfies never;
  }
}

function line(state: ProcessState, atMs: number, what: string, stop: string = state.progress?.stop ?? ""): ProcessState {
  return addLine(state, { atMs, what, stop, agent: "", attempt: 0 });
}

function paused(state: ProcessState, { act: done, untilMs }: Paused): ProcessState {
  const { atMs, by, reason } = done;
  return line({ ...act(state, done), paused: { atMs, untilMs, by, reason } }, atMs, `paused by ${by}`);
}

/** All due times, and the deadline, move by the length of the pause. */
function resumed(state: ProcessState, { act: done, why, atMs }: Resumed): ProcessState {
  const { paused: pause, task } = state;
  if (pause === undefined || task === undefined) return state;
  const ms = Math.min(Math.max(1, atMs - pause.atMs), LIMITS.pauseMsMax);
  const next: ProcessState = {
    ...state,
    paused: undefined,
    heldMs: (state.heldMs ?? 0) + ms,
    resumedAtMs: atMs,
    task: { ...task, deadlineAtMs: task.deadlineAtMs + ms },
    works: mapped(state.works, (work) => laterWork(work, pause.atMs, atMs)),
    ...(state.waits === undefined ? {} : { waits: mapped(state.waits, (wait) => laterWait(wait, ms)) }),
  };
  return line(done === undefined ? next : act(next, done), atMs, `resumed ${why ?? `by ${done?.by ?? ""}`}`);
}

/** The time of an attempt whose handler waits stands still anyway; it runs again from its last answer on. */
function laterWork(work: Work, pausedAtMs: number, atMs: number): Work {
  if (work.pausedAtMs !== undefined) return work;
  return { ...work, dueAtMs: work.dueAtMs + Math.max(0, atMs - Math.max(pausedAtMs, work.answeredAtMs ?? 0)) };
}

function laterWait(wait: Wait, ms: number): Wait {
  const due = wait.dueAtMs === undefined ? wait : { ...wait, dueAtMs: wait.dueAtMs + ms };
  if (!isPersonWait(due)) return due;
  const { endsAtMs, heldMs = 0 } = due.for;
  return { ...due, for: { ...due.for, heldMs: heldMs + ms, ...(endsAtMs === undefined ? {} : { endsAtMs: endsAtMs + ms }) } };
}

function mapped<T>(entries: Readonly<Record<string, T>>, change: (entry: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, change(entry)]));
}

/** Nothing is open, waited for or due for compensation after it. */
function terminated(state: ProcessState, { act: done, fault, dropped, left }: Terminated): ProcessState {
  const stop = state.progress?.stop ?? state.ending?.stop ?? "";
  const next: ProcessState = {
    ...act(state, done),
    ending: { status: "cancelled", fault, stop },
    progress: undefined,
    works: {},
    waits: undefined,
    checks: undefined,
    asked: [],
    sealed: undefined,
    undoing: [],
    stopping: undefined,
    aside: undefined,
    paused: undefined,
    heldBack: undefined,
    failedWork: undefined,
    account: withoutRequest(state.account),
    dropped,
    ...(left.length === 0 ? {} : { left, undoFault: fault }),
  };
  return addLine(next, { atMs: done.atMs, what: `terminated by ${done.by}`, stop, agent: "", attempt: 0, code: fault.code });
}
