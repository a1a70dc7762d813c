/**
 * @module What people did to a process, and its earlier runs: their schemas, and how a new run begins. Pure.
 */
import { z } from "zod";
import { WireFault } from "../faults.ts";
import { placeOf, stopWorkParts } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { OUTCOMES } from "../protocol.ts";
import { Doer } from "../slip.ts";
import { Value } from "../value.ts";
import type { ProcessState, Progress } from "./state.ts";
import type { Asked } from "./work.ts";

/** What a person did: who, what, when and why. Persisted: changing this needs a version bump. */
export const Act = z.strictObject({
  what: z.enum(["cancel", "redrive", "discard"]),
  /** The run that it is about. */
  run: z.int().positive(),
  by: z.string(),
  reason: z.string(),
  atMs: z.int(),
  /** Sequence of the record that it stands in. */
  sequence: z.int().positive(),
  /** Of a decision on a dead letter. */
  decisionId: z.string().optional(),
  /** Of a redrive: the run that it opened. */
  opened: z.int().positive().optional(),
  /** Of a redrive with an edited input: stops, and the output, that read or were made of what the edit replaces. */
  notReached: z.array(z.string()).optional(),
});
export type Act = z.infer<typeof Act>;

/** A run that was opened again. At most LIMITS.runsKeptMax are kept. Persisted: changing this needs a version bump. */
export const PastRun = z.strictObject({
  run: z.int().positive(),
  status: z.enum(OUTCOMES),
  atMs: z.int(),
  fault: WireFault.optional(),
  deadLetter: Value.optional(),
});
export type PastRun = z.infer<typeof PastRun>;

/** What a person put in the place of a failed work: who is asked, and with what. Persisted: changing this needs a version bump. */
export const Replaced = z.strictObject({ stop: z.string(), item: z.int().nonnegative(), target: Doer, input: Value });

/** A new run. The contents are those of the state; the event says which of them stand. Persisted: changing this needs a version bump. */
export const Reopened = z.strictObject({
  e: z.literal("reopened"),
  run: z.int().positive(),
  act: Act,
  deadlineAtMs: z.int(),
  /** The stop that it begins at, and its name. */
  cursor: z.int().nonnegative(),
  stop: z.string(),
  /** Names of outputs of finished stops that stay. */
  outputs: z.array(z.string()),
  /** Branches or items of that stop that are finished and stay. */
  pinned: z.array(z.string()),
  /** Stops that were passed without a call that failed. */
  lacking: z.array(z.string()),
  /** Replaces the task's input. */
  input: Value.optional(),
  replaced: Replaced.optional(),
});
export type Reopened = z.infer<typeof Reopened>;

/** The run that would be opened now. A reminder that rang for a run that never came to be has used its number up. */
export function nextRun(state: ProcessState): number {
  return lastRun(state) + 1;
}

/** The highest run that was, or can no longer be. */
export function lastRun(state: ProcessState): number {
  return Math.max(state.run, state.voidedRun ?? 0);
}

/** The decision on the dead letter of a run. */
export function decisionOn(state: ProcessState, run: number): Act | undefined {
  return state.acts?.find((act) => act.run === run && act.what !== "cancel");
}

/** A dead letter waits for a person. */
export function awaitsDecision(state: ProcessState): boolean {
  return state.phase === "ended" && state.outcome?.deadLetter !== undefined && decisionOn(state, state.run) === undefined;
}

/** The state with one act more. A discard closes the way to a next run. */
export function act(state: ProcessState, done: Act): ProcessState {
  const acts = [...(state.acts ?? []), done].slice(-LIMITS.actsKeptMax);
  return done.what === "discard" ? { ...state, acts, voidedRun: nextRun(state) } : { ...state, acts };
}

/** What an undone work leaves: a counted one that was really undone has no effect any more, so its output does not stand. */
export function undone(state: ProcessState, target: Asked | undefined): Pick<ProcessState, "torn"> {
  if (target === undefined || state.ending === undefined || state.leftovers?.includes(target.id) === true) return {};
  const place = placeOf(target.stop, stopWorkParts(target.id).item);
  return { torn: state.torn?.includes(place) === true ? state.torn : [...(state.torn ?? []), place] };
}

/** What a turn round keeps for a next run: what was undone for other reasons, and what was finished of the stop in work. */
export function keptAtEnding(state: ProcessState): Pick<ProcessState, "leftovers" | "kept"> {
  const { progress, undoing } = state;
  const isWorthIt = progress !== undefined && Object.keys(progress.outputs).length > 0;
  return {
    ...(undoing.length === 0 ? {} : { leftovers: undoing }),
    ...(isWorthIt ? { kept: { stop: progress.stop, outputs: progress.outputs } } : {}),
  };
}

/** Outputs among which those of a stop's branches or items are: of the one that was in work, or of all that are done. */
export function finishedOf(state: ProcessState, stop: string): Readonly<Record<string, Value>> {
  return state.kept?.stop === stop ? state.kept.outputs : state.outputs;
}

/** A process as a new run begins: nothing is asked, and what stands is pinned. `fresh` is one that was never asked. */
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
  const pins = only(finishedOf(state, event.stop), event.pinned);
  return act(
    {
      ...fresh,
      phase: "open",
      run: event.run,
      task: { ...task, deadlineAtMs: event.deadlineAtMs, ...(event.input === undefined ? {} : { input: event.input }) },
      cursor: event.cursor,
      outputs: only(state.outputs, event.outputs),
      history: state.history,
      ...(state.historyGone === undefined ? {} : { historyGone: state.historyGone }),
      ...(state.met === undefined ? {} : { met: state.met }),
      ...(state.acts === undefined ? {} : { acts: state.acts }),
      ...(state.signals === undefined ? {} : { signals: state.signals }),
      ...(state.signalIds === undefined ? {} : { signalIds: state.signalIds }),
      ...(event.lacking.length === 0 ? {} : { lacking: event.lacking }),
      ...(event.replaced === undefined ? {} : { replaced: event.replaced }),
      ...(event.pinned.length === 0 ? {} : { pins }),
      runs: [...(state.runs ?? []), past].slice(-LIMITS.runsKeptMax),
    },
    event.act,
  );
}

function only(values: Readonly<Record<string, Value>>, names: readonly string[]): Record<string, Value> {
  const wanted = new Set(names);
  return Object.fromEntries(Object.entries(values).filter(([name]) => wanted.has(name)));
}

/** The stop in work of a state whose stop has just begun: what was pinned is finished already. */
export function begun(state: ProcessState, progress: Progress): ProcessState {
  const next = { ...state, progress: { ...progress, outputs: state.pins ?? {} } };
  return state.pins === undefined ? next : { ...next, pins: undefined };
}
