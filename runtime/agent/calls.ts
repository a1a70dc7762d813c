/**
 * @module What a handler records: calls of tools, steps, and what of them failed. Pure.
 *
 * A host that never heard that its record was written offers it again, so each of these is idempotent.
 */
import { wireFault, type WireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { AgentBuilder, FailedTry, InputOf } from "./inputs.ts";
import { ownScope } from "./queue.ts";
import type { AgentWork, Call } from "./state.ts";

/** Within one attempt, what comes behind a failure may depend on it: a further attempt need not come to it again. */
export function onlyIn({ attempt, failures }: AgentWork): { readonly onlyIn?: number } {
  return failures?.some((failure) => failure.attempt === attempt) === true ? { onlyIn: attempt } : {};
}

/** A call that may have to be undone, or whose end must not stay unknown, is recorded before it is made. */
export function takeCallBegun(builder: AgentBuilder, work: AgentWork, { call }: InputOf<"call-begun">): void {
  if (work.mode === "undo") return refuseCancelled(builder, work);
  const known = callOf(work, call.key);
  if (known?.open === true || known?.output !== undefined) return;
  const { key, tool, undo, input } = call;
  // A call that is made again in a later attempt keeps what was recorded of it.
  const packed = input === undefined || known?.input !== undefined ? {} : { input: builder.pack(input, ownScope(builder, work)) };
  builder.emit({ e: "call-begun", workId: work.id, key, tool, undo: undo || known?.undo === true, ...packed, ...onlyIn(work) });
}

/** A call failed and is made again after a pause. */
export function takeCallTried(builder: AgentBuilder, work: AgentWork, { call, tries, end }: InputOf<"call-tried">): void {
  if (work.mode === "undo") return refuseCancelled(builder, work);
  const known = callOf(work, call.key)?.tried;
  const { attempt } = work;
  if (known?.attempt === attempt && known.tries >= tries) return;
  const { key, tool } = call;
  builder.emit({ e: "call-tried", workId: work.id, key, tool, attempt, tries, ...failedTry(end), ...onlyIn(work) });
}

/** A call ended. Also of a handler that was stopped: its undo may need the output. */
export function takeCallEnded(builder: AgentBuilder, work: AgentWork, { call }: InputOf<"call-ended">): void {
  const { key, tool, end } = call;
  if (callOf(work, key)?.output !== undefined) return;
  const about = { e: "call-ended", workId: work.id, key, tool, attempt: work.attempt } as const;
  if ("output" in end) {
    builder.emit({ ...about, output: builder.pack(end.output, ownScope(builder, work)), ...onlyIn(work) });
  } else if (mayFail(builder, work, { kind: "call", key, fault: end.fault })) {
    builder.emit({ ...about, ...failedTry(end), ...onlyIn(work) });
  }
}

function failedTry({ fault, open }: FailedTry): { readonly fault: WireFault; readonly open?: true } {
  return open === true ? { fault, open } : { fault };
}

/** A step has its result. */
export function takeStep(builder: AgentBuilder, work: AgentWork, { name, output }: InputOf<"step-done">): void {
  if (work.steps.some((step) => step.name === name)) return;
  builder.emit({
    e: "step-done",
    workId: work.id,
    step: { name, output: builder.pack(output, ownScope(builder, work)), ...onlyIn(work) },
  });
}

/** A step or a wait failed. */
export function takeFailure(builder: AgentBuilder, work: AgentWork, { failure }: InputOf<"failed">): void {
  if (mayFail(builder, work, failure)) builder.emit({ e: "failed", workId: work.id, failure: { ...failure, attempt: work.attempt } });
}

/** An undo of a call has run. */
export function takeCallUndone(builder: AgentBuilder, work: AgentWork, { key }: InputOf<"call-undone">): void {
  const call = callOf(work, key);
  if (call !== undefined && call.undone !== true) builder.emit({ e: "call-undone", workId: work.id, key });
}

/** Failures are recorded once, and bounded over all attempts: a handler that catches for ever is told of one that it does not forget. */
function mayFail(builder: AgentBuilder, work: AgentWork, { kind, key, fault }: InputOf<"failed">["failure"]): boolean {
  const { attempt, failures = [] } = work;
  if (failures.some((one) => one.attempt === attempt && one.kind === kind && one.key === key)) return false;
  if (failures.length < LIMITS.failuresPerWorkMax) return true;
  builder.refuse(wireFault("step.too-many", `${LIMITS.failuresPerWorkMax} calls of one work item have failed; the last: ${fault.message}`));
  return false;
}

function callOf(work: AgentWork, key: string): Call | undefined {
  return work.calls.find((call) => call.key === key);
}

function refuseCancelled(builder: AgentBuilder, work: AgentWork): void {
  builder.refuse(wireFault("work.cancelled", `${work.id} is being undone`));
}
