/**
 * @module The actor `Rules/<tenant>`: the standing rules of a tenant. Pure.
 *
 * Its journal counts the uses: a call that asks again, because its host died, is let through again and counts once. Rules that have ended
 * are kept until there is no room for a new one.
 */
import { z } from "zod";
import { entryOf, withEntry, withoutEntry } from "../entries.ts";
import { assertNever, wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { type Decision, DecisionBuilder, type DecisionContext, type Machine } from "../machine.ts";
import type { Message } from "../protocol.ts";
import { eventSchemas } from "../record.ts";
import { type RuleAct, RuleTerms, ruleStatus, StandingRule } from "./rule.ts";

/** State of the rules of one tenant. Persisted: changing this needs a version bump. */
export const RulesState = z.strictObject({ id: z.string(), rules: z.record(z.string(), StandingRule) });
export type RulesState = z.infer<typeof RulesState>;

/** Events of the rules of one tenant. Persisted: changing this needs a version bump. */
export const RulesEvent = z.discriminatedUnion("e", [
  z.strictObject({ e: z.literal("rule-made"), rule: RuleTerms }),
  z.strictObject({ e: z.literal("rule-used"), id: z.string(), call: z.string() }),
  z.strictObject({ e: z.literal("rule-revoked"), id: z.string(), by: z.string(), atMs: z.int(), reason: z.string() }),
  /** There was no room for them. */
  z.strictObject({ e: z.literal("rules-dropped"), ids: z.array(z.string()) }),
]);
export type RulesEvent = z.infer<typeof RulesEvent>;

/** The input of the rules of one tenant: a message of kind `rule`. */
export interface RulesInput {
  readonly kind: "message";
  readonly message: Message;
}

/** The machine of the rules of one tenant. It orders no effects: the sender retries until it has the receipt. */
export const rulesMachine: Machine<RulesState, RulesInput, RulesEvent> = {
  initial: (id) => ({ id, rules: {} }),
  purged: (id) => ({ id, rules: {} }),
  decide: decideRules,
  evolve: evolveRules,
  outbox: () => [],
  nextDueMs: () => undefined,
  events: eventSchemas(RulesEvent),
  states: z.compile(RulesState),
};

type RulesBuilder = DecisionBuilder<RulesState, RulesEvent>;

function decideRules(state: RulesState, { message }: RulesInput, context: DecisionContext): Decision<RulesEvent> {
  const builder = new DecisionBuilder(state, evolveRules, context);
  const { body } = message;
  if (message.expiresAtMs <= context.nowMs) builder.refuse(wireFault("message.expired", `${message.id} expired`));
  else if (body.kind !== "rule") builder.refuse(wireFault("message.invalid", `rules do not accept messages of kind ${body.kind}`));
  else decideAct(builder, body.act, message.principal.subject);
  return builder.done();
}

function decideAct(builder: RulesBuilder, act: RuleAct, by: string): void {
  const { nowMs } = builder.context;
  if (act.do === "make") return make(builder, act.rule);
  const rule = entryOf(builder.state.rules, act.id);
  if (rule === undefined) return builder.refuse(wireFault("rule.unknown", `there is no standing rule ${act.id}`));
  const { id } = rule;
  if (act.do === "revoke") {
    if (rule.revoked === undefined) builder.emit({ e: "rule-revoked", id, by, atMs: nowMs, reason: act.reason });
    return;
  }
  if (rule.uses.includes(act.call)) return;
  const status = ruleStatus(rule, nowMs);
  if (status === "stands") builder.emit({ e: "rule-used", id, call: act.call });
  else builder.refuse(wireFault("rule.unknown", `the standing rule ${id} has ended: it is ${status}`));
}

function make(builder: RulesBuilder, rule: RuleTerms): void {
  if (entryOf(builder.state.rules, rule.id) !== undefined) return;
  const ids = inTheWay(builder.state, rule, builder.context.nowMs);
  if (ids.length > 0) builder.emit({ e: "rules-dropped", ids });
  builder.emit({ e: "rule-made", rule });
}

/** The rules that must go for a new one: those that have ended first, the oldest first. Without a rule a person is asked. */
function inTheWay({ rules }: RulesState, { usesMax }: RuleTerms, nowMs: number): string[] {
  const rank = (rule: StandingRule): number => Number(ruleStatus(rule, nowMs) === "stands");
  const left = Object.values(rules).sort((one, other) => rank(one) - rank(other) || one.atMs - other.atMs);
  let uses = left.reduce((sum, rule) => sum + rule.usesMax, usesMax);
  const dropped: string[] = [];
  while (left.length >= LIMITS.standingRulesMax || uses > LIMITS.standingUsesMax) {
    const first = left.shift();
    if (first === undefined) break;
    uses -= first.usesMax;
    dropped.push(first.id);
  }
  return dropped;
}

function evolveRules(state: RulesState, event: RulesEvent): RulesState {
  switch (event.e) {
    case "rule-made":
      return { ...state, rules: withEntry<StandingRule>(state.rules, event.rule.id, { ...event.rule, uses: [] }) };
    case "rule-used":
      return changed(state, event.id, (rule) => ({ ...rule, uses: [...rule.uses, event.call] }));
    case "rule-revoked": {
      const { by, atMs, reason } = event;
      return changed(state, event.id, (rule) => ({ ...rule, revoked: { by, atMs, reason } }));
    }
    case "rules-dropped":
      return { ...state, rules: event.ids.reduce((rules, id) => withoutEntry(rules, id), state.rules) };
    default:
      return assertNever(event);
  }
}

function changed(state: RulesState, id: string, change: (rule: StandingRule) => StandingRule): RulesState {
  const rule = entryOf(state.rules, id);
  return rule === undefined ? state : { ...state, rules: withEntry(state.rules, id, change(rule)) };
}
