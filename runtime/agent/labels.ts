/** @module The labels of an agent actor: of its state, and of what its work items began with. Pure. */
import { workActorId } from "../ids.ts";
import { asSeenBy, joined, type Label, labelField, principalOrigin } from "../label.ts";
import { ANONYMOUS, type Principal } from "../protocol/principal.ts";
import type { AgentState, AgentWork } from "./state.ts";

/** The label of what a handler has when it begins: its input, and the state of its agent. */
export function firstLabel({ label, stateLabel }: Pick<AgentWork, "label" | "stateLabel">): Label {
  return joined(label, stateLabel);
}

/** The label of the agent's state, for a work item that begins or goes on. */
export function seenState({ label: known }: AgentState, { stateLabel, principal }: AgentWork): { readonly stateLabel?: string[] } {
  if (known === undefined) return {};
  const { label } = labelField(joined(stateLabel, asSeenBy(known, principal)));
  return label === undefined ? {} : { stateLabel: label };
}

/** The label of a state that a work item has set: it grows, and the tasks of other principals see who set it. */
export function setStateLabel(state: AgentState, work: AgentWork, derived: Label | undefined): Label {
  return joined(state.label, derived, isShared(state.id, work) ? originOf(work.principal) : undefined);
}

/** Whether the actor serves several processes. */
function isShared(actorId: string, { id, processId }: AgentWork): boolean {
  return actorId !== processId && actorId !== workActorId(id);
}

/** A principal without a name is no other one. */
function originOf(principal: Principal): Label | undefined {
  const { subject, tenant } = principal;
  return subject === ANONYMOUS.subject && tenant === ANONYMOUS.tenant ? undefined : [principalOrigin(principal)];
}
