/**
 * @module How events change the work items of a process. Pure. Its waits and signals are in evolve-waits.ts.
 */
import { entryOf, withEntry } from "../entries.ts";
import { assertNever } from "../faults.ts";
import { stopWorkParts } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Result } from "../protocol/bodies.ts";
import { doerName } from "../slip.ts";
import { closedHolding, granted, settled, settledIfFree } from "./account.ts";
import type { ProcessEvent } from "./events.ts";
import { judged, judging, madeAgain, sentBack, withoutCheck } from "./evolve-checks.ts";
import {
  answer,
  beginWait,
  count,
  countBegun,
  droppedSignal,
  type End,
  endWait,
  lacks,
  patchWork,
  pause,
  removeWork,
  waits,
  withProgress,
} from "./evolve-waits.ts";
import { addLine, line } from "./history-lines.ts";
import { told } from "./people.ts";
import { undone } from "./runs.ts";
import type { ProcessState } from "./state.ts";
import { undoneText, whatStands } from "./what-stands.ts";
import type { Wait } from "./wait.ts";
import type { Asked, Work } from "./work.ts";

type WorkEventName =
  | "asked"
  | "asked-again"
  | "attempt-failed"
  | "answered"
  | "handed-off"
  | "failed"
  | "told"
  | "wait-answered"
  | "wait-begun"
  | "wait-ended"
  | "people-told"
  | "signal-kept"
  | "signal-dropped"
  | "undone"
  | "undo-failed"
  | "sent-back"
  | "judged"
  | "set-aside";

/** Events of one work item, wait or signal. */
export type WorkEvent = Extract<ProcessEvent, { e: WorkEventName }>;

/** The state after an event of a work item, wait or signal. */
export function evolveWork(state: ProcessState, event: WorkEvent): ProcessState {
  switch (event.e) {
    case "asked":
      return ask(state, event.work);
    case "asked-again":
      return askAgain(state, event);
    case "attempt-failed":
      return attemptFailed(state, event);
    case "answered":
      return closedHolding(answered(line(state, event.workId, event.atMs, "answered"), event), event.workId);
    case "handed-off":
      return closedHolding(removeWork(line(state, event.workId, event.atMs, `handed off to ${event.to}`), event.workId), event.workId);
    case "failed":
      return failed(state, event);
    case "told":
      return line(attemptTold(state, event), event.workId, event.atMs, event.state);
    case "wait-answered":
      return answer(state, { workId: event.workId, index: event.index }, event.result, event);
    case "wait-begun":
      return event.wait.again === undefined ? beginWait(state, event.wait) : madeAgain(beginWait(state, event.wait), event.wait);
    case "wait-ended":
      return waitEnded(state, event);
    case "people-told":
      return told(state, event);
    case "signal-kept":
      return addLine(
        { ...state, signals: [...(state.signals ?? []), event.signal] },
        { atMs: event.signal.atMs, what: `signal ${event.signal.name} kept`, stop: "", agent: "", attempt: 0 },
      );
    case "signal-dropped":
      return addLine(droppedSignal(state, event), {
        atMs: event.atMs,
        what: `signal ${event.name} dropped`,
        stop: "",
        agent: "",
        attempt: 0,
        code: event.fault.code,
      });
    case "undone":
      return workUndone(state, event);
    case "undo-failed":
      return undoFailed(state, event);
    case "sent-back":
      return sentBack(state, event);
    case "judged":
      return judged(state, event);
    case "set-aside":
      return { ...state, aside: [...new Set([...(state.aside ?? []), event.agent])] };
    default:
      return assertNever(event);
  }
}

// ---- work items -----------------------------------------------------------------------------------------------------------

