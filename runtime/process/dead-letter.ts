/**
 * @module Decisions on the dead letter of a run: redrive opens a new run, discard does not. One decision per dead letter. Pure.
 *
 * A new run begins at the stop that failed, or at an earlier stop that was undone. Outputs of earlier stops that were not undone
 * are pinned. Its work items have new ids, so that late answers of the old run do not match, and outside effects get new idempotency keys.
 */
import { entryOf } from "../entries.ts";
import { boundedFault, isFault, type WireFault, wireFault } from "../faults.ts";
import { itemsPath, pathText, placeOf, placeParts, runId, stopWorkParts } from "../ids.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readAll } from "../machine.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import type { Principal } from "../protocol/principal.ts";
import { outputNames, pathsOf, type Stop } from "../slip.ts";
import { type Act, awaitsDecision, decisionOn, finishedOf, lastRun, nextRun, type Reopened } from "./runs.ts";
import { type ProcessBuilder, routeOf, taskOf } from "./decision-builder.ts";
import { notReachedBy } from "./edit-reach.ts";
import { editOf } from "./edited-input.ts";
import { isFull, isTakenWhole } from "./edits.ts";
import { allOutputs, packOutputs } from "./join.ts";
import { editLabel } from "./labels.ts";
import { finalEffects } from "./messages.ts";
import { sizeInList } from "./parts.ts";
import type { Value } from "../value.ts";
import type { ProcessState } from "./state.ts";
import type { Work } from "./work.ts";

/** Why a decision cannot be taken, by the state. Undefined if it can, or if the same decision is recorded. */
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
  const failed = failedWorkOf(state);
  if (body.input !== undefined && failed !== undefined && isFull(state.edits, failed))
    return wireFault(
      "body.invalid",
      `${LIMITS.editsKeptMax} inputs of ${state.id} were edited, which is the limit; redrive ${letter} without one, or submit a new task`,
      { path: "input" },
    );
  return leftFault(state, body, letter);
}

