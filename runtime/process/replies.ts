/**
 * @module Takes replies: results, faults and retries, hand-offs, and the waits of handlers. Pure.
 */
import { entryOf } from "../entries.ts";
import { guardChain, guardHops, guardWait } from "../cycle-guard.ts";
import { assertNever, boundedFault, boundedPauseMs, Fault, isFault, isRetryable, wireFault, type WireFault } from "../faults.ts";
import { askWorkId, isAskOf, isBranchPath, stopWorkId } from "../ids.ts";
import { joined, labelField, type Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readOne } from "../machine.ts";
import type { Ancestor, BodyOf, CompensationReport, Result, WaitFor } from "../protocol/bodies.ts";
import { backoffMs, doerName, RETRY_DEFAULT } from "../slip.ts";
import type { WorkFacts } from "../summary.ts";
import { valueHash } from "../value.ts";
import { askPerson, beginConsent, personOf, type RequestPlace } from "./begin-request.ts";
import { type ProcessBuilder, slipOf, taskOf } from "./decision-builder.ts";
import { advance } from "./advance.ts";
import { addressOf, askWork, timeoutMsAfter } from "./ask-work.ts";
import { answerEffect } from "./messages.ts";
import { capAfter, takeSpent } from "./grants.ts";
import { serveNeeds, takeNeed } from "./more.ts";
import { isJudged, judgeOutput, takeJudgement } from "./validation.ts";
import { beginWait, handlerWait } from "./waits.ts";
import { type Asker, firstAttempt, type Link, type Work } from "./work.ts";
import { beginEnding, pumpUndo, reportOf, setAside } from "./compensation.ts";

/** Takes the result of a work item, and grants again what came back with it. */
export function takeResult(builder: ProcessBuilder, body: BodyOf<"result">): void {
  takeReply(builder, body);
  if (builder.state.phase === "open") serveNeeds(builder);
}

/** Takes a reply. The first success counts, of any attempt. A fault counts only for the current attempt. */
function takeReply(builder: ProcessBuilder, body: BodyOf<"result">): void {
  const work = entryOf(builder.state.works, body.workId);
  takeSpent(builder, work, body);
  if (work === undefined) return;
  const { result } = body;
  if ("fault" in result) {
    if (body.attempt === work.attempt && work.status === "asked")
      takeFault(builder, work, boundedFault(result.fault), { told: body.spent !== undefined, label: body.label, facts: body.facts });
    return;
  }
  if (work.kind === "undo") {
    if ("output" in result) takeReport(builder, work, reportOf(readOne(result.output, builder.context)), body.facts?.version);
    return;
  }
  if ("handOff" in result) {
    takeHandOff(builder, work, result.handOff, body);
    return;
  }
  const judged = isJudged(builder, work) ? { judged: true as const } : {};
  builder.emit({
    e: "answered",
    workId: work.id,
    output: result.output,
    atMs: builder.context.nowMs,
    ...labelField(body.label),
    ...judged,
    ...factsOf(body),
  });
  giveUpAsks(builder, work);
  if (work.kind === "check") takeJudgement(builder, work, result, body.label);
  else if (judged.judged === true) judgeOutput(builder, work);
  passOn(builder, work, result);
}

/** Takes the report of a compensation. If it could not undo everything, it counts as failed, and an operator must decide. */
function takeReport(builder: ProcessBuilder, work: Work, report: CompensationReport, version: string | undefined): void {
  if (report.left.length > 0) {
    const message = `${work.undoes ?? work.id} could not be undone as a whole; left: ${report.left.join(", ")}`;
    return undoFailed(builder, work, wireFault("compensation.failed", message, { left: report.left }), report);
  }
  builder.emit({ e: "undone", workId: work.id, atMs: builder.context.nowMs, report, ...(version === undefined ? {} : { version }) });
  advance(builder);
}

/** Ends the process as failed, also if the compensation was only of a loser or of a failed optional call. */
function undoFailed(builder: ProcessBuilder, work: Work, fault: WireFault, report?: CompensationReport): void {
  const failed = boundedFault(fault);
  const { nowMs } = builder.context;
  builder.emit({ e: "undo-failed", workId: work.id, fault: failed, atMs: nowMs, ...(report === undefined ? {} : { report }) });
  beginEnding(builder, "failed", failed, work.stop, work);
  advance(builder);
}

/** What came with a fault. `told`: its agent told what it spent. */
interface FaultTold {
  readonly told: boolean;
  readonly label?: Label | undefined;
  readonly facts?: WorkFacts | undefined;
}

function factsOf({ facts }: { readonly facts?: WorkFacts | undefined }): { readonly facts?: WorkFacts } {
  return facts === undefined ? {} : { facts };
}

