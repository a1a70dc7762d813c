/**
 * @module The repair ladder: what is tried after a reply that cannot be used, in which order, and how often. Pure.
 *
 * Each rung makes another request. The request that had a bad reply is never sent again as it is.
 */
import type { FaultCode } from "../faults.ts";

/**
 * What may be tried: `tell` adds what is wrong; `shorten` replaces the oldest tool results by notes; `summarize` replaces the older
 * part of the conversation by a summary, which is a model call of its own; `model` goes on with the next model of `fallback`.
 */
export const RUNGS = ["tell", "shorten", "summarize", "model"] as const;

/** A rung of the repair ladder. */
export type Rung = (typeof RUNGS)[number];

/** The ladder of an agent that sets none. Each entry is used at most once between two usable replies. */
export const REPAIR_DEFAULT: readonly Rung[] = ["tell", "tell", "shorten", "summarize", "model", "tell"];

const ALL: readonly Rung[] = RUNGS;

/** Which rungs can help against a fault of a model call or its reply. Faults that are not listed end the run. */
const HELPING: Readonly<Partial<Record<FaultCode, readonly Rung[]>>> = {
  "model.answer": ALL,
  "model.ungrounded": ALL,
  "model.tool-input": ALL,
  "model.tool-unknown": ALL,
  "model.truncated": ALL,
  "model.empty": ALL,
  "model.context-length": ["shorten", "summarize", "model"],
  "model.filtered": ["shorten", "model"],
  "model.refused": ["model"],
  "model.unavailable": ["model"],
  "model.rate-limited": ["model"],
  "model.malformed": ["model"],
  "model.quota": ["model"],
  "model.rejected": ["model"],
};

/** Whether a fault has a place on the ladder at all. */
export function isOnLadder(code: string): boolean {
  return Object.hasOwn(HELPING, code);
}

/**
 * Returns the index of the next rung of a policy: the first one that was not used, can help, and that `can` allows at this moment.
 * Undefined: the ladder has ended.
 */
export function nextRung(policy: readonly Rung[], used: readonly number[], code: string, can: (rung: Rung) => boolean): number | undefined {
  const helping = Object.hasOwn(HELPING, code) ? HELPING[code as FaultCode] : undefined;
  const found = policy.findIndex((rung, index) => !used.includes(index) && helping?.includes(rung) === true && can(rung));
  return found === -1 ? undefined : found;
}
