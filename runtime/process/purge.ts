/**
 * @module When a process may be purged, and what it says to whoever comes after. Pure.
 *
 * The record that purges a process is the fence: from then on nothing can be added to its journal but refusals that
 * write nothing, so that its keys can be taken away one after the other, by any host, again and again.
 */
import { type WireFault, wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { Body } from "../protocol.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { awaitsDecision } from "./runs.ts";
import { retainUntilMs } from "./messages.ts";
import type { ProcessState } from "./state.ts";

/** A sweep found the line of the process closed: all that it owed is performed. */
export interface PurgeInput {
  readonly kind: "purge";
  /** How long what ended is to be kept, in milliseconds. */
  readonly retentionMs: number;
  /** When the line was entered or closed. Epoch, milliseconds. */
  readonly lineAtMs: number;
}

/**
 * The moment from which a process may be purged; undefined while it may not at all: it is open, or its dead letter waits
 * for a decision. Never before every message about it has expired on every clock, however short the retention.
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

/** After this moment nobody speaks of the process any more: its messages have expired, its parent may not undo it. */
function horizonMs(state: ProcessState): number {
  return retainUntilMs(state) + LIMITS.clockDriftMsMax;
}

/** What a person did last must be told everywhere before it is forgotten. */
function lastActAtMs(state: ProcessState): number {
  return state.acts?.at(-1)?.atMs ?? 0;
}

/** Purges the process when that is due; else nothing. A process that is purged already is received. */
export function decidePurge(builder: ProcessBuilder, input: PurgeInput): void {
  const dueMs = purgeDueMs(builder.state, input);
  if (dueMs !== undefined && dueMs <= builder.context.nowMs) builder.emit({ e: "purged" });
}

/** What is asked of a purged process is refused for good; what is merely told is received, and changes nothing. */
export function refusePurged(builder: ProcessBuilder, kind: Body["kind"]): void {
  if (kind !== "result" && kind !== "wait") builder.refuse(purgedFault(builder.state.id));
}

/** How a purged process answers. */
export function purgedFault(id: string): WireFault {
  return wireFault("process.purged", `process ${id} has ended and was purged`);
}
