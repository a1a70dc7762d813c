/**
 * @module When a process may be purged, and how it answers afterwards. Pure.
 *
 * The record that purges a process is the fence: after it, nothing is added to the journal, so that any host can delete the keys one by one
 * and can repeat that.
 */
import { type WireFault, wireFault } from "../faults.ts";
import { outsideId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import type { Body } from "../protocol/bodies.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { awaitsDecision } from "./runs.ts";
import { retainUntilMs } from "./messages.ts";
import type { ProcessState } from "./state.ts";

/** Retention found the index entry of the process closed, so all its effects are performed. */
export interface PurgeInput {
  readonly kind: "purge";
  /** How long an ended process is kept, in milliseconds. */
  readonly retentionMs: number;
  /** When the index entry was opened or closed. Epoch, milliseconds. */
  readonly entryAtMs: number;
}

/**
 * The time from which a process may be purged; undefined if it is open or its dead letter waits for a decision. It is not purged while a
 * valid message may still reference it, even if the retention is shorter.
 */
export function purgeDueMs(state: ProcessState, { retentionMs, entryAtMs }: Omit<PurgeInput, "kind">): number | undefined {
  switch (state.phase) {
    case "ended":
      if (state.outcome === undefined || awaitsDecision(state)) return undefined;
      return Math.max(
        Math.max(state.outcome.atMs, entryAtMs, lastActAtMs(state)) + retentionMs,
        lastActAtMs(state) + LIMITS.clockDriftMsMax,
        horizonMs(state),
      );
    case "refused":
      return Math.max(
        entryAtMs + retentionMs,
        (state.refuseUntilMs ?? entryAtMs + LIMITS.taskTimeoutMsMax + LIMITS.compensationMsMax) + LIMITS.clockDriftMsMax,
      );
    case "void":
      return entryAtMs + Math.max(retentionMs, LIMITS.messageLifetimeMsDefault + LIMITS.clockDriftMsMax);
    default:
      return undefined;
  }
}

/** After this time no valid message references the process: its messages have expired, and its parent can no longer undo it. */
function horizonMs(state: ProcessState): number {
  return retainUntilMs(state) + LIMITS.clockDriftMsMax;
}

/** Time of the last operator action. It must be in the audit and the dead letter queue before the process is purged. */
function lastActAtMs(state: ProcessState): number {
  return state.acts?.at(-1)?.atMs ?? 0;
}

/** Purges the process if that is due. Otherwise nothing changes. */
export function decidePurge(builder: ProcessBuilder, input: PurgeInput): void {
  const dueMs = purgeDueMs(builder.state, input);
  if (dueMs !== undefined && dueMs <= builder.context.nowMs) builder.emit({ e: "purged" });
}

/** Refuses all messages to a purged process, except replies, which get a receipt and change nothing. */
export function refusePurged(builder: ProcessBuilder, kind: Body["kind"]): void {
  if (kind !== "result" && kind !== "wait") builder.refuse(purgedFault(builder.state.id));
}

/** The fault of a purged process. */
export function purgedFault(id: string): WireFault {
  return wireFault("process.purged", `process ${outsideId(id)} has ended and was purged`);
}
