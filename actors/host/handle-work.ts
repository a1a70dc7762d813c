/**
 * @module Runs a handler or a compensation to its end and returns the result.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import { isHandOff } from "../../agents/context.ts";
import type { FinishedResult } from "../../runtime/agent/inputs.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { Fault, faultFrom } from "../../runtime/faults.ts";
import type { Logger } from "../engine/log.ts";
import type { Checks } from "./checks.ts";
import type { HandlerExecution } from "./handler-execution.ts";
import { thrownFault } from "./thrown.ts";

/** What a handler is run with. */
export interface HandlingParts {
  readonly definition: AgentDefinition;
  readonly checks: Checks;
  readonly log: Logger;
}

/** Runs the handler. Resolves when its calls have settled or were given up. Never throws. */
export async function handleWork(parts: HandlingParts, work: AgentWork, execution: HandlerExecution): Promise<FinishedResult> {
  const result = await handlerResult(parts, work, execution);
  const settled = execution.end();
  if (settled !== undefined) await settled;
  const { stopped } = execution;
  // A handler that succeeds while its host shuts down has succeeded.
  if (stopped !== undefined && (stopped.code !== "system.stopping" || "fault" in result)) return { fault: stopped.toWire() };
  const { mismatch } = execution;
  return mismatch === undefined || "fault" in result ? result : { fault: mismatch.toWire() };
}

async function handlerResult(
  { definition, checks, log }: HandlingParts,
  work: AgentWork,
  execution: HandlerExecution,
): Promise<FinishedResult> {
  try {
    requireVersion(definition, work);
    await checks.made(work, definition);
    execution.signal.throwIfAborted();
    const { input, sentBack } = work;
    const { values } = execution;
    if (sentBack !== undefined) execution.sentBack = { ...sentBack, output: await values.read(sentBack.output) };
    const answer = await definition.handle("json" in input ? input.json : await values.read(input), execution);
    await execution.memory?.requireNewest();
    if (isHandOff(answer)) return { handOff: { agent: answer.target, input: answer.input } };
    return { output: definition.checkOutput(answer) };
  } catch (error) {
    // A cancelled handler's error is meaningless.
    return { fault: execution.stopped === undefined ? thrownFault(log, definition.name, work, error) : faultFrom(error, "agent.failed") };
  }
}

function requireVersion({ name, version, compatibleWith }: AgentDefinition, work: AgentWork): void {
  if (work.version === version || compatibleWith.includes(work.version)) return;
  throw new Fault(
    "agent.version",
    `${name} has version ${version}, which is not declared compatible with version ${work.version} that began this work item`,
  );
}
