/**
 * @module Work items: accepted once, run by one host at a time, each attempt under its own token. Pure.
 */
import { entryOf } from "../entries.ts";
import { wireFault, type WireFault } from "../faults.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf, Result } from "../protocol/bodies.ts";
import type { AgentBuilder, FinishedResult, InputOf } from "./inputs.ts";
import { replyEffect, waitEffect } from "./messages.ts";
import { settleDropped } from "./undo.ts";
import { hasFailed, isSettled, ownScope, packSent, recordedValue, reply, replyUndo, runAgain, startNext, startOrLook } from "./queue.ts";
import { askedAtMs, mayForget } from "./settled.ts";
import type { AgentWork } from "./state.ts";

/** Handles a request: accepts the work item, replies from its record, or begins the next attempt. */
export function takeWork(builder: AgentBuilder, { message, fault, stored, release }: InputOf<"message">, body: BodyOf<"work">): void {
  const { context } = builder;
  if (message.expiresAtMs <= context.nowMs)
    return builder.refuse(wireFault("message.expired", `${message.id} expired ${context.nowMs - message.expiresAtMs} ms ago`));
  const known = entryOf(builder.state.works, body.workId);
  if (known !== undefined && !mayForget(builder, known)) return repeatWork(builder, known, body);
  // The earlier process with this id was purged; this is a new one.
  if (known !== undefined) builder.emit({ e: "forgotten", workIds: [known.id] });
  const refused = room(builder);
  if (refused !== undefined) return builder.refuse(refused);
  const work = { ...newWork(message, body), ...(release === undefined ? {} : { release }) };
  const kept: AgentWork = stored === true ? { ...work, stored } : work;
  const { sentBack } = body;
  const back = sentBack === undefined ? {} : { sentBack: { ...sentBack, output: recordedValue(builder, kept, sentBack.output) } };
  builder.emit({ e: "work-accepted", work: { ...kept, ...back, input: recordedValue(builder, kept, body.input) } });
  if (fault === undefined) return startNext(builder);
  builder.emit({ e: "work-done", workId: body.workId, result: { fault }, ...labelField(body.label) });
  reply(builder, body.workId);
}

function newWork(message: Message, body: BodyOf<"work">): AgentWork {
  return {
    id: body.workId,
    processId: message.processId,
    agent: body.agent,
    version: body.version,
    attempt: body.attempt,
    status: "ready",
    mode: "do",
    begun: false,
    begunAtMs: 0,
    token: "",
    holder: "",
    takeovers: 0,
    input: body.input,
    retainUntilMs: body.retainUntilMs,
    askedAtMs: askedAtMs(message),
    principal: { ...message.principal, permissions: [...message.principal.permissions] },
    trace: message.trace,
    hop: message.hop,
    ancestors: body.ancestors,
    ...(body.grant === undefined ? {} : { grant: body.grant }),
    ...labelField(body.label),
    ...(body.sentBack === undefined ? {} : { sentBack: body.sentBack }),
    calls: [],
    steps: [],
    waits: [],
    results: 0,
  };
}

/** Checks whether one more work item fits in. */
function room({ state }: AgentBuilder): WireFault | undefined {
  if (state.ready.length >= LIMITS.agentQueueMax)
    return wireFault("agent.busy", `${state.ready.length} work items are queued at this actor`);
  if (Object.keys(state.works).length < LIMITS.agentOpenMax) return undefined;
  const open = Object.values(state.works).filter((work) => !isSettled(work)).length;
  return open < LIMITS.agentOpenMax
    ? undefined
    : wireFault("agent.busy", `${open} work items of this actor are queued or wait for answers`);
}

