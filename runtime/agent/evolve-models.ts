/**
 * @module How the model calls of a work item's handler change its state, and what it has spent. Pure.
 */
import { Grant } from "../budget.ts";
import type { Result } from "../protocol/bodies.ts";
import { withFailure } from "./evolve-calls.ts";
import { fullReservation, withModelSpent } from "./spending.ts";
import type { AgentEvent } from "./events.ts";
import type { AgentWork, ModelCall } from "./state.ts";
import { factsOfBegun, withFacts } from "./work-facts.ts";

type EventOf<E extends AgentEvent["e"]> = Extract<AgentEvent, { readonly e: E }>;
type ModelEvent = EventOf<"model-begun" | "model-tried" | "model-dropped" | "model-ended">;

/** Returns a work item after an event of one of its model calls. */
export function withModelCall(work: AgentWork, event: ModelEvent): AgentWork {
  switch (event.e) {
    case "model-begun":
      return begun(withFacts(work, factsOfBegun(work, event)), event);
    case "model-tried": {
      const { attempt, tries, againAtMs } = event;
      return { ...changed(settled(withFacts(work, { tries: 1 }), event), event, { tried: { attempt, tries, againAtMs } }), takeovers: 0 };
    }
    case "model-dropped":
      return { ...work, modelCalls: (work.modelCalls ?? []).map((call) => (call.key === event.key ? closed(call) : call)) };
    case "model-ended": {
      const next = settled(work, event);
      const { key, attempt, fault, reply } = event;
      if (fault !== undefined) return withFailure(changed(next, event, {}), { kind: "model", key, attempt, fault });
      const spent = next.spent === undefined ? {} : { spent: next.spent };
      return {
        ...changed(next, event, { ...(reply === undefined ? {} : { reply }), order: next.results, ...spent }),
        ...afterResult(next),
      };
    }
    default:
      return event satisfies never;
  }
}

/** Settles each open model call at its full reservation (B2): nothing will say how it ended. */
export function withoutOpen(work: AgentWork): AgentWork {
  const { modelCalls = [] } = work;
  const open = modelCalls.flatMap((call) => (call.open === undefined ? [] : [{ model: call.model, reserved: call.open }]));
  if (open.length === 0) return work;
  const spent = open.reduce((sum, { model, reserved }) => withModelSpent(sum, model, fullReservation(reserved)), work.spent);
  return { ...work, spent, modelCalls: modelCalls.map((call) => (call.open === undefined ? call : closed(call))) };
}

/** The grant that an answer to a wait for a larger one brings. */
export function grantIn(result: Result): Grant | undefined {
  if (!("output" in result) || !("json" in result.output)) return undefined;
  const parsed = Grant.safeParse(result.output.json);
  return parsed.success ? parsed.data : undefined;
}

/** A beginning proves nothing about the hosts that run it, so their deaths still count. */
function begun(work: AgentWork, { key, model, attempt, reserved, atMs, onlyIn }: EventOf<"model-begun">): AgentWork {
  const { modelCalls = [] } = work;
  const index = modelCalls.findIndex((call) => call.key === key);
  const known = index < 0 ? undefined : modelCalls.at(index);
  const first = known?.first.attempt === attempt ? known.first : { attempt, atMs };
  const call: ModelCall = { ...(known ?? { key, model }), first, open: reserved, onlyIn };
  return { ...work, modelCalls: known === undefined ? [...modelCalls, call] : modelCalls.with(index, call) };
}

function settled(work: AgentWork, { model, spent }: EventOf<"model-tried" | "model-ended">): AgentWork {
  return spent === undefined ? work : { ...work, spent: withModelSpent(work.spent, model, spent) };
}

function changed(work: AgentWork, { key, onlyIn }: EventOf<"model-tried" | "model-ended">, change: Partial<ModelCall>): AgentWork {
  const { modelCalls = [] } = work;
  return { ...work, modelCalls: modelCalls.map((call) => (call.key === key ? { ...closed(call), onlyIn, ...change } : call)) };
}

function afterResult({ results }: AgentWork): Pick<AgentWork, "results" | "takeovers"> {
  return { results: results + 1, takeovers: 0 };
}

function closed({ open: _settled, ...call }: ModelCall): ModelCall {
  return call;
}
