/**
 * @module Finished items of a large `forEach` leave the state of their process in parts, so that a turn costs the same after 10,000 items
 * as after ten. Pure.
 *
 * A part is a stored value with the outputs of LIMITS.partItems items, and with their work items, in case they must be compensated. The
 * decisions about parts are in join.ts and compensation.ts.
 */
import { jsonSize } from "../canonical.ts";
import { withEntry } from "../entries.ts";
import { itemsPath, stopWorkParts } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Value } from "../value.ts";
import type { ProcessState, Progress } from "./state.ts";
import type { Asked, Check } from "./work.ts";

/** How many branches or items of a stop have ended: with an output, failed or skipped. */
export function endedCount({ outputs, failed, sealed: left = 0 }: Progress): number {
  return left + Object.keys(outputs).length + Object.keys(failed).length;
}

/** Adds an output. */
export function withOutput(progress: Progress, key: string, output: Value): Progress {
  const outputs = withEntry(progress.outputs, key, output);
  return progress.concurrency === undefined
    ? { ...progress, outputs }
    : { ...progress, outputs, bytes: (progress.bytes ?? 0) + sizeInList(output) };
}

/** Bytes of a value in a list; at least, if it has characters outside of ASCII. */
export function sizeInList(value: Value): number {
  return 1 + ("json" in value ? jsonSize(value.json) : value.bytes);
}

/** Whether an earlier run has left an output for a branch or item. */
export function isPinned({ concurrency, outputs, pinned = [] }: Progress, key: string): boolean {
  if (concurrency === undefined) return Object.hasOwn(outputs, key);
  const index = Number(key);
  return pinned.some(([from, to]) => from <= index && index <= to);
}

/** How many items of the current `forEach` have an open work item or wait, or an output that is judged. */
export function itemsOpen(state: ProcessState): number {
  const { progress, works, waits = {}, checks } = state;
  const path = itemsPath(progress?.stop ?? "");
  const open = Object.values(works).filter((work) => work.kind === "do" && work.stop === path);
  const waiting = Object.values(waits).filter((wait) => wait.asker === undefined && wait.aside === undefined && wait.stop === path);
  return open.length + waiting.length + (checks === undefined ? 0 : checksOpen(checks, path).length);
}

/** The outputs of a path that are judged, or were sent back and whose call is not made again yet. */
function checksOpen(checks: Readonly<Record<string, Check>>, path: string): readonly Check[] {
  return Object.values(checks).filter(({ stop, state }) => stop === path && state !== "again");
}

/** Whether the slip goes on at once: the last turn has done as much as one turn may. */
export function goesOn(state: ProcessState): boolean {
  const { phase, progress, ending, works, waits, paused, heldBack } = state;
  if (phase !== "open" || paused !== undefined) return false;
  if (heldBack !== undefined) return true;
  if (ending !== undefined) return false;
  if (waits === undefined && Object.keys(works).length === 0) return true;
  if (progress?.concurrency === undefined) return false;
  return progress.begun < progress.total && itemsOpen(state) < progress.concurrency;
}

/** The oldest work items that can leave the state: nothing of their item is open, and they are not due for compensation. */
export function leaving({ progress, asked, undoing, works, waits = {}, checks = {} }: ProcessState): Asked[] {
  const path = itemsPath(progress?.stop ?? "");
  const stay = new Set(
    [...Object.values(works), ...Object.values(waits), ...Object.values(checks)]
      .filter((one) => one.stop === path && !("undoes" in one))
      .map(({ item }) => item),
  );
  const due = new Set(undoing);
  return asked
    .filter((one) => one.stop === path && !due.has(one.id) && !stay.has(stopWorkParts(one.id).item))
    .slice(0, LIMITS.partWorksMax);
}

/** The state without the finished items of the current `forEach`. */
export function sealed(state: ProcessState, { part, order }: { readonly part: Value; readonly order?: number | undefined }): ProcessState {
  const { progress } = state;
  if (progress === undefined) return state;
  const gone = new Set(leaving(state).map(({ id }) => id));
  return {
    ...state,
    asked: state.asked.filter(({ id }) => !gone.has(id)),
    ...(order === undefined ? {} : { sealed: [...(state.sealed ?? []), { part, order }] }),
    progress: { ...progress, outputs: {}, failed: {}, parts: [...(progress.parts ?? []), part], sealed: endedCount(progress) },
  };
}

/** The state with the work items of the last part, which are due for compensation. */
export function unsealed(state: ProcessState, asked: readonly Asked[]): ProcessState {
  const rest = state.sealed?.slice(0, -1) ?? [];
  return {
    ...state,
    asked: [...asked, ...state.asked],
    undoing: [...state.undoing, ...asked.map(({ id }) => id)],
    sealed: rest.length === 0 ? undefined : rest,
  };
}
