/**
 * @module How events change the waits and signals of a process, and what they change in its work items and its current stop. Pure.
 */
import { entryOf, withEntry, withoutEntry } from "../entries.ts";
import { requestId } from "../ids.ts";
import { isUntrusted, type Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { Result } from "../protocol/bodies.ts";
import { valueHash } from "../value.ts";
import type { ProcessEvent } from "./events.ts";
import { waitLine } from "./history-lines.ts";
import { withLabel } from "./labels.ts";
import { withOutput } from "./parts.ts";
import { endedText, withEnded } from "./people.ts";
import type { ProcessState, Progress } from "./state.ts";
import { isPersonWait, type KnownSignal, type Wait, type WaitResult, waitText } from "./wait.ts";
import { type Asker, progressKey, type Work } from "./work.ts";

/** Changes one work item. `change` writes the new object out, because merging objects is several times slower. */
export function patchWork(state: ProcessState, id: string, change: (work: Work) => Work): ProcessState {
  const work = entryOf(state.works, id);
  return work === undefined ? state : { ...state, works: withEntry(state.works, id, change(work)) };
}

/** Removes a work item and the waits of its handler. */
export function removeWork(state: ProcessState, id: string): ProcessState {
  return { ...state, works: withoutEntry(state.works, id), waits: waitsOf(state, (wait) => wait.asker?.workId !== id) };
}

/** When something ended, and the label of its result. */
export interface End {
  readonly atMs: number;
  readonly label?: Label | undefined;
}

/** Adds the result of a call to the current stop. */
export function count(state: ProcessState, place: Pick<Work, "stop" | "item">, result: Result, { label }: End): ProcessState {
  // A failed call has no output, so nothing reads what its fault was derived from.
  const labelled = "output" in result ? withLabel(state, place.stop, label) : state;
  return withProgress(labelled, (progress) => {
    const key = progressKey(place);
    if ("output" in result) return withOutput(progress, key, result.output);
    return "fault" in result ? { ...progress, failed: withEntry(progress.failed, key, result.fault) } : progress;
  });
}

/** Changes the progress of the current stop, if there is one. */
export function withProgress(state: ProcessState, change: (progress: Progress) => Progress): ProcessState {
  return state.progress === undefined ? state : { ...state, progress: change(state.progress) };
}

/** One call of the current stop more has begun. */
export function countBegun(progress: Progress): Progress {
  return { ...progress, begun: progress.begun + 1 };
}

/** Adds the stop to those that are done although an optional call failed. */
export function lacks(state: ProcessState, progress: Progress | undefined): ProcessState {
  return { ...state, lacking: [...new Set([...(state.lacking ?? []), progress?.stop ?? ""])] };
}

/** Adds an answer to the work item whose handler waits for it. */
export function answer(state: ProcessState, asker: Asker, result: Result, { atMs, label }: End): ProcessState {
  const index = String(asker.index);
  return resume(
    patchWork(state, asker.workId, (work) => ({
      ...work,
      answers: withEntry(work.answers, index, result),
      ...(isUntrusted(label) ? { answerLabels: withEntry<string[]>(work.answerLabels ?? {}, index, [...(label ?? [])]) } : {}),
      answeredAtMs: atMs,
    })),
    asker.workId,
    atMs,
  );
}

/** Whether a handler waits for an agent, a timer or a signal. */
export function waits(state: ProcessState, id: string): boolean {
  return (
    Object.values(state.works).some((work) => work.asker?.workId === id) ||
    Object.values(state.waits ?? {}).some((wait) => wait.asker?.workId === id)
  );
}

/** Stops the time of an attempt, because its handler waits. */
export function pause(state: ProcessState, id: string, atMs: number): ProcessState {
  return patchWork(state, id, (work) => (work.status !== "asked" || work.pausedAtMs !== undefined ? work : { ...work, pausedAtMs: atMs }));
}

/** Each answer lets the handler continue, so the time of the attempt runs again. */
function resume(state: ProcessState, id: string, atMs: number): ProcessState {
  const work = entryOf(state.works, id);
  if (work?.pausedAtMs === undefined) return state;
  const { pausedAtMs, ...rest } = work;
  return patchWork(state, id, () => ({ ...rest, dueAtMs: rest.dueAtMs + Math.max(0, atMs - pausedAtMs) }));
}

/** Begins a wait. */
export function beginWait(state: ProcessState, wait: Wait): ProcessState {
  const { asker, begunAtMs } = wait;
  const next = { ...state, waits: withEntry(state.waits ?? {}, wait.id, wait) };
  const asked = isPersonWait(wait) ? { ...next, people: { ended: state.people?.ended ?? [], count: wait.for.count } } : next;
  const isFirst = wait.aside === undefined && wait.again === undefined;
  const counted = asker !== undefined ? pause(asked, asker.workId, begunAtMs) : isFirst ? withProgress(asked, countBegun) : asked;
  return waitLine(counted, wait, begunAtMs, beginText(state, wait));
}

function beginText({ id }: ProcessState, wait: Wait): string {
  if (wait.for.kind === "timer") return "timer set";
  return isPersonWait(wait) ? `request ${requestId(id, wait.for.count)} to ${waitText(wait)}` : `waits for ${waitText(wait)}`;
}

/** Ends a wait: its result goes to the handler that waits, or counts in the current stop. */
export function endWait(state: ProcessState, event: Extract<ProcessEvent, { e: "wait-ended" }>): ProcessState {
  const wait = entryOf(state.waits ?? {}, event.waitId);
  if (wait === undefined) return state;
  const { result, atMs, signalId, request } = event;
  const fault = "fault" in result ? result.fault : undefined;
  const gone = { ...state, waits: waitsOf(state, ({ id }) => id !== wait.id) };
  const rest = request === undefined ? gone : withEnded(gone, wait, { ...request, atMs });
  const taken =
    signalId === undefined
      ? rest
      : takenSignal(rest, { signalId, name: wait.for.kind === "signal" ? wait.for.name : "", hash: hashOf(result) });
  const text = fault === undefined ? waitText(wait) : `no ${waitText(wait)}`;
  const what = request !== undefined && isPersonWait(wait) ? endedText(state.id, wait.for, request) : text;
  const noted = waitLine(taken, wait, atMs, what, fault?.code);
  // What a person judged, the process itself takes; what is judged does not count yet.
  if (wait.aside !== undefined || event.judged !== undefined) return noted;
  if (wait.asker !== undefined) return answer(noted, wait.asker, result, event);
  const counted = count(noted, wait, result, event);
  return event.tolerated ? lacks(counted, state.progress) : counted;
}

function hashOf(result: WaitResult): string {
  return "output" in result ? valueHash(result.output) : "";
}

/** Drops a kept signal that did not fit its wait. */
export function droppedSignal(state: ProcessState, { signalId, name }: Extract<ProcessEvent, { e: "signal-dropped" }>): ProcessState {
  const kept = state.signals?.find((one) => one.signalId === signalId);
  return takenSignal(state, { signalId, name, hash: kept === undefined ? "" : valueHash(kept.payload), dropped: true });
}

/** Removes a signal from the kept ones and remembers its id, so that it is not taken twice. */
function takenSignal(state: ProcessState, signal: KnownSignal): ProcessState {
  const kept = state.signals?.filter((one) => one.signalId !== signal.signalId) ?? [];
  return {
    ...state,
    signals: kept.length === 0 ? undefined : kept,
    signalIds: [...(state.signalIds ?? []), signal].slice(-LIMITS.signalIdsMax),
  };
}

/** The waits that fulfil a condition; undefined if none is left. */
export function waitsOf(state: ProcessState, keep: (wait: Wait) => boolean): ProcessState["waits"] {
  if (state.waits === undefined) return undefined;
  const kept = Object.entries(state.waits).filter(([, wait]) => keep(wait));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Removes the waits of the current stop, which is done. Those of the process itself have no stop. */
export function dropStopWaits(state: ProcessState): ProcessState {
  return state.waits === undefined ? state : { ...state, waits: waitsOf(state, (wait) => wait.asker !== undefined || wait.stop === "") };
}
