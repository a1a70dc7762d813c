/**
 * @module Compensation of a work item, from its records alone. The handler never runs again for it. Pure.
 */
import { entryOf } from "../entries.ts";
import { plainJson } from "../canonical.ts";
import { wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf, CompensationReport } from "../protocol/bodies.ts";
import type { AgentBuilder, InputOf } from "./inputs.ts";
import { isSettled, ownScope, replyUndo, runAgain, startNext, startOrLook } from "./queue.ts";
import { askedAtMs } from "./settled.ts";
import { type AgentWork, isHarmless, standingOf } from "./state.ts";

/** Compensates a work item. An unknown one gets a tombstone; a running one is cancelled first; possible effects are undone. */
export function takeUndo(builder: AgentBuilder, message: Message, body: BodyOf<"undo">): void {
  const work = entryOf(builder.state.works, body.workId);
  if (work === undefined || (work.mode === "do" && !work.begun)) return writeTombstone(builder, message, body);
  if (work.status === "tombstone" || work.status === "undone") return replyUndo(builder, work.id);
  if (work.mode === "undo") return repeatUndo(builder, work, body);
  builder.emit({ e: "undo-asked", workId: work.id, undoId: body.undoId, attempt: body.attempt });
  if (work.status === "running" || work.status === "parked") builder.order({ kind: "stop", workId: work.id, token: work.token });
  if (work.status === "running") return watchIfForeign(builder, work);
  // If the work item never ended, only a host knows whether its agent has an own undo.
  if (work.status === "done" && isHarmless(work)) return nothingToUndo(builder, work);
  builder.emit({ e: "readied", workId: work.id, first: false });
  startNext(builder, { renew: true });
}

/** The cancelled handler has settled, with any result: starts its undo, if there is one. */
export function takeSettled(builder: AgentBuilder, work: AgentWork, { undoes }: InputOf<"finished">): void {
  if (work.undo?.dropped === true) return settleDropped(builder, work);
  if (undoes !== true && isHarmless(work)) nothingToUndo(builder, work);
  else return runAgain(builder, work.id);
  startNext(builder);
}

/** The compensation ended: records its report, or what it left. */
export function takeCompensated(builder: AgentBuilder, work: AgentWork, { end, state, agentUndid }: InputOf<"compensated">): void {
  if (work.mode !== "undo") return builder.refuse(wireFault("work.superseded", `${work.id} is not being compensated`));
  if (state !== undefined && state.base !== builder.state.stateVersion) return runAgain(builder, work.id);
  const result = "fault" in end ? end : { output: { json: plainJson(end.report) } };
  builder.emit({
    e: "undo-done",
    workId: work.id,
    result,
    ...(state === undefined ? {} : { state: builder.pack(state.content, ownScope(builder, work)) }),
    ...(agentUndid === true ? { agentUndid } : {}),
  });
  replyUndo(builder, work.id);
  startNext(builder);
}

/** Ends a compensation that has nothing to run. */
function nothingToUndo(builder: AgentBuilder, work: AgentWork): void {
  endUndo(builder, work);
  replyUndo(builder, work.id);
}

/** Ends a work item that was dropped, and frees the actor. Its process waits for no reply. */
export function settleDropped(builder: AgentBuilder, work: AgentWork): void {
  endUndo(builder, work);
  startNext(builder);
}

/** Records what was undone so far, and what stands. */
function endUndo(builder: AgentBuilder, work: AgentWork): void {
  const report: CompensationReport = { undone: undoneCount(work), left: [], stands: standingOf(work), stateStands: work.setState === true };
  builder.emit({ e: "undo-done", workId: work.id, result: { output: { json: plainJson(report) } } });
}

/** How many undos of a work item have run, including the agent's own undo. */
export function undoneCount(work: AgentWork): number {
  return work.calls.filter((call) => call.undone === true).length + (work.agentUndid === true ? 1 : 0);
}

/** Rejects a work item whose request may still come. */
export function writeTombstone(builder: AgentBuilder, message: Message, body: Omit<BodyOf<"undo">, "kind">): void {
  // The sender no longer waits for the answer, and a tombstone would be left behind in an actor that was purged.
  if (entryOf(builder.state.works, body.workId) === undefined && message.expiresAtMs + LIMITS.clockDriftMsMax <= builder.context.nowMs)
    return builder.refuse(wireFault("message.expired", `${message.id} expired`));
  const principal = { ...message.principal, permissions: [...message.principal.permissions] };
  builder.emit({
    e: "tombstoned",
    workId: body.workId,
    undoId: body.undoId,
    attempt: body.attempt,
    processId: message.processId,
    agent: body.agent,
    retainUntilMs: body.retainUntilMs,
    askedAtMs: askedAtMs(message),
    principal,
    trace: message.trace,
    hop: message.hop,
  });
  replyUndo(builder, body.workId);
  startNext(builder);
}

function repeatUndo(builder: AgentBuilder, work: AgentWork, body: BodyOf<"undo">): void {
  const further = body.attempt > (work.undo?.attempt ?? 0);
  if (isSettled(work)) {
    if (!further) return replyUndo(builder, work.id);
    builder.emit({ e: "undo-asked", workId: work.id, undoId: body.undoId, attempt: body.attempt });
    builder.emit({ e: "readied", workId: work.id, first: false });
    return startNext(builder, { renew: true });
  }
  if (further) builder.emit({ e: "undo-asked", workId: work.id, undoId: body.undoId, attempt: body.attempt });
  if (work.status === "ready") return startOrLook(builder, { renew: true });
  if (work.holder === builder.context.incarnation) builder.order({ kind: "run", workId: work.id, token: work.token });
  else watchIfForeign(builder, work);
}

/** Watches the work item if another host runs it. */
export function watchIfForeign(builder: AgentBuilder, work: AgentWork): void {
  if (work.holder !== builder.context.incarnation) builder.order({ kind: "watch", workId: work.id, token: work.token });
}
