/**
 * @module A work item whose attempt ended because a fact that it had read is gone: the next attempt reads anew. Pure.
 *
 * What was recalled is forgotten, and no record has to be reached again, as what follows a recall depends on it. Records that are reached
 * again count all the same: a call of a tool is not made twice, and a model that is asked the same gives the same reply.
 */
import type { FaultCode } from "../faults.ts";
import type { AgentWork } from "./state.ts";

const STALE: FaultCode = "memory.stale";
/** Names of steps that are records of what was recalled. */
const RECALLED = /^memory:(recall|relevant|conversation)\b/;

/** Whether the last attempt of a work item ended because of what it had recalled. */
export function isStale({ result, attempt, failures = [] }: AgentWork): boolean {
  const ended = result !== undefined && "fault" in result && result.fault.code === STALE;
  return ended || failures.some((one) => one.attempt === attempt && one.fault.code === STALE);
}

/** The work item with records that only its last attempt had to reach. */
export function readingAnew(work: AgentWork): AgentWork {
  const { attempt: onlyIn, calls, modelCalls, steps, waits } = work;
  return {
    ...work,
    calls: calls.map((one) => ({ ...one, onlyIn })),
    modelCalls: modelCalls?.map((one) => ({ ...one, onlyIn })),
    steps: steps.filter(({ name }) => !RECALLED.test(name)).map((one) => ({ ...one, onlyIn })),
    waits: waits.map((one) => ({ ...one, onlyIn })),
  };
}
