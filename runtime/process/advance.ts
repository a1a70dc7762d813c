/**
 * @module Runs the slip forward: begins stops, joins their answers, and ends the process after the last stop. Pure.
 */
import { entryOf } from "../entries.ts";
import { evaluate, namesIn } from "../expression.ts";
import { holds } from "../condition/condition.ts";
import { newBudget } from "../condition/evaluate.ts";
import { guardHops, guardNesting } from "../cycle-guard.ts";
import { assertNever, Fault, invariant, isFault, type Json } from "../faults.ts";
import { childProcessId, encodeActorId, itemsPath, messageId, stopWorkId, workActorId } from "../ids.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readOne } from "../machine.ts";
import { type Call, callsOf, type Doer, isPerWork, RETRY_DEFAULT, type Stop } from "../slip.ts";
import type { ForEach } from "../slip-use.ts";
import { type Value, valueHash } from "../value.ts";
import { askPerson, personOf } from "./begin-request.ts";
import { conditionScope, type ProcessBuilder, routeOf, scopeOf, slipOf, taskOf, valueOf } from "./decision-builder.ts";
import { workEffect } from "./messages.ts";
import { inputLabel, outputLabel } from "./derived-labels.ts";
import { outputLabels } from "./labels.ts";
import { itemAt, joinItems, sealItems, undoPlaces } from "./join.ts";
import { isPinned, itemsOpen } from "./parts.ts";
import type { Progress } from "./state.ts";
import type { Wait } from "./wait.ts";
import { beginWait } from "./waits.ts";
import { progressKey, type Work } from "./work.ts";
import { beginEnding, endProcess, pumpUndo } from "./compensation.ts";
import { firstGrant } from "./grants.ts";
import { judge } from "./judgement.ts";
import { plannedSlip } from "./planned.ts";

/** Continues the process until it needs another answer. Called after every change of an open process. */
export function advance(builder: ProcessBuilder): void {
  const turnsMax = 3 * LIMITS.stopsMax;
  for (let turn = 0; turn < turnsMax; turn += 1) {
    if (builder.state.phase !== "open") return;
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
  const joined = stop.kind === "forEach" ? joinItems(builder, stop, progress) : { outputs: { ...verdict.outputs } };
  const labels = outputLabels(builder.state, stop, verdict.winner);
  builder.emit({ e: "stop-done", stop: stop.name, ...joined, ...labels, atMs: builder.context.nowMs });
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

function beginWork(builder: ProcessBuilder, { path, item, call, element }: Begin, asked: Doer): void {
  const replaced = builder.state.replaced?.stop === path && builder.state.replaced.item === item ? builder.state.replaced : undefined;
  const target = replaced?.target ?? asked;
  const input = replaced?.input ?? valueOf(builder, call.input, element);
  const label = replaced === undefined ? inputLabel(builder, call) : replaced.label;
  const id = stopWorkId(builder.state.id, builder.state.run, path, item, 1);
  guardHops(builder.state.hops);
  if (target.kind === "agent" && personOf(builder, target) !== undefined) {
    const place = { id, stop: path, item, optional: call.optional };
    askPerson(builder, place, { person: target.agent, input, label, by: `stop ${path}` }, call.timeoutMs);
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
    visit: 1,
    target,
    ...addressOf(builder, target, input, id),
    input,
    ...labelField(label),
    ...plannedSlip(builder, call, target, element),
    attempt: 1,
    status: "asked",
    askedAtMs: nowMs,
    dueAtMs: nowMs + timeoutMs,
    timeoutMs,
    retry: target.kind === "route" ? { ...retry, attemptsMax: 1 } : retry,
    optional: call.optional,
    chain: target.kind === "agent" ? [{ agent: target.agent, input: valueHash(input) }] : [],
    ancestors: [],
    answers: {},
    faults: [],
    ...(call.budget === undefined ? {} : { cap: call.budget }),
  });
}

/** The time of a work item that follows from another one: a default gives way to the default of who does it now. */
export function timeoutMsAfter(builder: ProcessBuilder, before: Pick<Work, "target" | "timeoutMs">, target: Doer): number {
  return before.timeoutMs === defaultTimeoutMs(builder, before.target) ? defaultTimeoutMs(builder, target) : before.timeoutMs;
}

function defaultTimeoutMs(builder: ProcessBuilder, target: Doer): number {
  if (target.kind === "route") return LIMITS.taskTimeoutMsDefault;
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  return entryOf(slip.agents, target.agent)?.timeoutMs ?? LIMITS.stopTimeoutMsDefault;
}

/** Records a work item and orders its request. */
export function askWork(builder: ProcessBuilder, work: Work): void {
  const grant = firstGrant(builder, work);
  const asked = grant === undefined ? work : { ...work, grant };
  builder.emit({ e: "asked", work: asked });
  builder.order(workEffect(builder.state, asked, builder.context));
}

interface Addressed {
  readonly actor: string;
  readonly version: number;
  readonly first?: true;
}

/**
 * Actor and version of the agent or route of a work item.
 * @throws `agent.unknown`, and the faults of the cycle guard
 */
export function addressOf(builder: ProcessBuilder, target: Doer, input: Value, id: string): Addressed {
  switch (target.kind) {
    case "agent":
      return agentAddress(builder, target.agent, input, id);
    case "route": {
      const task = taskOf(builder.state);
      const slip = slipOf(task.slip, builder.context);
      guardNesting(slip, [...task.nesting, task.route], target.route);
      return { actor: childProcessId(messageId(id, 1)), version: entryOf(slip.routes, target.route)?.version ?? 1 };
    }
    default:
      return assertNever(target);
  }
}

function agentAddress(builder: ProcessBuilder, name: string, input: Value, id: string): Addressed {
  const agent = entryOf(slipOf(taskOf(builder.state).slip, builder.context).agents, name);
  if (agent === undefined) throw new Fault("agent.unknown", `the slip has no agent ${JSON.stringify(name)}`);
  const { version, key } = agent;
  if (isPerWork(agent)) return { actor: workActorId(id), version, first: true };
  if (key === undefined) {
    const isFirst = !(builder.state.met ?? []).includes(name);
    return { actor: builder.state.id, version, ...(isFirst ? { first: true } : {}) };
  }
  const actor = evaluate(key, { input: readOne(input, builder.context) });
  if (typeof actor !== "string" && typeof actor !== "number")
    throw new Fault("slip.mapping", `the key of ${name} is ${actor === null ? "null" : `a ${typeof actor}`}, not a text or number`);
  return { actor: encodeActorId(String(actor)), version };
}
