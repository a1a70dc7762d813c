/**
 * @module An operator ends a process without compensation. Pure.
 *
 * The process ends in the turn that takes the order. Its last effects cancel the handlers of its open work items and terminate its nested
 * routes. What was asked and is not undone is named in its fault.
 */
import { boundedFault, wireFault } from "../faults.ts";
import { undoWorkId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import { doerName } from "../slip.ts";
import { endProcess } from "./compensation.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { notOpen } from "./pause.ts";
import type { ProcessState } from "./state.ts";
import type { Asked } from "./work.ts";

/** Ends the process. A process that was terminated stays so. */
export function decideTerminate(builder: ProcessBuilder, message: Message, { reason, child }: BodyOf<"terminate">): void {
  const { state, context } = builder;
  if (child !== undefined && (state.phase === "new" || state.phase === "void")) {
    // The request of the nested route may still come.
    const { workId, retainUntilMs } = child;
    return builder.emit({ e: "refused-for-ever", undoId: undoWorkId(workId), workId, attempt: 1, retainUntilMs });
  }
  if (child !== undefined && state.phase !== "open") return;
  if (state.phase === "ended" && state.outcome?.fault?.code === "process.terminated") return;
  const fault = notOpen(state);
  if (fault !== undefined) return builder.refuse(fault);
  const by = child?.by ?? message.principal.subject;
  const left = leftOf(state);
  const what = left.length === 0 ? "" : `; not undone: ${left.join(", ")}`;
  builder.emit({
    e: "terminated",
    act: { what: "terminate", run: state.run, by, reason, atMs: context.nowMs, sequence: context.sequence, decisionId: message.id },
    fault: boundedFault(wireFault("process.terminated", `${by} terminated the process: ${reason}${what}`, { left })),
    dropped: droppedOf(state),
    left,
  });
  endProcess(builder);
}

/** What was asked and is not undone: each agent at its stop, with the number of its work items. */
function leftOf({ asked, sealed, left = [] }: ProcessState): string[] {
  const counts = new Map<string, number>();
  for (const { target, stop } of asked) {
    const place = `${doerName(target)} at ${stop}`;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  const places = [...counts].map(([place, count]) => (count === 1 ? place : `${place} (${count})`));
  const parts = sealed === undefined ? [] : [`the ended items of ${sealed.length} further parts`];
  return [...left, ...places, ...parts].slice(0, LIMITS.historyMax);
}

/** Work items that may run or wait at their actors, and those whose compensation was requested. */
function droppedOf({ works, asked, stopping = [] }: ProcessState): Asked[] {
  const known = new Set([...Object.values(works).map(({ id, undoes }) => undoes ?? id), ...stopping]);
  return asked.filter(({ id }) => known.has(id));
}
