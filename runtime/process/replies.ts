/**
 * @module What comes back: results, faults and retries, hand-offs, and the questions of handlers. Pure.
 */
import { guardChain, guardHops, guardWait } from "../cycle-guard.ts";
import { entryOf } from "../entries.ts";
import { assertNever, boundedFault, boundedPauseMs, Fault, isFault, isRetryable, type WireFault } from "../faults.ts";
import { askWorkId, stopWorkId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { type Ancestor, type BodyOf, CompensationReport, type Result, type WaitFor } from "../protocol.ts";
import { backoffMs, RETRY_DEFAULT } from "../slip.ts";
import { valueHash } from "../value.ts";
import { type ProcessBuilder, slipOf, taskOf } from "./decision-builder.ts";
import { addressOf, advance, askWork } from "./advance.ts";
import { answerEffect, workEffect } from "./messages.ts";
import type { Link, Work } from "./state.ts";
import { beginEnding } from "./compensation.ts";

/** A doer's result. The first success counts, of whichever attempt; a fault of an earlier attempt is stale. */
export function takeResult(builder: ProcessBuilder, body: BodyOf<"result">): void {
  const work = entryOf(builder.state.works, body.workId);
  if (work === undefined) return;
  const { result } = body;
  if ("fault" in result) {
    if (body.attempt === work.attempt && work.status === "asked") takeFault(builder, work, boundedFault(result.fault));
    return;
  }
  if (work.kind === "undo") {
    const output = "output" in result && "json" in result.output ? result.output.json : null;
    const report = CompensationReport.safeParse(output);
    const undid = report.success ? report.data.undone > 0 : output === true;
    builder.emit({ e: "undone", workId: work.id, atMs: builder.context.nowMs, ...(undid ? { undid } : {}) });
    advance(builder);
    return;
  }
  if ("handOff" in result) {
    takeHandOff(builder, work, result.handOff);
    return;
  }
  builder.emit({ e: "answered", workId: work.id, output: result.output, atMs: builder.context.nowMs });
  passOn(builder, work, result);
}

/** A failed attempt: again after a pause when the fault table and the policy allow it, else for good. */
export function takeFault(builder: ProcessBuilder, work: Work, fault: WireFault): void {
  const { nowMs, jitter01 } = builder.context;
  const again = nowMs + Math.max(backoffMs(work.retry, work.attempt, jitter01), boundedPauseMs(fault.retryAfterMs) ?? 0);
  const inTime = work.kind === "undo" || again < taskOf(builder.state).deadlineAtMs;
  const mayRetry = work.kind === "undo" || isRetryable(fault);
  if (mayRetry && inTime && work.attempt < work.retry.attemptsMax) {
    builder.emit({ e: "attempt-failed", workId: work.id, attempt: work.attempt, fault, atMs: nowMs, againAtMs: again });
    return;
  }
  if (work.kind === "undo") {
    const failed = boundedFault({
      code: "compensation.failed",
      message: `${work.undoes ?? work.id} could not be undone in ${work.attempt} attempts; the last said ${fault.code}: ${fault.message}`,
      cause: fault.cause,
    });
    builder.emit({ e: "undo-failed", workId: work.id, fault: failed, atMs: nowMs });
    // Also the undo of a loser or of a failed optional call: a process that ends failed has undone all that it could.
    beginEnding(builder, "failed", failed, work.stop, work);
    advance(builder);
    return;
  }
  builder.emit({ e: "failed", workId: work.id, fault, atMs: nowMs, tolerated: isTolerated(work) });
  passOn(builder, work, { fault });
}

/** A branch of an `any` may fail without making the outcome partial: another one has won, or the stop fails. */
function isTolerated(work: Work): boolean {
  return work.optional && !work.stop.includes(".");
}

/** A finished work's result goes to the handler that asked, or moves the slip on. A failed ask may have had an effect. */
function passOn(builder: ProcessBuilder, work: Work, result: Result): void {
  const asker = work.asker === undefined ? undefined : entryOf(builder.state.works, work.asker.workId);
  if (asker !== undefined && work.asker !== undefined)
    builder.order(answerEffect(builder.state, asker, work.asker.index, result, builder.context));
  if (work.asker !== undefined && "fault" in result) {
    const ask = askWorkId(work.asker.workId, work.asker.index, 1).slice(0, -1);
    builder.emit({ e: "undo-due", workIds: builder.state.asked.map((one) => one.id).filter((id) => id.startsWith(ask)) });
  }
  if (asker === undefined || "fault" in result) advance(builder);
}

/** An agent answered by handing its work to another: the same stop, the next visit. */
function takeHandOff(builder: ProcessBuilder, work: Work, handOff: Extract<Result, { handOff: unknown }>["handOff"]): void {
  try {
    const next = handOffWork(builder, work, handOff);
    builder.emit({ e: "handed-off", workId: work.id, to: handOff.agent, atMs: builder.context.nowMs });
    askWork(builder, next);
  } catch (error) {
    if (!isFault(error)) throw error;
    builder.emit({ e: "failed", workId: work.id, fault: error.toWire(), atMs: builder.context.nowMs, tolerated: isTolerated(work) });
    passOn(builder, work, { fault: error.toWire() });
  }
}

function handOffWork(builder: ProcessBuilder, work: Work, handOff: Extract<Result, { handOff: unknown }>["handOff"]): Work {
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  const from = agentOf(work);
  if (entryOf(slip.agents, from)?.handsOffTo.includes(handOff.agent) !== true)
    throw new Fault("handoff.undeclared", `${from} hands off to ${handOff.agent}, which it does not declare`);
  const link: Link = { agent: handOff.agent, input: valueHash(handOff.input) };
  guardChain(slip, work.chain, link);
  guardHops(builder.state.hops);
  const visit = work.visit + 1;
  const id =
    work.asker === undefined
      ? stopWorkId(builder.state.id, builder.state.run, work.stop, work.item, visit)
      : askWorkId(work.asker.workId, work.asker.index, visit);
  const target = { agent: handOff.agent };
  const { nowMs } = builder.context;
  const { first: _ofTheOther, ...rest } = work;
  return {
    ...rest,
    id,
    order: builder.state.order + 1,
    visit,
    target,
    ...addressOf(builder, target, handOff.input, id),
    input: handOff.input,
    attempt: 1,
    status: "asked",
    askedAtMs: nowMs,
    dueAtMs: nowMs + work.timeoutMs,
    chain: [...work.chain, link],
    answers: {},
    faults: [],
  };
}

function agentOf(work: Work): string {
  return "agent" in work.target ? work.target.agent : work.target.route;
}

/** A handler's question to another agent. Asked once; a repeated question is answered again. */
export function takeWait(builder: ProcessBuilder, body: BodyOf<"wait">): void {
  const asker = entryOf(builder.state.works, body.workId);
  // Neither nested routes nor compensations ask; a message that says so is none of ours.
  if (asker === undefined || asker.kind === "undo" || !("agent" in asker.target)) return;
  const answer = entryOf(asker.answers, String(body.index));
  if (answer !== undefined) {
    builder.order(answerEffect(builder.state, asker, body.index, answer, builder.context));
    return;
  }
  const asked = Object.values(builder.state.works).some((work) => work.asker?.workId === asker.id && work.asker.index === body.index);
  if (asked) return;
  try {
    if (body.for.kind !== "agent") throw new Fault("message.invalid", `a process manager owns no wait for a ${body.for.kind} yet`);
    askWork(builder, questionWork(builder, asker, body.index, body.for));
  } catch (error) {
    if (!isFault(error)) throw error;
    const result: Result = { fault: error.toWire() };
    builder.emit({ e: "wait-answered", workId: asker.id, index: body.index, result });
    builder.order(answerEffect(builder.state, asker, body.index, result, builder.context));
  }
}

function questionWork(builder: ProcessBuilder, asker: Work, index: number, ask: Extract<WaitFor, { kind: "agent" }>): Work {
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  const from = agentOf(asker);
  if (entryOf(slip.agents, from)?.asks.includes(ask.agent) !== true)
    throw new Fault("ask.undeclared", `${from} asks ${ask.agent}, which it does not declare`);
  if (index >= LIMITS.asksPerWorkMax)
    throw new Fault("ask.too-many", `${from} made ${index + 1} asks in one piece of work; ${LIMITS.asksPerWorkMax} are allowed`);
  const id = askWorkId(asker.id, index, 1);
  const target = { agent: ask.agent };
  const { actor, version, first } = addressOf(builder, target, ask.input, id);
  const waiting: Ancestor[] = [...asker.ancestors, { agent: from, id: asker.actor }];
  guardWait(waiting, { agent: ask.agent, id: actor });
  const link: Link = { agent: ask.agent, input: valueHash(ask.input) };
  guardChain(slip, asker.chain, link);
  guardHops(builder.state.hops);
  const { nowMs } = builder.context;
  return {
    id,
    kind: "ask",
    order: builder.state.order + 1,
    stop: asker.stop,
    item: asker.item,
    visit: 1,
    target,
    actor,
    version,
    first,
    input: ask.input,
    attempt: 1,
    status: "asked",
    askedAtMs: nowMs,
    dueAtMs: nowMs + asker.timeoutMs,
    timeoutMs: asker.timeoutMs,
    retry: RETRY_DEFAULT,
    optional: false,
    asker: { workId: asker.id, index },
    chain: [...asker.chain, link],
    ancestors: waiting,
    answers: {},
    faults: [],
  };
}

/** What time has brought: timeouts become faults, pauses end, and unanswered requests are made again. */
export function takeTime(builder: ProcessBuilder, resendMs: number): void {
  const { nowMs } = builder.context;
  for (const id of Object.keys(builder.state.works)) {
    const work = entryOf(builder.state.works, id);
    if (work === undefined || builder.state.phase !== "open") continue;
    if (work.dueAtMs <= nowMs) timeIsUp(builder, work);
    else if (work.status === "asked" && work.askedAtMs + resendMs <= nowMs) repeat(builder, work);
  }
}

function repeat(builder: ProcessBuilder, work: Work): void {
  builder.order(workEffect(builder.state, work, builder.context));
  for (const [index, result] of Object.entries(work.answers))
    builder.order(answerEffect(builder.state, work, Number(index), result, builder.context));
}

function timeIsUp(builder: ProcessBuilder, work: Work): void {
  const { nowMs } = builder.context;
  switch (work.status) {
    case "asked":
      takeFault(builder, work, {
        code: "stop.timeout",
        message: `${agentOf(work)} gave no answer within ${work.timeoutMs} ms (attempt ${work.attempt})`,
      });
      return;
    case "waiting": {
      builder.emit({ e: "asked-again", workId: work.id, attempt: work.attempt + 1, atMs: nowMs, dueAtMs: nowMs + work.timeoutMs });
      const again = entryOf(builder.state.works, work.id);
      if (again !== undefined) builder.order(workEffect(builder.state, again, builder.context));
      return;
    }
    default:
      assertNever(work.status);
  }
}