/** Handles a repeated request: sends the recorded reply, begins the next attempt, or only gives the receipt. */
function repeatWork(builder: AgentBuilder, work: AgentWork, body: BodyOf<"work">): void {
  if (work.mode === "undo") {
    if (isSettled(work) && work.undo?.result !== undefined && !("fault" in work.undo.result))
      builder.order(replyEffect(work, { fault: wireFault("work.undone", `${work.id} was compensated`) }, builder.context));
    return;
  }
  const further = body.attempt > work.attempt;
  if (work.status === "done") {
    if (further && hasFailed(work)) return nextAttempt(builder, work, body);
    return reply(builder, work.id);
  }
  if (further) return nextAttempt(builder, work, body);
  repeatLive(builder, work);
}

/** Begins a further attempt. It supersedes the earlier token; records are kept. */
function nextAttempt(builder: AgentBuilder, work: AgentWork, { attempt, grant }: BodyOf<"work">): void {
  builder.emit({ e: "attempt-asked", workId: work.id, attempt, ...(grant === undefined ? {} : { grant }) });
  if (work.status === "ready") return startOrLook(builder);
  if (work.status === "running" || work.status === "parked") builder.order({ kind: "stop", workId: work.id, token: work.token });
  builder.emit({ e: "readied", workId: work.id, first: work.status === "running" });
  startNext(builder, { renew: true });
}

/** Continues an open work item: runs or watches it again, and sends its open waits again. Each order is idempotent. */
function repeatLive(builder: AgentBuilder, work: AgentWork): void {
  if (work.status === "running") {
    const mine = work.holder === builder.context.incarnation;
    builder.order({ kind: mine ? "run" : "watch", workId: work.id, token: work.token });
  }
  for (const wait of work.waits) if (wait.result === undefined) builder.order(waitEffect(work, wait, builder.context));
  if (work.status === "ready") startOrLook(builder);
}

/** Records the end of a handler. */
export function takeFinish(builder: AgentBuilder, work: AgentWork, input: InputOf<"finished">): void {
  if (input.state !== undefined && input.state.base !== builder.state.stateVersion) return runAgain(builder, work.id);
  const state = input.state === undefined ? undefined : builder.pack(input.state.content, ownScope(builder, work));
  builder.emit({
    e: "work-done",
    workId: work.id,
    result: packResult(builder, work, input.result),
    ...labelField(input.label),
    ...(state === undefined ? {} : { state }),
    ...(input.undoes === true ? { undoes: true } : {}),
    ...(input.claims === undefined ? {} : { claims: input.claims }),
  });
  reply(builder, work.id);
  startNext(builder);
}

/** Values that are sent to the process are stored in its scope. */
function packResult(builder: AgentBuilder, work: AgentWork, result: FinishedResult): Result {
  if ("fault" in result) return result;
  if ("output" in result) return { output: packSent(builder, work, result.output) };
  return { handOff: { agent: result.handOff.agent, input: packSent(builder, work, result.handOff.input) } };
}

/** Takes a work item over from a host that died, unless too many have died while they ran it. */
export function takeLoss(builder: AgentBuilder, input: InputOf<"lost">): void {
  const work = entryOf(builder.state.works, input.workId);
  const { incarnation, token } = builder.context;
  if (work === undefined || work.status !== "running" || work.token !== input.token || work.holder === incarnation) return;
  if (work.undo?.dropped === true) return settleDropped(builder, work);
  if (work.takeovers >= LIMITS.takeoversMax) return giveUp(builder, work);
  builder.emit({ e: "taken-over", workId: work.id, token, holder: incarnation });
  builder.order({ kind: "run", workId: work.id, token });
}

function giveUp(builder: AgentBuilder, work: AgentWork): void {
  const fault = wireFault(
    "work.crashed",
    `${work.takeovers + 1} hosts in a row died while they ran this work item, and it recorded nothing`,
  );
  if (work.mode === "undo") {
    builder.emit({ e: "undo-done", workId: work.id, result: { fault } });
    replyUndo(builder, work.id);
  } else {
    builder.emit({ e: "work-done", workId: work.id, result: { fault } });
    reply(builder, work.id);
  }
  startNext(builder);
}
