/**
 * @module What comes back: results, faults and retries, hand-offs, and the questions of handlers. Pure.
 */
import { guardChain, guardHops, guardWait } from "../cycle-guard.ts";
import { assertNever, boundedFault, Fault, isFault, isRetryable, type WireFault } from "../faults.ts";
import { askWorkId, stopWorkId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Ancestor, BodyOf, Result } from "../protocol.ts";
import { backoffMs, RETRY_DEFAULT } from "../slip.ts";
import { valueHash } from "../value.ts";
import { type ProcessDraft, slipOf, taskOf } from "./draft.ts";
import { addressOf, advance, askWork } from "./forward.ts";
import { answerEffect, workEffect } from "./messages.ts";
import type { Link, Work } from "./state.ts";
import { beginEnding } from "./undo.ts";

/** A doer's result. The first success counts, of whichever attempt; a fault of an earlier attempt is stale. */
export function takeResult(draft: ProcessDraft, body: BodyOf<"result">): void {
  const work = draft.state.works[body.workId];
  if (work === undefined) return;
  const { result } = body;
  if ("fault" in result) {
    if (body.attempt === work.attempt && work.status === "asked") takeFault(draft, work, boundedFault(result.fault));
    return;
  }
  if (work.kind === "undo") {
    const undid = "output" in result && "json" in result.output && result.output.json === true;
    draft.emit({ e: "undone", workId: work.id, atMs: draft.context.nowMs, ...(undid ? { undid } : {}) });
    advance(draft);
    return;
  }
  if ("handOff" in result) {
    takeHandOff(draft, work, result.handOff);
    return;
  }
  draft.emit({ e: "answered", workId: work.id, output: result.output, atMs: draft.context.nowMs });
  passOn(draft, work, result);
}

/** A failed attempt: again after a pause when the fault table and the policy allow it, else for good. */
export function takeFault(draft: ProcessDraft, work: Work, fault: WireFault): void {
  const { nowMs, jitter01 } = draft.context;
  const again = nowMs + backoffMs(work.retry, work.attempt, jitter01);
  const inTime = work.kind === "undo" || again < taskOf(draft.state).deadlineAtMs;
  const mayRetry = work.kind === "undo" || isRetryable(fault);
  if (mayRetry && inTime && work.attempt < work.retry.attemptsMax) {
    draft.emit({ e: "attempt-failed", workId: work.id, attempt: work.attempt, fault, atMs: nowMs, againAtMs: again });
    return;
  }
  if (work.kind === "undo") {
    const failed = { code: "compensation.failed" as const, message: `${work.undoes ?? work.id} could not be undone in ${work.attempt} attempts; the last said ${fault.code}: ${fault.message}` };
    draft.emit({ e: "undo-failed", workId: work.id, fault: failed, atMs: nowMs });
    // Also the undo of a loser or of a failed optional call: a process that ends failed has undone all that it could.
    beginEnding(draft, "failed", failed, work.stop, work);
    advance(draft);
    return;
  }
  draft.emit({ e: "failed", workId: work.id, fault, atMs: nowMs, tolerated: isTolerated(work) });
  passOn(draft, work, { fault });
}

/** A branch of an `any` may fail without making the outcome partial: another one has won, or the stop fails. */
function isTolerated(work: Work): boolean {
  return work.optional && !work.stop.includes(".");
}

/** A finished work's result goes to the handler that asked, or moves the slip on. A failed ask may have had an effect. */
function passOn(draft: ProcessDraft, work: Work, result: Result): void {
  const asker = work.asker === undefined ? undefined : draft.state.works[work.asker.workId];
  if (asker !== undefined && work.asker !== undefined) draft.order(answerEffect(draft.state, asker, work.asker.index, result, draft.context));
  if (work.asker !== undefined && "fault" in result) {
    const ask = askWorkId(work.asker.workId, work.asker.index, 1).slice(0, -1);
    draft.emit({ e: "undo-due", workIds: draft.state.asked.map((one) => one.id).filter((id) => id.startsWith(ask)) });
  }
  if (asker === undefined || "fault" in result) advance(draft);
}

/** An agent answered by handing its work to another: the same stop, the next visit. */
function takeHandOff(draft: ProcessDraft, work: Work, handOff: Extract<Result, { handOff: unknown }>["handOff"]): void {
  try {
    const next = handOffWork(draft, work, handOff);
    draft.emit({ e: "handed-off", workId: work.id, to: handOff.agent, atMs: draft.context.nowMs });
    askWork(draft, next);
  } catch (error) {
    if (!isFault(error)) throw error;
    draft.emit({ e: "failed", workId: work.id, fault: error.toWire(), atMs: draft.context.nowMs, tolerated: isTolerated(work) });
    passOn(draft, work, { fault: error.toWire() });
  }
}

