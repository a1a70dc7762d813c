/** @module How the requests of a process to people change with its events, and how they are shown. Pure. */
import { entryOf, withEntry } from "../entries.ts";
import { isItemsPath, requestId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { type RequestLine, tenantField } from "../people/view.ts";
import type { ProcessEvent } from "./events.ts";
import { waitLine } from "./history-lines.ts";
import type { ProcessState, Task } from "./state.ts";
import { type EndedRequest, isPersonWait, type PersonWait, type Wait } from "./wait.ts";

/** The open requests, oldest first. */
export function openRequests({ waits }: ProcessState): PersonWait[] {
  return waits === undefined ? [] : Object.values(waits).filter(isPersonWait);
}

/** Who may decide now: the roles of the person, and those of the steps of its escalation that have begun. */
export function rolesNow({ for: { who, escalated } }: PersonWait): string[] {
  if (who.roles.length === 0) return [];
  return [...new Set([...who.roles, ...who.escalate.slice(0, escalated).flatMap(({ roles }) => roles)])];
}

// ---- changes ----------------------------------------------------------------------------------------------------------------

/** The state with a request that has ended. Those whose entries need not be written again are forgotten, oldest first. */
export function withEnded(state: ProcessState, wait: Wait, how: Omit<EndedRequest, "run" | "wait">): ProcessState {
  const { count = 0, ended = [] } = state.people ?? {};
  const all = [...ended, { run: state.run, wait, ...how }];
  const first = all.length - LIMITS.personDecidedMax;
  const kept = all
    .filter(({ atMs }, index) => index >= first || atMs + LIMITS.personTellMs > how.atMs)
    .slice(-2 * LIMITS.personRequestsMax);
  return { ...state, people: { count, ended: kept } };
}

/** Ends the requests whose waits have left the state without a decision: they are no longer needed. */
export function withClosed(before: ProcessState, after: ProcessState, event: ProcessEvent): ProcessState {
  if (before.waits === undefined || before.waits === after.waits) return after;
  const decided = event.e === "wait-ended" ? event.waitId : undefined;
  const gone = openRequests(before).filter(({ id }) => id !== decided && entryOf(after.waits ?? {}, id) === undefined);
  const atMs = "atMs" in event ? event.atMs : 0;
  return gone.reduce((state, wait) => {
    const told = waitLine(state, wait, atMs, `request ${requestId(state.id, wait.for.count)} closed`);
    return withEnded(told, wait, { state: "closed", atMs, reason: "" });
  }, after);
}

/** The history entry of a request that ended. */
export function endedText(id: string, { count }: PersonWait["for"], { state, by }: Pick<EndedRequest, "state" | "by">): string {
  return `request ${requestId(id, count)} ${state}${by === undefined ? "" : ` by ${by}`}`;
}

/** The state after people were reminded, or further ones may decide. */
export function told(state: ProcessState, event: Extract<ProcessEvent, { e: "people-told" }>): ProcessState {
  const wait = entryOf(state.waits ?? {}, event.waitId);
  if (wait === undefined || !isPersonWait(wait)) return state;
  const { reminded, escalated, step, atMs, dueAtMs } = event;
  const { dueAtMs: _before, ...rest } = wait;
  const next: PersonWait = {
    ...rest,
    for: { ...wait.for, reminded, escalated, step, toldAtMs: atMs },
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
  };
  const to = step === "escalated" ? ` to ${rolesNow(next).join(", ")}` : "";
  const what = `request ${requestId(state.id, wait.for.count)} ${step}${to}`;
  return waitLine({ ...state, waits: withEntry<Wait>(state.waits ?? {}, wait.id, next) }, next, atMs, what);
}

// ---- views ------------------------------------------------------------------------------------------------------------------

/** The requests of a process without their contents: the open ones, and those of the others that it remembers. Oldest first. */
export function requestLines(state: ProcessState): RequestLine[] {
  const { task, people } = state;
  if (task === undefined || people === undefined) return [];
  return [
    ...people.ended.flatMap((request) => (isPersonWait(request.wait) ? [endedLine(state.id, task, request, request.wait)] : [])),
    ...openRequests(state).map((wait) => openLine(state, task, wait)),
  ];
}

/** The line of an open request. */
export function openLine({ id, run }: Pick<ProcessState, "id" | "run">, task: Task, wait: PersonWait): RequestLine {
  const { dueAtMs } = wait;
  const next = dueAtMs === undefined ? {} : { nextAtMs: dueAtMs };
  return { ...lineOf(id, run, task, wait), state: "open", processEndsAtMs: task.deadlineAtMs, ...next };
}

/** The line of a request that has ended. */
export function endedLine(id: string, task: Task, { run, state, atMs, by, reason }: EndedRequest, wait: PersonWait): RequestLine {
  return { ...lineOf(id, run, task, wait), state, decided: { ...(by === undefined ? {} : { by }), reason, atMs } };
}

function lineOf(id: string, run: number, { route, principal }: Task, wait: PersonWait): Omit<RequestLine, "state"> {
  const { count, about: kind, person, agent, tool, reason, content, hash, who, endsAtMs, reminded, escalated } = wait.for;
  return {
    id: requestId(id, count),
    processId: id,
    route,
    run,
    stop: wait.stop,
    ...(isItemsPath(wait.stop) ? { item: wait.item } : {}),
    kind,
    ...(person === undefined ? {} : { person }),
    ...(agent === undefined ? {} : { agent }),
    ...(tool === undefined ? {} : { tool }),
    about: reason,
    hash,
    roles: rolesNow(wait),
    ...(who.agentsDecide === undefined ? {} : { agentsDecide: who.agentsDecide }),
    forSubject: principal.subject,
    ...tenantField(principal.tenant),
    askedAtMs: wait.begunAtMs,
    ...(endsAtMs === undefined ? {} : { dueAtMs: endsAtMs }),
    silence: who.onExpiry,
    reminded,
    escalated,
    content,
  };
}
