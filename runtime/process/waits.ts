/**
 * @module The waits of a process manager for timers and signals, also those of handlers. Pure.
 *
 * One signal ends one wait. For each name, the oldest signal ends the oldest wait; a signal without a wait is kept.
 */
import { entryOf } from "../entries.ts";
import { assertNever, type Json, wireFault, type WireFault } from "../faults.ts";
import { askWorkId } from "../ids.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readOne } from "../machine.ts";
import type { Message, SignalStatus } from "../protocol.ts";
import type { BodyOf, WaitFor } from "../protocol/bodies.ts";
import { schemaMisfit } from "../json-schema-gate.ts";
import type { Value } from "../value.ts";
import { valueHash } from "../value.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import type { ProcessEvent } from "./events.ts";
import { signalLabel } from "./labels.ts";
import { answerEffect } from "./messages.ts";
import type { ProcessState } from "./state.ts";
import { isPersonWait, type KeptSignal, type KnownSignal, type Wait, type WaitResult, waitText } from "./wait.ts";
import type { Work } from "./work.ts";

/** Begins a wait. If a signal is kept for it, it ends at once. True if it has ended. */
export function beginWait(builder: ProcessBuilder, wait: Wait): boolean {
  builder.emit({ e: "wait-begun", wait });
  if (wait.for.kind !== "signal") return false;
  const { schema, name } = wait.for;
  for (const kept of (builder.state.signals ?? []).filter((one) => one.name === waitName(wait))) {
    const fault = misfit(builder, schema, name, readOne(kept.payload, builder.context));
    if (fault === undefined) {
      endWait(builder, wait, { output: kept.payload }, { signalId: kept.signalId, ...labelField(kept.label) });
      return true;
    }
    builder.emit({ e: "signal-dropped", signalId: kept.signalId, name: kept.name, fault, atMs: builder.context.nowMs });
  }
  return false;
}

/** The wait of a handler for a timer or a signal. */
export function handlerWait(
  builder: ProcessBuilder,
  asker: Work,
  index: number,
  wanted: Extract<WaitFor, { kind: "timer" | "signal" }>,
): Wait {
  const { nowMs } = builder.context;
  const wait = {
    id: askWorkId(asker.id, index, 1),
    stop: asker.stop,
    item: asker.item,
    asker: { workId: asker.id, index },
    optional: false,
    begunAtMs: nowMs,
  };
  switch (wanted.kind) {
    case "timer":
      return { ...wait, for: { kind: "timer" }, dueAtMs: nowMs + wanted.ms };
    case "signal": {
      const { name, schema, timeoutMs } = wanted;
      return { ...wait, for: { kind: "signal", name, schema }, ...(timeoutMs === undefined ? {} : { dueAtMs: nowMs + timeoutMs }) };
    }
    default:
      return assertNever(wanted);
  }
}

/** What ended a wait: a signal, or people. */
type EndedBy = Partial<Pick<Extract<ProcessEvent, { e: "wait-ended" }>, "signalId" | "request" | "label" | "judged">>;

/** Ends a wait and answers its handler. The caller advances the slip. */
export function endWait(builder: ProcessBuilder, wait: Wait, result: WaitResult, by: EndedBy = {}): void {
  const tolerated = "fault" in result && wait.optional && wait.asker === undefined;
  builder.emit({
    e: "wait-ended",
    waitId: wait.id,
    result,
    ...by,
    atMs: builder.context.nowMs,
    tolerated,
  });
  const asker = wait.asker === undefined ? undefined : entryOf(builder.state.works, wait.asker.workId);
  if (asker !== undefined && wait.asker !== undefined)
    builder.order(answerEffect(builder.state, asker, wait.asker.index, result, builder.context));
}

/** Ends the timers and waits for signals that are due. True if the slip may advance. */
export function takeDueWaits(builder: ProcessBuilder): boolean {
  const { nowMs } = builder.context;
  const due = Object.values(builder.state.waits ?? {}).filter(
    (wait) => (wait.dueAtMs ?? Number.POSITIVE_INFINITY) <= nowMs && !isPersonWait(wait),
  );
  for (const wait of due) endWait(builder, wait, wait.for.kind === "timer" ? { output: NOTHING } : { fault: timedOut(wait) });
  return due.some((wait) => wait.asker === undefined);
}

