/**
 * @module What a process shows of itself to people and programs.
 */
import { plainJson } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import { type Outcome, traceId } from "../../runtime/protocol.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { doerName } from "../../runtime/slip.ts";
import type { Wait } from "../../runtime/process/wait.ts";
import { letterView } from "./dead-letter-view.ts";
import type { Values } from "../engine/values.ts";

/** The view of a process. `phase` is `new` for what never was, and `void` for what a reminder found empty. */
export async function processView(state: ProcessState, sequence: number, values: Values): Promise<Json> {
  const { task, outcome } = state;
  return {
    id: state.id,
    phase: state.phase,
    run: state.run,
    sequence,
    ...(task === undefined
      ? {}
      : {
          route: task.route,
          fingerprint: task.fingerprint,
          traceId: traceId(task.trace),
          bucket: task.bucket,
          acceptedAtMs: task.acceptedAtMs,
          deadlineAtMs: task.deadlineAtMs,
        }),
    ...(state.progress === undefined ? {} : { stop: state.progress.stop }),
    ...(state.ending === undefined || state.phase === "ended" ? {} : { ending: state.ending.status }),
    unanswered: Object.values(state.works).map((work) => ({
      work: work.id,
      kind: work.kind,
      stop: work.stop,
      target: doerName(work.target),
      attempt: work.attempt,
      status: work.status,
      ...(work.standing === undefined ? {} : { standing: work.standing }),
      dueAtMs: work.dueAtMs,
    })),
    ...(state.waits === undefined ? {} : { waits: Object.values(state.waits).map(waitView) }),
    ...(state.runs === undefined
      ? {}
      : {
          runs: state.runs.map(({ run, status, atMs, fault }) => ({
            run,
            status,
            atMs,
            ...(fault === undefined ? {} : { code: fault.code }),
          })),
        }),
    historyFrom: state.historyGone ?? 0,
    history: state.history.map((line) => ({
      atMs: line.atMs,
      what: line.what,
      stop: line.stop,
      agent: line.agent,
      attempt: line.attempt,
      ...(line.code === undefined ? {} : { code: line.code }),
    })),
    ...(outcome === undefined || state.phase === "purged" ? {} : { outcome: await outcomeView(outcome, values) }),
  };
}

function waitView({ id, stop, for: wanted, begunAtMs, dueAtMs }: Wait): Json {
  return {
    wait: id,
    stop,
    kind: wanted.kind,
    ...(wanted.kind === "signal" ? { name: wanted.name } : {}),
    begunAtMs,
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
  };
}

async function outcomeView(outcome: Outcome, values: Values): Promise<Json> {
  return {
    status: outcome.status,
    atMs: outcome.atMs,
    ...(outcome.output === undefined ? {} : { output: await values.read(outcome.output) }),
    ...(outcome.fault === undefined ? {} : { fault: plainJson(outcome.fault) }),
    ...(outcome.deadLetter === undefined ? {} : { deadLetter: await letterView(outcome.deadLetter, values) }),
  };
}
