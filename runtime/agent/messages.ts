/**
 * @module What an agent actor sends: replies and waits, computed from its state alone. Pure.
 */
import { NOTHING_SPENT } from "../budget.ts";
import { invariant } from "../faults.ts";
import { waitId } from "../ids.ts";
import { labelField } from "../label.ts";
import type { DecisionContext } from "../machine.ts";
import { actorType, type Effect, topics } from "../protocol.ts";
import type { Body, Result } from "../protocol/bodies.ts";
import type { AgentWork, Wait } from "./state.ts";

/** Sends the result of a work item to its process. */
export function replyEffect(work: AgentWork, result: Result, context: DecisionContext): Effect {
  const { id, attempt } = work;
  const body = {
    kind: "result",
    workId: id,
    attempt,
    result,
    ...spentOf(work),
    ...factsOf(work),
    ...labelField(work.resultLabel),
  } as const;
  return toManager(work, `${id}:${attempt}/reply`, body, context);
}

/** Sends the result of a compensation to the process that requested it. */
export function undoReplyEffect(work: AgentWork, context: DecisionContext): Effect {
  const undo = work.undo;
  invariant(undo?.result !== undefined, "a finished undo has a result");
  return toManager(
    work,
    `${undo.undoId}:${undo.attempt}/reply`,
    { kind: "result", workId: undo.undoId, attempt: undo.attempt, result: undo.result, ...spentOf(work), ...factsOf(work) },
    context,
  );
}

/** What all attempts have spent, also those that failed, were superseded or crashed. The rest of a grant comes back with it. */
function spentOf({ spent, grant }: AgentWork): Pick<AgentWork, "spent"> {
  return spent === undefined && grant === undefined ? {} : { spent: spent ?? NOTHING_SPENT };
}

/** A work item that did not answer in time tells its version when it is compensated. */
function factsOf({ facts }: AgentWork): Pick<AgentWork, "facts"> {
  return facts === undefined ? {} : { facts };
}

/** Asks the process manager to own a handler's wait. */
export function waitEffect(work: AgentWork, wait: Wait, context: DecisionContext): Effect {
  const body = { kind: "wait", workId: work.id, index: wait.index, for: wait.for, ...labelField(wait.label) } as const;
  return toManager(work, waitId(work.id, wait.index), body, context);
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