function timedOut(wait: Wait): WireFault {
  const ms = (wait.dueAtMs ?? wait.begunAtMs) - wait.begunAtMs;
  return wireFault("wait.timeout", `no ${waitText(wait)} arrived within ${ms} ms`);
}

/** Takes a signal. True if the slip may advance. A refused or repeated signal changes nothing; a repeated one gets a receipt. */
export function takeSignal(builder: ProcessBuilder, message: Message, body: BodyOf<"signal">): boolean {
  const { state, context } = builder;
  const { name, signalId } = body;
  const known = knownSignal(state, signalId);
  if (known !== undefined && known.name === name && known.hash === valueHash(body.payload)) return false;
  const refused = known === undefined ? refusal(state, message, name, context.nowMs) : conflict(state, signalId, known.name, name);
  if (refused !== undefined) {
    builder.refuse(refused);
    return false;
  }
  const content = readOne(body.payload, context);
  const wait = Object.values(state.waits ?? {}).find((one) => waitName(one) === name);
  if (wait === undefined) {
    keep(builder, { name, signalId, payload: builder.pack(content), ...signalLabel(state, message, name), atMs: context.nowMs });
    return false;
  }
  const fault = wait.for.kind === "signal" ? misfit(builder, wait.for.schema, name, content) : undefined;
  if (fault !== undefined) {
    builder.refuse(fault);
    return false;
  }
  endWait(builder, wait, { output: builder.pack(content) }, { signalId, ...signalLabel(state, message, name) });
  return wait.asker === undefined;
}

/** What became of a signal that was received. */
export function signalStatus(state: ProcessState, signalId: string): SignalStatus {
  if (state.signals?.some((one) => one.signalId === signalId) !== true)
    return { state: state.signalIds?.find((one) => one.signalId === signalId)?.dropped === true ? "dropped" : "taken" };
  const names = new Set(Object.values(state.waits ?? {}).flatMap((wait) => waitName(wait) ?? []));
  return { state: "kept", ...(names.size === 0 ? {} : { waitsFor: [...names].slice(0, LIMITS.historyMax) }) };
}

function keep(builder: ProcessBuilder, signal: KeptSignal): void {
  const count = builder.state.signals?.length ?? 0;
  if (count >= LIMITS.signalsKeptMax)
    return builder.refuse(wireFault("signal.too-many", `${count} signals are kept for waits that have not begun; that is the limit`));
  builder.emit({ e: "signal-kept", signal });
}

function knownSignal({ signals, signalIds }: ProcessState, signalId: string): KnownSignal | undefined {
  const kept = signals?.find((one) => one.signalId === signalId);
  if (kept === undefined) return signalIds?.find((one) => one.signalId === signalId);
  return { signalId, name: kept.name, hash: valueHash(kept.payload) };
}

function conflict({ id }: ProcessState, signalId: string, known: string, name: string): WireFault {
  const what = known === name ? `signal ${name} with another payload` : `another signal, ${known}`;
  return wireFault("signal.conflict", `${id} has ${what} under the signal id ${signalId}`);
}

function refusal(state: ProcessState, message: Message, name: string, nowMs: number): WireFault | undefined {
  if (state.phase === "new" || state.phase === "void" || state.phase === "refused")
    return wireFault("process.unknown", `there is no process ${state.id}`);
  if (state.phase !== "open" || state.ending !== undefined)
    return wireFault(
      "process.ended",
      `${state.id} takes no signals: it ${state.phase === "open" ? "is being compensated" : `has ended: ${state.outcome?.status ?? ""}`}`,
    );
  if (message.expiresAtMs <= nowMs) return wireFault("message.expired", `signal ${name} expired ${nowMs - message.expiresAtMs} ms ago`);
  return undefined;
}

function waitName(wait: Wait): string | undefined {
  return wait.for.kind === "signal" ? wait.for.name : undefined;
}

const NOTHING: Value = { json: null };

/** The fault of a payload that does not match its schema, which was checked when the route or the wait was made. */
function misfit(builder: ProcessBuilder, schema: Value, name: string, payload: Json): WireFault | undefined {
  const known = { schema: readOne(schema, builder.context), hash: valueHash(schema) };
  return schemaMisfit(known, `signal ${name}`, "schema.signal", payload);
}
