/**
 * @module What follows a turn of a process manager, and in which order. Pure.
 *
 * 1. The effects are performed, those of the outcome included.
 * 2. The entry in the index is closed: until then it leads a host back to the effects of step 1.
 * 3. The run leaves its reminder, if all effects were performed.
 */
import type { WireFault } from "../faults.ts";
import { refusalId } from "../ids.ts";
import type { Address, Effect, Message } from "../protocol.ts";
import type { ProcessState } from "./state.ts";

/** A turn, as far as its settlement depends on it. */
export interface SettledTurn {
  readonly state: ProcessState;
  readonly effects: readonly Effect[];
}

/** The effects of a turn, and how they are performed. */
export interface Settlement {
  /** Effects in the order of their steps. A step begins after all effects of the step before were performed. */
  readonly steps: readonly (readonly Effect[])[];
  /** Messages are sent to their receivers directly, not through the broker. */
  readonly direct: boolean;
}

/** The effects of a turn. `repeats`: they may have been performed before. */
export function settlement({ state, effects }: SettledTurn, repeats: boolean): Settlement {
  return { steps: stepsOf(effects), direct: repeats || state.phase === "ended" || state.phase === "refused" };
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

/**
 * Whether the effects of a turn are all effects that a process that is not open still has to perform. Then its run leaves the reminder
 * after them. A repeated task of an ended child only answers its parent; the turn that ends a process, or a tick after the end, also
 * closes the index entry.
 */
export function isComplete({ state, effects }: SettledTurn): boolean {
  switch (state.phase) {
    case "new":
    case "open":
      return false;
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
export function mayChange(state: ProcessState): boolean {
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
