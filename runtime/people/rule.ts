/**
 * @module Standing rules: what a person has said "always" to, for one tool of one agent. Pure.
 *
 * A rule stands for a person who would be asked. It gives no permission, it ends by time, uses or revocation, and it lets untrusted text
 * through only from the origins that the request had from which it was made.
 */
import { z } from "zod";
import { holds } from "../condition/condition.ts";
import { hashText } from "../canonical.ts";
import { isFault, type Json } from "../faults.ts";
import { Label, MANY_ORIGINS } from "../label.ts";
import { LIMITS } from "../limits.ts";

/** A rule as it is made. Persisted: changing this needs a version bump. */
export const RuleTerms = z.strictObject({
  /** See `ruleId`. */
  id: z.string(),
  /** The request that it was made from. */
  requestId: z.string(),
  agent: z.string(),
  tool: z.string(),
  about: z.string(),
  /** CEL over `input`. */
  when: z.string(),
  /** Origins of the request. Absent: it lets no untrusted text through. */
  label: Label.optional(),
  /** Subject of the person. */
  by: z.string(),
  atMs: z.int().nonnegative(),
  usesMax: z.int().positive().max(LIMITS.ruleUsesMax),
  untilMs: z.int().nonnegative(),
});
export type RuleTerms = z.infer<typeof RuleTerms>;

/** A rule as its actor holds it. Persisted: changing this needs a version bump. */
export const StandingRule = z.strictObject({
  ...RuleTerms.shape,
  /** The calls that it let through, by {@link callMark}. */
  uses: z.array(z.string()),
  revoked: z.strictObject({ by: z.string(), atMs: z.int(), reason: z.string() }).optional(),
});
export type StandingRule = z.infer<typeof StandingRule>;

/** What is wanted of the standing rules of a tenant. */
export const RuleAct = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("make"), rule: RuleTerms }),
  /** Lets a call through. The same call counts once. */
  z.strictObject({ do: z.literal("use"), id: z.string(), call: z.string() }),
  z.strictObject({ do: z.literal("revoke"), id: z.string(), reason: z.string().max(LIMITS.requestReasonCharsMax) }),
]);
export type RuleAct = z.infer<typeof RuleAct>;

/** Whether a rule stands, or how it ended. */
export const RULE_STATES = ["stands", "revoked", "expired", "used-up"] as const;

/** Whether a rule stands, or how it ended. */
export function ruleStatus({ revoked, untilMs, uses, usesMax }: StandingRule, nowMs: number): (typeof RULE_STATES)[number] {
  if (revoked !== undefined) return "revoked";
  if (nowMs >= untilMs) return "expired";
  return uses.length >= usesMax ? "used-up" : "stands";
}

const DIGITS = 32;

/** The id of the rule that is made from a request: the same decision makes it once. */
export function ruleId(requestId: string): string {
  return `rule-${hashText(requestId).slice(0, DIGITS / 2)}`;
}

/** The mark of a call, by its idempotency key. */
export function callMark(key: string): string {
  return hashText(key).slice(0, DIGITS);
}

/** A call that a person would be asked about. */
export interface CoveredCall {
  readonly agent: string;
  readonly tool: string;
  readonly input: Json;
  readonly label: Label;
  /** See {@link callMark}. */
  readonly mark: string;
}

/** The rules that may let a call through. One that has done so already is the only one, also when it has ended since. */
export function coveringRules(rules: readonly StandingRule[], call: CoveredCall, nowMs: number): readonly StandingRule[] {
  const used = rules.find(({ uses }) => uses.includes(call.mark));
  return used === undefined ? rules.filter((rule) => ruleStatus(rule, nowMs) === "stands" && covers(rule, call)) : [used];
}

function covers({ agent, tool, when, label = [] }: StandingRule, call: CoveredCall): boolean {
  if (agent !== call.agent || tool !== call.tool) return false;
  // A label that has lost origins does not say which.
  if (!call.label.every((origin) => origin !== MANY_ORIGINS && label.includes(origin))) return false;
  try {
    return holds(when, { input: call.input });
  } catch (error) {
    if (!isFault(error)) throw error;
    return false;
  }
}
