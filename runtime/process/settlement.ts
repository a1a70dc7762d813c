/**
 * @module What follows a turn of a process manager, and in which order. Pure.
 *
 * 1. The timer is set to the next due moment.
 * 2. The effects are performed, those of the outcome included.
 * 3. The entry in the index is closed: if reminders are lost, only an open entry leads back to the effects of step 2.
 * 4. The reminder is removed or moved, if all effects were performed.
 */
import type { WireFault } from "../faults.ts";
import { refusalId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Address, Effect, Message } from "../protocol.ts";
import { processDueMs, processReminder } from "./reminder.ts";
import type { ProcessState } from "./state.ts";

/** A turn, as far as its settlement depends on it. */
export interface SettledTurn {
  readonly state: ProcessState;
  readonly effects: readonly Effect[];
  /** The decision threw: nothing was decided. */
  readonly failed?: true;
}

/** What to do after a turn, before its effects are known to be performed. */
export interface Settlement {
  /** `keep`: the timer stays as it is. `none`: no moment is due before the reminder fires. */
  readonly timer: "keep" | "none" | { readonly delayMs: number };
  /** Effects in the order of their steps. A step begins after all effects of the step before were performed. */
  readonly steps: readonly (readonly Effect[])[];
  /** Messages are sent to their receivers directly, not through the broker. */
  readonly direct: boolean;
  /** Nothing is to be performed, and the reminder is near and stays near. */
  readonly isDone: boolean;
}

/** What to do after a turn. `repeats`: its effects may have been performed before. */
export function settlement(turn: SettledTurn, repeats: boolean, nowMs: number): Settlement {
  const { state, effects } = turn;
  return {
    // The moment at which a turn failed is still due: a timer would repeat it at once, again and again. The reminder repeats it later.
    timer: turn.failed === true ? "keep" : timerOf(state, nowMs),
    steps: stepsOf(effects),
    direct: repeats || state.phase === "ended" || state.phase === "refused",
    isDone: effects.length === 0 && processReminder(state, nowMs).kind === "near",
  };
}

/** A timer of this host fires earlier than a reminder can; the reminder stands in for it if the host stops. */
function timerOf(state: ProcessState, nowMs: number): Settlement["timer"] {
  const dueMs = processDueMs(state, nowMs);
  if (dueMs === undefined) return "none";
  const delayMs = Math.max(0, dueMs - nowMs);
  return delayMs > LIMITS.reminderAwayMsMax ? "none" : { delayMs };
}

function stepsOf(effects: readonly Effect[]): Settlement["steps"] {
  if (!effects.some(closesEntry)) return effects.length === 0 ? [] : [effects];
  const first = effects.filter((effect) => !closesEntry(effect));
  const closing = effects.filter(closesEntry);
  return first.length === 0 ? [closing] : [first, closing];
}

function closesEntry(effect: Effect): boolean {
  return effect.kind === "index" && effect.index === "Directory";
}

/** What happens to the reminder after the effects. */
export type ReminderStep =
  | { readonly kind: "keep" }
  /** `ifCurrent`: only while the state of the turn is the current one. */
  | { readonly kind: "remove"; readonly name: string; readonly ifCurrent: boolean }
  /** Only while the state of the turn is the current one. */
  | { readonly kind: "away"; readonly name: string; readonly atMs: number };

const KEEP: ReminderStep = { kind: "keep" };

/**
 * What happens to the reminder after a turn, once its effects were tried. It is removed only if no effect of the process remains.
 *
 * | state            | effects                                             | reminder                                      |
 * |------------------|-----------------------------------------------------|-----------------------------------------------|
 * | open, unanswered | any                                                 | stays near                                    |
 * | open, waiting    | any                                                 | away, to the next due moment                  |
 * | ended            | performed, and one of them closes the index entry   | removed                                       |
 * | refused          | performed, at least one                             | removed                                       |
 * | void, purged     | performed, or none                                  | removed                                       |
 * | any of these     | not performed                                       | stays                                         |
 */
export function reminderStep({ state, effects }: SettledTurn, arePerformed: boolean, nowMs: number): ReminderStep {
  const wish = processReminder(state, nowMs);
  switch (wish.kind) {
    case "away":
      return { kind: "away", name: wish.name, atMs: wish.atMs };
    case "done":
      return arePerformed && isComplete(state, effects) ? { kind: "remove", name: wish.name, ifCurrent: mayChange(state) } : KEEP;
    default:
      return KEEP;
  }
}

/**
 * Whether the effects of a turn are all effects that the process still has to perform. A repeated task of an ended child only answers its
 * parent; the turn that ends a process, or a tick after the end, also closes the index entry.
 */
function isComplete(state: ProcessState, effects: readonly Effect[]): boolean {
  switch (state.phase) {
    case "ended":
      return effects.some(closesEntry);
    case "void":
    case "purged":
      return true;
    default:
      return effects.length > 0;
  }
}

/** Whether an ended run can still change: the undo of a parent can open a child again, and a dead letter can be decided. */
function mayChange(state: ProcessState): boolean {
  return state.task?.parent !== undefined || state.outcome?.deadLetter !== undefined;
}

/** The work item, and its attempt, that a message requests from an agent; undefined for any other message. */
export function requestOf({ body }: Message): { readonly workId: string; readonly attempt: number } | undefined {
  switch (body.kind) {
    case "work":
      return { workId: body.workId, attempt: body.attempt };
    case "undo":
      return { workId: body.undoId, attempt: body.attempt };
    default:
      return undefined;
  }
}

/** The work item of a nested route, whose refusal its parent must learn of too. */
function childOf({ body }: Message): { readonly workId: string; readonly attempt: number } | undefined {
  return body.kind === "task" && body.parent !== undefined ? { workId: body.parent.workId, attempt: 1 } : undefined;
}

/**
 * The result of a request that its agent refused for good; undefined if the refusal is not a result. A request that expired or was undone
 * has none. A refused compensation has one only if its agent is unknown; it is retried, since the agent may come back.
 */
export function refusedResult(message: Message, fault: WireFault, process: Address): Message | undefined {
  const request = requestOf(message) ?? childOf(message);
  if (request === undefined || fault.code === "message.expired" || fault.code === "work.undone") return undefined;
  if (message.body.kind === "undo" && fault.code !== "agent.unknown") return undefined;
  return {
    ...message,
    id: refusalId(message.id),
    to: process,
    from: message.to.type,
    body: { kind: "result", ...request, result: { fault } },
  };
}
