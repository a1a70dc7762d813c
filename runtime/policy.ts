/**
 * @module Whether a call of a tool may be made: permissions in three tiers, rules for people, and labels. Pure.
 *
 * It decides by what is known of the call, never by what a model says. Each judgement is a line of the audit.
 */
import { holds } from "./condition/condition.ts";
import type { Json } from "./faults.ts";
import { isUntrusted, type Label } from "./label.ts";

/** What a judgement is made from. */
export interface CallFacts {
  readonly tool: {
    readonly name: string;
    readonly effect: "read" | "write" | "egress";
    readonly permission: string | undefined;
    /** CEL over `input`: calls that a person must approve. */
    readonly approve: string | undefined;
    /** CEL over `input`: calls whose untrusted input is let through. */
    readonly declassify: string | undefined;
  };
  readonly input: Json;
  /** Of the input, as the task's principal sees it. */
  readonly label: Label;
  /** The permissions of the agent class. Absent: it declares none, so its tools decide. */
  readonly agent: readonly string[] | undefined;
  readonly principal: { readonly subject: string; readonly permissions: readonly string[]; readonly given?: readonly string[] | undefined };
}

/** What is decided about a call, and the rule that decided. */
export type Judgement =
  | { readonly verdict: "allowed"; readonly rule: string }
  /** `why` continues "tool x". */
  | { readonly verdict: "refused"; readonly rule: string; readonly why: string }
  /** A person must approve exactly this input. */
  | { readonly verdict: "asks"; readonly rule: string; readonly why: string };

/** What stands between the rules of a judgement. */
export const RULES_BETWEEN = "; ";

/** Judges a call. A refusal goes before a question, and a question names all rules that ask, so that one answer settles the call. */
export function judgeCall(facts: CallFacts): Judgement {
  return permissionOf(facts) ?? questionOf([approvalOf(facts), flowOf(facts)]) ?? { verdict: "allowed", rule: allowedBy(facts) };
}

/** Whether the principal and the task have a permission. */
export function mayUse(permission: string | undefined, { permissions, given }: CallFacts["principal"]): boolean {
  return permission === undefined || (permissions.includes(permission) && given?.includes(permission) !== false);
}

function questionOf(found: readonly (Question | undefined)[]): Judgement | undefined {
  const asking = found.filter((one) => one !== undefined);
  if (asking.length === 0) return undefined;
  return { verdict: "asks", rule: asking.map(({ rule }) => rule).join(RULES_BETWEEN), why: asking.map(({ why }) => why).join(", and ") };
}

interface Question {
  readonly rule: string;
  readonly why: string;
}

function permissionOf({ tool: { permission }, agent, principal }: CallFacts): Judgement | undefined {
  if (permission === undefined) return undefined;
  const missing = `needs the permission ${permission}, which`;
  if (agent !== undefined && !agent.includes(permission))
    return { verdict: "refused", rule: "permission of the agent", why: `${missing} the agent does not have` };
  if (!principal.permissions.includes(permission))
    return { verdict: "refused", rule: "permission of the principal", why: `${missing} ${principal.subject} does not have` };
  if (principal.given !== undefined && !principal.given.includes(permission))
    return { verdict: "refused", rule: "permission of the task", why: `${missing} the task was not given` };
  return undefined;
}

function approvalOf({ tool: { approve }, input }: CallFacts): Question | undefined {
  if (approve === undefined || !holds(approve, { input })) return undefined;
  return { rule: `approve: ${approve}`, why: `needs a person's approval where ${approve}` };
}

/** What was derived from untrusted text leaves with a person's consent, and changes something by that or by the task's own word. */
function flowOf({ tool, input, label, principal }: CallFacts): Question | undefined {
  if (tool.effect === "read" || !isUntrusted(label)) return undefined;
  if (tool.declassify !== undefined && holds(tool.declassify, { input })) return undefined;
  const isGiven = tool.permission !== undefined && principal.given?.includes(tool.permission) === true;
  if (tool.effect === "write" && isGiven) return undefined;
  const what = tool.effect === "egress" ? "sends out" : "changes something by";
  return { rule: `untrusted text in ${tool.effect}`, why: `${what} what was derived from ${label.join(", ")}` };
}

function allowedBy({ tool, input, label }: CallFacts): string {
  if (tool.effect === "read" || !isUntrusted(label))
    return tool.permission === undefined ? "no permission needed" : `permission ${tool.permission}`;
  if (tool.declassify !== undefined && holds(tool.declassify, { input })) return `declassify: ${tool.declassify}`;
  return `permission ${tool.permission ?? ""} given to the task`;
}
