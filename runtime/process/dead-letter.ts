/**
 * @module The decision of an operator on the dead letter of a run: redrive or discard, once per dead letter. Pure.
 *
 * A redrive opens a new run. It begins at the stop that failed, or at the earliest stop before it whose effect was undone. Outputs that
 * were finished before and are still valid are pinned. The work items of the new run have new ids, so a late answer of the old run cannot reach
 * them, and external effects get new idempotency keys.
 */
import { entryOf } from "../entries.ts";
import { isFault, type WireFault, wireFault } from "../faults.ts";
import { itemsPath, placeOf, placeParts, runId, stopWorkParts } from "../ids.ts";
import type { BodyOf, Message } from "../protocol.ts";
import { outputNames, pathsOf, type Stop } from "../slip.ts";
import { type Act, awaitsDecision, decisionOn, finishedOf, lastRun, nextRun, type Reopened } from "./runs.ts";
import { type ProcessBuilder, routeOf, taskOf } from "./decision-builder.ts";
import { notReachedBy } from "./edit-reach.ts";
import { finalEffects } from "./messages.ts";
import type { Value } from "../value.ts";
import type { ProcessState } from "./state.ts";
import type { Work } from "./work.ts";

/** Why the state does not allow a decision; undefined if it does, or if the same decision was already taken. */
export function decisionFault(state: ProcessState, body: BodyOf<"decision">): WireFault | undefined {
  const { task, outcome } = state;
  const letter = runId(state.id, body.run);
  const known = decisionOn(state, body.run);
  if (known !== undefined)
    return isSame(known, body)
      ? undefined
      : wireFault("deadletter.decided", decidedText(letter, known), { decisionId: known.decisionId ?? "" });
  if (task === undefined || body.run > state.run) return wireFault("deadletter.unknown", `there is no dead letter ${letter}`);
  if (body.run < state.run) return pastFault(state, body.run, letter);
  if (!awaitsDecision(state) || outcome === undefined)
    return wireFault(
      "deadletter.unknown",
      `run ${body.run} of ${state.id} has no dead letter: it ${state.phase === "ended" ? `ended ${outcome?.status ?? ""}` : "is open"}`,
    );
  if (body.what === "discard") return undefined;
  if (task.parent !== undefined) {
    const parents = runId(task.parent.processId, stopWorkParts(task.parent.workId).run);
    return wireFault(
      "deadletter.nested",
      `${state.id} is a nested route of ${task.parent.processId}; its failure belongs to the dead letter ${parents}`,
      { letter: parents },
    );
  }
  if (body.input !== undefined && state.ending?.work?.kind === "undo")
    return wireFault("body.invalid", `${letter} is of a compensation that failed, which has no input to replace; redrive it without one`, {
      path: "input",
    });
  return undefined;
}

function pastFault(state: ProcessState, run: number, letter: string): WireFault {
  const kept = state.runs?.find((past) => past.run === run);
  if (kept !== undefined && kept.deadLetter === undefined)
    return wireFault("deadletter.unknown", `run ${run} of ${state.id} ended ${kept.status} and has no dead letter`);
  return wireFault("deadletter.decided", `${letter} was decided; the process is at run ${state.run}`);
}

function isSame(known: Act, body: BodyOf<"decision">): boolean {
  return known.decisionId === body.decisionId && known.what === body.what;
}

function decidedText(letter: string, { what, by, reason }: Act): string {
  return `${letter} was ${what === "redrive" ? "redriven" : "discarded"} by ${by}${reason === "" ? "" : `: ${reason}`}`;
}

/** The failed work item, whose input an operator may replace; undefined if the task itself or a compensation failed. */
export function failedWorkOf(state: ProcessState): Work | undefined {
  const work = state.ending?.work;
  return work?.kind === "do" ? work : undefined;
}

/**
 * Takes a decision. Returns whether the process is open again. A repeated decision gets a receipt and changes nothing.
 *
 * `prepared` is the run for which the index entry was opened. A discard needs the entry too: if reminders are lost, only an open entry
 * leads back to effects that were not performed.
 */
export function decideLetter(builder: ProcessBuilder, message: Message, body: BodyOf<"decision">, prepared: number | undefined): boolean {
  const { state, context } = builder;
  const fault = decisionFault(state, body);
  if (fault !== undefined) {
    builder.refuse(fault);
    return false;
  }
  if (decisionOn(state, body.run) !== undefined) return false;
  if (message.expiresAtMs <= context.nowMs) {
    builder.refuse(wireFault("message.expired", `the decision expired ${context.nowMs - message.expiresAtMs} ms ago`));
    return false;
  }
  if (prepared !== nextRun(state)) {
    builder.refuse(wireFault("journal.contended", `run ${nextRun(state)} of ${state.id} does not stand in the index yet`));
    return false;
  }
  const act: Act = {
    what: body.what,
    run: body.run,
    by: message.principal.subject,
    reason: body.reason,
    atMs: context.nowMs,
    sequence: context.sequence,
    decisionId: body.decisionId,
  };
  if (body.what === "discard") {
    builder.emit({ e: "acted", act });
    // The reminder is removed after these effects, so they include all effects that the process still has to perform.
    for (const effect of finalEffects(builder.state, context)) builder.order(effect);
    return false;
  }
  builder.emit(reopened(builder, act, body));
  return true;
}

