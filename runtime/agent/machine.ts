/**
 * @module The agent actor: accepts work once, has it run by one host at a time, remembers what was done. Pure.
 *
 * Owns: deduplication by work id, who holds the running work, what its handler recorded, the agent's state, the reply.
 * Does not own: asking again (the process manager does), running handlers (the host does). Talks to: process managers.
 * Invariants: A1 one running work. A2 a token that is not the work's is stale: refused, never believed. A3 the first
 * success of a work counts; its record is the reply to every repetition. A4 what was purged or undone never runs.
 * A5 a handler that waits for answers does not hold the actor, so waiting actors cannot block each other.
 */
import { z } from "zod";
import { entryOf } from "../entries.ts";
import { assertNever, type Json, wireFault, type WireFault } from "../faults.ts";
import { workActorId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { type Decision, type DecisionContext, DecisionBuilder, type Machine } from "../machine.ts";
import { eventSchemas } from "../record.ts";
import { type BodyOf, type Message, type Result } from "../protocol.ts";
import { keyedScope, type Value, valueHash } from "../value.ts";
import { waitEffect, replyEffect, undoReplyEffect } from "./messages.ts";
import {
  AgentEvent,
  AgentState,
  type AgentWork,
  type Ask,
  type Entry,
  evolveAgent,
  type Failure,
  isSameCall,
  mayUndo,
  newAgent,
} from "./state.ts";

/** What a handler recorded, before its content is packed. */
export type EntryContent = Omit<Entry, "output"> & { readonly output: Json };

/** A call that failed, before it has its attempt. */
export type FailedCall = Omit<Failure, "attempt">;

/** What an agent actor decides on: a message, or what its own host tells of a handler. */
export type AgentInput =
  | {
      readonly kind: "message";
      readonly message: Message;
      /** What the boundary found wrong with the input: the work is accepted and done with this fault. */
      readonly fault?: WireFault;
    }
  | { readonly kind: "recorded"; readonly workId: string; readonly token: string; readonly entry: EntryContent }
  | { readonly kind: "failed"; readonly workId: string; readonly token: string; readonly failure: FailedCall }
  | {
      readonly kind: "asked";
      readonly workId: string;
      readonly token: string;
      readonly agent: string;
      readonly occurrence: number;
      readonly input: Json;
    }
  | {
      readonly kind: "finished";
      readonly mode: "do" | "undo";
      readonly workId: string;
      readonly token: string;
      readonly result: FinishedResult;
      readonly state?: { readonly content: Json; readonly base: number };
      /** The run began no step and asked nothing, and can do neither any more. */
      readonly untouched?: boolean;
    }
  /** Heartbeats of the holder were missed. */
  | { readonly kind: "lost"; readonly workId: string; readonly token: string };

/** A handler's end, before its content is packed. */
export type FinishedResult =
  { readonly output: Json } | { readonly fault: WireFault } | { readonly handOff: { readonly agent: string; readonly input: Json } };

type AgentBuilder = DecisionBuilder<AgentState, AgentEvent>;

/** The agent actor. Its outbox is empty and it has no reminder, because the process manager asks again. */
export const agentMachine: Machine<AgentState, AgentInput, AgentEvent> = {
  initial: newAgent,
  purged: (id) => ({ ...newAgent(id), purged: true }),
  decide: decideAgent,
  evolve: evolveAgent,
  outbox: () => [],
  reminder: () => ({ kind: "none" }),
  nextDueMs: () => undefined,
  events: eventSchemas(AgentEvent),
  states: z.compile(AgentState),
};

function decideAgent(state: AgentState, input: AgentInput, context: DecisionContext): Decision<AgentEvent> {
  const builder: AgentBuilder = new DecisionBuilder(state, evolveAgent, context);
  if (state.purged === true) {
    builder.refuse(wireFault("process.purged", `the process of ${state.id} was purged`));
    return builder.done();
  }
  switch (input.kind) {
    case "message":
      decideMessage(builder, input.message, input.fault);
      break;
    case "recorded":
      withToken(builder, input, (work) => takeRecord(builder, work, input.entry));
      break;
    case "failed":
      withToken(builder, input, (work) => takeFailure(builder, work, input.failure));
      break;
    case "asked":
      withToken(builder, input, (work) => takeAsk(builder, work, input));
      break;
    case "finished":
      withToken(builder, input, (work) => takeFinish(builder, work, input));
      break;
    case "lost":
      takeLoss(builder, input);
      break;
    default:
      assertNever(input);
  }
  return builder.done();
}

function decideMessage(builder: AgentBuilder, message: Message, fault: WireFault | undefined): void {
  const { body } = message;
  switch (body.kind) {
    case "work":
      return takeWork(builder, message, body, fault);
    case "undo":
      return takeUndo(builder, message, body);
    case "answer":
      return takeAnswer(builder, body);
    case "task":
    case "result":
    case "wait":
    case "cancel":
    case "signal":
    case "decision":
    case "entries":
      return builder.refuse(wireFault("message.invalid", `an agent takes no ${body.kind}`));
    default:
      return assertNever(body);
  }
}

/** A2: only the holder of the token speaks for running work. */
function withToken(
  builder: AgentBuilder,
  input: { readonly workId: string; readonly token: string },
  take: (work: AgentWork) => void,
): void {
  const work = entryOf(builder.state.works, input.workId);
  const live =
    work !== undefined && (work.status === "running" || work.status === "parked" || work.status === "ready") && work.token === input.token;
  if (live) take(work);
  else builder.refuse(wireFault("work.superseded", `${input.workId}: the token is stale`));
}

function takeWork(builder: AgentBuilder, message: Message, body: BodyOf<"work">, fault: WireFault | undefined): void {
  const { context } = builder;
  if (message.expiresAtMs <= context.nowMs)
    return builder.refuse(wireFault("message.expired", `${message.id} expired ${context.nowMs - message.expiresAtMs} ms ago`));
  const known = entryOf(builder.state.works, body.workId);
  if (known !== undefined && !mayForget(builder, known)) return repeatWork(builder, known, body);
  // Its process was purged, and this one has its id anew.
  if (known !== undefined) builder.emit({ e: "forgotten", workIds: [known.id] });
  const refused = room(builder);
  if (refused !== undefined) return builder.refuse(refused);
  builder.emit({ e: "work-accepted", work: newWork(message, body) });
  if (fault === undefined) return startNext(builder);
  builder.emit({ e: "work-done", workId: body.workId, result: { fault } });
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
    principal: { ...message.principal, permissions: [...message.principal.permissions] },
    trace: message.trace,
    hop: message.hop,
    ancestors: body.ancestors,
    entries: [],
    asks: [],
  };
}

