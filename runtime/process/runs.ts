/**
 * @module Operator actions and earlier runs of a process: their schemas, and how a new run begins. Pure.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { itemsPath, placeOf, stopWorkParts } from "../ids.ts";
import { Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { OUTCOMES } from "../protocol.ts";
import { Value } from "../value.ts";
import { Edit, withEdit } from "./edits.ts";
import type { ProcessState, Progress } from "./state.ts";
import { sizeInList } from "./parts.ts";
import type { Asked } from "./work.ts";

/** An operator action: who did what, when and why. Persisted: changing this needs a version bump. */
export const Act = z.strictObject({
  what: z.enum(["cancel", "pause", "resume", "terminate", "redrive", "discard"]),
  /** The run that it applies to. */
  run: z.int().positive(),
  by: z.string(),
  reason: z.string(),
  atMs: z.int(),
  /** Sequence of the record that contains it. */
  sequence: z.int().positive(),
  /** Of a decision on a dead letter; of a pause or its end, the id of the message. The same id is the same action. */
  decisionId: z.string().optional(),
  /** Only for a redrive: the run that it opened. */
  opened: z.int().positive().optional(),
  /** Only for a redrive with an edited input: whose input, such as `bill`, `pages[3]` or `the task`. */
  edited: z.string().optional(),
  /** Only for a redrive with an edited input: the calls that it does not reach (edit-reach.ts). */
  notReached: z.array(z.string()).optional(),
  /** Only for a redrive with an edited input: the label of the input before, which the edit took away. */
  cleared: Label.optional(),
});
export type Act = z.infer<typeof Act>;

/** An earlier run. At most LIMITS.runsKeptMax are kept. Persisted: changing this needs a version bump. */
export const PastRun = z.strictObject({
  run: z.int().positive(),
  status: z.enum(OUTCOMES),
  atMs: z.int(),
  fault: WireFault.optional(),
  deadLetter: Value.optional(),
});
export type PastRun = z.infer<typeof PastRun>;

/** A new run. Contents are in the state; the event names those that are kept. Persisted: changing this needs a version bump. */
export const Reopened = z.strictObject({
  e: z.literal("reopened"),
  run: z.int().positive(),
  act: Act,
  deadlineAtMs: z.int(),
  /** Index and name of its first stop. */
  cursor: z.int().nonnegative(),
  stop: z.string(),
  /** Names of outputs of finished stops that are kept. */
  outputs: z.array(z.string()),
  /** Finished branches or items of the first stop whose outputs are kept. */
  pinned: z.array(z.string()),
  /** Parts with the outputs of `pinned`, if they are not in the state, and their bytes. */
  parts: z.array(Value).optional(),
  bytes: z.int().nonnegative().optional(),
  /** Finished stops in which an optional call failed. */
  lacking: z.array(z.string()),
  /** Replaces the input of the task. */
  input: Value.optional(),
  /** Of that input. Absent: trusted. */
  label: Label.optional(),
  /** Changes the input of the failed work item. */
  edit: Edit.optional(),
});
export type Reopened = z.infer<typeof Reopened>;

/** The number of the next run. A voided run has used up its number. */
export function nextRun(state: ProcessState): number {
  return lastRun(state) + 1;
}

/** The highest number of a run that exists or was voided. */
export function lastRun(state: ProcessState): number {
  return Math.max(state.run, state.voidedRun ?? 0);
}

/** Whether an action is a decision on a dead letter. */
export function isDecision({ what }: Pick<Act, "what">): boolean {
  return what === "redrive" || what === "discard";
}

/** The decision on the dead letter of a run. */
export function decisionOn(state: ProcessState, run: number): Act | undefined {
  return state.acts?.find((act) => act.run === run && isDecision(act));
}

/** Whether a dead letter waits for a decision. */
export function awaitsDecision(state: ProcessState): boolean {
  return state.phase === "ended" && state.outcome?.deadLetter !== undefined && decisionOn(state, state.run) === undefined;
}

/** Adds an operator action. A discard voids the next run. */
export function act(state: ProcessState, done: Act): ProcessState {
  const acts = [...(state.acts ?? []), done].slice(-LIMITS.actsKeptMax);
  return done.what === "discard" ? { ...state, acts, voidedRun: nextRun(state) } : { ...state, acts };
}

/** Marks the place of an undone work item, so that a next run does not use its output. Losers and failed optional calls are not marked. */
export function undone(state: ProcessState, target: Asked | undefined): Pick<ProcessState, "torn"> {
  if (target === undefined || state.ending === undefined || state.leftovers?.includes(target.id) === true) return {};
  const place = placeOf(target.stop, stopWorkParts(target.id).item);
  return { torn: state.torn?.includes(place) === true ? state.torn : [...(state.torn ?? []), place] };
}

