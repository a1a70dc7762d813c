/**
 * @module What an agent counts of a work item for the summary of its run: deaths of hosts, further tries, repairs. Pure.
 */
import { RUNGS } from "../model/ladder.ts";
import { addWorkFacts, type WorkFacts } from "../summary.ts";
import type { AgentEvent } from "./events.ts";
import type { AgentWork } from "./state.ts";

const REPAIRS: readonly string[] = RUNGS;

/** A work item with what an event adds to its facts. */
export function withFacts(work: AgentWork, more: WorkFacts): AgentWork {
  return Object.keys(more).length === 0 ? work : { ...work, facts: addWorkFacts(work.facts ?? {}, more) };
}

/** What a model call adds when its first try begins. */
export function factsOfBegun(work: AgentWork, { key, facts }: Extract<AgentEvent, { readonly e: "model-begun" }>): WorkFacts {
  if (work.modelCalls?.some((call) => call.key === key) === true || facts.rung === undefined) return {};
  return { ...(REPAIRS.includes(facts.rung) ? { repairs: 1 } : {}), ...(facts.rung === "model" ? { fallbacks: 1 } : {}) };
}

/** What the end of a handler adds: the claims of its answer, where they were checked. */
export function factsOfDone({ claims }: Extract<AgentEvent, { readonly e: "work-done" }>): WorkFacts {
  if (claims === undefined || claims.made === 0) return {};
  return { claims: claims.made, ...(claims.ungrounded === 0 ? {} : { ungrounded: claims.ungrounded }) };
}
