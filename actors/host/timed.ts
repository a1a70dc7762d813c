/**
 * @module A time limit for one call.
 */
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";

/** Options of a time limit. `what` names the call in the fault. Without `timeoutMs` only the signal limits it. */
export interface TimedParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
  readonly what: string;
}

/**
 * Runs an action with a signal that is aborted at the time limit. After that it has LIMITS.stopGraceMs to settle with a result,
 * which counts. Otherwise it fails with `call.timeout`.
 */
export async function timed<T>(parts: TimedParts, action: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
  const { clock, signal, timeoutMs, what } = parts;
  if (timeoutMs === undefined) return action(signal);
  const fault = new Fault("call.timeout", `${what} did not answer within ${timeoutMs} ms`);
  const ownTime = new AbortController();
  const { promise: givenUp, reject: giveUp } = Promise.withResolvers<never>();
  let cancel = clock.after(timeoutMs, () => {
    ownTime.abort(fault);
    cancel = clock.after(LIMITS.stopGraceMs, () => giveUp(fault));
  });
  try {
    return await Promise.race([action(AbortSignal.any([signal, ownTime.signal])), givenUp]);
  } catch (error) {
    throw ownTime.signal.aborted ? fault : error;
  } finally {
    cancel();
  }
}
