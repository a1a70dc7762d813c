/**
 * @module Options of a stop, and the call that a stop becomes. Each option is checked when the route is defined.
 */
import { LIMITS } from "../runtime/limits.ts";
import { type Call, RETRY_DEFAULT, type RetryPolicy } from "../runtime/slip.ts";
import { invalid, requireCondition, requireInt, requireKeys } from "./definition.ts";
import { recordScope } from "./mapping.ts";
import type { RouteTarget } from "./route.ts";

/** Options of a stop besides its target and its mapping. */
export interface StopOptions {
  /** Time limit of one attempt in milliseconds, 1 to 7 days. @default 60 s for an agent, 1 h for a nested route */
  readonly timeoutMs?: number | undefined;
  /** Parts of the retry policy that differ from the default: 3 attempts, pauses from 200 ms doubling to 30 s, half of each random. */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** If true, a failed stop has the output `null` and the process ends `partial` instead of failing. @default false */
  readonly optional?: boolean | undefined;
  /** A CEL condition over `task` and the finished stops. If it is false, the stop is skipped and its output is `null`. */
  readonly when?: string | undefined;
}

const STOP_OPTIONS = ["timeoutMs", "retry", "optional", "when"];
const RETRY_OPTIONS = ["attemptsMax", "backoffMs", "backoffMsMax", "jitter"];

/** Makes the call of a stop. Throws `definition.invalid` naming route, stop and field. */
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
  if (typeof optional !== "boolean") throw invalid(where, "optional must be true or false");
  // The types of the values are not known yet; `system` checks the condition with their schemas.
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

/** Returns a retry policy with its defaults. Throws `definition.invalid`. */
export function retryOf(retry: Partial<RetryPolicy>, where: string): RetryPolicy {
  requireKeys(retry, `${where}, retry`, RETRY_OPTIONS);
  const backoffMs = requireInt(retry.backoffMs ?? RETRY_DEFAULT.backoffMs, where, "retry.backoffMs", 0, LIMITS.backoffMsMax);
  // If only backoffMs is given and exceeds the default maximum, it is the maximum too.
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
