/**
 * @module The view of a process manager, with contents instead of references.
 */
import type { ManagerView, ProcessOutcome, ProcessView, WaitView, WorkView } from "../../runtime/process-view.ts";
import { type Outcome, traceId } from "../../runtime/protocol.ts";
import { entryOf } from "../../runtime/entries.ts";
import { isItemsPath, requestId } from "../../runtime/ids.ts";
import { labelField } from "../../runtime/label.ts";
import { budgetView, spendingView, workBudgetView } from "../../runtime/process/budget-view.ts";
import { requestLines } from "../../runtime/process/people.ts";
import { endedCount } from "../../runtime/process/parts.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Wait } from "../../runtime/process/wait.ts";
import { isPaused, type Work } from "../../runtime/process/work.ts";
import { doerName } from "../../runtime/slip.ts";
import { letterView } from "./dead-letter-view.ts";
import type { Values } from "../engine/values.ts";

/** Returns the view of a process whose journal is at `sequence`. */
export async function processView(state: ProcessState, sequence: number, values: Values): Promise<ManagerView> {
  const { id, run, phase, task, outcome } = state;
  if ((phase !== "open" && phase !== "ended") || task === undefined)
    return { id, phase: phase === "open" || phase === "ended" ? "new" : phase, run, sequence };
  const view: ProcessView = {
    id,
    phase,
    run,
    sequence,
    route: task.route,
    fingerprint: task.fingerprint,
    traceId: traceId(task.trace),
    traceparent: task.trace.traceparent,
    bucket: task.bucket,
    acceptedAtMs: task.acceptedAtMs,
    deadlineAtMs: task.deadlineAtMs,
    by: task.principal.subject,
    works: Object.values(state.works).map((work) => workView(work, state)),
    historyFrom: state.historyGone ?? 0,
    history: state.history,
  };
  if (task.parent !== undefined) view.parent = task.parent.processId;
  if (state.progress !== undefined) {
    const { stop, concurrency, total, begun } = state.progress;
    view.stop = stop;
    if (concurrency !== undefined) view.items = { total, begun, ended: endedCount(state.progress) };
  }
  if (state.paused !== undefined && phase === "open") view.paused = state.paused;
  if (state.ending !== undefined && phase === "open") view.ending = state.ending.status;
  if (state.waits !== undefined)
    view.waits = Object.values(state.waits).map((wait) => {
      const asker = wait.asker === undefined ? undefined : entryOf(state.works, wait.asker.workId);
      return {
        wait: wait.id,
        stop: wait.stop,
        ...(isItemsPath(wait.stop) ? { item: wait.item } : {}),
        ...(asker === undefined ? {} : { agent: doerName(asker.target) }),
        begunAtMs: wait.begunAtMs,
        ...waitView(wait, id),
      };
    });
  const requests = requestLines(state);
  if (requests.length > 0) view.requests = requests;
  const budget = budgetView(state);
  if (budget !== undefined) view.budget = budget;
  if (state.runs !== undefined)
    view.runs = state.runs.map(({ run: past, status, atMs, fault }) => ({
      run: past,
      status,
      atMs,
      ...(fault === undefined ? {} : { code: fault.code }),
    }));
  if (state.acts !== undefined)
    view.actions = state.acts.map(({ what, run: of, by, reason, atMs, opened, edited }) => ({
      what,
      run: of,
      by,
      reason,
      atMs,
      ...(opened === undefined ? {} : { opened }),
      ...(edited === undefined ? {} : { edited }),
    }));
  if (outcome !== undefined) view.outcome = await outcomeView(outcome, values);
  return view;
}

/** Returns the view of an open work item. */
function workView(work: Work, state: ProcessState): WorkView {
  const asks = Object.values(state.works).flatMap(({ asker, target, dueAtMs }) =>
    asker?.workId === work.id ? [{ index: asker.index, kind: "agent" as const, name: doerName(target), dueAtMs }] : [],
  );
  const others = Object.values(state.waits ?? {}).flatMap((wait) =>
    wait.asker?.workId === work.id ? [{ index: wait.asker.index, ...waitView(wait, state.id) }] : [],
  );
  const waits = [...asks, ...others];
  const fault = work.faults.at(-1)?.fault;
  return {
    work: work.id,
    stop: work.stop,
    agent: doerName(work.target),
    kind: work.kind,
    ...(isItemsPath(work.stop) ? { item: work.item } : {}),
    state: work.status === "waiting" ? "retrying" : isPaused(work) ? "waiting" : (work.standing ?? "asked"),
    attempts: work.attempt,
    askedAtMs: work.askedAtMs,
    dueAtMs: work.dueAtMs,
    ...(fault === undefined ? {} : { fault }),
    ...(waits.length === 0 ? {} : { waits }),
    ...workBudgetView(state, work.id),
  };
}

type AnyWaitView = Pick<WaitView, "name" | "request" | "dueAtMs"> & { readonly kind: Wait["for"]["kind"] };

function waitView(wait: Wait, process: string): AnyWaitView {
  const { for: wanted } = wait;
  const name = wanted.kind === "signal" ? wanted.name : wanted.kind === "person" ? wanted.person : undefined;
  const dueAtMs = wanted.kind === "person" ? wanted.endsAtMs : wait.dueAtMs;
  return {
    kind: wanted.kind,
    ...(name === undefined ? {} : { name }),
    ...(wanted.kind === "person" ? { request: requestId(process, wanted.count) } : {}),
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
  };
}

async function outcomeView(outcome: Outcome, values: Values): Promise<ProcessOutcome> {
  return {
    status: outcome.status,
    atMs: outcome.atMs,
    ...(outcome.spent === undefined ? {} : { spent: spendingView(outcome.spent) }),
    ...labelField(outcome.label),
    ...(outcome.output === undefined ? {} : { output: await values.read(outcome.output) }),
    ...(outcome.fault === undefined ? {} : { fault: outcome.fault }),
    ...(outcome.deadLetter === undefined ? {} : { deadLetter: await letterView(outcome.deadLetter, values) }),
  };
}
