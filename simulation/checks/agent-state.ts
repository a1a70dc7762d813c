/**
 * @module No update of an agent's state is lost. Agents of the scenarios count: each counting handler adds one to
 * `state.count` and returns the new count as `counted`. The committed state must be the state before it plus one.
 */
import type { AgentEvent, AgentState } from "../../runtime/agent/state.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Value } from "../../runtime/value.ts";
import type { Find } from "./shadow.ts";

const LAW = "no update of agent state is lost";

/** A work item has ended: its state is built on the one before it, and nothing that it counted is missing. */
export function checkCount(actor: string, before: AgentState, event: Extract<AgentEvent, { e: "work-done" }>, find: Find): void {
  const was = before.state === undefined ? 0 : numberOf(before.state, "count");
  const now = event.state === undefined ? was : numberOf(event.state, "count");
  if (was === undefined || now === undefined) return;
  const counted = "output" in event.result ? numberOf(event.result.output, "counted") : undefined;
  const should = event.state === undefined ? was : was + 1;
  if (now !== should) find(LAW, `${actor} counted ${was}, and ${event.workId} left ${now}`);
  if (counted !== undefined && counted !== now) find(LAW, `${event.workId} counted to ${counted}, and ${actor} has ${now}`);
}

function numberOf(value: Value, name: string): number | undefined {
  const content: Json | undefined = "json" in value ? value.json : undefined;
  if (typeof content !== "object" || content === null || Array.isArray(content)) return undefined;
  const found = (content as { readonly [key: string]: Json | undefined })[name];
  return typeof found === "number" ? found : undefined;
}