/** Takes a failed attempt. It is retried after a pause if the fault table and the retry policy allow it; otherwise it failed for good. */
export function takeFault(builder: ProcessBuilder, work: Work, fault: WireFault, given: FaultTold = { told: false }): void {
  const { told, label } = given;
  const { nowMs, jitter01 } = builder.context;
  const again = nowMs + Math.max(backoffMs(work.retry, work.attempt, jitter01), boundedPauseMs(fault.retryAfterMs) ?? 0);
  const inTime = work.kind === "undo" || again < taskOf(builder.state).deadlineAtMs;
  // An agent that is not in the system may come back with the next deployment.
  const mayRetry = isRetryable(fault) || (work.kind === "undo" && fault.code === "agent.unknown");
  if (mayRetry && inTime && work.attempt < work.retry.attemptsMax) {
    builder.emit({ e: "attempt-failed", workId: work.id, attempt: work.attempt, fault, atMs: nowMs, againAtMs: again });
    if (work.kind === "undo" && fault.code === "agent.unknown") setAside(builder, work);
    return;
  }
  if (work.kind === "undo") {
    const tried = `${work.undoes ?? work.id} could not be undone in ${work.attempt} attempts`;
    const message = `${tried}; the last failed with ${fault.code}: ${fault.message}`;
    return undoFailed(builder, work, { ...wireFault("compensation.failed", message), cause: fault.cause });
  }
  const tolerated = isTolerated(work);
  builder.emit({
    e: "failed",
    workId: work.id,
    fault,
    atMs: nowMs,
    tolerated,
    ...(told ? { told } : {}),
    ...labelField(label),
    ...factsOf(given),
  });
  if (work.kind === "check") takeJudgement(builder, work, { fault }, label);
  passOn(builder, work, { fault });
}

/** Whether a failure makes the outcome partial. A failed branch of an `any` does not: another branch wins, or the stop fails. */
function isTolerated(work: Work): boolean {
  return work.optional && !isBranchPath(work.stop);
}

/** Sends the result of a finished work item to the handler that asked, or advances the slip. A failed ask is compensated. */
function passOn(builder: ProcessBuilder, work: Work, result: Result): void {
  const asker = work.asker === undefined ? undefined : entryOf(builder.state.works, work.asker.workId);
  if (asker !== undefined && work.asker !== undefined)
    builder.order(answerEffect(builder.state, asker, work.asker.index, result, builder.context));
  if (work.asker !== undefined && "fault" in result) {
    const { workId, index } = work.asker;
    const workIds = builder.state.asked.map((one) => one.id).filter((id) => isAskOf(id, workId, index));
    builder.emit({ e: "undo-due", workIds, atMs: builder.context.nowMs });
  }
  if (asker === undefined || "fault" in result) advance(builder);
}

/** Compensates what a handler that has ended asked for and did not wait for: the losers of its races. */
function giveUpAsks(builder: ProcessBuilder, { id }: Work): void {
  const { works, asked } = builder.state;
  const open = Object.values(works).flatMap(({ asker }) => (asker?.workId === id ? asker.index : []));
  if (open.length === 0) return;
  const workIds = asked.filter((one) => open.some((index) => isAskOf(one.id, id, index))).map((one) => one.id);
  builder.emit({ e: "undo-due", workIds, atMs: builder.context.nowMs });
  pumpUndo(builder);
}

type HandOff = Extract<Result, { handOff: unknown }>["handOff"];

