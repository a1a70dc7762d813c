/**
 * @module How the calls of a work item's handler, and their failures, change its state. Pure.
 */
import { assertNever, type FaultCode } from "../faults.ts";
import { withToolCall } from "./spending.ts";
import type { AgentEvent } from "./events.ts";
import type { AgentWork, Call, Failure } from "./state.ts";

type CallEvent = Extract<AgentEvent, { readonly e: "call-begun" | "call-tried" | "call-ended" | "call-undone" }>;

/** The fault of a call that was not made. */
const NOT_MADE: FaultCode = "budget.exhausted";

/** Whether an event is the first that is recorded of a call that was made: an open one was counted when it began. */
function counts(work: AgentWork, event: CallEvent): boolean {
  if (event.e === "call-undone") return false;
  if (event.e !== "call-begun" && event.fault?.code === NOT_MADE) return false;
  return work.calls.find((call) => call.key === event.key)?.open !== true;
}

/** Returns a work item after an event of one of its tool calls. */
export function withCall(known: AgentWork, event: CallEvent): AgentWork {
  const work = counts(known, event) ? { ...known, spent: withToolCall(known.spent) } : known;
  const index = work.calls.findIndex((call) => call.key === event.key);
  const before = index < 0 ? undefined : work.calls.at(index);
  const changed = callAfter(before, event, work);
  const calls = changed === undefined ? work.calls : before === undefined ? [...work.calls, changed] : work.calls.with(index, changed);
  const takeovers = event.e === "call-begun" ? work.takeovers : 0;
  if (event.e === "call-ended" && event.output !== undefined) return { ...work, calls, takeovers, results: work.results + 1 };
  if ((event.e !== "call-ended" && event.e !== "call-tried") || event.fault === undefined) return { ...work, calls, takeovers };
  const { key, attempt, fault } = event;
  const stands = event.stands === true ? [...new Set([...(work.stands ?? []), event.tool])] : work.stands;
  if (event.e === "call-tried") return { ...work, calls, stands, takeovers };
  const { label } = event;
  return withFailure({ ...work, calls, stands }, { kind: "call", key, attempt, fault, ...(label === undefined ? {} : { label }) });
}

/** Returns a work item after a failure of a call, a model call, a step or a wait. */
export function withFailure(work: AgentWork, failure: Failure): AgentWork {
  const { spent, results } = work;
  const failures = [...(work.failures ?? []), { ...failure, order: results, ...(spent === undefined ? {} : { spent }) }];
  return { ...work, failures, results: results + 1, takeovers: 0 };
}

/** A call that failed for good in its attempt, and was not recorded as begun, leaves only its failure. */
function callAfter(known: Call | undefined, event: CallEvent, { results: order, spent }: AgentWork): Call | undefined {
  switch (event.e) {
    case "call-begun":
      return {
        ...newCall(known, event),
        undo: event.undo,
        open: true,
        stands: event.stands,
        ...(event.input === undefined ? {} : { input: event.input }),
      };
    case "call-tried":
      return {
        ...newCall(known, event),
        open: known?.open === true && event.open === true,
        stands: undefined,
        tried: { attempt: event.attempt, tries: event.tries },
      };
    case "call-ended":
      if (event.output !== undefined)
        return {
          ...newCall(known, event),
          open: false,
          stands: event.stands,
          output: event.output,
          ...(event.label === undefined ? {} : { label: event.label }),
          order,
          ...(spent === undefined ? {} : { toolCalls: spent.toolCalls }),
        };
      return known === undefined ? undefined : { ...newCall(known, event), open: known.open && event.open === true, stands: undefined };
    case "call-undone":
      return known === undefined ? undefined : { ...known, undone: true };
    default:
      return assertNever(event);
  }
}

function newCall(
  known: Call | undefined,
  { key, tool, onlyIn }: { readonly key: string; readonly tool: string; readonly onlyIn?: number | undefined },
): Call {
  return { ...(known ?? { key, tool, undo: false, open: false }), onlyIn };
}