/** Whether one more work may come in. Entries leave only when no message about them can be alive on any clock. */
function room(builder: AgentBuilder): WireFault | undefined {
  if (builder.state.ready.length >= LIMITS.agentQueueMax)
    return wireFault("agent.busy", `${builder.state.ready.length} pieces of work wait for this actor`);
  if (Object.keys(builder.state.works).length < LIMITS.agentWindowMax) return undefined;
  const old = Object.values(builder.state.works)
    .filter((work) => mayForget(builder, work))
    .map((work) => work.id);
  if (old.length === 0)
    return wireFault(
      "agent.window-full",
      `this actor remembers ${LIMITS.agentWindowMax} pieces of work, none of which may be forgotten yet`,
    );
  builder.emit({ e: "forgotten", workIds: old });
  return undefined;
}

function mayForget(builder: AgentBuilder, work: AgentWork): boolean {
  return work.retainUntilMs < builder.context.nowMs - LIMITS.clockDriftMsMax && isSettled(work);
}

function isSettled(work: AgentWork): boolean {
  return work.status === "done" || work.status === "undone" || work.status === "tombstone";
}

/** A repeated request: the recorded reply, the next attempt, or nothing but the receipt. */
function repeatWork(builder: AgentBuilder, work: AgentWork, body: BodyOf<"work">): void {
  if (work.mode === "undo") {
    if (isSettled(work) && work.undo?.result !== undefined && !("fault" in work.undo.result))
      builder.order(replyEffect(work, { fault: wireFault("work.undone", `${work.id} was undone`) }, builder.context));
    return;
  }
  const further = body.attempt > work.attempt;
  if (work.status === "done") {
    if (work.result !== undefined && "fault" in work.result && further) return nextAttempt(builder, work, body.attempt);
    return reply(builder, work.id);
  }
  if (further) return nextAttempt(builder, work, body.attempt);
  repeatLive(builder, work);
}

