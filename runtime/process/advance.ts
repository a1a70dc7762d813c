/**
 * @module Runs the slip forward: begins stops, joins their answers, and ends the process after the last stop. Pure.
 */
import { entryOf } from "../entries.ts";
import { evaluate, namesIn } from "../expression.ts";
import { holds } from "../condition/condition.ts";
import { newBudget } from "../condition/evaluate.ts";
import { guardHops } from "../cycle-guard.ts";
import { assertNever, Fault, invariant, isFault, type Json } from "../faults.ts";
import { isItemsPath, itemsPath, stopWorkId, stopWorkParts } from "../ids.ts";
import { joined, type Label, labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { SentBack } from "../protocol/bodies.ts";
import { type Call, callsOf, type Doer, RETRY_DEFAULT, type Stop } from "../slip.ts";
import type { ForEach } from "../slip-use.ts";
import { type Value, valueHash } from "../value.ts";
import { addressOf, askWork, defaultTimeoutMs } from "./ask-work.ts";
import { askPerson, personOf } from "./begin-request.ts";
import { editFor, inputWith } from "./edited-input.ts";
import { closeIdleRequest } from "./continue-budget.ts";
import { conditionScope, type ProcessBuilder, routeOf, scopeOf, valueOf } from "./decision-builder.ts";
import { inputLabel, outputLabel } from "./derived-labels.ts";
import { outputLabels } from "./labels.ts";
import { itemAt, joinItems, sealItems, undoPlaces } from "./join.ts";
import { isPinned, itemsOpen } from "./parts.ts";
import type { Progress } from "./state.ts";
import type { Wait } from "./wait.ts";
import { beginWait } from "./waits.ts";
import { firstAttempt, progressKey, type Work } from "./work.ts";
import { beginEnding, endProcess, pumpUndo } from "./compensation.ts";
import { judge } from "./judgement.ts";
import { plannedSlip } from "./planned.ts";

/** Continues the process until it needs another answer. Called after every change of an open process. */
export function advance(builder: ProcessBuilder): void {
  const turnsMax = 3 * LIMITS.stopsMax;
  for (let turn = 0; turn < turnsMax; turn += 1) {
    if (builder.state.phase !== "open" || builder.state.paused !== undefined) return;
    if (builder.state.ending !== undefined) {
      if (!pumpUndo(builder)) endProcess(builder);
      return;
    }
    if (!stepForward(builder) || builder.conditionSteps > LIMITS.conditionStepsPerTurn) return;
  }
  invariant(false, "a slip takes a bounded number of steps");
}

/** Takes one step. False if an answer is needed first. A mapping or condition that fails ends the process with its fault. */
function stepForward(builder: ProcessBuilder): boolean {
  const stop = routeOf(builder).stops[builder.state.cursor];
  try {
    if (stop === undefined) return finishSlip(builder);
    if (builder.state.progress === undefined) return beginStop(builder, stop);
    return workOnStop(builder, stop, builder.state.progress);
  } catch (error) {
    if (!isFault(error)) throw error;
    beginEnding(builder, "failed", error.toWire(), stop?.name ?? "output");
    return true;
  }
}

function finishSlip(builder: ProcessBuilder): boolean {
  closeIdleRequest(builder);
  // The outcome is recorded only after the compensation of losers.
  if (pumpUndo(builder) || Object.keys(builder.state.works).length > 0 || builder.state.waits !== undefined) return false;
  const route = routeOf(builder);
  endProcess(builder, valueOf(builder, route.output), outputLabel(builder, route.output));
  return false;
}

function beginStop(builder: ProcessBuilder, stop: Stop): boolean {
  if (stop.kind !== "forEach") {
    builder.emit({ e: "stop-begun", stop: stop.name, total: callsOf(stop).length });
    return true;
  }
  const list = "from" in stop.over ? entryOf(builder.state.lists ?? {}, stop.over.from[0] ?? "") : undefined;
  const first = { e: "stop-begun", stop: stop.name, concurrency: stop.concurrency } as const;
  if (list !== undefined) {
    builder.emit({ ...first, total: list.count, longItems: list });
    return true;
  }
  const items = evaluate(stop.over, scopeOf(builder, namesIn(stop.over)));
  if (!Array.isArray(items))
    throw new Fault("slip.too-many-items", `stop ${stop.name}: forEach needs a list and got ${items === null ? "null" : typeof items}`);
  if (items.length > LIMITS.forEachItemsMax)
    throw new Fault("slip.too-many-items", `stop ${stop.name}: ${items.length} items are more than ${LIMITS.forEachItemsMax}`, {
      items: items.length,
    });
  builder.emit({ ...first, total: items.length, items: builder.pack(items) });
  return true;
}

/** Begins the calls that can begin, then checks whether the stop is done or has failed. */
function workOnStop(builder: ProcessBuilder, stop: Stop, before: Progress): boolean {
  if (stop.kind === "forEach") beginItems(builder, stop, before);
  else if (before.begun === 0)
    for (const [path, call] of callsOf(stop)) if (entryOf(before.outputs, path) === undefined) beginCall(builder, { path, item: 0, call });
  beginRounds(builder);
  const progress = builder.state.progress;
  invariant(progress !== undefined, "a stop in work has progress");
  const verdict = judge(builder, stop, progress);
  if (verdict === "wait") {
    pumpUndo(builder);
    return false;
  }
  if ("fault" in verdict) {
    beginEnding(builder, "failed", verdict.fault, stop.name);
    return true;
  }
  undoPlaces(builder, verdict.undo);
  const done = stop.kind === "forEach" ? joinItems(builder, stop, progress) : { outputs: { ...verdict.outputs } };
  const labels = outputLabels(builder.state, stop, verdict.winner);
  builder.emit({ e: "stop-done", stop: stop.name, ...done, ...labels, atMs: builder.context.nowMs });
  return true;
}

/** Begins the next items, and lets finished ones leave the state. */
function beginItems(builder: ProcessBuilder, stop: ForEach, before: Progress): void {
  if (hasFinalFailure(stop, before)) return;
  const path = itemsPath(stop.name);
  const end = Math.min(before.total, before.begun + LIMITS.forEachItemsPerTurn);
  // A skipped item has no work item, so it does not count towards the concurrency.
  for (let index = before.begun; index < end && hasRoom(builder, stop); index += 1) {
    if (isPinned(before, String(index))) builder.emit({ e: "skipped", stop: path, key: String(index) });
    else beginCall(builder, { path, item: index, call: stop.call, element: itemAt(before, index, builder.context) });
    sealItems(builder, stop);
  }
  sealItems(builder, stop);
}

/** Whether this turn may begin another item now. */
function hasRoom({ state, conditionSteps }: ProcessBuilder, { concurrency }: ForEach): boolean {
  return itemsOpen(state) < concurrency && conditionSteps <= LIMITS.conditionStepsPerTurn;
}

function hasFinalFailure(stop: ForEach, progress: Progress): boolean {
  return !stop.call.optional && Object.keys(progress.failed).length > 0;
}

interface Begin {
  readonly path: string;
  readonly item: number;
  readonly call: Call;
  readonly element?: Json | undefined;
}

/** Begins one call of a stop, or skips it if its condition does not hold. */
function beginCall(builder: ProcessBuilder, { path, item, call, element }: Begin): void {
  if (call.when !== undefined && !isMet(builder, call.when, element)) {
    builder.emit({ e: "skipped", stop: path, key: progressKey({ stop: path, item }) });
    return;
  }
  const { target } = call;
  switch (target.kind) {
    case "agent":
    case "route":
      return beginWork(builder, { path, item, call, element }, target);
    case "timer":
      return void beginWait(builder, {
        ...stopWait(builder, path, item, call),
        for: target,
        dueAtMs: dueMs(builder, { path, item, call, element }),
      });
    case "signal": {
      const due = call.timeoutMs === undefined ? {} : { dueAtMs: builder.context.nowMs + call.timeoutMs };
      const schema = builder.pack(target.schema);
      return void beginWait(builder, {
        ...stopWait(builder, path, item, call),
        for: { kind: "signal", name: target.name, schema },
        ...due,
      });
    }
    default:
      return assertNever(target);
  }
}

/** Whether a condition holds. The calls of a stop share what their conditions may take. */
function isMet(builder: ProcessBuilder, when: string, element: Json | undefined): boolean {
  const { total = 1, concurrency } = builder.state.progress ?? {};
  const budget = newBudget((concurrency === undefined ? LIMITS.conditionStepsPerTurn : LIMITS.conditionStepsPerForEach) / total);
  const isTrue = holds(when, conditionScope(builder, when, element), budget);
  builder.conditionSteps += budget.max - budget.left;
  return isTrue;
}

function stopWait(builder: ProcessBuilder, path: string, item: number, { optional }: Call): Omit<Wait, "for"> {
  const id = stopWorkId(builder.state.id, builder.state.run, path, item, 1);
  return { id, stop: path, item, optional, begunAtMs: builder.context.nowMs };
}

/**
 * When a timer ends.
 * @throws `slip.mapping` if its length is not valid
 */
function dueMs(builder: ProcessBuilder, { path, call, element }: Begin): number {
  const ms = evaluate(call.input, scopeOf(builder, namesIn(call.input), element));
  if (typeof ms !== "number" || !Number.isSafeInteger(ms) || ms < 0 || ms > LIMITS.taskTimeoutMsMax)
    throw new Fault(
      "slip.mapping",
      `the length of ${path} is ${JSON.stringify(ms)}, but must be whole milliseconds from 0 to ${LIMITS.taskTimeoutMsMax}`,
    );
  return builder.context.nowMs + ms;
}

/** A further visit of a place, after an output that was sent back. */
interface Round {
  readonly visit: number;
  readonly sentBack: SentBack;
  /** Of the output that was sent back. */
  readonly label: Label | undefined;
}

function beginWork(builder: ProcessBuilder, { path, item, call, element }: Begin, asked: Doer, round?: Round): void {
  const { target, input, label: own } = inputOf(builder, { path, item, call, element }, asked);
  const label = joined(own, round?.label);
  const { visit = 1, sentBack } = round ?? {};
  const id = stopWorkId(builder.state.id, builder.state.run, path, item, visit);
  guardHops(builder.state.hops);
  if (target.kind === "agent" && personOf(builder, target) !== undefined) {
    const place = { id, stop: path, item, optional: call.optional, ...(sentBack === undefined ? {} : { again: true as const }) };
    const by = `stop ${path}`;
    const reason = sentBack === undefined ? {} : { reason: `${by} asks ${target.agent} again: ${sentBack.reasons.join("; ")}` };
    askPerson(builder, place, { person: target.agent, input, label, by, ...reason }, call.timeoutMs);
    return;
  }
  const { nowMs } = builder.context;
  const { timeoutMs = defaultTimeoutMs(builder, target), retry = RETRY_DEFAULT } = call;
  askWork(builder, {
    id,
    kind: "do",
    order: builder.state.order + 1,
    stop: path,
    item,
    visit,
    target,
    ...addressOf(builder, target, input, id),
    input,
    ...labelField(label),
    ...plannedSlip(builder, call, target, element),
    ...firstAttempt(nowMs, timeoutMs),
    retry: target.kind === "route" ? { ...retry, attemptsMax: 1 } : retry,
    optional: call.optional,
    chain: target.kind === "agent" ? [{ agent: target.agent, input: valueHash(input) }] : [],
    ancestors: [],
    ...(call.budget === undefined ? {} : { cap: call.budget }),
    ...(sentBack === undefined ? {} : { sentBack }),
  });
}

/** The input of a call, who does it, and the label of the input, with what a person changed in a redrive. */
function inputOf(
  builder: ProcessBuilder,
  { path, item, call, element }: Begin,
  asked: Doer,
): { readonly target: Doer; readonly input: Value; readonly label: Label | undefined } {
  const edit = editFor(builder, { stop: path, item }, element);
  if (edit !== undefined && edit.before === undefined) return { target: edit.target, input: edit.input, label: edit.label };
  const input = valueOf(builder, call.input, element);
  const label = inputLabel(builder, call);
  if (edit?.before === undefined) return { target: asked, input, label };
  return { target: asked, ...inputWith(builder, { ...edit, before: edit.before }, input, label) };
}

// ---- places of the current stop ---------------------------------------------------------------------------------------------

/** The call of the current stop at a path; undefined if there is none. */
export function callAt(builder: ProcessBuilder, path: string): Call | undefined {
  const { progress, cursor } = builder.state;
  const stop = progress === undefined ? undefined : routeOf(builder).stops[cursor];
  if (stop === undefined || progress?.stop !== stop.name) return undefined;
  if (stop.kind === "forEach") return path === itemsPath(stop.name) ? stop.call : undefined;
  return callsOf(stop).find(([at]) => at === path)?.[1];
}

/** The input of a call of the current stop. */
export function inputAt(builder: ProcessBuilder, { stop: path, item }: Pick<Work, "stop" | "item">, call: Call): Value {
  const { progress } = builder.state;
  const element = isItemsPath(path) && progress !== undefined ? itemAt(progress, item, builder.context) : undefined;
  const { target } = call;
  invariant(target.kind === "agent" || target.kind === "route", "a wait has no validator");
  return inputOf(builder, { path, item, call, element }, target).input;
}

/** Makes the calls again whose outputs were sent back, each when its earlier work items are compensated. */
function beginRounds(builder: ProcessBuilder): void {
  const { checks, asked, progress } = builder.state;
  if (checks === undefined || progress === undefined) return;
  for (const { stop: path, item, visit, state, round, output, reasons, label } of Object.values(checks)) {
    const call = callAt(builder, path);
    if (state !== "undoing" || call === undefined || asked.some((one) => one.stop === path && stopWorkParts(one.id).item === item))
      continue;
    const element = isItemsPath(path) ? { element: itemAt(progress, item, builder.context) } : {};
    const { target } = call;
    if (target.kind !== "agent" && target.kind !== "route") continue;
    beginWork(builder, { path, item, call, ...element }, target, { visit: visit + 1, sentBack: { round, reasons, output }, label });
  }
}
