/**
 * @module The check of a call of a tool, before the call is made.
 *
 * Each call is judged again before each execution of it, from its input, the label of all that the handler has received, and the
 * permissions of agent, principal and task.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { callMark } from "../../runtime/people/rule.ts";
import { type CallFacts, judgeCall, type Judgement, RULES_BETWEEN } from "../../runtime/policy.ts";
import type { Checks } from "./checks.ts";
import type { StandingRules } from "./standing-rules.ts";
import type { MadeCall } from "./tool-calls.ts";

/** What a check needs to know of the agent whose handler calls. */
export type CallingAgent = Pick<AgentDefinition, "name" | "tools" | "permissions">;

/** The parts of the checks of one execution. */
export interface CallPolicyParts {
  readonly work: AgentWork;
  readonly agent: CallingAgent;
  readonly rules: Pick<StandingRules, "letting" | "make">;
  readonly checks: Pick<Checks, "call">;
  /** Aborted when the execution is stopped. */
  readonly signal: AbortSignal;
}

/** What a person has decided about the call. `rule`: the rules that the request named, cut as there. */
export interface DecidedBy {
  readonly how: "approved" | "edited";
  readonly rule: string;
  readonly by: string | undefined;
}

/** A reason or rule as a request holds it. */
export function cutReason(text: string): string {
  return text.slice(0, LIMITS.requestReasonCharsMax).toWellFormed();
}

/** The checks of one execution. */
export class CallPolicy {
  readonly #parts: CallPolicyParts;

  constructor(parts: CallPolicyParts) {
    this.#parts = parts;
  }

  /**
   * Judges a call that is about to be made, and writes the verdict to the audit. Where a rule asks for a person, a standing rule may
   * answer. The decision of a person satisfies the rules that the person was asked for. @throws `audit.unavailable`
   */
  async judged(call: MadeCall, decided?: DecidedBy): Promise<Judgement> {
    const { work, agent, checks } = this.#parts;
    const { tool, input, label, key } = call;
    const facts: CallFacts = { tool, input, label, agent: agent.permissions, principal: work.principal };
    const judgement = await this.#decided(call, judgeCall(facts), decided);
    await checks.call(work, { key, facts, judgement });
    return judgement;
  }

  async #decided(call: MadeCall, judgement: Judgement, decided: DecidedBy | undefined): Promise<Judgement> {
    if (judgement.verdict !== "asks") return judgement;
    const { rule } = judgement;
    if (decided !== undefined && isAbout(decided.rule, rule))
      return { verdict: "allowed", rule: `${decided.how} by ${decided.by ?? "a person"}: ${rule}` };
    const standing = await this.#letting(call);
    return standing === undefined ? judgement : { verdict: "allowed", rule: `standing rule ${standing}: ${rule}` };
  }

  #letting({ tool, input, key, label }: MadeCall): Promise<string | undefined> {
    const { work, agent, rules, signal } = this.#parts;
    const mark = callMark(idempotencyKey(work.id, key));
    return rules.letting(work, { agent: agent.name, tool: tool.name, input, label, mark }, signal);
  }
}

/** Whether a person who was asked for these rules was asked for all of the others. */
function isAbout(asked: string, rule: string): boolean {
  const known = asked.split(RULES_BETWEEN);
  return asked === cutReason(rule) || rule.split(RULES_BETWEEN).every((one) => known.includes(one));
}