/** What the state keeps for a next run when a run fails: work items already due for compensation, and outputs of the current stop. */
export function keptAtEnding(state: ProcessState): Pick<ProcessState, "leftovers" | "kept"> {
  const { progress, undoing } = state;
  const isWorthIt = progress !== undefined && (Object.keys(progress.outputs).length > 0 || progress.parts !== undefined);
  return {
    ...(undoing.length === 0 ? {} : { leftovers: undoing }),
    ...(isWorthIt ? { kept: { stop: progress.stop, outputs: progress.outputs, parts: progress.parts } } : {}),
  };
}

/** The outputs that contain those of a stop's branches or items: of the stop that was current at the end, or of all finished stops. */
export function finishedOf(state: ProcessState, stop: string): Readonly<Record<string, Value>> {
  return state.kept?.stop === stop ? state.kept.outputs : state.outputs;
}

/** The state at the beginning of a new run: no work items, and kept outputs are pinned. `fresh` is an empty state. */
export function reopen(state: ProcessState, event: Reopened, fresh: ProcessState): ProcessState {
  const { task, outcome } = state;
  if (task === undefined || outcome === undefined) return state;
  const past: PastRun = {
    run: state.run,
    status: outcome.status,
    atMs: outcome.atMs,
    ...(outcome.fault === undefined ? {} : { fault: outcome.fault }),
    ...(outcome.deadLetter === undefined ? {} : { deadLetter: outcome.deadLetter }),
  };
  const { pinned, parts, bytes = 0 } = event;
  // An edited task is what a person wants now: edits of its stops were made from the one before.
  const edits = event.input === undefined ? withEdit(state.edits, event.edit) : [];
  const pins = { keys: pinned, outputs: parts === undefined ? only(finishedOf(state, event.stop), pinned) : {}, parts, bytes };
  return act(
    {
      ...fresh,
      phase: "open",
      run: event.run,
      task: {
        ...task,
        deadlineAtMs: event.deadlineAtMs,
        ...(event.input === undefined ? {} : { input: event.input, label: event.label }),
      },
      cursor: event.cursor,
      outputs: only(state.outputs, event.outputs),
      ...keptLabels(state, event),
      ...(state.lists === undefined ? {} : { lists: only(state.lists, event.outputs) }),
      history: state.history,
      ...(state.historyGone === undefined ? {} : { historyGone: state.historyGone }),
      ...(state.met === undefined ? {} : { met: state.met }),
      ...(state.acts === undefined ? {} : { acts: state.acts }),
      ...(state.people === undefined ? {} : { people: state.people }),
      ...(state.signals === undefined ? {} : { signals: state.signals }),
      ...(state.signalIds === undefined ? {} : { signalIds: state.signalIds }),
      ...(event.lacking.length === 0 ? {} : { lacking: event.lacking }),
      ...(edits.length === 0 ? {} : { edits: [...edits] }),
      ...(pinned.length === 0 ? {} : { pins }),
      runs: [...(state.runs ?? []), past].slice(-LIMITS.runsKeptMax),
    },
    event.act,
  );
}

/** Labels of the outputs that are kept. The items of a `forEach` share one. */
function keptLabels({ labels }: ProcessState, { outputs, pinned, stop }: Reopened): Pick<ProcessState, "labels"> {
  if (labels === undefined) return {};
  const kept = only(labels, [...outputs, ...pinned, ...(pinned.length === 0 ? [] : [itemsPath(stop)])]);
  return Object.keys(kept).length === 0 ? {} : { labels: kept };
}

function only<T>(values: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  const wanted = new Set(names);
  return Object.fromEntries(Object.entries(values).filter(([name]) => wanted.has(name)));
}

/** Begins a stop. Its pinned branches or items are finished already. */
export function begun(state: ProcessState, progress: Progress): ProcessState {
  const { pins } = state;
  if (pins === undefined) return { ...state, progress };
  const { outputs, parts, bytes } = pins;
  const isItems = progress.concurrency !== undefined;
  const inState = Object.values(outputs).reduce((sum, output) => sum + sizeInList(output), 0);
  const items = {
    bytes: bytes + inState,
    parts,
    pinned: rangesOf(pins.keys),
    ...(parts === undefined ? {} : { sealed: pins.keys.length }),
  };
  return { ...state, progress: { ...progress, outputs, ...(isItems ? items : {}) }, pins: undefined };
}

/** The indices as ranges, from and to. */
function rangesOf(keys: readonly string[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const index of keys.map(Number).sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}
