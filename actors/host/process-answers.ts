/** @module What a process manager answers to decisions, beside the receipt. */
import { requestStatus } from "../../runtime/process/requests.ts";
import { decisionOn } from "../../runtime/process/runs.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { TurnAnswer } from "../../runtime/protocol.ts";
import type { TurnResult } from "../engine/turn-parts.ts";

/** The receipt of a decision names the record that contains it, also if the decision is repeated. */
export function decisionAnswer(answer: TurnAnswer, state: ProcessState, run: number): TurnAnswer {
  const act = decisionOn(state, run);
  if ("refused" in answer || act === undefined) return answer;
  return {
    ...answer,
    receipt: { ...answer.receipt, sequence: act.sequence },
    run: act.opened ?? act.run,
    ...(act.notReached === undefined ? {} : { notReached: act.notReached }),
  };
}

/** The run that a task or a decision needs was not the one that was prepared. */
export function isContended({ verdict }: TurnResult<ProcessState>): boolean {
  return verdict.kind === "refused" && verdict.fault.code === "journal.contended";
}

/** The receipt of a decision on a request names the record that contains it, also if the decision is repeated. */
export function requestAnswer(answer: Extract<TurnAnswer, { receipt: unknown }>, state: ProcessState, id: string): TurnAnswer {
  const known = requestStatus(state, id);
  if (known === undefined) return answer;
  const { status, sequence = answer.receipt.sequence } = known;
  return { ...answer, receipt: { ...answer.receipt, sequence }, request: status };
}
