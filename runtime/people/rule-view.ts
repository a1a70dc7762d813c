/** @module Standing rules as they are shown: one schema for the server, its document and the client. Pure. */
import { z } from "zod";
import { RULE_STATES, RuleTerms, ruleStatus, type StandingRule } from "./rule.ts";

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");

/** A standing rule. */
export const RuleView = z.object({
  id: z.string(),
  state: z.enum(RULE_STATES),
  agent: RuleTerms.shape.agent.describe("The agent whose calls it lets through."),
  tool: z.string(),
  about: z.string().describe("What it lets through, in words."),
  when: z.string().describe("What it lets through: CEL over `input`."),
  label: z.array(z.string()).optional().describe("Untrusted origins that it lets through; absent: none."),
  request: z.string().describe("The request that it was made from."),
  by: z.string().describe("Subject of the person."),
  atMs: EpochMs,
  untilMs: EpochMs,
  used: z.int().nonnegative().describe("Calls that it let through."),
  usesMax: z.int().positive(),
  revoked: z.object({ by: z.string(), atMs: EpochMs, reason: z.string() }).optional(),
});
/** A standing rule. */
export type RuleView = z.infer<typeof RuleView>;

/** The standing rules of a tenant, the newest first. */
export const RulesAnswer = z.object({ entries: z.array(RuleView) });
/** The standing rules of a tenant, the newest first. */
export type RulesAnswer = z.infer<typeof RulesAnswer>;

/** The view of a rule at a time. */
export function ruleView(rule: StandingRule, nowMs: number): RuleView {
  const { id, agent, tool, about, when, label, requestId: request, by, atMs, untilMs, uses, usesMax, revoked } = rule;
  return {
    ...{ id, state: ruleStatus(rule, nowMs), agent, tool, about, when },
    ...(label === undefined ? {} : { label }),
    ...{ request, by, atMs, untilMs, used: uses.length, usesMax },
    ...(revoked === undefined ? {} : { revoked }),
  };
}