function reopened(builder: ProcessBuilder, act: Act, body: BodyOf<"decision">): Reopened {
  const { state, context } = builder;
  const run = lastRun(state) + 1;
  const task = taskOf(state);
  const failed = failedWorkOf(state);
  const input = body.input === undefined ? undefined : "json" in body.input ? builder.pack(body.input.json) : body.input;
  const replaces = input !== undefined && failed !== undefined;
  const start = startOf(builder, replaces ? failed : undefined);
  const unreached = input === undefined ? [] : notReached(builder, replaces ? failed : undefined, start.cursor);
  return {
    e: "reopened",
    run,
    act: { ...act, opened: run, ...(unreached.length === 0 ? {} : { notReached: [...unreached] }) },
    deadlineAtMs: context.nowMs + task.timeoutMs,
    ...start,
    // The finished items were made from the old input.
    ...(input !== undefined && !replaces ? { input, pinned: [] } : {}),
    ...(replaces ? { replaced: { stop: failed.stop, item: failed.item, target: failed.target, input } } : {}),
  };
}

/** What the edit does not reach. Nothing, if the route cannot be read: the run then begins at the first stop, with no pinned outputs. */
function notReached(builder: ProcessBuilder, edited: Work | undefined, cursor: number): readonly string[] {
  try {
    return notReachedBy(routeOf(builder), edited, cursor);
  } catch (error) {
    if (!isFault(error)) throw error;
    return [];
  }
}

type Start = Pick<Reopened, "cursor" | "stop" | "outputs" | "pinned" | "lacking">;

const FROM_BEGINNING: Start = { cursor: 0, stop: "", outputs: [], pinned: [], lacking: [] };

/** Where a new run begins. If the route cannot be read, the run begins at the first stop and fails there again. */
function startOf(builder: ProcessBuilder, replaced: Work | undefined): Start {
  const { state } = builder;
  let stops: readonly Stop[];
  try {
    stops = routeOf(builder).stops;
  } catch (error) {
    if (!isFault(error)) throw error;
    return FROM_BEGINNING;
  }
  const torn = new Set(state.torn ?? []);
  const tornPaths = new Set((state.torn ?? []).map((place) => placeParts(place).path));
  const earliest = stops.findIndex((stop) => pathsOf(stop).some((path) => tornPaths.has(path)));
  const cursor = earliest < 0 ? state.cursor : Math.min(earliest, state.cursor);
  const outputs = stops.slice(0, cursor).flatMap(outputNames);
  const names = new Set(stops.slice(0, cursor).map((stop) => stop.name));
  const stop = stops[cursor];
  return {
    cursor,
    stop: stop?.name ?? "output",
    outputs,
    pinned: pinnedOf(state, stop, torn, replaced),
    lacking: (state.lacking ?? []).filter((name) => names.has(name)),
  };
}

/** Whether a call has an output. A call that was skipped, or that was optional and failed, has `null`. */
function isFinished(value: Value | undefined): boolean {
  return value !== undefined && !("json" in value && value.json === null);
}

/**
 * The branches or items of the first stop that are finished and still valid. An `any` has none: it has no winner yet, or its winner was
 * undone. A `forEach` that was done has none either, because its output no longer tells the items apart.
 */
function pinnedOf(state: ProcessState, stop: Stop | undefined, torn: ReadonlySet<string>, replaced: Work | undefined): string[] {
  if (stop === undefined || stop.kind === "any") return [];
  const isInWork = state.kept?.stop === stop.name;
  const outputs = finishedOf(state, stop.name);
  if (!isInWork && stop.kind === "all")
    return outputNames(stop).filter((path) => isFinished(entryOf(outputs, path)) && !torn.has(placeOf(path, 0)));
  if (!isInWork) return [];
  const place = (key: string): string => (stop.kind === "forEach" ? placeOf(itemsPath(stop.name), key) : placeOf(key, 0));
  const isReplaced = (key: string): boolean => replaced !== undefined && place(key) === placeOf(replaced.stop, replaced.item);
  return Object.keys(outputs).filter((key) => !torn.has(place(key)) && !isReplaced(key));
}
