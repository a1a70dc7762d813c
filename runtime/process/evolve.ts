/**
 * @module How events become the state of a process manager: tasks, stops, runs and compensation as a whole. Pure.
 *
 * Changes of a single work item or wait are in evolve-work.ts.
 */
import { LIMITS } from "../limits.ts";
import { closedAccount, evolveAccount, reopenedAccount, withoutRequest } from "./account.ts";
import type { ProcessEvent } from "./events.ts";
import { dropStopWaits, waitsOf, withProgress } from "./evolve-waits.ts";
import { evolveWork, unanswered, type WorkEvent } from "./evolve-work.ts";
import { evolvePause } from "./evolve-pause.ts";
import { addLine } from "./history-lines.ts";
import { withClosed } from "./people.ts";
import { isPinned, sealed, unsealed, withOutput } from "./parts.ts";
import { act, begun, keptAtEnding, reopen } from "./runs.ts";
import { withCounts } from "./run-counts.ts";
import { newProcess, type ProcessState, type Progress } from "./state.ts";

/** The state after an event. Never fails on an event of `decide`. */
export function evolveProcess(state: ProcessState, event: ProcessEvent): ProcessState {
  return withCounts(state, withClosed(state, evolve(state, event), event), event);
}

function evolve(state: ProcessState, event: ProcessEvent): ProcessState {
  switch (event.e) {
    case "voided":
      return { ...state, phase: "void", run: state.run + 1 };
    case "refused-for-ever":
      return {
        ...state,
        phase: "refused",
        refuseUntilMs: event.retainUntilMs,
        undo: { undoId: event.undoId, workId: event.workId, attempt: event.attempt, done: true },
      };
    case "accepted":
      return { ...newProcess(state.id), phase: "open", run: event.run, task: event.task };
    case "acted":
      return event.act.what === "discard"
        ? addLine(act(state, event.act), { atMs: event.act.atMs, what: "discarded", stop: "", agent: "", attempt: 0 })
        : act(state, event.act);
    case "run-voided":
      return { ...state, voidedRun: event.run };
    case "reopened":
      return reopened(state, event);
    case "stop-begun": {
      const { e: _e, ...first } = event;
      return begun(state, { ...first, begun: 0, outputs: {}, failed: {} });
    }
    case "skipped":
      return withProgress(state, (progress) => skip(progress, event.key));
    case "stop-done":
      return stopDone(state, event);
    case "sealed":
      return sealed(state, event);
    case "unsealed":
      return unsealed(state, event.asked);
    case "ending":
      return beginEnding(state, event);
    case "ended":
      return { ...state, phase: "ended", outcome: event.outcome, account: closedAccount(state) };
    case "undo-requested":
      return { ...state, undo: { undoId: event.undoId, workId: event.workId, attempt: event.attempt, done: false } };
    case "undo-finished":
      return state.undo === undefined
        ? state
        : { ...state, phase: state.outcome === undefined ? state.phase : "ended", undo: { ...state.undo, done: true } };
    case "purged":
      return { ...state, phase: "purged" };
    case "undo-due":
      return undoDue(state, event.workIds);
    case "spent":
    case "granted":
    case "more-requested":
    case "more-answered":
    case "budget-raised":
    case "budget-refused":
      return evolveAccount(state, event);
    case "paused":
    case "resumed":
    case "tree-ordered":
    case "tree-taken":
    case "held-back":
    case "taken-back":
    case "terminated":
      return evolvePause(state, event);
    default:
      return evolveWork(state, event satisfies WorkEvent);
  }
}

/** Begins a new run, and notes in the history which calls an edited input does not reach. */
function reopened(state: ProcessState, event: Extract<ProcessEvent, { e: "reopened" }>): ProcessState {
  const line = { atMs: event.act.atMs, stop: event.stop, agent: "", attempt: 0 };
  const account = reopenedAccount(state.account);
  const next = addLine({ ...reopen(state, event, newProcess(state.id)), account }, { ...line, what: "redriven" });
  const { notReached, cleared, edited, by } = event.act;
  return [
    ...(edited === undefined ? [] : [`the input of ${edited} was edited by ${by}`]),
    ...(cleared === undefined ? [] : [`the edited input is trusted; before, it was derived from ${cleared.join(", ")}`]),
    ...(notReached === undefined ? [] : [`the edit does not reach ${notReached.join(", ")}`]),
  ].reduce((before, what) => addLine(before, { ...line, what: what.slice(0, LIMITS.faultMessageLengthMax) }), next);
}

/** A skipped call has its pinned output, or `null`. */
function skip(progress: Progress, key: string): Progress {
  const next = { ...progress, begun: progress.begun + 1 };
  if (isPinned(progress, key)) return next;
  const counted = withOutput(next, key, { json: null });
  return progress.concurrency === undefined ? { ...counted, skipped: [...(progress.skipped ?? []), key] } : counted;
}

/** Ends the current stop. Its tolerated failures are not the cause of a later failure. */
function stopDone(state: ProcessState, { stop, outputs, list, labels }: Extract<ProcessEvent, { e: "stop-done" }>): ProcessState {
  return {
    ...dropStopWaits(state),
    checks: undefined,
    progress: undefined,
    failedWork: undefined,
    cursor: state.cursor + 1,
    outputs: { ...state.outputs, ...outputs },
    ...(list === undefined ? {} : { lists: { ...state.lists, [stop]: list } }),
    ...(labels === undefined ? {} : { labels: { ...state.labels, ...labels } }),
  };
}

/** Makes work items due for compensation; they are no longer waited for. */
function undoDue(state: ProcessState, workIds: readonly string[]): ProcessState {
  const due = new Set(workIds);
  const works = Object.fromEntries(Object.entries(state.works).filter(([id, work]) => work.kind === "undo" || !due.has(id)));
  const stopping = unanswered(state, (id) => due.has(id));
  const waits = waitsOf(state, (wait) => wait.asker === undefined || !due.has(wait.asker.workId));
  return { ...state, works, waits, ...stopping, undoing: [...new Set([...state.undoing, ...workIds])] };
}

/** Makes all work items that are not undone due for compensation. Unanswered ones are no longer waited for, and waits are removed. */
function beginEnding(state: ProcessState, event: Extract<ProcessEvent, { e: "ending" }>): ProcessState {
  const works = Object.fromEntries(Object.entries(state.works).filter(([, work]) => work.kind === "undo"));
  const undoing = [...new Set([...state.undoing, ...state.asked.map((one) => one.id)])];
  return addLine(
    {
      ...state,
      failedWork: undefined,
      ...keptAtEnding(state),
      ...unanswered(state, () => true),
      progress: undefined,
      phase: "open",
      works,
      waits: undefined,
      checks: undefined,
      undoing,
      ending: event.ending,
      account: withoutRequest(state.account),
    },
    {
      atMs: event.atMs,
      what: event.ending.status,
      stop: event.ending.stop,
      agent: "",
      attempt: 0,
      code: event.ending.fault.code,
    },
  );
}
