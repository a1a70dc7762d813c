/**
 * @module Options of a stop, and the call that a stop becomes. Each option is checked when the route is defined.
 */
import { z } from "zod";
import { LIMITS } from "../runtime/limits.ts";
import { type JsonSchema, jsonSchemaOf } from "../runtime/schema.ts";
import { type Call, RETRY_DEFAULT, type RetryPolicy } from "../runtime/slip.ts";
import { type Budget, budgetOf } from "./budget.ts";
import { invalid, requireCondition, requireInt, requireKeys, requireName } from "./definition.ts";
import { recordScope } from "./mapping.ts";
import { isPerson } from "./person.ts";
import type { PlannedRoute } from "./planned-route.ts";
import type { RouteTarget } from "./route.ts";
import { type ValidateOptions, validationOf } from "./validate.ts";

/** Options of a stop besides its target and its mapping. */
export interface StopOptions {
  /**
   * Time limit of one attempt in milliseconds, 1 to 7 days, from the start of the handler.
   * For a person it is the deadline. @default the route's `timeoutMs`, else 60 s for an agent, 10 minutes for a model agent; 1 h for a
   * nested route; a person's own deadline
   */
  readonly timeoutMs?: number | undefined;
  /** Parts of the retry policy that differ from the default: 3 attempts, pauses from 200 ms doubling to 30 s, half of each random. */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** If true, a failed stop has the output `null` and the process ends `partial` instead of failing. @default false */
  readonly optional?: boolean | undefined;
  /** A CEL condition over `task` and the finished stops. If it is false, the stop is skipped and its output is `null`. */
  readonly when?: string | undefined;
  /** The most that one work item of this stop may spend, in all its attempts. @default its share of what the process has left */
  readonly budget?: Budget | undefined;
  /** How its output is judged before it counts: by a rule, an agent, a person. @default it counts as it comes */
  readonly validate?: ValidateOptions | undefined;
}

const STOP_OPTIONS = ["timeoutMs", "retry", "optional", "when", "budget", "validate"];
const PERSON_OPTIONS = ["timeoutMs", "optional", "when", "validate"];
const RETRY_OPTIONS = ["attemptsMax", "backoffMs", "backoffMsMax", "jitter"];

/** Defaults of a route for all its stops. */
export interface StopDefaults {
  readonly timeoutMs?: number | undefined;
}

/** Makes the call of a stop. Throws `definition.invalid` naming route, stop and field. */
export function callOf(
  target: RouteTarget | PlannedRoute,
  mapping: (scope: never) => unknown,
  options: StopOptions,
  place: StopPlace,
): Call {
  const { names, where, defaults } = place;
  requireTarget(target, where);
  const isPeople = isPerson(target);
  requireKeys(options, isPeople ? `${where}, which asks a person` : where, isPeople ? PERSON_OPTIONS : STOP_OPTIONS);
  const isAgent = target.kind === "contract";
  const timeoutMs = options.timeoutMs ?? (isPeople ? undefined : isAgent ? defaults.timeoutMs : LIMITS.taskTimeoutMsDefault);
  return {
    target: isAgent ? { kind: "agent", agent: target.name } : { kind: "route", route: target.name },
    input: recordScope(mapping, names, `${where}, input`),
    ...(timeoutMs === undefined ? {} : { timeoutMs: requireInt(timeoutMs, where, "timeoutMs", 1, LIMITS.stopTimeoutMsMax) }),
    ...(isPeople ? {} : { retry: retryOf(options.retry ?? {}, where) }),
    ...whenOf(options.when, place),
    optional: isOptional(options.optional, where),
    ...(options.budget === undefined ? {} : { budget: budgetOf(options.budget, where) }),
    ...(options.validate === undefined ? {} : { validate: validationOf(options.validate, target, where) }),
  };
}

/** The place of a call: the names that its mapping and condition may read, and the location for messages. */
export interface StopPlace {
  readonly names: readonly string[];
  readonly where: string;
  readonly defaults: StopDefaults;
}

/** Options of a pause besides its length. */
export type SleepOptions = Pick<StopOptions, "when">;

/** Options of a wait for a signal. Without `timeoutMs` it waits until the deadline of the task. */
export type WaitOptions = Pick<StopOptions, "timeoutMs" | "optional" | "when">;

/** Makes a pause. `ms` is its length in milliseconds, or a mapping that returns it. Throws like {@link callOf}. */
export function sleepOf(ms: number | ((scope: never) => number), options: SleepOptions, place: StopPlace): Call {
  const { names, where } = place;
  requireKeys(options, where, ["when"]);
  const input =
    typeof ms === "function"
      ? recordScope(ms, names, `${where}, length`)
      : { literal: requireInt(ms, where, "the length", 0, LIMITS.taskTimeoutMsMax) };
  return { target: { kind: "timer" }, input, ...whenOf(options.when, place), optional: false };
}

/** Makes the wait for a signal. Throws like {@link callOf}, also for a schema that is not plain JSON. */
export function waitForOf(name: string, schema: z.ZodType, options: WaitOptions, place: StopPlace): Call {
  const { where } = place;
  requireKeys(options, where, ["timeoutMs", "optional", "when"]);
  requireName(name, "signal");
  const { timeoutMs } = options;
  return {
    target: { kind: "signal", name, schema: signalSchema(schema, `${where}, schema of signal ${name}`) },
    input: { literal: null },
    ...(timeoutMs === undefined ? {} : { timeoutMs: requireInt(timeoutMs, where, "timeoutMs", 1, LIMITS.stopTimeoutMsMax) }),
    ...whenOf(options.when, place),
    optional: isOptional(options.optional, where),
  };
}

/** The process checks payloads with the JSON Schema alone, so zod must be able to read it back. */
function signalSchema(schema: z.ZodType, where: string): JsonSchema {
  const made = jsonSchemaOf(schema, where);
  try {
    z.fromJSONSchema(made);
  } catch (error) {
    throw invalid(where, `the schema cannot be checked by a process: ${error instanceof Error ? error.message : "no error"}`);
  }
  return made;
}

function whenOf(when: string | undefined, { names, where }: StopPlace): { readonly when?: string } {
  if (when === undefined) return {};
  // The types of the values are not known yet; `system` checks the condition with their schemas.
  requireCondition(when, Object.fromEntries(names.map((name) => [name, undefined])), where, "when");
  return { when };
}

function isOptional(optional: boolean | undefined, where: string): boolean {
  if (optional !== undefined && typeof optional !== "boolean") throw invalid(where, "optional must be true or false");
  return optional === true;
}

const TARGETS: readonly unknown[] = ["contract", "route", "route-contract", "planned-route"];

function requireTarget(target: RouteTarget | PlannedRoute, where: string): void {
  if (!TARGETS.includes(target?.kind)) {
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