/** What compensation had to leave is done again by a new run, under new keys. Only a person knows whether it was undone by hand. */
function leftFault({ left = [] }: ProcessState, { undoneByHand }: BodyOf<"decision">, letter: string): WireFault | undefined {
  if (left.length === 0 || undoneByHand === true) return undefined;
  const message = `a redrive of ${letter} does again, under new keys, what compensation left standing: ${left.join(", ")}`;
  return boundedFault(wireFault("deadletter.left", message, { left }));
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

/** The work item whose input a redrive may replace: the one that failed. Undefined if none did. */
export function failedWorkOf(state: ProcessState): Work | undefined {
  const work = state.ending?.work;
  return work?.kind === "do" ? work : undefined;
}

/**
 * Takes a decision. True if it opened a new run. `prepared` is the run whose index entry was opened. A discard needs it too: if reminders
 * are lost, only that entry leads back to its effects. A repeated decision gets a receipt and changes nothing.
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
    builder.refuse(wireFault("journal.contended", `run ${nextRun(state)} of ${state.id} has no index entry yet`));
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
    // The reminder is removed after these effects, so they include earlier ones that were not performed.
    for (const effect of finalEffects(builder.state, context)) builder.order(effect);
    return false;
  }
  builder.emit(reopened(builder, act, body, message.principal));
  return true;
}

const THE_TASK = "the task";

function reopened(builder: ProcessBuilder, act: Act, body: BodyOf<"decision">, editor: Principal): Reopened {
  const { state, context } = builder;
  const run = lastRun(state) + 1;
  const task = taskOf(state);
  const failed = failedWorkOf(state);
  const input = body.input === undefined ? undefined : "json" in body.input ? builder.pack(body.input.json) : body.input;
  const replaces = input !== undefined && failed !== undefined;
  const start = startOf(builder, replaces ? failed : undefined);
  const unreached = input === undefined ? [] : notReached(builder, replaces ? failed : undefined, input, start.cursor);
  const before = replaces ? failed.label : task.label;
  const label = editLabel(before, editor, task.principal);
  const isCleared = input !== undefined && before !== undefined && label.length === 0;
  return {
    e: "reopened",
    run,
    act: {
      ...act,
      opened: run,
      ...(input === undefined ? {} : { edited: replaces ? pathText(failed.stop, failed.item) : THE_TASK }),
      ...(unreached.length === 0 ? {} : { notReached: [...unreached] }),
      ...(isCleared ? { cleared: before } : {}),
    },
    deadlineAtMs: context.nowMs + task.timeoutMs,
    ...start,
    // The pinned outputs were made from the old input.
    ...(input !== undefined && !replaces ? { input, ...labelField(label), pinned: [], parts: undefined, bytes: undefined } : {}),
    ...(replaces ? { edit: editOf(builder, failed, input, label) } : {}),
  };
}

/** Calls that the edit does not reach. If the route cannot be read, the run begins at the first stop, and nothing is pinned. */
function notReached(builder: ProcessBuilder, edited: Work | undefined, input: Value, cursor: number): readonly string[] {
  try {
    const [before = null, after = null] = readAll([edited?.input ?? taskOf(builder.state).input, input], builder.context);
    const isWhole = edited !== undefined && isTakenWhole(builder.state.edits, edited);
    return notReachedBy(routeOf(builder), { before, after, stop: edited?.stop, isWhole }, cursor);
  } catch (error) {
    if (!isFault(error)) throw error;
    return [];
  }
}

type Start = Pick<Reopened, "cursor" | "stop" | "outputs" | "pinned" | "parts" | "bytes" | "lacking">;

const FROM_BEGINNING: Start = { cursor: 0, stop: "", outputs: [], pinned: [], lacking: [] };

/** Where a new run begins. If the route cannot be read, it begins at the first stop and fails there again. */
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
    ...pinnedOf(builder, stop, torn, replaced),
    lacking: (state.lacking ?? []).filter((name) => names.has(name)),
  };
}

/** Whether a call has an output. That of a skipped call, or of an optional call that failed, is null. */
function isFinished(value: Value | undefined): boolean {
  return value !== undefined && !("json" in value && value.json === null);
}

/**
 * Keys of the finished branches or items of a stop that are kept. An `any` has no winner, or one that was undone, so all its branches are
 * requested again; so are the items of a `forEach` that was done, because the state no longer has their keys.
 */
function pinnedOf(
  builder: ProcessBuilder,
  stop: Stop | undefined,
  torn: ReadonlySet<string>,
  replaced: Work | undefined,
): Pick<Reopened, "pinned" | "parts" | "bytes"> {
  const { state, context } = builder;
  if (stop === undefined || stop.kind === "any") return { pinned: [] };
  const isInWork = state.kept?.stop === stop.name;
  const outputs = finishedOf(state, stop.name);
  if (!isInWork && stop.kind === "all")
    return { pinned: outputNames(stop).filter((path) => isFinished(entryOf(outputs, path)) && !torn.has(placeOf(path, 0))) };
  if (!isInWork) return { pinned: [] };
  const place = (key: string): string => (stop.kind === "forEach" ? placeOf(itemsPath(stop.name), key) : placeOf(key, 0));
  const isReplaced = (key: string): boolean => replaced !== undefined && place(key) === placeOf(replaced.stop, replaced.item);
  const isKept = (key: string): boolean => !torn.has(place(key)) && !isReplaced(key);
  if (state.kept?.parts === undefined) return { pinned: Object.keys(outputs).filter(isKept) };
  const kept = [...allOutputs(state.kept, context)].filter(([key]) => isKept(key));
  const bytes = kept.reduce((sum, [, output]) => sum + sizeInList(output), 0);
  return { pinned: kept.map(([key]) => key), parts: packOutputs(builder, kept), bytes };
}
