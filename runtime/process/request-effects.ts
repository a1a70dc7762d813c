/**
 * @module The effects of requests to people: entries of the index `Inbox`, notifications, audit entries of decisions. Pure.
 *
 * They are ordered by the turn that changes a request, and again by a host that takes the process over soon after.
 */
import { entryOf } from "../entries.ts";
import { auditEntry, bucketOf } from "../index-actor.ts";
import { LIMITS } from "../limits.ts";
import { inboxEntry, type RequestLine } from "../people/view.ts";
import { type Effect, type RequestNotification, traceId } from "../protocol.ts";
import { openLine, endedLine, openRequests } from "./people.ts";
import type { ProcessState, Task } from "./state.ts";
import { type EndedRequest, isPersonWait, type PersonWait } from "./wait.ts";

/** The effects of the requests that a decision changed. */
export function changedRequests(before: ProcessState, after: ProcessState, nowMs: number): Effect[] {
  const { task, people } = after;
  // The last effects of a process that has ended contain those of its requests.
  if (after.phase === "ended" || task === undefined || people === undefined || (before.waits === after.waits && before.people === people))
    return [];
  const known = new Set(before.people?.ended);
  const ended = people.ended.filter((request) => !known.has(request));
  const open = openRequests(after).filter((wait) => entryOf(before.waits ?? {}, wait.id) !== wait);
  return [
    ...ended.flatMap((request) => endedEffects(after, task, request, nowMs)),
    ...open.flatMap((wait) => openEffects(after, task, wait)),
  ];
}

/**
 * The effects of all requests that a process remembers. `recent`: only of those that changed in the last minutes, which may not have been
 * performed by the host that recorded them.
 */
export function requestEffects(state: ProcessState, nowMs: number, which: "all" | "recent"): Effect[] {
  const { task, people } = state;
  if (task === undefined || people === undefined) return [];
  const isMeant = (atMs: number): boolean => which === "all" || isRecent(atMs, nowMs);
  const ended = people.ended.filter(({ atMs }) => isMeant(atMs)).flatMap((request) => endedEffects(state, task, request, nowMs));
  const open = openRequests(state).filter((wait) => isMeant(wait.for.toldAtMs));
  return [...ended, ...open.flatMap((wait) => openEffects(state, task, wait, nowMs))];
}

/** The effects of one request that has ended. */
export function endedRequestEffects(state: ProcessState, count: number, nowMs: number): Effect[] {
  const { task, people } = state;
  const known = people?.ended.find(({ wait }) => wait.for.kind === "person" && wait.for.count === count);
  return task === undefined || known === undefined ? [] : endedEffects(state, task, known, nowMs);
}

/** Whether a host that takes the process over must order effects of its requests again. */
export function tellsRequests(state: ProcessState, nowMs: number): boolean {
  if (state.people === undefined) return false;
  return (
    state.people.ended.some(({ atMs }) => isRecent(atMs, nowMs)) || openRequests(state).some((wait) => isRecent(wait.for.toldAtMs, nowMs))
  );
}

function isRecent(atMs: number, nowMs: number): boolean {
  return atMs + LIMITS.personTellMs > nowMs;
}

/** `nowMs`: the effects are ordered again at that time. */
function openEffects(state: ProcessState, task: Task, wait: PersonWait, nowMs?: number): Effect[] {
  const line = openLine(state, task, wait);
  const { reminded, escalated, step, toldAtMs } = wait.for;
  const entry = indexEffect(line);
  if (nowMs !== undefined && !isRecent(toldAtMs, nowMs)) return [entry];
  return [entry, notification(task, line, step === "asked" ? step : `${step}${reminded + escalated}`, step, toldAtMs)];
}

function endedEffects(state: ProcessState, task: Task, request: EndedRequest, nowMs: number): Effect[] {
  const { wait } = request;
  if (!isPersonWait(wait)) return [];
  const line = endedLine(state.id, task, request, wait);
  const what = request.by !== undefined ? "decided" : request.state === "expired" ? "expired" : "closed";
  const entry = indexEffect(line);
  if (!isRecent(request.atMs, nowMs)) return [entry];
  return [entry, ...auditEffect(line, request), notification(task, line, what, what, request.atMs)];
}

/** The bucket of a request is that of its beginning, so that each entry of it meets the earlier one. */
function indexEffect(line: RequestLine): Effect {
  return { kind: "index", index: "Inbox", bucket: bucketOf(line.askedAtMs, 0), entry: inboxEntry(line) };
}

function auditEffect({ id }: RequestLine, { by, state, reason, atMs }: EndedRequest): Effect[] {
  if (by === undefined) return [];
  const entry = auditEntry({ id: `${id}:decided`, atMs, who: by, what: AUDITED[state], target: id, why: reason });
  return [{ kind: "index", index: "Audit", bucket: bucketOf(atMs, 0), entry }];
}

const AUDITED: Readonly<Record<EndedRequest["state"], string>> = {
  approved: "approve",
  edited: "edit",
  denied: "deny",
  answered: "answer",
  expired: "expire",
  closed: "close",
};

function notification(task: Task, line: RequestLine, step: string, what: RequestNotification["what"], atMs: number): Effect {
  const { id, state, processId, route, run, kind, person, roles, tenant, dueAtMs } = line;
  const data: RequestNotification = {
    requestId: id,
    what,
    state,
    processId,
    route,
    run,
    kind,
    ...(person === undefined ? {} : { person }),
    roles,
    ...(tenant === undefined ? {} : { tenant }),
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
    traceId: traceId(task.trace),
    atMs,
  };
  return { kind: "notify", topic: "requests", id: `${id}:${step}`, data };
}
