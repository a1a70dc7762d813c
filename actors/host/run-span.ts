/** @module The span of a run: one attempt of a handler, or of a compensation. */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { ATTRIBUTE, INVOKE_AGENT, OWN_PROVIDER } from "../telemetry/names.ts";
import { inSpan } from "../telemetry/spans.ts";
import { versionAttributes } from "../telemetry/version.ts";

/** Runs within a span of the work item's trace. `failed` returns the code of the fault with which a run ended. */
export function inRunSpan<T>(
  { name, version }: AgentDefinition["contract"],
  work: AgentWork,
  run: () => Promise<T>,
  failed: (ended: T) => string | undefined,
): Promise<T> {
  const attributes = {
    ...{ [ATTRIBUTE.process]: work.processId, [ATTRIBUTE.work]: work.id },
    ...{ [ATTRIBUTE.mode]: work.mode, [ATTRIBUTE.attempt]: work.attempt },
    [ATTRIBUTE.operation]: INVOKE_AGENT,
    [ATTRIBUTE.provider]: OWN_PROVIDER,
    [ATTRIBUTE.agent]: name,
    [ATTRIBUTE.agentVersion]: String(version),
    [ATTRIBUTE.conversation]: work.processId,
    ...versionAttributes(work.release),
  };
  return inSpan(`${INVOKE_AGENT} ${name}`, work.trace, attributes, run, failed);
}
