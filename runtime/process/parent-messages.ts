/** @module What a nested route sends to its parent: its outcome, the report of its compensation, requests for a larger grant. Pure. */
import { totalSpent } from "../budget.ts";
import { invariant } from "../faults.ts";
import { replyId, stopWorkParts, waitId } from "../ids.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { DecisionContext } from "../machine.ts";
import { actorType, type Effect, topics } from "../protocol.ts";
import type { Body, BodyOf, CompensationReport, Result } from "../protocol/bodies.ts";
import { ANONYMOUS } from "../protocol/principal.ts";
import { taskOf } from "./decision-builder.ts";
import type { ProcessState } from "./state.ts";

/** Reports the outcome of a nested route. */
export function parentReply(state: ProcessState, context: DecisionContext): Effect {
  const { outcome } = state;
  const parent = taskOf(state).parent;
  invariant(parent !== undefined && outcome !== undefined, "an ended child has a parent and an outcome");
  const result: Result =
    outcome.output !== undefined && outcome.fault === undefined
      ? { output: outcome.output }
      : { fault: outcome.fault ?? { code: "turn.failed", message: `the nested route ended ${outcome.status}` } };
  const body: Body = { kind: "result", workId: parent.workId, attempt: 1, result, ...spentBody(state), ...labelField(outcome.label) };
  return replyTo(state, context, parent.processId, replyId(parent.workId), body);
}

/** What the process has spent, for its parent. A process that was given a grant tells also that it spent nothing. */
function spentBody({ task, account }: ProcessState): Pick<BodyOf<"result">, "spent"> {
  return account === undefined && task?.grant === undefined ? {} : { spent: totalSpent(account?.spent ?? {}) };
}

/** Requests a larger grant of the parent. */
export function moreEffects(state: ProcessState, context: DecisionContext): Effect[] {
  const [parent, request] = [state.task?.parent, state.account?.request];
  if (parent === undefined || request === undefined) return [];
  const { index, need } = request;
  const body: Body = { kind: "wait", workId: parent.workId, index, for: { kind: "budget", need } };
  return [replyTo(state, context, parent.processId, waitId(parent.workId, index), body)];
}

/** Answers the parent's undo, once the whole process is undone. */
export function undoReply(state: ProcessState, context: DecisionContext): Effect[] {
  if (state.undo === undefined || !state.undo.done) return [];
  const result: Result = state.undoFault === undefined ? { output: { json: childReport(state) } } : { fault: state.undoFault };
  const processId = state.task?.parent?.processId ?? stopWorkParts(state.undo.workId).process;
  return [
    replyTo(state, context, processId, replyId(state.undo.undoId), {
      kind: "result",
      workId: state.undo.undoId,
      attempt: state.undo.attempt,
      result,
      ...spentBody(state),
    }),
  ];
}

/** The report of a whole process. What could not be undone is reported as a fault instead. */
function childReport(state: ProcessState): CompensationReport {
  return { undone: state.torn?.length ?? 0, left: [], stands: state.stands ?? [], stateStands: state.stateStands === true };
}

function replyTo(state: ProcessState, context: DecisionContext, processId: string, id: string, body: Body): Effect {
  const to = { type: actorType(context.system, "ProcessManager"), id: processId };
  const task = state.task;
  const from = `${actorType(context.system, "ProcessManager")}/${state.id}`;
  const expiresAtMs = (task?.deadlineAtMs ?? context.nowMs) + LIMITS.compensationMsMax;
  const principal = task?.principal ?? { ...ANONYMOUS, permissions: [] };
  const trace = task?.trace ?? { traceparent: `00-${"0".repeat(31)}1-${"0".repeat(15)}1-00` };
  return {
    kind: "send",
    topic: topics.manager(context.system),
    message: { v: 1, id, to, from, processId, createdAtMs: context.nowMs, expiresAtMs, hop: 0, principal, trace, body },
  };
}
