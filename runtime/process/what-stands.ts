/**
 * @module What stands after a compensation: effects of calls without an undo, and states of agents. Pure.
 */
import { LIMITS } from "../limits.ts";
import type { WorkViewState } from "../process-view.ts";
import type { CompensationReport } from "../protocol/bodies.ts";
import { doerName } from "../slip.ts";
import type { ProcessState } from "./state.ts";
import type { Asked } from "./work.ts";

/** How a compensation ended, as the state of its work item. */
export function undoneState({ undone, stands, stateStands }: CompensationReport): WorkViewState {
  if (stands.length === 0 && !stateStands) return undone > 0 ? "undone" : "nothing to undo";
  if (undone === 0) return stands.length === 0 ? "its state stands" : stateStands ? "its effect and its state stand" : "its effect stands";
  if (stands.length === 0) return "undone, but its state stands";
  return stateStands ? "undone, but an effect and its state stand" : "undone, but an effect stands";
}

/** How a compensation ended, in history entries: with the tools whose effects stand. */
export function undoneText(report: CompensationReport): string {
  const state = undoneState(report);
  return report.stands.length === 0 ? state : `${state}: ${report.stands.join(", ")}`.slice(0, LIMITS.faultMessageLengthMax);
}

/** What a process keeps of it for its dead letter, and for its parent. */
export function whatStands(
  state: ProcessState,
  target: Asked | undefined,
  report: CompensationReport,
): Pick<ProcessState, "stands" | "stateStands"> {
  const place = target === undefined ? "" : ` of ${doerName(target.target)} at ${target.stop}`;
  const stands = report.stands.map((tool) => `${tool}${place}`);
  return {
    ...(stands.length === 0 ? {} : { stands: [...(state.stands ?? []), ...stands].slice(0, LIMITS.historyMax) }),
    ...(report.stateStands ? { stateStands: true } : {}),
  };
}
