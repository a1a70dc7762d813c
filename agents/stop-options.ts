/**
 * @module Options of a stop, and the request that a stop becomes; everything is checked when it is written down.
 */
import { LIMITS } from "../runtime/limits.ts";
import { type Call, RETRY_DEFAULT, type RetryPolicy } from "../runtime/slip.ts";
import { invalid, requireCondition, requireInt, requireKeys } from "./definition.ts";
import { recordScope } from "./mapping.ts";
import type { RouteTarget } from "./route.ts";

/** What a stop may say beside its target and its mapping. */
export interface StopOptions {
  /** Time for one attempt, in milliseconds, 1 to 7 days. Default: 60 s for an agent, 1 h for a nested route. */
  readonly timeoutMs?: number | undefined;
  /** Parts of the retry policy that differ from the default: 3 attempts, 200 ms doubling to 30 s, half of it random. */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** A failed optional stop has the output `null`, and the process ends `partial` instead of failing. Default false. */
  readonly optional?: boolean | undefined;
  /** CEL over `task` and the finished stops. Where it does not hold the stop is skipped and its output is `null`. */
  readonly when?: string | undefined;
}

const STOP_OPTIONS = ["timeoutMs", "retry", "optional", "when"];
const RETRY_OPTIONS = ["attemptsMax", "backoffMs", "backoffMsMax", "jitter"];

/** Makes the request of a stop. Throws `definition.invalid` naming route, stop and field. */
export function callOf(
  target: RouteTarget,
  mapping: (scope: never) => unknown,
  options: StopOptions,
  names: readonly string[],
  where: string,
): Call {
  requireTarget(target, where);
  requireKeys(options, where, STOP_OPTIONS);
  const isAgent = target.kind === "contract";
  const timeoutMsDefault = isAgent ? LIMITS.stopTimeoutMsDefault : LIMITS.taskTimeoutMsDefault;
  const { when, optional = false } = options;
  if (typeof optional !== "boolean") throw invalid(where, "optional is true or false");
  // Of the values nothing is known yet; `system` checks with their schemas.
  if (when !== undefined) requireCondition(when, Object.fromEntries(names.map((name) => [name, undefined])), where, "when");
  return {
    target: isAgent ? { agent: target.name } : { route: target.name },
    input: recordScope(mapping, names, `${where}, input`),
    timeoutMs: requireInt(options.timeoutMs ?? timeoutMsDefault, where, "timeoutMs", 1, LIMITS.stopTimeoutMsMax),
    retry: retryOf(options.retry ?? {}, where),
    ...(when === undefined ? {} : { when }),
    optional,
  };
}

function requireTarget(target: RouteTarget, where: string): void {
  const kind: unknown = target?.kind;
  if (kind !== "contract" && kind !== "route" && kind !== "route-contract") {
    throw invalid(
      where,
      "the target is neither a contract nor a route; give the contract, not the agent, and finish a route with .output()",
    );
  }
}

/** A retry policy with its defaults. Throws `definition.invalid`. */
export function retryOf(retry: Partial<RetryPolicy>, where: string): RetryPolicy {
  requireKeys(retry, `${where}, retry`, RETRY_OPTIONS);
  const backoffMs = requireInt(retry.backoffMs ?? RETRY_DEFAULT.backoffMs, where, "retry.backoffMs", 0, LIMITS.backoffMsMax);
  // A first pause longer than the default greatest pause, with no greatest pause named, is what the author wants.
  const backoffMsMax = retry.backoffMsMax ?? Math.max(backoffMs, RETRY_DEFAULT.backoffMsMax);
  requireInt(backoffMsMax, where, "retry.backoffMsMax", 0, LIMITS.backoffMsMax);
  if (backoffMs > backoffMsMax)
    throw invalid(where, `retry.backoffMs is ${backoffMs}, more than retry.backoffMsMax, which is ${backoffMsMax}`);
  const jitter = retry.jitter ?? RETRY_DEFAULT.jitter;
  if (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1))
    throw invalid(where, `retry.jitter is ${String(jitter)}, but must be from 0 to 1`);
  return {
    attemptsMax: requireInt(retry.attemptsMax ?? RETRY_DEFAULT.attemptsMax, where, "retry.attemptsMax", 1, LIMITS.attemptsMax),
    backoffMs,
    backoffMsMax,
    jitter,
  };
}
