/**
 * @module What a handler records: calls of tools, steps, and their failures. Pure.
 *
 * A host that does not know whether its record was written sends it again, so each of these functions is idempotent.
 */
import { wireFault, type WireFault } from "../faults.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { AgentBuilder, CallName, FailedTry, InputOf } from "./inputs.ts";
import { packOwn } from "./queue.ts";
import { toolRefusal } from "./spending.ts";
import type { AgentWork, Call, Wait } from "./state.ts";

/** Faults after which a call may have had its effect. */
const UNSURE: ReadonlySet<string> = new Set(["call.timeout", "call.unknown", "schema.tool-output"]);

/**
 * What follows a failure may depend on it, so it belongs to this attempt only: a later attempt need not reach it again. A larger grant that
 * was refused is such a failure too.
 */
export function onlyIn({ attempt, failures, waits }: AgentWork): { readonly onlyIn?: number } {
  const hasFailed = failures?.some((failure) => failure.attempt === attempt) === true;
  const isRefused = (wait: Wait): boolean =>
    wait.onlyIn === attempt && wait.for.kind === "budget" && wait.result !== undefined && "fault" in wait.result;
  return hasFailed || waits.some(isRefused) ? { onlyIn: attempt } : {};
}

/** Records a call before it is made, if it may have to be undone or if its end must not stay unknown. */
export function takeCallBegun(builder: AgentBuilder, work: AgentWork, { call }: InputOf<"call-begun">): void {
  if (work.mode === "undo") return refuseCancelled(builder, work);
  const known = callOf(work, call.key);
  if (known?.open === true || known?.output !== undefined) return;
  const refused = toolRefusal(work);
  if (refused !== undefined) return builder.refuse(refused);
  const { key, tool, undo, input } = call;
  // A call that a later attempt makes again keeps what was recorded about it.
  const packed = input === undefined || known?.input !== undefined ? {} : { input: packOwn(builder, work, input) };
  builder.emit({
    e: "call-begun",
    workId: work.id,
    key,
    tool,
    undo: undo || known?.undo === true,
    ...packed,
    ...lasting(call),
    ...onlyIn(work),
  });
}

/** Records a failed call that is made again after a pause. */
export function takeCallTried(builder: AgentBuilder, work: AgentWork, { call, tries, end }: InputOf<"call-tried">): void {
  if (work.mode === "undo") return refuseCancelled(builder, work);
  const known = callOf(work, call.key)?.tried;
  const { attempt } = work;
  if (known?.attempt === attempt && known.tries >= tries) return;
  const { key, tool } = call;
  builder.emit({ e: "call-tried", workId: work.id, key, tool, attempt, tries, ...failedTry(call, end), ...onlyIn(work) });
}

/** Records the end of a call, also for a cancelled handler: the undo may need the output. */
export function takeCallEnded(builder: AgentBuilder, work: AgentWork, { call }: InputOf<"call-ended">): void {
  const { key, tool, end } = call;
  if (callOf(work, key)?.output !== undefined) return;
  const about = { e: "call-ended", workId: work.id, key, tool, attempt: work.attempt, ...labelField(call.label) } as const;
  if ("output" in end) {
    builder.emit({ ...about, output: packOwn(builder, work, end.output), ...lasting(call), ...onlyIn(work) });
  } else if (mayFail(builder, work, { kind: "call", key, fault: end.fault })) {
    builder.emit({ ...about, ...failedTry(call, end), ...onlyIn(work) });
  }
}

function failedTry(
  call: CallName,
  { fault, open }: FailedTry,
): { readonly fault: WireFault; readonly open?: true; readonly stands?: true } {
  return { fault, ...(open === true ? { open } : {}), ...(UNSURE.has(fault.code) ? lasting(call) : {}) };
}

function lasting({ stands }: CallName): Pick<CallName, "stands"> {
  return stands === true ? { stands } : {};
}

/** Records the result of a step. */
export function takeStep(builder: AgentBuilder, work: AgentWork, { name, output }: InputOf<"step-done">): void {
  if (work.steps.some((step) => step.name === name)) return;
  builder.emit({
    e: "step-done",
    workId: work.id,
    step: { name, output: packOwn(builder, work, output), ...onlyIn(work) },
  });
}

/** Records the failure of a step or a wait. */
export function takeFailure(builder: AgentBuilder, work: AgentWork, { failure }: InputOf<"failed">): void {
  if (mayFail(builder, work, failure)) builder.emit({ e: "failed", workId: work.id, failure: { ...failure, attempt: work.attempt } });
}

/** Records that the undo of a call has run. */
export function takeCallUndone(builder: AgentBuilder, work: AgentWork, { key }: InputOf<"call-undone">): void {
  const call = callOf(work, key);
  if (call !== undefined && call.undone !== true) builder.emit({ e: "call-undone", workId: work.id, key });
}

/** Records each failure once, up to a bound over all attempts: a handler that catches faults in an endless loop is stopped by one. */
export function mayFail(builder: AgentBuilder, work: AgentWork, { kind, key, fault }: InputOf<"failed">["failure"]): boolean {
  const { attempt, failures = [] } = work;
  if (failures.some((one) => one.attempt === attempt && one.kind === kind && one.key === key)) return false;
  if (failures.length < LIMITS.failuresPerWorkMax) return true;
  builder.refuse(
    wireFault("step.too-many", `${LIMITS.failuresPerWorkMax} calls and steps of one work item failed; the last: ${fault.message}`),
  );
  return false;
}

function callOf(work: AgentWork, key: string): Call | undefined {
  return work.calls.find((call) => call.key === key);
}

/** Refuses what a cancelled handler would begin. */
export function refuseCancelled(builder: AgentBuilder, work: AgentWork): void {
  builder.refuse(wireFault("work.cancelled", `${work.id} is being compensated`));
}