/** Takes a hand-off: the other agent gets a work item of the same stop, with the next visit. */
function takeHandOff(builder: ProcessBuilder, work: Work, handOff: HandOff, told: Pick<FaultTold, "label" | "facts">): void {
  try {
    const next = { ...handOffWork(builder, work, handOff), ...labelField(joined(work.label, told.label)) };
    builder.emit({ e: "handed-off", workId: work.id, to: handOff.agent, atMs: builder.context.nowMs, ...factsOf(told) });
    giveUpAsks(builder, work);
    if (personOf(builder, next.target) === undefined) askWork(builder, next);
    else {
      const { id, stop, item, asker, optional } = next;
      const place = { id, stop, item, optional, again: true as const, ...(asker === undefined ? {} : { asker }) };
      const by = doerName(work.target);
      askPerson(builder, place, { person: handOff.agent, input: handOff.input, label: next.label, by, agent: by });
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    builder.emit({ e: "failed", workId: work.id, fault: error.toWire(), atMs: builder.context.nowMs, tolerated: isTolerated(work) });
    passOn(builder, work, { fault: error.toWire() });
  }
}

function handOffWork(builder: ProcessBuilder, work: Work, handOff: HandOff): Work {
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  const from = doerName(work.target);
  if (entryOf(slip.agents, from)?.handsOffTo.includes(handOff.agent) !== true)
    throw new Fault("handoff.undeclared", `${from} handed off to ${handOff.agent}, which it does not declare`);
  const link: Link = { agent: handOff.agent, input: valueHash(handOff.input) };
  guardChain(slip, work.chain, link);
  guardHops(builder.state.hops);
  const visit = work.visit + 1;
  const id =
    work.asker === undefined
      ? stopWorkId(builder.state.id, builder.state.run, work.stop, work.item, visit)
      : askWorkId(work.asker.workId, work.asker.index, visit);
  const target = { kind: "agent", agent: handOff.agent } as const;
  const { nowMs } = builder.context;
  const { first: _first, standing: _standing, pausedAtMs: _pausedAtMs, answeredAtMs: _answeredAtMs, ...known } = work;
  const { grant: _grant, answerLabels: _answerLabels, ...rest } = known;
  const cap = capAfter(builder, work);
  const timeoutMs = timeoutMsAfter(builder, work, target);
  return {
    ...rest,
    id,
    order: builder.state.order + 1,
    visit,
    target,
    ...addressOf(builder, target, handOff.input, id),
    input: handOff.input,
    ...firstAttempt(nowMs, timeoutMs),
    chain: [...work.chain, link],
    ...(cap === undefined ? {} : { cap }),
  };
}

/** Takes a wait of a handler. It begins once; a repeated request gets the same answer. */
export function takeWait(builder: ProcessBuilder, body: BodyOf<"wait">): void {
  const asker = entryOf(builder.state.works, body.workId);
  // A compensation has no waits, and a nested route waits for nothing but a larger grant; another message is ignored.
  if (asker === undefined || asker.kind === "undo" || (asker.target.kind !== "agent" && body.for.kind !== "budget")) return;
  const answer = entryOf(asker.answers, String(body.index));
  if (answer !== undefined) {
    builder.order(answerEffect(builder.state, asker, body.index, answer, builder.context));
    return;
  }
  const isHis = (one: { readonly asker?: Asker | undefined }): boolean => one.asker?.workId === asker.id && one.asker.index === body.index;
  if (Object.values(builder.state.works).some(isHis) || Object.values(builder.state.waits ?? {}).some(isHis)) return;
  try {
    guardWaits(asker, body.index);
    beginHandlerWait(builder, asker, body);
  } catch (error) {
    if (!isFault(error)) throw error;
    const result: Result = { fault: error.toWire() };
    builder.emit({ e: "wait-answered", workId: asker.id, index: body.index, result, atMs: builder.context.nowMs });
    builder.order(answerEffect(builder.state, asker, body.index, result, builder.context));
  }
}

function beginHandlerWait(builder: ProcessBuilder, asker: Work, { index, for: wanted, label: own }: BodyOf<"wait">): void {
  const label = joined(asker.label, own);
  switch (wanted.kind) {
    case "agent": {
      if (personOf(builder, wanted) === undefined)
        return askWork(builder, { ...questionWork(builder, asker, index, wanted), ...labelField(label) });
      guardAsk(builder, asker, wanted.agent);
      const question = { person: wanted.agent, input: wanted.input, label, ...byHandler(asker) };
      return void askPerson(builder, placeOfWait(asker, index), question);
    }
    case "budget":
      return takeNeed(builder, asker, index, wanted.need);
    case "person":
      return void beginConsent(builder, placeOfWait(asker, index), wanted.ask);
    case "timer":
    case "signal":
      return void beginWait(builder, handlerWait(builder, asker, index, wanted));
    default:
      return assertNever(wanted);
  }
}

function placeOfWait({ id, stop, item }: Work, index: number): RequestPlace {
  return { id: askWorkId(id, index, 1), stop, item, asker: { workId: id, index }, optional: false };
}

function byHandler({ target }: Work): { readonly by: string; readonly agent: string } {
  return { by: doerName(target), agent: doerName(target) };
}

/** Throws `ask.undeclared` for an agent or person that is not in `asks`. */
function guardAsk(builder: ProcessBuilder, asker: Work, asked: string): void {
  const from = doerName(asker.target);
  if (entryOf(slipOf(taskOf(builder.state).slip, builder.context).agents, from)?.asks.includes(asked) !== true)
    throw new Fault("ask.undeclared", `${from} asked ${asked}, which it does not declare`);
}

function guardWaits(asker: Work, index: number): void {
  if (index >= LIMITS.asksPerWorkMax)
    throw new Fault(
      "ask.too-many",
      `${doerName(asker.target)} waited ${index + 1} times in one work item; ${LIMITS.asksPerWorkMax} waits are allowed`,
    );
}

function questionWork(builder: ProcessBuilder, asker: Work, index: number, ask: Extract<WaitFor, { kind: "agent" }>): Work {
  guardAsk(builder, asker, ask.agent);
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  const from = doerName(asker.target);
  const id = askWorkId(asker.id, index, 1);
  const target = { kind: "agent", agent: ask.agent } as const;
  const { actor, version, first } = addressOf(builder, target, ask.input, id);
  const waiting: Ancestor[] = [...asker.ancestors, { agent: from, id: asker.actor }];
  guardWait(slip, waiting, { agent: ask.agent, id: actor });
  const link: Link = { agent: ask.agent, input: valueHash(ask.input) };
  guardChain(slip, asker.chain, link);
  guardHops(builder.state.hops);
  const { nowMs } = builder.context;
  const timeoutMs = timeoutMsAfter(builder, asker, target);
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
    ...firstAttempt(nowMs, timeoutMs),
    retry: RETRY_DEFAULT,
    optional: false,
    asker: { workId: asker.id, index },
    chain: [...asker.chain, link],
    ancestors: waiting,
  };
}
