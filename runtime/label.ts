/**
 * @module Labels: from which untrusted origins a content was derived. Pure.
 *
 * A label is a set of origins. A content without any is trusted: it comes from the task's own principal, from code, or from a tool whose
 * author vouches for it. Labels only grow; an origin leaves by an act of a person or a declared rule, which is recorded. Information
 * flow by labels: Denning, "A Lattice Model of Secure Information Flow", CACM 19(5), 1976.
 */
import { z } from "zod";
import { hashText } from "./canonical.ts";
import { LIMITS } from "./limits.ts";

/** An origin: what kind of thing it is and its name, such as `tool:fetch`, `mcp:files`, `source:handbook`, `principal:acme/ann`. */
const Origin = z.string().min(1).max(LIMITS.originLengthMax);

/** Origins in the order of their code units, each once. Persisted: changing this needs a version bump. */
export const Label = z.array(Origin).max(LIMITS.labelOriginsMax);
/** Origins in the order of their code units, each once. Empty: trusted. */
export type Label = readonly string[];

/** The label of a trusted content. */
export const TRUSTED: Label = [];

/** The last origin of a label that has lost some because there were too many. */
export const MANY_ORIGINS = "~more";

/** The label of what was derived from contents with these labels. */
export function joined(...labels: readonly (Label | undefined)[]): Label {
  const known = labels.filter((label): label is Label => label !== undefined && label.length > 0);
  const [first] = known;
  if (first === undefined) return TRUSTED;
  if (known.every((label) => label === first)) return first;
  const origins = [...new Set(known.flat())].sort((left, right) => (left < right ? -1 : Number(left > right)));
  if (origins.length <= LIMITS.labelOriginsMax) return origins;
  return [...origins.filter((origin) => origin !== MANY_ORIGINS).slice(0, LIMITS.labelOriginsMax - 1), MANY_ORIGINS];
}

/** Whether a content was derived from an untrusted origin. */
export function isUntrusted(label: Label | undefined): boolean {
  return label !== undefined && label.length > 0;
}

/** The field `label` of a record or message: absent for a trusted content. */
export function labelField(label: Label | undefined): { readonly label?: string[] } {
  return label === undefined || label.length === 0 ? {} : { label: [...label] };
}

const HASH_DIGITS = 32;

/** An origin. Of a long name the end is a hash of it, so that two names with the same long beginning are two origins. */
function originOf(kind: string, name: string): string {
  const origin = `${kind}:${name}`;
  if (origin.length <= LIMITS.originLengthMax) return origin;
  // The cut may leave half of a surrogate pair, which is no text.
  const beginning = origin.slice(0, LIMITS.originLengthMax - HASH_DIGITS - 1).toWellFormed();
  return `${beginning}~${hashText(origin).slice(0, HASH_DIGITS)}`;
}

/** The origin of facts of a principal, as the tasks of other principals see them. */
export function principalOrigin({ tenant, subject }: { readonly tenant: string; readonly subject: string }): string {
  return originOf("principal", `${tenant.replaceAll("%", "%25").replaceAll("/", "%2F")}/${subject}`);
}

/** The origin of the outputs of an untrusted tool. */
export function toolOrigin(name: string): string {
  return originOf("tool", name);
}

/** The origin of the outputs of the tools of an MCP server. */
export function serverOrigin(name: string): string {
  return originOf("mcp", name);
}

/** The origin of a task's input of which the submitter says that it is untrusted. */
export function inputOrigin(name: string): string {
  return originOf("input", name);
}

/** The origin of the payload of a signal that another principal gave. */
export function signalOrigin(name: string): string {
  return originOf("signal", name);
}

/** A label as the tasks of a principal see it: what comes from that principal is no stranger's. */
export function asSeenBy(label: Label, principal: { readonly tenant: string; readonly subject: string }): Label {
  const own = principalOrigin(principal);
  return label.includes(own) ? label.filter((origin) => origin !== own) : label;
}
