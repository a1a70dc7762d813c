/**
 * @module Pauses of a process: nothing new begins, and time stands still for all that it waits for. Pure.
 *
 * While a process is paused it requests no work item, attempt or compensation, begins no wait, and ends nothing by time. Work items that
 * were requested before may end; their answers are recorded and taken when the process goes on. All due times, and the deadline, move by
 * the length of the pause. How long agents remember work items does not move, so pauses of one run have a limit in sum.
 *
 * Nested routes get their orders with the request of their work item: it is sent again until it is answered, so an order cannot be lost,
 * and its sequence says which of two orders is the newer one.
 */
import { assertNever, wireFault, type WireFault } from "../faults.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { Effect, Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import { advance } from "./advance.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { actEffects, processOutbox, retainUntilMs } from "./messages.ts";
import { takeMore } from "./more.ts";
import type { HeldBack, TreeOrder } from "./pausing.ts";
import { takeResult, takeWait } from "./replies.ts";
import { concludeRequest } from "./requests.ts";
import type { Act } from "./runs.ts";
import type { ProcessState } from "./state.ts";

/** Pauses the process. A process that is paused already stays so. */
export function decidePause(builder: ProcessBuilder, message: Message, { reason, tree }: BodyOf<"pause">): void {
  if (isRefused(builder, message)) return;
  const { state } = builder;
  if (state.paused === undefined && !begin(builder, actOf(builder, message, "pause", reason)))
    return builder.refuse(wireFault("pause.spent", `${state.id} was paused for as long as it may be`));
  if (tree && hasNested(state) && state.tree?.paused !== true) orderTree(builder, { paused: true, by: message.principal.subject, reason });
  tellActs(builder);
}

/** Ends the pause of the process. */
export function decideResume(builder: ProcessBuilder, message: Message, { reason, tree }: BodyOf<"resume">): void {
  if (isRefused(builder, message)) return;
  const { state } = builder;
  if (tree && hasNested(state)) orderTree(builder, { paused: false, by: message.principal.subject, reason });
  if (state.paused !== undefined) {
    builder.emit({ e: "resumed", act: actOf(builder, message, "resume", reason), atMs: builder.context.nowMs });
    goOn(builder);
  }
  tellActs(builder);
}

/** Refuses what is too late. True also for a message that was taken before. */
function isRefused(builder: ProcessBuilder, message: Message): boolean {
  const { state, context } = builder;
  if (state.acts?.some(({ decisionId }) => decisionId === message.id) === true) return true;
  const fault = notOpen(state);
  if (fault !== undefined) builder.refuse(fault);
  // After its sender has given up, it must not undo what was ordered since.
  else if (message.expiresAtMs <= context.nowMs)
    builder.refuse(wireFault("message.expired", `${message.id} expired ${context.nowMs - message.expiresAtMs} ms ago`));
  else return false;
  return true;
}

/** Why an operator cannot act on the process; undefined while it is open. */
export function notOpen({ id, phase, outcome }: ProcessState): WireFault | undefined {
  if (phase === "open") return undefined;
  if (phase === "ended") return wireFault("process.ended", `the process has ended: ${outcome?.status ?? ""}`);
  return wireFault("process.unknown", `there is no process ${id}`);
}

function actOf({ state, context }: ProcessBuilder, message: Message, what: Act["what"], reason: string): Act {
  const { nowMs: atMs, sequence } = context;
  return { what, run: state.run, by: message.principal.subject, reason, atMs, sequence, decisionId: message.id };
}

/** Begins a pause. False if the run may be paused no longer. */
function begin(builder: ProcessBuilder, act: Act): boolean {
  const { state, context } = builder;
  const left = LIMITS.pauseMsMax - (state.heldMs ?? 0);
  const untilMs = Math.min(context.nowMs + left, retainUntilMs(state) - LIMITS.pauseLeavesMs);
  if (untilMs <= context.nowMs) return false;
  builder.emit({ e: "paused", act, untilMs });
  return true;
}

/** Ends a pause for another reason than an order of an operator. */
export function endPause(builder: ProcessBuilder, why: string): void {
  if (builder.state.paused !== undefined) builder.emit({ e: "resumed", why, atMs: builder.context.nowMs });
}

/** Requests again what is unanswered, takes what was held back, and continues. */
export function goOn(builder: ProcessBuilder): void {
  for (const effect of processOutbox(builder.state, builder.context)) builder.order(effect);
  takeHeldBack(builder);
  advance(builder);
}