function handOffWork(draft: ProcessDraft, work: Work, handOff: Extract<Result, { handOff: unknown }>["handOff"]): Work {
  const slip = slipOf(taskOf(draft.state).slip, draft.context);
  const from = agentOf(work);
  if (slip.agents[from]?.handsOffTo.includes(handOff.agent) !== true) throw new Fault("handoff.undeclared", `${from} hands off to ${handOff.agent}, which it does not declare`);
  const link: Link = { agent: handOff.agent, input: valueHash(handOff.input) };
  guardChain(slip, work.chain, link);
  guardHops(draft.state.hops);
  const visit = work.visit + 1;
  const id = work.asker === undefined ? stopWorkId(draft.state.id, draft.state.run, work.stop, work.item, visit) : askWorkId(work.asker.workId, work.asker.index, visit);
  const target = { agent: handOff.agent };
  const { nowMs } = draft.context;
  const { first: _ofTheOther, ...rest } = work;
  return {
    ...rest, id, order: draft.state.order + 1, visit, target, ...addressOf(draft, target, handOff.input, id), input: handOff.input, attempt: 1, status: "asked",
    askedAtMs: nowMs, dueAtMs: nowMs + work.timeoutMs, chain: [...work.chain, link], answers: {}, faults: [],
  };
}

function agentOf(work: Work): string {
  return "agent" in work.target ? work.target.agent : work.target.route;
}

/** A handler's question to another agent. Asked once; a repeated question is answered again. */
export function takeQuestion(draft: ProcessDraft, body: BodyOf<"question">): void {
  const asker = draft.state.works[body.workId];
  // Neither nested routes nor compensations ask; a message that says so is none of ours.
  if (asker === undefined || asker.kind === "undo" || !("agent" in asker.target)) return;
  const answer = asker.answers[body.index];
  if (answer !== undefined) {
    draft.order(answerEffect(draft.state, asker, body.index, answer, draft.context));
    return;
  }
  const asked = Object.values(draft.state.works).some((work) => work.asker?.workId === asker.id && work.asker.index === body.index);
  if (asked) return;
  try {
    askWork(draft, questionWork(draft, asker, body));
  } catch (error) {
    if (!isFault(error)) throw error;
    const result: Result = { fault: error.toWire() };
    draft.emit({ e: "question-answered", workId: asker.id, index: body.index, result });
    draft.order(answerEffect(draft.state, asker, body.index, result, draft.context));
  }
}

function questionWork(draft: ProcessDraft, asker: Work, body: BodyOf<"question">): Work {
  const slip = slipOf(taskOf(draft.state).slip, draft.context);
  const from = agentOf(asker);
  if (slip.agents[from]?.asks.includes(body.agent) !== true) throw new Fault("ask.undeclared", `${from} asks ${body.agent}, which it does not declare`);
  if (body.index >= LIMITS.asksPerWorkMax) throw new Fault("ask.too-many", `${from} made ${body.index + 1} asks in one piece of work; ${LIMITS.asksPerWorkMax} are allowed`);
  const id = askWorkId(asker.id, body.index, 1);
  const target = { agent: body.agent };
  const { actor, version, first } = addressOf(draft, target, body.input, id);
  const waiting: Ancestor[] = [...asker.ancestors, { agent: from, id: asker.actor }];
  guardWait(waiting, { agent: body.agent, id: actor });
  const link: Link = { agent: body.agent, input: valueHash(body.input) };
  guardChain(slip, asker.chain, link);
  guardHops(draft.state.hops);
  const { nowMs } = draft.context;
  return {
    id, kind: "ask", order: draft.state.order + 1, stop: asker.stop, item: asker.item, visit: 1, target, actor, version, first, input: body.input,
    attempt: 1, status: "asked", askedAtMs: nowMs, dueAtMs: nowMs + asker.timeoutMs, timeoutMs: asker.timeoutMs, retry: RETRY_DEFAULT, optional: false,
    asker: { workId: asker.id, index: body.index }, chain: [...asker.chain, link], ancestors: waiting, answers: {}, faults: [],
  };
}

/** What time has brought: timeouts become faults, pauses end, and unanswered requests are made again. */
export function takeTime(draft: ProcessDraft, resendMs: number): void {
  const { nowMs } = draft.context;
  for (const id of Object.keys(draft.state.works)) {
    const work = draft.state.works[id];
    if (work === undefined || draft.state.phase !== "open") continue;
    if (work.dueAtMs <= nowMs) timeIsUp(draft, work);
    else if (work.status === "asked" && work.askedAtMs + resendMs <= nowMs) repeat(draft, work);
  }
}

function repeat(draft: ProcessDraft, work: Work): void {
  draft.order(workEffect(draft.state, work, draft.context));
  for (const [index, result] of Object.entries(work.answers)) draft.order(answerEffect(draft.state, work, Number(index), result, draft.context));
}

function timeIsUp(draft: ProcessDraft, work: Work): void {
  const { nowMs } = draft.context;
  switch (work.status) {
    case "asked":
      takeFault(draft, work, { code: "stop.timeout", message: `${agentOf(work)} gave no answer within ${work.timeoutMs} ms (attempt ${work.attempt})` });
      return;
    case "waiting": {
      draft.emit({ e: "asked-again", workId: work.id, attempt: work.attempt + 1, atMs: nowMs, dueAtMs: nowMs + work.timeoutMs });
      const again = draft.state.works[work.id];
      if (again !== undefined) draft.order(workEffect(draft.state, again, draft.context));
      return;
    }
    default:
      assertNever(work.status);
  }
}
