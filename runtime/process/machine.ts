/**
 * @module The process manager: one actor per task, which runs the task's slip. Pure.
 *
 * Owns: the state of the process, its work items, its one outcome per run. Does not own: the execution of the work items, the reminder, the
 * index. Sends messages to: agents, child processes, its parent. Invariants:
 * P1 A run has one outcome.
 * P2 Each work item is answered, timed out, undone or dropped by a termination before the outcome.
 * P3 A repeated input writes nothing.
 * P5 A paused process begins nothing; a terminated one compensates nothing.
 * P4 The compensation of a work item is requested only after the work item is no longer waited for.
 */
import { z } from "zod";
import { entryOf } from "../entries.ts";
import { assertNever, Fault, isFault, type WireFault, wireFault } from "../faults.ts";
import { outsideId } from "../ids.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { type Decision, type DecisionContext, type Machine, readOne } from "../machine.ts";
import { eventSchemas } from "../record.ts";
import type { Effect, Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import { hashJson } from "../canonical.ts";
import { type Value, valueHash } from "../value.ts";
import { decidePause, decideResume, endPause, goOn, holdBack, keepsBack, takeHeldBack, takeTree, tellActs } from "./pause.ts";
import { processDueMs } from "./reminder.ts";
import { awaitsDecision, lastRun, nextRun } from "./runs.ts";
import { takeMore } from "./more.ts";
import { takeFault, takeWait, takeResult } from "./replies.ts";
import { takeTime, takeTold, type ToldInput } from "./time.ts";
import { takeSignal } from "./waits.ts";
import { openBuilder, type ProcessBuilder, routeOf, slipOf, taskOf } from "./decision-builder.ts";
import { advance } from "./advance.ts";
import { actEffects, finalEffects, processOutbox, requestId, retainUntilMs } from "./messages.ts";
import { decideUndo } from "./parent-undo.ts";
import { changedRequests, requestEffects } from "./request-effects.ts";
import { takeDecision } from "./requests.ts";
import { decideLetter } from "./dead-letter.ts";
import { decidePurge, type PurgeInput, refusePurged } from "./purge.ts";
import { ProcessEvent } from "./events.ts";
import { evolveProcess } from "./evolve.ts";
import { newProcess, ProcessState, type Task } from "./state.ts";
import { beginEnding } from "./compensation.ts";
import { decideCancel } from "./cancel.ts";
import { decideTerminate } from "./terminate.ts";

/** The inputs of a process manager. */
export type ProcessInput =
  | {
      readonly kind: "message";
      readonly message: Message;
      /** Bucket of the task's index entry, which exists before the task is accepted. */
      readonly bucket?: string;
      /** The fault of a child's invalid input. The child is accepted and fails with it, so that its parent learns of it. */
      readonly fault?: WireFault;
      /** For a task or a decision: the run whose index entry was opened. */
      readonly prepared?: number | undefined;
    }
  | {
      readonly kind: "tick";
      /** The index entry of the process is open. All unanswered requests are sent again, also recent ones. */
      readonly nudged?: boolean;
      /** Which unanswered requests are sent again: those of {@link LIMITS.resendMs}, all, or none. Default: `old`. */
      readonly asks?: "old" | "all" | "none";
      /** The run whose reminder fired; absent for the tick of a timer. */
      readonly run?: number | undefined;
    }
  | ToldInput
  | PurgeInput;

/** The process manager. Its outbox contains its unanswered requests, or its last effects after the end. */
export const processMachine: Machine<ProcessState, ProcessInput, ProcessEvent> = {
  initial: newProcess,
  purged: (id) => ({ ...newProcess(id), phase: "purged" }),
  decide: decideProcess,
  evolve: evolveProcess,
  outbox: processOutbox,
  nextDueMs: processDueMs,
  events: eventSchemas(ProcessEvent),
  states: z.compile(ProcessState),
};

function decideProcess(state: ProcessState, input: ProcessInput, context: DecisionContext): Decision<ProcessEvent> {
  const builder = openBuilder(state, context);
  switch (input.kind) {
    case "tick":
      decideTick(builder, input);
      break;
    case "told":
      whenOpen(builder, () => takeTold(builder, input));
      break;
    case "purge":
      decidePurge(builder, input);
      break;
    case "message":
      decideMessage(builder, input);
      break;
    default:
      assertNever(input);
  }
  for (const effect of changedRequests(state, builder.state, context.nowMs)) builder.order(effect);
  const decision = builder.done();
  return {
    ...decision,
    effects: decision.effects.filter((effect) => isWanted(builder.state, effect) && !keepsBack(builder.state, effect)),
  };
}

/** Whether an effect is still needed. One decision may request a work item and then drop it; such a request is not sent. */
function isWanted(state: ProcessState, effect: Effect): boolean {
  if (effect.kind !== "send") return true;
  const { id, body } = effect.message;
  if (body.kind !== "work" && body.kind !== "task" && body.kind !== "undo") return true;
  const work = entryOf(state.works, body.kind === "work" ? body.workId : body.kind === "undo" ? body.undoId : (body.parent?.workId ?? ""));
  return work?.status === "asked" && requestId(state, work) === id;
}

function decideMessage(builder: ProcessBuilder, input: Extract<ProcessInput, { kind: "message" }>): void {
  const { body } = input.message;
  if (builder.state.phase === "purged") return refusePurged(builder, body.kind);
  switch (body.kind) {
    case "task":
      return decideTask(builder, input, body);
    case "result":
      return whenOpen(builder, () => holdBack(builder, body) || takeResult(builder, body));
    case "wait":
      return whenOpen(builder, () => holdBack(builder, body) || takeWait(builder, body));
    case "signal":
      if (takeSignal(builder, input.message, body)) advance(builder);
      return;
    case "cancel":
      return decideCancel(builder, input.message, body);
    case "pause":
      return decidePause(builder, input.message, body);
    case "resume":
      return decideResume(builder, input.message, body);
    case "terminate":
      return decideTerminate(builder, input.message, body);
    case "decision":
      if (!decideLetter(builder, input.message, body, input.prepared)) return;
      begin(builder, undefined);
      return tellActs(builder);
    case "undo":
      return decideUndo(builder, input.message, body);
    case "answer":
      if (builder.state.task?.parent?.workId === body.workId)
        return whenOpen(builder, () => holdBack(builder, body) || takeMore(builder, body));
      return builder.refuse(wireFault("message.invalid", `${builder.state.id} has not asked for ${body.workId}`));
    case "decide":
      if (takeDecision(builder, input.message, body)) advance(builder);
      return;
    case "work":
    case "drop":
    case "rule":
    case "entries":
    case "memory":
      return builder.refuse(wireFault("message.invalid", `a process manager takes no message of kind ${body.kind}`));
    default:
      return assertNever(body);
  }
}

/** Results and waits that arrive when the process is not open are late: they get a receipt and change nothing. */
function whenOpen(builder: ProcessBuilder, take: () => void): void {
  if (builder.state.phase === "open") take();
}

/** Hash of route and input. A task with the same id and fingerprint is a repetition. */
function fingerprint(route: string, input: Value): string {
  return hashJson({ route, input: valueHash(input) });
}

function decideTask(builder: ProcessBuilder, input: Extract<ProcessInput, { kind: "message" }>, body: BodyOf<"task">): void {
  const { state, context } = builder;
  if (state.phase === "refused") return builder.refuse(wireFault("work.undone", "the process was undone before its task arrived"));
  if (state.phase === "open" || state.phase === "ended") return repeatTask(builder, body);
  if (input.message.expiresAtMs <= context.nowMs)
    return builder.refuse(wireFault("message.expired", `the task expired ${context.nowMs - input.message.expiresAtMs} ms ago`));
  if (input.bucket === undefined) return builder.refuse(wireFault("turn.failed", "a task is accepted only after its index entry is open"));
  if (input.prepared !== undefined && input.prepared !== nextRun(state))
    return builder.refuse(wireFault("journal.contended", `run ${input.prepared} was prepared, and is void now`));
  const own = ownInput(builder, body.input);
  const task: Task = {
    route: body.route,
    input: own,
    fingerprint: fingerprint(body.route, own),
    slip: ownSlip(builder, body.slip),
    principal: copyPrincipal(input.message),
    trace: input.message.trace,
    acceptedAtMs: context.nowMs,
    deadlineAtMs: context.nowMs + body.timeoutMs,
    bucket: input.bucket,
    nesting: body.nesting,
    ...(body.parent === undefined ? {} : { parent: body.parent }),
    ...(body.root === undefined ? {} : { root: body.root }),
    ...(body.retainUntilMs === undefined ? {} : { retainUntilMs: body.retainUntilMs }),
    timeoutMs: body.timeoutMs,
    ...budgetOfRoute(builder, body),
    ...(body.grant === undefined ? {} : { grant: body.grant }),
    ...labelField(body.label),
  };
  builder.emit({ e: "accepted", run: nextRun(state), task });
  takeTree(builder, body.tree);
  begin(builder, input.fault);
}

/** The budget that the pinned route has. A route that cannot be read has none; the process fails with that fault. */
function budgetOfRoute(builder: ProcessBuilder, body: BodyOf<"task">): Pick<Task, "budget"> {
  try {
    const budget = entryOf(slipOf(body.slip, builder.context).routes, body.route)?.budget;
    return budget === undefined ? {} : { budget };
  } catch (error) {
    if (!isFault(error)) throw error;
    return {};
  }
}

/** Begins a run. It ends at once if its input or its route has a fault. */
function begin(builder: ProcessBuilder, found: WireFault | undefined): void {
  const fault = found ?? routeFault(builder);
  if (fault !== undefined) beginEnding(builder, "failed", fault, "task");
  advance(builder);
}

/** The input in the scope of this process: its parent may be purged while it waits for a decision. */
function ownInput(builder: ProcessBuilder, input: Value): Value {
  return "ref" in input && input.scope === builder.context.actorId ? input : builder.pack(readOne(input, builder.context));
}

/** The slip of a plan belongs to the parent, which may be purged first; that of a system is shared and stays. */
function ownSlip(builder: ProcessBuilder, slip: Value): Value {
  if (!("ref" in slip) || slip.scope === undefined || slip.scope === builder.context.actorId) return slip;
  return builder.pack(readOne(slip, builder.context));
}

function copyPrincipal(message: Message): Task["principal"] {
  return { ...message.principal, permissions: [...message.principal.permissions] };
}

function routeFault(builder: ProcessBuilder): WireFault | undefined {
  try {
    routeOf(builder);
    return undefined;
  } catch (error) {
    if (!isFault(error)) throw error;
    return error.toWire();
  }
}

function repeatTask(builder: ProcessBuilder, body: BodyOf<"task">): void {
  const { state, context } = builder;
  if (taskOf(state).fingerprint !== fingerprint(body.route, body.input))
    return builder.refuse(
      wireFault("process.conflict", `${outsideId(state.id)} is a process of route ${taskOf(state).route} with another input`),
    );
  takeTree(builder, body.tree);
  if (state.phase === "ended" && taskOf(state).parent !== undefined)
    for (const effect of finalEffects(state, context)) if (effect.kind === "send") builder.order(effect);
}

function decideTick(builder: ProcessBuilder, input: Extract<ProcessInput, { kind: "tick" }>): void {
  const { state, context } = builder;
  switch (state.phase) {
    case "new":
      return builder.emit({ e: "voided" });
    case "void":
      // The reminder of a run that was never recorded may be removed only after that run is void too.
      return input.run === nextRun(state) ? builder.emit({ e: "voided" }) : undefined;
    case "refused":
    case "ended":
      voidPrepared(builder, input);
      for (const effect of processOutbox(builder.state, context)) builder.order(effect);
      return;
    case "purged":
      return;
    case "open":
      if (input.asks !== "none") repeatNotes(builder, input);
      return tickOpen(builder, resendMsOf(input));
    default:
      return assertNever(state.phase);
  }
}

/** Orders audit and inbox entries again. After a failure of this host to perform them, all; else those that another host may have left. */
function repeatNotes(builder: ProcessBuilder, { asks }: Extract<ProcessInput, { kind: "tick" }>): void {
  const { state, context } = builder;
  const requests = requestEffects(state, context.nowMs, asks === undefined ? "recent" : "all");
  for (const effect of [...actEffects(state, context.nowMs), ...requests]) builder.order(effect);
}

/** All, also those that a host asked for whose clock is ahead: clocks of two hosts are not compared. */
function resendMsOf({ nudged, asks }: Extract<ProcessInput, { kind: "tick" }>): number {
  if (nudged === true || asks === "all") return Number.NEGATIVE_INFINITY;
  return asks === "none" ? Number.POSITIVE_INFINITY : LIMITS.resendMs;
}

/**
 * Voids a prepared run without a record, so that its reminder and its index entry can be removed. A host that prepared it loses the write
 * and prepares the next run. A nudge means that the index entry is open.
 */
function voidPrepared(builder: ProcessBuilder, { run, nudged }: Extract<ProcessInput, { kind: "tick" }>): void {
  const { state } = builder;
  if (!awaitsDecision(state)) return;
  if (run !== undefined && run > lastRun(state)) builder.emit({ e: "run-voided", run });
  else if (nudged === true) builder.emit({ e: "run-voided", run: nextRun(state) });
}

function tickOpen(builder: ProcessBuilder, resendMs: number): void {
  const { context } = builder;
  if (builder.state.paused !== undefined && context.nowMs >= builder.state.paused.untilMs) {
    endPause(builder, "by itself: the pause reached its limit");
    goOn(builder);
  }
  if (builder.state.paused !== undefined) return void takeTime(builder, resendMs);
  if (takeHeldBack(builder)) return advance(builder);
  const { deadlineAtMs, timeoutMs } = taskOf(builder.state);
  if (builder.state.ending === undefined && context.nowMs >= deadlineAtMs) {
    const fault = new Fault("process.expired", `the deadline passed after ${timeoutMs} ms`);
    beginEnding(builder, "expired", fault.toWire(), builder.state.progress?.stop ?? "");
    advance(builder);
  }
  if (context.nowMs >= retainUntilMs(builder.state)) giveUpUndo(builder);
  if (takeTime(builder, resendMs)) advance(builder);
}

/** Fails all compensations that are still due after the time limit of compensation. The dead letter lists them for an operator. */
function giveUpUndo(builder: ProcessBuilder): void {
  for (let round = 0; round < LIMITS.undoGivenUpPerTurn; round += 1) {
    const work = Object.values(builder.state.works).find((one) => one.kind === "undo");
    if (work === undefined) return;
    takeFault(builder, { ...work, attempt: work.retry.attemptsMax }, wireFault("stop.timeout", "compensation took longer than its limit"));
  }
}
