/**
 * @module What an agent actor sends: replies and questions, made from its state alone. Pure.
 */
import { invariant } from "../faults.ts";
import type { DecisionContext } from "../machine.ts";
import { actorType, type Body, type Effect, type Result, topics } from "../protocol.ts";
import type { AgentWork, Wait } from "./state.ts";

/** The result of a work, to its process. */
export function replyEffect(work: AgentWork, result: Result, context: DecisionContext): Effect {
  return toManager(work, `${work.id}:${work.attempt}/reply`, { kind: "result", workId: work.id, attempt: work.attempt, result }, context);
}

/** The result of a compensation, to the process that asked for it. */
export function undoReplyEffect(work: AgentWork, context: DecisionContext): Effect {
  const undo = work.undo;
  invariant(undo?.result !== undefined, "an undo that ended has a result");
  return toManager(
    work,
    `${undo.undoId}:${undo.attempt}/reply`,
    { kind: "result", workId: undo.undoId, attempt: undo.attempt, result: undo.result },
    context,
  );
}

/** Asks the process manager to own what a handler waits for. */
export function waitEffect(work: AgentWork, wait: Wait, context: DecisionContext): Effect {
  return toManager(work, `${work.id}/wait${wait.index}`, { kind: "wait", workId: work.id, index: wait.index, for: wait.for }, context);
}

function toManager(work: AgentWork, id: string, body: Body, context: DecisionContext): Effect {
  return {
    kind: "send",
    topic: topics.manager(context.system),
    message: {
      v: 1,
      id,
      to: { type: actorType(context.system, "ProcessManager"), id: work.processId },
      from: `${actorType(context.system, work.agent)}/${context.actorId}`,
      processId: work.processId,
      createdAtMs: context.nowMs,
      expiresAtMs: work.retainUntilMs,
      hop: work.hop,
      principal: work.principal,
      trace: work.trace,
      body,
    },
  };
}