function ask(state: ProcessState, work: Work): ProcessState {
  const held = granted(state, work.id, doerName(work.target), work.grant);
  const counted = { ...held, order: Math.max(state.order, work.order), works: withEntry(state.works, work.id, work) };
  if (work.kind === "undo") return line(counted, work.id, work.askedAtMs, "undo asked");
  const { id, order, stop, target, actor } = work;
  const isMet = work.first === true && target.kind === "agent" && actor === state.id;
  const asked = {
    ...counted,
    met: isMet ? [...(state.met ?? []), target.agent] : state.met,
    hops: state.hops + 1,
    asked: [...state.asked, { id, order, stop, target, actor }],
  };
  if (work.asker !== undefined) return line(pause(asked, work.asker.workId, work.askedAtMs), id, work.askedAtMs, "asked by a handler");
  const isNew = work.kind === "do" && work.visit === 1;
  const begun = isNew ? withProgress(asked, countBegun) : work.sentBack === undefined ? asked : madeAgain(asked, work);
  return line(begun, id, work.askedAtMs, "asked");
}

function askAgain(state: ProcessState, event: Extract<WorkEvent, { e: "asked-again" }>): ProcessState {
  const { workId, attempt, atMs, dueAtMs, grant } = event;
  const pausedAtMs = waits(state, workId) ? atMs : undefined;
  const next = patchWork(state, workId, ({ standing: _standing, ...work }) => ({
    ...work,
    attempt,
    status: "asked",
    askedAtMs: atMs,
    dueAtMs,
    pausedAtMs,
    ...(grant === undefined ? {} : { grant }),
  }));
  const by = entryOf(state.works, workId)?.target;
  return line(by === undefined ? next : granted(next, workId, doerName(by), grant, attempt), workId, atMs, "asked again");
}

/** The time of a due attempt whose handler still waits stands still until the next answer. */
function attemptTold(state: ProcessState, { workId, state: standing, dueAtMs, atMs }: Extract<WorkEvent, { e: "told" }>): ProcessState {
  const next = patchWork(state, workId, (work) => ({ ...work, standing, dueAtMs: dueAtMs ?? work.dueAtMs }));
  return standing === "waiting" && dueAtMs !== undefined && waits(state, workId) ? pause(next, workId, atMs) : next;
}

function attemptFailed(state: ProcessState, event: Extract<WorkEvent, { e: "attempt-failed" }>): ProcessState {
  const { workId, attempt, fault, atMs, againAtMs } = event;
  const faults = [...(entryOf(state.works, workId)?.faults ?? []), { attempt, atMs, fault }].slice(-LIMITS.historyMax);
  const next = patchWork(state, workId, ({ pausedAtMs: _over, ...known }) => ({ ...known, status: "waiting", dueAtMs: againAtMs, faults }));
  return line(next, workId, atMs, "attempt failed", fault.code);
}

function failed(state: ProcessState, event: Extract<WorkEvent, { e: "failed" }>): ProcessState {
  const { workId, fault, atMs } = event;
  const work = entryOf(state.works, workId);
  const mayRun = fault.code === "stop.timeout" ? unanswered(state, (id) => id === workId) : {};
  const known = work?.kind === "do" ? withoutCheck(state, work) : state;
  const ended = finish(line({ ...known, ...mayRun }, workId, atMs, "failed", fault.code), workId, { fault }, event);
  const next = event.told === true ? closedHolding(ended, workId) : fault.code === "stop.timeout" ? ended : settledIfFree(ended, workId);
  if (event.tolerated) return lacks(next, state.progress);
  return work === undefined || work.kind !== "do" ? next : { ...next, failedWork: work };
}

function waitEnded(state: ProcessState, event: Extract<WorkEvent, { e: "wait-ended" }>): ProcessState {
  const { waitId, judged: isJudged, result, label } = event;
  const wait = entryOf(state.waits ?? {}, waitId);
  const ended = endWait(state, event);
  if (wait === undefined) return state;
  if (isJudged === undefined || "fault" in result) return "fault" in result && isOfStop(wait) ? withoutCheck(ended, wait) : ended;
  const { stop, item, optional } = wait;
  return judging(ended, { place: { stop, item, optional, visit: stopWorkParts(waitId).visit }, output: result.output, label });
}

