/**
 * @module The check of a call of a tool, before the call is made.
 *
 * Each call is judged again before each execution of it, from its input, the label of all that the handler has received, and the
 * permissions of agent, principal and task.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { callMark } from "../../runtime/people/rule.ts";
import { judgeCall, type Judgement } from "../../runtime/policy.ts";
import type { StandingRules } from "./standing-rules.ts";
import type { MadeCall } from "./tool-calls.ts";

/** What a check needs to know of the agent whose handler calls. */
export type CallingAgent = Pick<AgentDefinition, "name" | "tools" | "permissions">;

/** The parts of the checks of one execution. */
export interface CallPolicyParts {
  readonly work: AgentWork;
  readonly agent: CallingAgent;
  readonly rules: Pick<StandingRules, "letting" | "make">;
  /** Aborted when the execution is stopped. */
  readonly signal: AbortSignal;
}

/** A person has edited the call. `rule`: the rules that the request named. */
export interface EditedBy {
  readonly rule: string;
  readonly by: string | undefined;
}

/** The checks of one execution. */
export class CallPolicy {
  readonly #parts: CallPolicyParts;

  constructor(parts: CallPolicyParts) {
    this.#parts = parts;
  }

  /**
   * Judges a call that is about to be made. Where a rule asks for a person, a standing rule may answer. The edit of a person satisfies the
   * rules that the person was asked for.
   */
  async judged(call: MadeCall, edit?: EditedBy): Promise<Judgement> {
    const judgement = this.#judge(call);
    if (judgement.verdict !== "asks") return judgement;
    const { rule } = judgement;
    if (edit?.rule.includes(rule) === true) return { verdict: "allowed", rule: `edited by ${edit.by ?? "a person"}: ${rule}` };
    const standing = await this.#letting(call);
    return standing === undefined ? judgement : { verdict: "allowed", rule: `standing rule ${standing}: ${rule}` };
  }

  #judge({ tool, input, label }: MadeCall): Judgement {
    const { work, agent } = this.#parts;
    return judgeCall({ tool, input, label, agent: agent.permissions, principal: work.principal });
  }

  #letting({ tool, input, key, label }: MadeCall): Promise<string | undefined> {
    const { work, agent, rules, signal } = this.#parts;
    const mark = callMark(idempotencyKey(work.id, key));
    return rules.letting(work, { agent: agent.name, tool: tool.name, input, label, mark }, signal);
  }
}