/** Orders the effects of operator actions at once. A process that has ended orders them with its last effects. */
export function tellActs(builder: ProcessBuilder): void {
  if (builder.state.phase === "open") for (const effect of actEffects(builder.state, builder.context.nowMs)) builder.order(effect);
}

// ---- nested routes ------------------------------------------------------------------------------------------------------

function hasNested({ works }: ProcessState): boolean {
  return Object.values(works).some(({ target }) => target.kind === "route");
}

function orderTree(builder: ProcessBuilder, order: Omit<TreeOrder, "sequence">): void {
  builder.emit({ e: "tree-ordered", order: { ...order, sequence: builder.context.sequence } });
  for (const effect of processOutbox(builder.state, builder.context)) if (isToNested(builder.state, effect)) builder.order(effect);
}

/** Takes the newest order of the parent, which comes with the request of the process or of its compensation. */
export function takeTree(builder: ProcessBuilder, order: TreeOrder | undefined): void {
  const { state, context } = builder;
  if (order === undefined || state.phase !== "open" || order.sequence <= (state.treeTaken ?? 0)) return;
  builder.emit({ e: "tree-taken", sequence: order.sequence });
  const { by, reason, paused } = order;
  const act: Act = { what: paused ? "pause" : "resume", run: state.run, by, reason, atMs: context.nowMs, sequence: context.sequence };
  if (paused && state.paused === undefined) begin(builder, act);
  if (hasNested(state)) orderTree(builder, { paused, by, reason });
  if (!paused && state.paused !== undefined) {
    builder.emit({ e: "resumed", act, atMs: context.nowMs });
    goOn(builder);
  }
  tellActs(builder);
}

function isToNested({ works }: ProcessState, effect: Effect): boolean {
  if (effect.kind !== "send") return false;
  const { body } = effect.message;
  if (body.kind === "task") return true;
  return body.kind === "undo" && works[body.undoId]?.target.kind === "route";
}

/** Whether a pause keeps an effect back: it would begin something. Nested routes are still told to pause. */
export function keepsBack(state: ProcessState, effect: Effect): boolean {
  if (state.paused === undefined || effect.kind !== "send") return false;
  const { kind } = effect.message.body;
  if (kind === "work" || kind === "answer" || kind === "wait") return true;
  if (kind !== "task" && kind !== "undo") return false;
  return state.tree?.paused !== true || !isToNested(state, effect);
}

// ---- what arrives meanwhile ---------------------------------------------------------------------------------------------

/** Keeps an answer until the process goes on. False: the process is not paused. */
export function holdBack(builder: ProcessBuilder, what: HeldBack): boolean {
  const { state, context } = builder;
  if (state.paused === undefined) return false;
  const { heldBack = [] } = state;
  const key = keyOf(what);
  if (heldBack.some((one) => keyOf(one) === key)) return true;
  if (heldBack.length >= LIMITS.heldBackMax)
    builder.refuse(wireFault("process.paused", `${state.id} is paused and keeps ${heldBack.length} answers`));
  else builder.emit({ e: "held-back", what, atMs: context.nowMs });
  return true;
}

function keyOf(what: HeldBack): string {
  switch (what.kind) {
    case "result":
      return `result ${what.workId} ${what.attempt}`;
    case "wait":
    case "answer":
      return `${what.kind} ${what.workId} ${what.index}`;
    case "decided":
      return `decided ${what.wait.id}`;
    default:
      return assertNever(what);
  }
}

/** Takes the oldest answers that were held back; the others follow in further turns. True if there were any. */
export function takeHeldBack(builder: ProcessBuilder): boolean {
  const batch = (builder.state.heldBack ?? []).slice(0, LIMITS.takenBackPerTurn);
  if (batch.length === 0) return false;
  builder.emit({ e: "taken-back", count: batch.length });
  for (const one of batch) if (builder.state.phase === "open") take(builder, one);
  return true;
}

function take(builder: ProcessBuilder, what: HeldBack): void {
  switch (what.kind) {
    case "result":
      return takeResult(builder, what);
    case "wait":
      return takeWait(builder, what);
    case "answer":
      return takeMore(builder, what);
    case "decided":
      concludeRequest(builder, what.wait, what.result, labelField(what.label));
      return advance(builder);
    default:
      return assertNever(what);
  }
}
