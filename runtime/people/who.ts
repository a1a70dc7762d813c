/** @module Who may decide on a request. Pure. */
import { wireFault, type WireFault } from "../faults.ts";
import { DEFAULT_TENANT } from "../ids.ts";
import { ANONYMOUS, APP_TOKEN, type Principal } from "../protocol/principal.ts";

/** What decides who may decide. */
export interface Decidable {
  readonly id: string;
  /** Who may decide now; empty: all who may decide. */
  readonly roles: readonly string[];
  readonly agentsDecide?: true | undefined;
  /** The principal that the task runs for. */
  readonly for: { readonly subject: string; readonly tenant: string };
}

/**
 * Whether an identity has no name: of a host without tokens, or the app's own token. It may decide anything, also what it asked for itself;
 * a host that has named tokens does not let the app's token decide.
 */
export function isUnnamed({ subject }: Pick<Principal, "subject">): boolean {
  return subject === ANONYMOUS.subject || subject === APP_TOKEN.subject;
}

/** Why a principal may not decide on a request; undefined if it may. */
export function forbids(request: Decidable, principal: Principal): WireFault | undefined {
  if (isUnnamed(principal)) return undefined;
  const { id, roles, agentsDecide, for: owner } = request;
  const { subject, tenant, kind, roles: own = [] } = principal;
  const refuse = (why: string): WireFault => wireFault("person.forbidden", `${subject} may not decide on ${id}: ${why}`, { request: id });
  if (tenant !== owner.tenant && tenant !== DEFAULT_TENANT) return refuse("it is of another tenant");
  if (kind !== undefined && agentsDecide !== true)
    return refuse(`only people may, and this is ${kind === "agent" ? "an agent" : "a peer"}`);
  if (subject === owner.subject && tenant === owner.tenant)
    return refuse("the task runs for this subject, and it may not approve what it asked for");
  if (roles.length > 0 && !roles.some((role) => own.includes(role))) return refuse(`it needs one of the roles ${roles.join(", ")}`);
  return undefined;
}