/** Whether a stop waits itself, and not a handler or a validator. */
function isOfStop({ asker, aside }: Wait): boolean {
  return asker === undefined && aside === undefined;
}

function answered(state: ProcessState, event: Extract<WorkEvent, { e: "answered" }>): ProcessState {
  const { workId, output, label } = event;
  const work = entryOf(state.works, workId);
  if (event.judged === undefined || work === undefined) return finish(state, workId, { output }, event);
  return judging(removeWork(state, workId), { place: work, output, label, work });
}

/** Removes a finished work item and adds its result to the current stop, or to the work item whose handler asked. */
function finish(state: ProcessState, id: string, result: Result, end: End): ProcessState {
  const work = entryOf(state.works, id);
  if (work === undefined) return state;
  const rest = removeWork(state, id);
  // The process itself takes what a validator says.
  if (work.kind === "check") return rest;
  return work.asker === undefined ? count(rest, work, result, end) : answer(rest, work.asker, result, end);
}

/** Adds unanswered work items to those that may still run. */
export function unanswered(state: ProcessState, isMeant: (id: string) => boolean): { readonly stopping?: string[] } {
  const ids = Object.values(state.works)
    .filter((work) => work.kind !== "undo" && isMeant(work.id))
    .map((work) => work.id);
  return ids.length === 0 ? {} : { stopping: [...(state.stopping ?? []), ...ids] };
}

// ---- compensation -----------------------------------------------------------------------------------------------------------

function workUndone(state: ProcessState, { workId, atMs, report }: Extract<WorkEvent, { e: "undone" }>): ProcessState {
  const target = targetOf(state, workId);
  const agent = target?.target.kind === "agent" ? target.target.agent : undefined;
  const aside = state.aside?.filter((name) => name !== agent);
  return dropUndo(
    {
      ...settled(line(state, workId, atMs, undoneText(report)), target?.id),
      ...(report.undone > 0 ? undone(state, target) : {}),
      ...whatStands(state, target, report),
      aside: aside === undefined || aside.length === 0 ? undefined : aside,
    },
    workId,
  );
}

function undoFailed(state: ProcessState, { workId, fault, atMs, report }: Extract<WorkEvent, { e: "undo-failed" }>): ProcessState {
  const target = targetOf(state, workId);
  const place = target === undefined ? workId : `${doerName(target.target)} at ${target.stop}`;
  const left = report === undefined ? [place] : report.left.map((what) => `${what} of ${place}`);
  const told = line(state, workId, atMs, "undo failed", fault.code);
  const counted = report === undefined ? settledIfFree(told, target?.id ?? "") : settled(told, target?.id);
  return {
    ...dropUndo({ ...counted, ...undone(state, target) }, workId),
    undoFault: fault,
    left: [...(state.left ?? []), ...left].slice(0, LIMITS.historyMax),
    ...(report === undefined ? {} : whatStands(state, target, report)),
  };
}

/** The work item that a compensation undoes. */
function targetOf(state: ProcessState, undoId: string): Asked | undefined {
  const target = entryOf(state.works, undoId)?.undoes;
  return target === undefined ? undefined : state.asked.find((one) => one.id === target);
}

function dropUndo(state: ProcessState, undoId: string): ProcessState {
  const target = entryOf(state.works, undoId)?.undoes;
  const rest = removeWork(state, undoId);
  if (target === undefined) return rest;
  const others = (ids: readonly string[]): string[] => ids.filter((id) => id !== target);
  return {
    ...rest,
    asked: rest.asked.filter((one) => one.id !== target),
    undoing: others(rest.undoing),
    ...(rest.stopping === undefined ? {} : { stopping: others(rest.stopping) }),
  };
}
