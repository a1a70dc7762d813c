/** @module The outcome of a process, as those see it who wait for it. */
import { invariant } from "../../runtime/faults.ts";
import { labelField } from "../../runtime/label.ts";
import { spendingView } from "../../runtime/process/budget-view.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { ProcessOutcome, ProcessView } from "../../runtime/process-view.ts";
import { traceId } from "../../runtime/protocol.ts";
import type { Host } from "../host/host.ts";
import type { OutcomeView } from "./operations.ts";

/** The outcome of a process that ended on this host. */
export async function endedOutcome({ id, outcome, task }: ProcessState, values: Host["values"]): Promise<OutcomeView> {
  invariant(outcome !== undefined && task !== undefined, "an ended process has a task and an outcome");
  return {
    id,
    status: outcome.status,
    traceId: traceId(task.trace),
    acceptedAtMs: task.acceptedAtMs,
    endedAtMs: outcome.atMs,
    ...(outcome.output === undefined ? {} : { output: await values.read(outcome.output) }),
    ...(outcome.fault === undefined ? {} : { fault: outcome.fault }),
    ...(outcome.spent === undefined ? {} : { spent: spendingView(outcome.spent) }),
    ...labelField(outcome.label),
  };
}

/** The outcome of a process as its view shows it. */
export function outcomeShown({ id, traceId, acceptedAtMs }: ProcessView, outcome: ProcessOutcome): OutcomeView {
  return {
    id,
    status: outcome.status,
    traceId,
    acceptedAtMs,
    endedAtMs: outcome.atMs,
    ...(outcome.output === undefined ? {} : { output: outcome.output }),
    ...(outcome.fault === undefined ? {} : { fault: outcome.fault }),
    ...(outcome.spent === undefined ? {} : { spent: outcome.spent }),
    ...labelField(outcome.label),
  };
}
