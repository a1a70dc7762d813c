/** @module What a handler threw: a fault for the record, and the error itself for the log. */
import { faultFromUserCode, isFault, type WireFault } from "../../runtime/faults.ts";
import { causeText } from "../../runtime/faults/thrown.ts";
import { traceId } from "../../runtime/protocol.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import type { LogFacts, Logger } from "../engine/log.ts";

/** The fault of an attempt that failed. Logs one line with the error, its stack and its causes. Never throws. */
export function thrownFault(log: Logger, agent: string, work: AgentWork, error: unknown): WireFault {
  const fault = faultFromUserCode(error);
  const { processId, id: workId, attempt, mode } = work;
  logThrown(log, { processId, workId, agent, attempt, mode, traceId: traceId(work.trace), code: fault.code }, error);
  return fault;
}

/** A fault was foreseen by whoever threw it; any other error was not. */
function logThrown(log: Logger, facts: LogFacts, error: unknown): void {
  const level = isFault(error) ? "warn" : "error";
  try {
    log[level]({ ...facts, err: error }, "an attempt failed");
  } catch {
    // The error cannot be read, as one whose getters throw: what can be read of it is logged as text.
    log[level]({ ...facts, err: causeText(error) }, "an attempt failed");
  }
}