/** A further attempt supersedes the earlier token; what was recorded stays recorded. */
function nextAttempt(builder: AgentBuilder, work: AgentWork, attempt: number): void {
  builder.emit({ e: "attempt-asked", workId: work.id, attempt });
  if (work.status === "ready") return startOrLook(builder);
  if (work.status === "running" || work.status === "parked") builder.order({ kind: "stop", workId: work.id, token: work.token });
  builder.emit({ e: "readied", workId: work.id, first: work.status === "running" });
  startNext(builder, { renew: true });
}

/** Work that is alive: run or watched again, its open questions asked again. Each order is idempotent. */
function repeatLive(builder: AgentBuilder, work: AgentWork): void {
  if (work.status === "running") {
    const mine = work.holder === builder.context.incarnation;
    builder.order({ kind: mine ? "run" : "watch", workId: work.id, token: work.token });
  }
  if (work.status === "parked")
    for (const ask of work.asks) if (ask.result === undefined) builder.order(waitEffect(work, ask, builder.context));
  if (work.status === "ready") startOrLook(builder);
}

/** Work that waits is asked for again: what it waits for may have died with its host, and nobody else may ask for that. */
function startOrLook(builder: AgentBuilder, options?: { readonly renew: boolean }): void {
  const { works, running } = builder.state;
  const holder = running === undefined ? undefined : entryOf(works, running);
  if (holder === undefined) return startNext(builder, options);
  builder.order({ kind: holder.holder === builder.context.incarnation ? "run" : "watch", workId: holder.id, token: holder.token });
}

/**
 * A1: begins the first ready work when nothing runs. A parked handler of this incarnation goes on under its token; a further
 * attempt has no token yet, whatever an earlier one ended with.
 */
function startNext(builder: AgentBuilder, options: { readonly renew: boolean } = { renew: false }): void {
  const { state, context } = builder;
  const next = state.ready[0];
  if (state.running !== undefined || next === undefined) return;
  const work = entryOf(state.works, next);
  if (work === undefined) return;
  const goesOn = !options.renew && work.token !== "" && work.holder === context.incarnation && work.mode === "do" && work.asks.length > 0;
  const token = goesOn ? work.token : context.token;
  builder.emit({ e: "begun", workId: next, token, holder: context.incarnation, atMs: context.nowMs });
  builder.order({ kind: "run", workId: next, token });
}

/** An actor of one process, or of one work item, goes with the process; one that outlives processes keeps a copy of its own. */
function ownScope(builder: AgentBuilder, work: AgentWork): string {
  const { id } = builder.state;
  return id === work.processId || id === workActorId(work.id) ? work.processId : keyedScope(work.agent, id);
}

/** A host that never heard that its record was written offers it again. */
function takeRecord(builder: AgentBuilder, work: AgentWork, entry: EntryContent): void {
  if (work.entries.some((one) => isSameCall(one, entry))) return;
  builder.emit({ e: "recorded", workId: work.id, entry: { ...entry, output: builder.pack(entry.output, ownScope(builder, work)) } });
}

/** Failures are bounded over all attempts: a handler that catches for ever is told of one that it does not forget. */
function takeFailure(builder: AgentBuilder, work: AgentWork, failed: FailedCall): void {
  const { attempt, failures = [] } = work;
  if (failures.some((one) => one.attempt === attempt && isSameCall(one, failed))) return;
  if (failures.length >= LIMITS.failuresPerWorkMax)
    return builder.refuse(
      wireFault("step.too-many", `${LIMITS.failuresPerWorkMax} calls of one piece of work have failed; the last: ${failed.fault.message}`),
    );
  builder.emit({ e: "failed", workId: work.id, failure: { ...failed, attempt } });
}

