/**
 * @module When a process may be purged, and how a purged process answers. Pure.
 *
 * The `purged` record is a fence: after it the process only refuses messages and writes no records. Therefore any host can remove the keys
 * of its journal one by one, and repeat an interrupted removal.
 */
import { type WireFault, wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { Body } from "../protocol.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { awaitsDecision } from "./runs.ts";
import { retainUntilMs } from "./messages.ts";
import type { ProcessState } from "./state.ts";

/** Retention found the index entry of the process closed, so all effects of the process were performed. */
export interface PurgeInput {
  readonly kind: "purge";
  /** How long an ended process is kept, in milliseconds. */
  readonly retentionMs: number;
  /** When the index entry was opened or closed. Epoch, milliseconds. */
  readonly lineAtMs: number;
}

/**
 * The moment from which a process may be purged; undefined while it is open or its dead letter waits for a decision. Even with a short
 * retention this is not before all messages about the process have expired on the clocks of all hosts.
 */
export function purgeDueMs(state: ProcessState, { retentionMs, lineAtMs }: Omit<PurgeInput, "kind">): number | undefined {
  switch (state.phase) {
    case "ended":
      if (state.outcome === undefined || awaitsDecision(state)) return undefined;
      return Math.max(
        Math.max(state.outcome.atMs, lineAtMs, lastActAtMs(state)) + retentionMs,
        lastActAtMs(state) + LIMITS.clockDriftMsMax,
        horizonMs(state),
      );
    case "refused":
      return Math.max(
        lineAtMs + retentionMs,
        (state.refuseUntilMs ?? lineAtMs + LIMITS.taskTimeoutMsMax + LIMITS.compensationMsMax) + LIMITS.clockDriftMsMax,
      );
    case "void":
      return lineAtMs + Math.max(retentionMs, LIMITS.messageLifetimeMsDefault + LIMITS.clockDriftMsMax);
    default:
      return undefined;
  }
}

/** After this moment no valid message can refer to the process: its messages have expired, and its parent can no longer undo it. */
function horizonMs(state: ProcessState): number {
  return retainUntilMs(state) + LIMITS.clockDriftMsMax;
}

/** Time of the last operator action, which must reach the indexes before the process is purged. Epoch, milliseconds. */
function lastActAtMs(state: ProcessState): number {
  return state.acts?.at(-1)?.atMs ?? 0;
}

/** Purges the process if that is due. Otherwise, and if it is already purged, nothing changes. */
export function decidePurge(builder: ProcessBuilder, input: PurgeInput): void {
  const dueMs = purgeDueMs(builder.state, input);
  if (dueMs !== undefined && dueMs <= builder.context.nowMs) builder.emit({ e: "purged" });
}

/** Refuses a request to a purged process. A late result or wait gets a receipt and changes nothing. */
export function refusePurged(builder: ProcessBuilder, kind: Body["kind"]): void {
  if (kind !== "result" && kind !== "wait") builder.refuse(purgedFault(builder.state.id));
}

/** The fault with which a purged process refuses requests. */
export function purgedFault(id: string): WireFault {
  return wireFault("process.purged", `process ${id} has ended and was purged`);
}
