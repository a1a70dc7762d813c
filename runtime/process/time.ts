/**
 * @module What happens as time passes: attempts time out, next attempts begin, requests are sent again. Pure.
 *
 * The time of an attempt counts from the start of its handler, and only the agent's actor knows that start. So if an attempt is due by the
 * manager's clock, its request is sent once more, and the receipt decides. Without a receipt the attempt has timed out.
 */
import { entryOf } from "../entries.ts";
import { assertNever, wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { WorkStatus } from "../protocol.ts";
import { doerName } from "../slip.ts";
import { setAside } from "./compensation.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { nextGrant } from "./grants.ts";
import { answerEffect, workEffect } from "./messages.ts";
import { moreEffects } from "./parent-messages.ts";
import { goesOn } from "./parts.ts";
import { takeFault } from "./replies.ts";
import { takeDueRequests } from "./requests.ts";
import type { ProcessState } from "./state.ts";
import { takeDueWaits } from "./waits.ts";
import { isPaused, type Work } from "./work.ts";

/** The state of a work item, from a receipt. */
export interface ToldInput {
  readonly kind: "told";
  readonly workId: string;
  readonly attempt: number;
  /** Absent: the receipt has no state. The receiver has the request. */
  readonly work?: WorkStatus | undefined;
}

/** Fails attempts that timed out, begins attempts whose pause is over, and repeats unanswered requests. True if the slip may advance. */
export function takeTime(builder: ProcessBuilder, resendMs: number): boolean {
  const { nowMs } = builder.context;
  if (builder.state.paused !== undefined) {
    tellNested(builder, resendMs);
    return false;
  }
  for (const id of Object.keys(builder.state.works)) {
    const work = entryOf(builder.state.works, id);
    if (work === undefined || builder.state.phase !== "open") continue;
    if (!isPaused(work) && work.dueAtMs <= nowMs) timeIsUp(builder, work);
    else if (work.status === "asked" && work.askedAtMs + resendMs <= nowMs) repeat(builder, work, false);
    if (isSilent(builder.state, work) && sentAtMs(builder.state, work) + LIMITS.undoAnswerMs <= nowMs) setAside(builder, work);
  }
  const { request } = builder.state.account ?? {};
  if (request !== undefined && request.atMs + resendMs <= nowMs)
    for (const effect of moreEffects(builder.state, builder.context)) builder.order(effect);
  const [areDue, areDecided] = [takeDueWaits(builder), takeDueRequests(builder)];
  return areDue || areDecided || goesOn(builder.state);
}

/** The nested routes of a paused process are told of it until they have answered. */
function tellNested(builder: ProcessBuilder, resendMs: number): void {
  const { state, context } = builder;
  if (state.tree?.paused !== true) return;
  for (const work of Object.values(state.works))
    if (work.status === "asked" && work.target.kind === "route" && work.askedAtMs + resendMs <= context.nowMs) repeat(builder, work, false);
}

function repeat(builder: ProcessBuilder, work: Work, probe: boolean): void {
  builder.order(workEffect(builder.state, work, builder.context, probe));
  for (const [index, result] of Object.entries(work.answers))
    builder.order(answerEffect(builder.state, work, Number(index), result, builder.context));
}

function timeIsUp(builder: ProcessBuilder, work: Work): void {
  const { nowMs } = builder.context;
  switch (work.status) {
    case "asked":
      if (isProbed(work) && nowMs < work.dueAtMs + LIMITS.probeMs) repeat(builder, work, true);
      else timedOut(builder, work);
      return;
    case "waiting": {
      const grant = work.kind === "undo" ? undefined : nextGrant(builder, work);
      builder.emit({
        e: "asked-again",
        workId: work.id,
        attempt: work.attempt + 1,
        atMs: nowMs,
        dueAtMs: nowMs + work.timeoutMs,
        ...(grant === undefined ? {} : { grant }),
      });
      const again = entryOf(builder.state.works, work.id);
      if (again !== undefined) builder.order(workEffect(builder.state, again, builder.context));
      return;
    }
    default:
      assertNever(work.status);
  }
}

function timedOut(builder: ProcessBuilder, work: Work): void {
  const message = `${doerName(work.target)} did not answer within ${work.timeoutMs} ms (attempt ${work.attempt})`;
  takeFault(builder, work, wireFault("stop.timeout", message));
}

/** Whether a due attempt is probed before it fails. Nested routes and compensations are not: the manager knows their time limit. */
function isProbed(work: Work): boolean {
  return work.kind !== "undo" && work.target.kind === "agent";
}

/** When a request was sent last, as far as its silence counts: what was sent before a pause was sent again after it. */
function sentAtMs({ resumedAtMs = 0 }: ProcessState, { askedAtMs }: Work): number {
  return Math.max(askedAtMs, resumedAtMs);
}

/** Whether a compensation has no receipt from its agent, and those of other agents still wait for it. */
function isSilent(state: ProcessState, work: Work): boolean {
  return (
    work.kind === "undo" &&
    work.status === "asked" &&
    work.standing === undefined &&
    work.target.kind === "agent" &&
    state.aside?.includes(work.target.agent) !== true
  );
}

/** Takes the state of an attempt. Time in the queue does not count as time of the attempt. */
export function takeTold(builder: ProcessBuilder, { workId, attempt, work: told }: ToldInput): void {
  const { nowMs } = builder.context;
  const work = entryOf(builder.state.works, workId);
  if (work === undefined || work.attempt !== attempt || work.status !== "asked") return;
  const status = told ?? (work.kind === "undo" ? HAS_IT : undefined);
  if (status === undefined) return;
  const isDue = builder.state.paused === undefined && isProbed(work) && !isPaused(work) && work.dueAtMs <= nowMs;
  if (!isDue) {
    if (work.standing !== status.state) builder.emit({ e: "told", workId, state: status.state, atMs: nowMs });
    return;
  }
  const leftMs = work.timeoutMs - (status.state === "running" ? (status.runningMs ?? work.timeoutMs) : 0);
  if (leftMs <= 0) timedOut(builder, work);
  else builder.emit({ e: "told", workId, state: status.state, atMs: nowMs, dueAtMs: nowMs + leftMs });
}

const HAS_IT: WorkStatus = { state: "running" };

/** The next time at which a work item or a wait is due, at most `endMs`. */
export function nextMomentMs(state: ProcessState, nowMs: number, endMs: number): number {
  if (goesOn(state)) return Math.min(nowMs, endMs);
  let soonest = endMs;
  for (const work of Object.values(state.works)) soonest = Math.min(soonest, workMomentMs(state, work, nowMs));
  for (const wait of Object.values(state.waits ?? {})) soonest = Math.min(soonest, wait.dueAtMs ?? endMs);
  return soonest;
}

function workMomentMs(state: ProcessState, work: Work, nowMs: number): number {
  if (isPaused(work)) return Number.POSITIVE_INFINITY;
  const isAsked = work.status === "asked" && isProbed(work) && work.dueAtMs <= nowMs;
  const dueMs = isAsked ? work.dueAtMs + LIMITS.probeMs : work.dueAtMs;
  return isSilent(state, work) ? Math.min(dueMs, sentAtMs(state, work) + LIMITS.undoAnswerMs) : dueMs;
}

/** Whether a request or an answer may have to be sent again soon. A handler that only waits needs just the reminder. */
export function isUnanswered(state: ProcessState, nowMs: number): boolean {
  if (state.paused !== undefined)
    return (
      state.tree?.paused === true && Object.values(state.works).some(({ status, target }) => status === "asked" && target.kind === "route")
    );
  if (goesOn(state) || state.account?.request !== undefined) return true;
  return Object.values(state.works).some((work) => {
    const isTold = Object.keys(work.answers).length > 0 && nowMs < (work.answeredAtMs ?? nowMs) + LIMITS.answerMs;
    return isTold || (work.status === "asked" && !isPaused(work) && work.standing !== "waiting");
  });
}