function takeAsk(builder: AgentBuilder, work: AgentWork, input: Extract<AgentInput, { kind: "asked" }>): void {
  if (work.mode === "undo") return builder.refuse(wireFault("work.cancelled", `${work.id} is being undone`));
  const known = work.asks.find((one) => one.agent === input.agent && one.occurrence === input.occurrence);
  if (known !== undefined) return askAgain(builder, work, known);
  if (work.asks.length >= LIMITS.asksPerWorkMax)
    return builder.refuse(wireFault("ask.too-many", `${LIMITS.asksPerWorkMax} asks are allowed in one piece of work`));
  const packed: Value = builder.pack(input.input, work.processId);
  const ask = { index: work.asks.length, agent: input.agent, occurrence: input.occurrence, input: packed, inputHash: valueHash(packed) };
  builder.emit({ e: "parked", workId: work.id, ask });
  builder.order(waitEffect(work, ask, builder.context));
  startNext(builder);
}

/** A handler that runs again came to a question that is recorded: it finds the answer, or parks for it (A5). */
function askAgain(builder: AgentBuilder, work: AgentWork, ask: Ask): void {
  if (ask.result !== undefined) return;
  if (work.status !== "parked") builder.emit({ e: "parked", workId: work.id, ask });
  builder.order(waitEffect(work, ask, builder.context));
  startNext(builder);
}

/** A5: a parked handler goes on when every question is answered, so it never waits while it holds the actor. */
function takeAnswer(builder: AgentBuilder, body: BodyOf<"answer">): void {
  const work = entryOf(builder.state.works, body.workId);
  const ask = work?.asks.find((one) => one.index === body.index);
  if (work === undefined || ask === undefined || ask.result !== undefined || isSettled(work) || work.mode === "undo") return;
  builder.emit({ e: "ask-answered", workId: work.id, index: body.index, result: body.result });
  const after = entryOf(builder.state.works, work.id);
  if (after?.status !== "parked" || after.asks.some((one) => one.result === undefined)) return;
  builder.emit({ e: "readied", workId: work.id, first: false });
  startNext(builder);
}

function takeFinish(builder: AgentBuilder, work: AgentWork, input: Extract<AgentInput, { kind: "finished" }>): void {
  if (work.mode === "undo") return finishUndoMode(builder, work, input);
  if (input.state !== undefined && input.state.base !== builder.state.stateVersion) return runAgain(builder, work);
  const state = input.state === undefined ? undefined : builder.pack(input.state.content, ownScope(builder, work));
  builder.emit({
    e: "work-done",
    workId: work.id,
    result: packResult(builder, work, input.result),
    ...(state === undefined ? {} : { state }),
  });
  reply(builder, work.id);
  startNext(builder);
}

/** Another work changed the state since this handler read it: it runs again from its records and reads it fresh. */
function runAgain(builder: AgentBuilder, work: AgentWork): void {
  builder.emit({ e: "readied", workId: work.id, first: true });
  startNext(builder, { renew: true });
}

/** The stopped handler has settled, however it ended, and its undo may begin, if there is any; or the undo itself has ended. */
function finishUndoMode(builder: AgentBuilder, work: AgentWork, input: Extract<AgentInput, { kind: "finished" }>): void {
  if (input.mode === "do" && !(input.untouched === true && isOnlyRun(work))) {
    builder.emit({ e: "readied", workId: work.id, first: true });
    return startNext(builder, { renew: true });
  }
  builder.emit({ e: "undo-done", workId: work.id, result: undoResult(work, input) });
  replyUndo(builder, work.id);
  startNext(builder);
}

