/**
 * @module The way back: compensation in reverse order, and the one outcome of a run. Pure.
 *
 * Sagas: Garcia-Molina and Salem, 1987. Whatever was asked and is not known to be undone is compensated, newest first,
 * one at a time; compensation does not know the process's deadline, hops or budget and has limits of its own.
 */
import { plainJson } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import { type Json, wireFault, type WireFault } from "../faults.ts";
import { undoWorkId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { type Outcome, type OutcomeStatus, traceId } from "../protocol.ts";
import { RETRY_UNDO } from "../slip.ts";
import type { Value } from "../value.ts";
import { type ProcessBuilder, taskOf } from "./decision-builder.ts";
import { finalEffects, workEffect } from "./messages.ts";
import type { Asked, Ending, Work } from "./state.ts";

/** Turns the process round. The first reason counts; a second one is ignored. */
export function beginEnding(builder: ProcessBuilder, status: Ending["status"], fault: WireFault, stop: string, failed?: Work): void {
  if (builder.state.ending !== undefined) return;
  const work = status === "failed" ? (failed ?? builder.state.failedWork) : undefined;
  builder.emit({ e: "ending", ending: { status, fault, stop, ...(work === undefined ? {} : { work }) }, atMs: builder.context.nowMs });
}

/**
 * Asks for the next compensation; true while any is due or unanswered. What may run still is stopped and undone at once,
 * and then the rest in reverse order: two works that run and wait for each other's actors would else wait for ever.
 */
export function pumpUndo(builder: ProcessBuilder): boolean {
  for (const target of stillRunning(builder)) askUndo(builder, target);
  if (Object.values(builder.state.works).some((work) => work.kind === "undo")) return true;
  const due = new Set(builder.state.undoing);
  const next = builder.state.asked
    .filter((one) => due.has(one.id))
    .reduce<Asked | undefined>((newest, one) => (newest === undefined || one.order > newest.order ? one : newest), undefined);
  if (next === undefined) return false;
  askUndo(builder, next);
  return true;
}

/**
 * Due works that may run still and are not asked yet. One that waits for an ask comes after the ask; one whose asks are all
 * answered may run, and hold an actor for which an undo of those asks, or of others, waits.
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
        !state.asked.some((other) => due.has(other.id) && stopping.has(other.id) && other.id.startsWith(`${one.id}/ask`)),
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
    attempt: 1,
    status: "asked",
    askedAtMs: nowMs,
    dueAtMs: nowMs + LIMITS.undoTimeoutMs,
    timeoutMs: LIMITS.undoTimeoutMs,
    retry: RETRY_UNDO,
    optional: false,
    undoes: target.id,
    chain: [],
    ancestors: [],
    answers: {},
    faults: [],
  };
  builder.emit({ e: "asked", work });
  builder.order(workEffect(builder.state, work, builder.context));
}

/**
 * Records the outcome and orders what an ended process still owes. `output` is given on the way forward only. A run that
 * had its outcome and was opened again for its parent's undo keeps it.
 */
export function endProcess(builder: ProcessBuilder, output?: Value): void {
  if (builder.state.outcome === undefined) builder.emit({ e: "ended", outcome: outcomeOf(builder, output) });
  if (builder.state.undo !== undefined && !builder.state.undo.done) builder.emit({ e: "undo-finished" });
  for (const effect of finalEffects(builder.state, builder.context)) builder.order(effect);
}

function outcomeOf(builder: ProcessBuilder, output: Value | undefined): Outcome {
  const { ending, undoFault, lacking } = builder.state;
  const atMs = builder.context.nowMs;
  if (output !== undefined && undoFault === undefined) return { status: lacking === undefined ? "completed" : "partial", output, atMs };
  const fault = undoFault ?? ending?.fault ?? wireFault("turn.failed", "the process ended without a reason");
  const status: OutcomeStatus = undoFault === undefined && ending !== undefined ? ending.status : "failed";
  if (status !== "failed") return { status, fault, atMs };
  return { status, fault, deadLetter: builder.pack(deadLetter(builder, fault)), atMs };
}

/** Original message, fault, attempts, history, path and trace id (Dead Letter Channel, Enterprise Integration Patterns). */
function deadLetter(builder: ProcessBuilder, fault: WireFault): Json {
  const { state } = builder;
  const task = taskOf(state);
  const work = state.ending?.work;
  return plainJson({
    processId: state.id,
    run: state.run,
    route: task.route,
    traceId: traceId(task.trace),
    fault,
    stop: state.ending?.stop ?? null,
    original:
      work === undefined
        ? { kind: "task", input: task.input }
        : { kind: work.kind, workId: work.id, target: work.target, actor: work.actor, input: work.input },
    attempts: work === undefined ? [] : work.faults,
    path: work === undefined ? [] : work.chain.map((link) => link.agent),
    history: state.history,
    principal: task.principal.subject,
    atMs: builder.context.nowMs,
  });
}
