/**
 * @module The agent actor: accepts work once, has it run by one host at a time, remembers what was done. Pure.
 *
 * Owns: deduplication by work id, who holds the running work, what its handler recorded, the agent's state, the reply.
 * Does not own: asking again (the process manager does), running handlers (the host does). Talks to: process managers.
 * Invariants: A1 one running work. A2 a token that is not the work's is stale: refused, never believed. A3 the first
 * success of a work counts; its record is the reply to every repetition. A4 what was buried or undone never runs.
 * A5 a handler that waits for answers does not hold the actor, so waiting actors cannot block each other.
 */
import { z } from "zod";
import { assertNever, type Json, wireFault, type WireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { type Decision, type DecisionContext, Draft, type Machine } from "../machine.ts";
import { eventSchemas } from "../record.ts";
import { type BodyOf, type Message, type Result } from "../protocol.ts";
import { keyedScope, type Value, valueHash } from "../value.ts";
import { questionEffect, replyEffect, undoReplyEffect } from "./messages.ts";
import { AgentEvent, AgentState, type AgentWork, type Ask, type Entry, evolveAgent, type Failure, isSameCall, mayUndo, newAgent } from "./state.ts";

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
  | { readonly kind: "asked"; readonly workId: string; readonly token: string; readonly agent: string; readonly occurrence: number; readonly input: Json }
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
export type FinishedResult = { readonly output: Json } | { readonly fault: WireFault } | { readonly handOff: { readonly agent: string; readonly input: Json } };

type AgentDraft = Draft<AgentState, AgentEvent>;

/** The agent actor. Its outbox is empty and it has no alarm, because the process manager asks again. */
export const agentMachine: Machine<AgentState, AgentInput, AgentEvent> = {
  initial: newAgent,
  purged: (id) => ({ ...newAgent(id), purged: true }),
  decide: decideAgent,
  evolve: evolveAgent,
  outbox: () => [],
  alarm: () => ({ kind: "none" }),
  nextDueMs: () => undefined,
  events: eventSchemas(AgentEvent),
  states: z.compile(AgentState),
};

function decideAgent(state: AgentState, input: AgentInput, context: DecisionContext): Decision<AgentEvent> {
  const draft: AgentDraft = new Draft(state, evolveAgent, context);
  if (state.purged === true) {
    draft.refuse(wireFault("process.purged", `the process of ${state.id} was purged`));
    return draft.done();
  }
  switch (input.kind) {
    case "message":
      decideMessage(draft, input.message, input.fault);
      break;
    case "recorded":
      withToken(draft, input, (work) => takeRecord(draft, work, input.entry));
      break;
    case "failed":
      withToken(draft, input, (work) => takeFailure(draft, work, input.failure));
      break;
    case "asked":
      withToken(draft, input, (work) => takeAsk(draft, work, input));
      break;
    case "finished":
      withToken(draft, input, (work) => takeFinish(draft, work, input));
      break;
    case "lost":
      takeLoss(draft, input);
      break;
    default:
      assertNever(input);
  }
  return draft.done();
}

function decideMessage(draft: AgentDraft, message: Message, fault: WireFault | undefined): void {
  const { body } = message;
  switch (body.kind) {
    case "work":
      return takeWork(draft, message, body, fault);
    case "undo":
      return takeUndo(draft, message, body);
    case "answer":
      return takeAnswer(draft, body);
    case "task":
    case "result":
    case "question":
    case "cancel":
    case "decision":
    case "entries":
      return draft.refuse(wireFault("message.invalid", `an agent takes no ${body.kind}`));
    default:
      return assertNever(body);
  }
}

/** A2: only the holder of the token speaks for running work. */
function withToken(draft: AgentDraft, input: { readonly workId: string; readonly token: string }, take: (work: AgentWork) => void): void {
  const work = draft.state.works[input.workId];
  const live = work !== undefined && (work.status === "running" || work.status === "parked" || work.status === "ready") && work.token === input.token;
  if (live) take(work);
  else draft.refuse(wireFault("work.superseded", `${input.workId}: the token is stale`));
}

function takeWork(draft: AgentDraft, message: Message, body: BodyOf<"work">, fault: WireFault | undefined): void {
  const { context } = draft;
  if (message.expiresAtMs <= context.nowMs) return draft.refuse(wireFault("message.expired", `${message.id} expired ${context.nowMs - message.expiresAtMs} ms ago`));
  const known = draft.state.works[body.workId];
  if (known !== undefined && !mayForget(draft, known)) return repeatWork(draft, known, body);
  // Its process was purged, and this one has its id anew.
  if (known !== undefined) draft.emit({ e: "forgotten", workIds: [known.id] });
  const refused = room(draft);
  if (refused !== undefined) return draft.refuse(refused);
  draft.emit({ e: "work-accepted", work: newWork(message, body) });
  if (fault === undefined) return startNext(draft);
  draft.emit({ e: "work-done", workId: body.workId, result: { fault } });
  reply(draft, body.workId);
}

function newWork(message: Message, body: BodyOf<"work">): AgentWork {
  return {
    id: body.workId, processId: message.processId, agent: body.agent, version: body.version, attempt: body.attempt, status: "ready", mode: "do", begun: false, begunAtMs: 0,
    token: "", holder: "", takeovers: 0, input: body.input, retainUntilMs: body.retainUntilMs, principal: { ...message.principal, permissions: [...message.principal.permissions] },
    trace: message.trace, hop: message.hop, ancestors: body.ancestors, entries: [], asks: [],
  };
}

/** Whether one more work may come in. Entries leave only when no message about them can be alive on any clock. */
function room(draft: AgentDraft): WireFault | undefined {
  if (draft.state.ready.length >= LIMITS.agentQueueMax) return wireFault("agent.busy", `${draft.state.ready.length} pieces of work wait for this actor`);
  if (Object.keys(draft.state.works).length < LIMITS.agentWindowMax) return undefined;
  const old = Object.values(draft.state.works).filter((work) => mayForget(draft, work)).map((work) => work.id);
  if (old.length === 0) return wireFault("agent.window-full", `this actor remembers ${LIMITS.agentWindowMax} pieces of work, none of which may be forgotten yet`);
  draft.emit({ e: "forgotten", workIds: old });
  return undefined;
}

function mayForget(draft: AgentDraft, work: AgentWork): boolean {
  return work.retainUntilMs < draft.context.nowMs - LIMITS.clockDriftMsMax && isSettled(work);
}

function isSettled(work: AgentWork): boolean {
  return work.status === "done" || work.status === "undone" || work.status === "tombstone";
}

/** A repeated request: the recorded reply, the next attempt, or nothing but the receipt. */
function repeatWork(draft: AgentDraft, work: AgentWork, body: BodyOf<"work">): void {
  if (work.mode === "undo") {
    if (isSettled(work) && work.undo?.result !== undefined && !("fault" in work.undo.result)) draft.order(replyEffect(work, { fault: wireFault("work.undone", `${work.id} was undone`) }, draft.context));
    return;
  }
  const further = body.attempt > work.attempt;
  if (work.status === "done") {
    if (work.result !== undefined && "fault" in work.result && further) return nextAttempt(draft, work, body.attempt);
    return reply(draft, work.id);
  }
  if (further) return nextAttempt(draft, work, body.attempt);
  repeatLive(draft, work);
}

/** A further attempt supersedes the earlier token; what was recorded stays recorded. */
function nextAttempt(draft: AgentDraft, work: AgentWork, attempt: number): void {
  draft.emit({ e: "attempt-asked", workId: work.id, attempt });
  if (work.status === "ready") return startOrLook(draft);
  if (work.status === "running" || work.status === "parked") draft.order({ kind: "stop", workId: work.id, token: work.token });
  draft.emit({ e: "readied", workId: work.id, first: work.status === "running" });
  startNext(draft, { renew: true });
}

/** Work that is alive: run or watched again, its open questions asked again. Each order is idempotent. */
function repeatLive(draft: AgentDraft, work: AgentWork): void {
  if (work.status === "running") {
    const mine = work.holder === draft.context.incarnation;
    draft.order({ kind: mine ? "run" : "watch", workId: work.id, token: work.token });
  }
  if (work.status === "parked") for (const ask of work.asks) if (ask.result === undefined) draft.order(questionEffect(work, ask, draft.context));
  if (work.status === "ready") startOrLook(draft);
}

/** Work that waits is asked for again: what it waits for may have died with its host, and nobody else may ask for that. */
function startOrLook(draft: AgentDraft, options?: { readonly renew: boolean }): void {
  const { works, running } = draft.state;
  const holder = running === undefined ? undefined : works[running];
  if (holder === undefined) return startNext(draft, options);
  draft.order({ kind: holder.holder === draft.context.incarnation ? "run" : "watch", workId: holder.id, token: holder.token });
}

/**
 * A1: begins the first ready work when nothing runs. A parked handler of this incarnation goes on under its token; a further
 * attempt has no token yet, whatever an earlier one ended with.
 */
function startNext(draft: AgentDraft, options: { readonly renew: boolean } = { renew: false }): void {
  const { state, context } = draft;
  const next = state.ready[0];
  if (state.running !== undefined || next === undefined) return;
  const work = state.works[next];
  if (work === undefined) return;
  const goesOn = !options.renew && work.token !== "" && work.holder === context.incarnation && work.mode === "do" && work.asks.length > 0;
  const token = goesOn ? work.token : context.token;
  draft.emit({ e: "begun", workId: next, token, holder: context.incarnation, atMs: context.nowMs });
  draft.order({ kind: "run", workId: next, token });
}

/** An actor of one process goes with it; one that outlives processes keeps a copy of its own. */
function ownScope(draft: AgentDraft, work: AgentWork): string {
  return draft.state.id === work.processId ? work.processId : keyedScope(work.agent, draft.state.id);
}

/** A host that never heard that its record was written offers it again. */
function takeRecord(draft: AgentDraft, work: AgentWork, entry: EntryContent): void {
  if (work.entries.some((one) => isSameCall(one, entry))) return;
  draft.emit({ e: "recorded", workId: work.id, entry: { ...entry, output: draft.pack(entry.output, ownScope(draft, work)) } });
}

/** Failures are bounded over all attempts: a handler that catches for ever is told of one that it does not forget. */
function takeFailure(draft: AgentDraft, work: AgentWork, failed: FailedCall): void {
  const { attempt, failures = [] } = work;
  if (failures.some((one) => one.attempt === attempt && isSameCall(one, failed))) return;
  if (failures.length >= LIMITS.failuresPerWorkMax) return draft.refuse(wireFault("step.too-many", `${LIMITS.failuresPerWorkMax} calls of one piece of work have failed; the last: ${failed.fault.message}`));
  draft.emit({ e: "failed", workId: work.id, failure: { ...failed, attempt } });
}

function takeAsk(draft: AgentDraft, work: AgentWork, input: Extract<AgentInput, { kind: "asked" }>): void {
  if (work.mode === "undo") return draft.refuse(wireFault("work.cancelled", `${work.id} is being undone`));
  const known = work.asks.find((one) => one.agent === input.agent && one.occurrence === input.occurrence);
  if (known !== undefined) return askAgain(draft, work, known);
  if (work.asks.length >= LIMITS.asksPerWorkMax) return draft.refuse(wireFault("ask.too-many", `${LIMITS.asksPerWorkMax} asks are allowed in one piece of work`));
  const packed: Value = draft.pack(input.input, work.processId);
  const ask = { index: work.asks.length, agent: input.agent, occurrence: input.occurrence, input: packed, inputHash: valueHash(packed) };
  draft.emit({ e: "parked", workId: work.id, ask });
  draft.order(questionEffect(work, ask, draft.context));
  startNext(draft);
}

/** A handler that runs again came to a question that is recorded: it finds the answer, or parks for it (A5). */
function askAgain(draft: AgentDraft, work: AgentWork, ask: Ask): void {
  if (ask.result !== undefined) return;
  if (work.status !== "parked") draft.emit({ e: "parked", workId: work.id, ask });
  draft.order(questionEffect(work, ask, draft.context));
  startNext(draft);
}

/** A5: a parked handler goes on when every question is answered, so it never waits while it holds the actor. */
function takeAnswer(draft: AgentDraft, body: BodyOf<"answer">): void {
  const work = draft.state.works[body.workId];
  const ask = work?.asks.find((one) => one.index === body.index);
  if (work === undefined || ask === undefined || ask.result !== undefined || isSettled(work) || work.mode === "undo") return;
  draft.emit({ e: "ask-answered", workId: work.id, index: body.index, result: body.result });
  const after = draft.state.works[work.id];
  if (after?.status !== "parked" || after.asks.some((one) => one.result === undefined)) return;
  draft.emit({ e: "readied", workId: work.id, first: false });
  startNext(draft);
}

function takeFinish(draft: AgentDraft, work: AgentWork, input: Extract<AgentInput, { kind: "finished" }>): void {
  if (work.mode === "undo") return finishUndoMode(draft, work, input);
  if (input.state !== undefined && input.state.base !== draft.state.stateVersion) return runAgain(draft, work);
  const state = input.state === undefined ? undefined : draft.pack(input.state.content, ownScope(draft, work));
  draft.emit({ e: "work-done", workId: work.id, result: packResult(draft, work, input.result), ...(state === undefined ? {} : { state }) });
  reply(draft, work.id);
  startNext(draft);
}

/** Another work changed the state since this handler read it: it runs again from its records and reads it fresh. */
function runAgain(draft: AgentDraft, work: AgentWork): void {
  draft.emit({ e: "readied", workId: work.id, first: true });
  startNext(draft, { renew: true });
}

/** The stopped handler has settled, however it ended, and its undo may begin, if there is any; or the undo itself has ended. */
function finishUndoMode(draft: AgentDraft, work: AgentWork, input: Extract<AgentInput, { kind: "finished" }>): void {
  if (input.mode === "do" && !(input.untouched === true && isOnlyRun(work))) {
    draft.emit({ e: "readied", workId: work.id, first: true });
    return startNext(draft, { renew: true });
  }
  draft.emit({ e: "undo-done", workId: work.id, result: undoResult(work, input) });
  replyUndo(draft, work.id);
  startNext(draft);
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
function packResult(draft: AgentDraft, work: AgentWork, result: FinishedResult): Result {
  if ("fault" in result) return result;
  if ("output" in result) return { output: draft.pack(result.output, work.processId) };
  return { handOff: { agent: result.handOff.agent, input: draft.pack(result.handOff.input, work.processId) } };
}

/** Three heartbeats were missed: this host takes the work over, unless it has killed too many hosts already. */
function takeLoss(draft: AgentDraft, input: Extract<AgentInput, { kind: "lost" }>): void {
  const work = draft.state.works[input.workId];
  const { incarnation, token } = draft.context;
  if (work === undefined || work.status !== "running" || work.token !== input.token || work.holder === incarnation) return;
  if (work.takeovers >= LIMITS.takeoversMax) return giveUp(draft, work);
  draft.emit({ e: "taken-over", workId: work.id, token, holder: incarnation });
  draft.order({ kind: "run", workId: work.id, token });
}

function giveUp(draft: AgentDraft, work: AgentWork): void {
  const fault = wireFault("work.crashed", `${work.takeovers + 1} hosts died while they ran this work`);
  if (work.mode === "undo") {
    draft.emit({ e: "undo-done", workId: work.id, result: { fault } });
    replyUndo(draft, work.id);
  } else {
    draft.emit({ e: "work-done", workId: work.id, result: { fault } });
    reply(draft, work.id);
  }
  startNext(draft);
}

/** Compensation. Work never seen is buried; running work is stopped first; work that may have had an effect is undone. */
function takeUndo(draft: AgentDraft, message: Message, body: BodyOf<"undo">): void {
  const work = draft.state.works[body.workId];
  if (work === undefined || (work.mode === "do" && !work.begun)) return bury(draft, message, body);
  if (work.status === "tombstone" || work.status === "undone") return replyUndo(draft, work.id);
  if (work.mode === "undo") return repeatUndo(draft, work, body);
  draft.emit({ e: "undo-asked", workId: work.id, undoId: body.undoId, attempt: body.attempt });
  if (work.status === "running" || work.status === "parked") draft.order({ kind: "stop", workId: work.id, token: work.token });
  if (work.status === "running") return watchIfForeign(draft, work);
  const harmless = work.status === "done" && work.result !== undefined && !("fault" in work.result) && !mayUndo(work);
  if (harmless) {
    draft.emit({ e: "undo-done", workId: work.id, result: { output: { json: null } } });
    return replyUndo(draft, work.id);
  }
  draft.emit({ e: "readied", workId: work.id, first: false });
  startNext(draft, { renew: true });
}

function bury(draft: AgentDraft, message: Message, body: BodyOf<"undo">): void {
  // Nobody waits for the answer any more, and the tombstone would stand where everything was purged.
  if (draft.state.works[body.workId] === undefined && message.expiresAtMs + LIMITS.clockDriftMsMax <= draft.context.nowMs) return draft.refuse(wireFault("message.expired", `${message.id} expired`));
  const principal = { ...message.principal, permissions: [...message.principal.permissions] };
  draft.emit({ e: "buried", workId: body.workId, undoId: body.undoId, attempt: body.attempt, processId: message.processId, agent: body.agent, retainUntilMs: body.retainUntilMs, principal, trace: message.trace, hop: message.hop });
  replyUndo(draft, body.workId);
  startNext(draft);
}

function repeatUndo(draft: AgentDraft, work: AgentWork, body: BodyOf<"undo">): void {
  const further = body.attempt > (work.undo?.attempt ?? 0);
  if (isSettled(work)) {
    if (!further) return replyUndo(draft, work.id);
    draft.emit({ e: "undo-asked", workId: work.id, undoId: body.undoId, attempt: body.attempt });
    draft.emit({ e: "readied", workId: work.id, first: false });
    return startNext(draft, { renew: true });
  }
  if (further) draft.emit({ e: "undo-asked", workId: work.id, undoId: body.undoId, attempt: body.attempt });
  if (work.status === "ready") return startOrLook(draft, { renew: true });
  if (work.holder === draft.context.incarnation) draft.order({ kind: "run", workId: work.id, token: work.token });
  else watchIfForeign(draft, work);
}

function watchIfForeign(draft: AgentDraft, work: AgentWork): void {
  if (work.holder !== draft.context.incarnation) draft.order({ kind: "watch", workId: work.id, token: work.token });
}

function reply(draft: AgentDraft, workId: string): void {
  const work = draft.state.works[workId];
  if (work?.result !== undefined) draft.order(replyEffect(work, work.result, draft.context));
}

function replyUndo(draft: AgentDraft, workId: string): void {
  const work = draft.state.works[workId];
  if (work?.undo?.result !== undefined) draft.order(undoReplyEffect(work, draft.context));
}
