/**
 * @module Compensation in reverse order, and the one outcome of a run. Pure.
 *
 * Sagas: Garcia-Molina and Salem, 1987. Every work item that was requested and is not known to be undone is compensated, newest first, one
 * at a time. The deadline and the hop limit of the process do not apply to compensation, which has limits of its own.
 */
import { plainJson } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import { isFault, type Json, wireFault, type WireFault } from "../faults.ts";
import { isAskOf, isItemsPath, itemsPath, stopWorkParts, undoWorkId } from "../ids.ts";
import { type Label, labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { type Outcome, type OutcomeStatus, traceId } from "../protocol.ts";
import { CompensationReport } from "../protocol/bodies.ts";
import { type Doer, RETRY_UNDO } from "../slip.ts";
import type { Value } from "../value.ts";
import { type ProcessBuilder, routeOf, taskOf } from "./decision-builder.ts";
import { closedAccount } from "./account.ts";
import { spendingView } from "./budget-view.ts";
import { isTakenWhole } from "./edits.ts";
import { unsealPart } from "./join.ts";
import { finalEffects, workEffect } from "./messages.ts";
import type { Ending, ProcessState } from "./state.ts";
import { type Asked, firstAttempt, type Work } from "./work.ts";

/** Ends the forward run and makes all its work items due for compensation. Only the first reason counts. */
export function beginEnding(builder: ProcessBuilder, status: Ending["status"], fault: WireFault, stop: string, failed?: Work): void {
  if (builder.state.ending !== undefined) return;
  const work = status === "failed" ? (failed ?? builder.state.failedWork) : undefined;
  builder.emit({ e: "ending", ending: { status, fault, stop, ...(work === undefined ? {} : { work }) }, atMs: builder.context.nowMs });
}

/**
 * Requests the next compensations. True while any is due or unanswered. Work items that may still run are stopped and undone at once:
 * otherwise two of them that wait for each other's actors would wait forever. Then the rest follow in reverse order. The work items of an
 * agent that does not answer are undone in parallel to the others, in reverse order among themselves.
 */
export function pumpUndo(builder: ProcessBuilder): boolean {
  for (const target of stillRunning(builder)) askUndo(builder, target);
  for (const lane of [undefined, ...(builder.state.aside ?? [])]) pumpLane(builder, lane);
  const isOpen = Object.values(builder.state.works).some((work) => work.kind === "undo");
  return isOpen || (builder.state.ending !== undefined && builder.state.sealed !== undefined && pumpUndo(builder));
}

/** Requests the next compensations of a lane: of an agent that was set aside, or of all others. */
function pumpLane(builder: ProcessBuilder, lane: string | undefined): void {
  let open = openIn(builder, lane);
  for (let parts = 0; ;) {
    const next = newestIn(builder, lane);
    const last = builder.state.ending === undefined ? undefined : builder.state.sealed?.at(-1);
    const isNext = last !== undefined && last.order > (next?.order ?? 0);
    if (isNext && (open.length === 0 || open.length < widthOf(builder, open)) && parts < LIMITS.undoPartsPerTurn) {
      unsealPart(builder);
      parts += 1;
    } else if (next !== undefined && !isNext && mayJoin(builder, open, next)) {
      askUndo(builder, next);
      open = [...open, next];
    } else return;
  }
}

/** The work items of a lane that are being compensated. */
function openIn({ state }: ProcessBuilder, lane: string | undefined): Asked[] {
  const targets = new Set(Object.values(state.works).flatMap(({ undoes }) => undoes ?? []));
  return targets.size === 0 ? [] : state.asked.filter(({ id, target }) => targets.has(id) && laneOf(state, target) === lane);
}

/** The newest work item of a lane that is due and not being compensated. */
function newestIn({ state }: ProcessBuilder, lane: string | undefined): Asked | undefined {
  const due = new Set(state.undoing);
  return state.asked
    .filter((one) => due.has(one.id) && laneOf(state, one.target) === lane && entryOf(state.works, undoWorkId(one.id)) === undefined)
    .reduce<Asked | undefined>((newest, one) => (newest === undefined || one.order > newest.order ? one : newest), undefined);
}

/** Whether a compensation may begin beside others: only if all are of different items, at different actors, of one `forEach`. */
function mayJoin(builder: ProcessBuilder, open: readonly Asked[], next: Asked): boolean {
  if (open.length === 0) return true;
  const item = stopWorkParts(next.id).item;
  const areApart = open.every((one) => one.stop === next.stop && one.actor !== next.actor && stopWorkParts(one.id).item !== item);
  return areApart && open.length < widthOf(builder, open);
}

/** How many compensations may be open beside the given ones: as many as items of their `forEach` ran in parallel. */
function widthOf(builder: ProcessBuilder, [first]: readonly Asked[]): number {
  if (first === undefined || !isItemsPath(first.stop)) return 1;
  try {
    const stop = routeOf(builder).stops.find((one) => itemsPath(one.name) === first.stop);
    return stop?.kind === "forEach" ? stop.concurrency : 1;
  } catch (error) {
    if (!isFault(error)) throw error;
    return 1;
  }
}

function laneOf({ aside }: ProcessState, target: Doer): string | undefined {
  return target.kind === "agent" && aside?.includes(target.agent) === true ? target.agent : undefined;
}

/** Sets an agent aside that does not answer a compensation or is unknown. The compensations of other agents no longer wait for it. */
export function setAside(builder: ProcessBuilder, work: Work): void {
  const { target } = work;
  if (target.kind !== "agent" || builder.state.aside?.includes(target.agent) === true) return;
  builder.emit({ e: "set-aside", agent: target.agent });
  pumpUndo(builder);
}

/** The report in the output of a compensation. An output that is not a report means that nothing was undone. */
export function reportOf(output: Json): CompensationReport {
  const parsed = CompensationReport.safeParse(output);
  return parsed.success ? parsed.data : { undone: 0, left: [], stands: [], stateStands: false };
}

/**
 * Work items that may still run, whose compensation is due and not requested yet, newest first. A work item whose own ask may still run is
 * left out until that ask is compensated.
 */
function stillRunning(builder: ProcessBuilder): Asked[] {
  const { state } = builder;
  const stopping = new Set(state.stopping ?? []);
  if (stopping.size === 0) return [];
  const due = new Set(state.undoing);
  return state.asked
    .filter(
      (one) =>
        due.has(one.id) &&
        stopping.has(one.id) &&
        entryOf(state.works, undoWorkId(one.id)) === undefined &&
        !state.asked.some((other) => due.has(other.id) && stopping.has(other.id) && isAskOf(other.id, one.id)),
    )
    .sort((a, b) => b.order - a.order);
}

function askUndo(builder: ProcessBuilder, target: Asked): void {
  const { nowMs } = builder.context;
  const work: Work = {
    id: undoWorkId(target.id),
    kind: "undo",
    order: target.order,
    stop: target.stop,
    item: 0,
    visit: 1,
    target: target.target,
    version: 1,
    actor: target.actor,
    input: { json: null },
    ...firstAttempt(nowMs, LIMITS.undoTimeoutMs),
    retry: RETRY_UNDO,
    optional: false,
    undoes: target.id,
    chain: [],
    ancestors: [],
  };
  builder.emit({ e: "asked", work });
  builder.order(workEffect(builder.state, work, builder.context));
}

/**
 * Records the outcome and orders the last effects. `output` is given only if the slip is done. A run that has an outcome, and was opened
 * again by the undo of its parent, keeps that outcome.
 */
export function endProcess(builder: ProcessBuilder, output?: Value, label?: Label): void {
  if (builder.state.outcome === undefined) builder.emit({ e: "ended", outcome: outcomeOf(builder, output, label) });
  if (builder.state.undo !== undefined && !builder.state.undo.done) builder.emit({ e: "undo-finished" });
  for (const effect of finalEffects(builder.state, builder.context)) builder.order(effect);
}

function outcomeOf(builder: ProcessBuilder, output: Value | undefined, label: Label | undefined): Outcome {
  const { ending, undoFault, lacking } = builder.state;
  const told = { ...spentOf(builder.state), atMs: builder.context.nowMs };
  if (output !== undefined && undoFault === undefined)
    return { status: lacking === undefined ? "completed" : "partial", output, ...labelField(label), ...told };
  if (ending?.fault.code === "process.terminated") return { status: "cancelled", fault: ending.fault, ...told };
  const fault = undoFault ?? ending?.fault ?? wireFault("turn.failed", "the process ended without a reason");
  const status: OutcomeStatus = undoFault === undefined && ending !== undefined ? ending.status : "failed";
  if (status !== "failed") return { status, fault, ...told };
  return { status, fault, deadLetter: builder.pack(deadLetter(builder, fault)), ...told };
}

/** What the run has spent at its end. */
function spentOf(state: ProcessState): Pick<Outcome, "spent"> {
  const spent = closedAccount(state)?.spent ?? {};
  return Object.keys(spent).length === 0 ? {} : { spent };
}

/** The request of a failed work item. `whole`: an edited input is taken as it is, and not as a change. */
function originalOf(state: ProcessState, work: Work): object {
  const { kind, id: workId, target, actor, input, label } = work;
  const whole = kind === "do" && isTakenWhole(state.edits, work) ? { whole: true } : {};
  return { kind, workId, target, actor, input, ...whole, ...labelField(label) };
}

/** Original message, fault, attempts, history, path and trace id (Dead Letter Channel, Enterprise Integration Patterns). */
function deadLetter(builder: ProcessBuilder, fault: WireFault): Json {
  const { state } = builder;
  const task = taskOf(state);
  const work = state.ending?.work;
  const { spent } = spentOf(state);
  return plainJson({
    processId: state.id,
    run: state.run,
    route: task.route,
    traceId: traceId(task.trace),
    fault,
    stop: state.ending?.stop ?? null,
    original: work === undefined ? { kind: "task", input: task.input, ...labelField(task.label) } : originalOf(state, work),
    attempts: work === undefined ? [] : work.faults,
    ...(state.left === undefined ? {} : { left: state.left }),
    ...(state.stands === undefined ? {} : { stands: state.stands }),
    ...(spent === undefined ? {} : { spent: spendingView(spent) }),
    path: work === undefined ? [] : work.chain.map((link) => link.agent),
    history: state.history,
    principal: task.principal.subject,
    atMs: builder.context.nowMs,
  });
}
