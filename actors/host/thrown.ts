/** @module Handles what a handler threw: a fault for the record, and the error itself for the log. */
import { faultFromUserCode, isFault, type WireFault } from "../../runtime/faults.ts";
import { causeText } from "../../runtime/faults/thrown.ts";
import { traceId } from "../../runtime/protocol.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import type { LogFacts, Logger } from "../engine/log.ts";

/** Returns the fault of a failed attempt. Logs one line with the error, its stack and its causes. Never throws. */
export function thrownFault(log: Logger, agent: string, work: AgentWork, error: unknown): WireFault {
  const fault = faultFromUserCode(error);
  const { processId, id: workId, attempt, mode } = work;
  logThrown(log, { processId, workId, agent, attempt, mode, traceId: traceId(work.trace), code: fault.code }, error);
  return fault;
}

/** The log level: a fault is expected by its author; any other error is not. */
function logThrown(log: Logger, facts: LogFacts, error: unknown): void {
  const level = isFault(error) ? "warn" : "error";
  try {
    log[level]({ ...facts, err: error }, "an attempt failed");
  } catch {
    // The error cannot be read, because its getters throw: its readable parts are logged as text.
    log[level]({ ...facts, err: causeText(error) }, "an attempt failed");
  }
}