/** No other run of the work can have begun a step that was not recorded. */
function isOnlyRun(work: AgentWork): boolean {
  return work.attempt === 1 && work.takeovers === 0 && work.entries.length === 0 && work.asks.length === 0 && work.failures === undefined;
}

/** Whether anything had to be undone: what had not still stands, and a next run of its process may build on it. */
function undoResult(work: AgentWork, { mode, result }: Extract<AgentInput, { kind: "finished" }>): Result {
  if (mode === "undo" && "fault" in result) return result;
  return { output: { json: work.entries.some((entry) => entry.kind === "undo") ? true : null } };
}

/** What goes to the process belongs to it. */
function packResult(builder: AgentBuilder, work: AgentWork, result: FinishedResult): Result {
  if ("fault" in result) return result;
  if ("output" in result) return { output: builder.pack(result.output, work.processId) };
  return { handOff: { agent: result.handOff.agent, input: builder.pack(result.handOff.input, work.processId) } };
}

/** Three heartbeats were missed: this host takes the work over, unless it has killed too many hosts already. */
function takeLoss(builder: AgentBuilder, input: Extract<AgentInput, { kind: "lost" }>): void {
  const work = entryOf(builder.state.works, input.workId);
  const { incarnation, token } = builder.context;
  if (work === undefined || work.status !== "running" || work.token !== input.token || work.holder === incarnation) return;
  if (work.takeovers >= LIMITS.takeoversMax) return giveUp(builder, work);
  builder.emit({ e: "taken-over", workId: work.id, token, holder: incarnation });
  builder.order({ kind: "run", workId: work.id, token });
}

function giveUp(builder: AgentBuilder, work: AgentWork): void {
  const fault = wireFault("work.crashed", `${work.takeovers + 1} hosts died while they ran this work`);
  if (work.mode === "undo") {
    builder.emit({ e: "undo-done", workId: work.id, result: { fault } });
    replyUndo(builder, work.id);
  } else {
    builder.emit({ e: "work-done", workId: work.id, result: { fault } });
    reply(builder, work.id);
  }
  startNext(builder);
}

/** Compensation. Work never seen is purged; running work is stopped first; work that may have had an effect is undone. */
function takeUndo(builder: AgentBuilder, message: Message, body: BodyOf<"undo">): void {
  const work = entryOf(builder.state.works, body.workId);
  if (work === undefined || (work.mode === "do" && !work.begun)) return writeTombstone(builder, message, body);
  if (work.status === "tombstone" || work.status === "undone") return replyUndo(builder, work.id);
  if (work.mode === "undo") return repeatUndo(builder, work, body);
  builder.emit({ e: "undo-asked", workId: work.id, undoId: body.undoId, attempt: body.attempt });
  if (work.status === "running" || work.status === "parked") builder.order({ kind: "stop", workId: work.id, token: work.token });
  if (work.status === "running") return watchIfForeign(builder, work);
  const harmless = work.status === "done" && work.result !== undefined && !("fault" in work.result) && !mayUndo(work);
  if (harmless) {
    builder.emit({ e: "undo-done", workId: work.id, result: { output: { json: null } } });
    return replyUndo(builder, work.id);
  }
  builder.emit({ e: "readied", workId: work.id, first: false });
  startNext(builder, { renew: true });
}

function writeTombstone(builder: AgentBuilder, message: Message, body: BodyOf<"undo">): void {
  // Nobody waits for the answer any more, and the tombstone would stand where everything was purged.
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

function watchIfForeign(builder: AgentBuilder, work: AgentWork): void {
  if (work.holder !== builder.context.incarnation) builder.order({ kind: "watch", workId: work.id, token: work.token });
}

function reply(builder: AgentBuilder, workId: string): void {
  const work = entryOf(builder.state.works, workId);
  if (work?.result !== undefined) builder.order(replyEffect(work, work.result, builder.context));
}

function replyUndo(builder: AgentBuilder, workId: string): void {
  const work = entryOf(builder.state.works, workId);
  if (work?.undo?.result !== undefined) builder.order(undoReplyEffect(work, builder.context));
}
