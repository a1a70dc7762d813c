/**
 * @module The routing slip as data, pinned when a task is accepted. Pure.
 *
 * A slip contains everything that decisions need: routes, and what the manager must know of each agent. It is stored
 * once under its hash, and record 1 refers to it, so a deployment changes only new processes. Routing Slip and Process
 * Manager: Hohpe and Woolf, Enterprise Integration Patterns.
 */
import { z } from "zod";
import { Expression } from "./expression.ts";
import { Grant } from "./budget.ts";
import { assertNever, type Json } from "./faults.ts";
import { branchPath, isName, itemsPath } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { PersonData } from "./people/request.ts";
import { JsonContent } from "./value.ts";

const Name = z.string().refine(isName, "a name of letters, digits, _ and -, beginning with a letter");
const DurationMs = z.int().positive();

/** How a failed stop is retried. Attempts count from 1 and include the first. */
export const RetryPolicy = z.strictObject({
  attemptsMax: z.int().min(1).max(LIMITS.attemptsMax),
  backoffMs: z.int().min(0).max(LIMITS.backoffMsMax),
  backoffMsMax: z.int().min(0).max(LIMITS.backoffMsMax),
  /** Share of each pause that is random, 0 to 1. */
  jitter: z.number().min(0).max(1),
});
export type RetryPolicy = Readonly<z.infer<typeof RetryPolicy>>;

const AgentTarget = z.strictObject({ kind: z.literal("agent"), agent: Name });
const RouteTarget = z.strictObject({ kind: z.literal("route"), route: Name });
const TimerTarget = z.strictObject({ kind: z.literal("timer") });
const SignalTarget = z.strictObject({ kind: z.literal("signal"), name: Name, schema: z.record(z.string(), JsonContent) });

/** Who does a work item: an agent, or a nested route that runs as a process of its own. Persisted: changing this needs a version bump. */
export const Doer = z.discriminatedUnion("kind", [AgentTarget, RouteTarget]);
export type Doer = { readonly kind: "agent"; readonly agent: string } | { readonly kind: "route"; readonly route: string };

/**
 * What a stop leads to: an agent, a nested route, a timer (the input of the call is its length in milliseconds), or a
 * signal from outside, whose payload fits a JSON Schema.
 */
const Target = z.discriminatedUnion("kind", [AgentTarget, RouteTarget, TimerTarget, SignalTarget]);
type Target =
  Doer | { readonly kind: "timer" } | { readonly kind: "signal"; readonly name: string; readonly schema: { readonly [key: string]: Json } };

/** The name of the agent or route. */
export function doerName(doer: Doer): string {
  switch (doer.kind) {
    case "agent":
      return doer.agent;
    case "route":
      return doer.route;
    default:
      return assertNever(doer);
  }
}

/**
 * How the output of a call is checked before it counts: by a CEL rule over `input` and `output`, then by an agent that takes
 * `{ input, output }` and answers `{ accepted, reasons }`. Absent: not by that.
 */
export const Validation = z.strictObject({
  rule: z.string().optional(),
  by: Name.optional(),
  /** How often the call is made again with the reasons. */
  roundsMax: z.int().min(0).max(LIMITS.validationRoundsMax),
  /**
   * What happens to the last output that was not accepted: the call fails with `stop.refused`, or a person decides. `schema`: JSON Schema
   * of an output that the person edits.
   */
  onRefusal: z.union([z.literal("fail"), z.strictObject({ ask: Name, schema: z.record(z.string(), JsonContent).optional() })]),
});
export type Validation = Readonly<z.infer<typeof Validation>>;

/** One call of a stop. */
export const Call = z.strictObject({
  target: Target,
  input: Expression,
  /** Time for one attempt, or for the signal to come. Absent: the default of an agent or route; for a signal, the deadline. */
  timeoutMs: DurationMs.max(LIMITS.stopTimeoutMsMax).optional(),
  /** Absent: the default policy. Waits and nested routes are not tried again. */
  retry: RetryPolicy.optional(),
  /** CEL; absent means always. A call that is not made has the output `null`. */
  when: z.string().optional(),
  /** If true, a failed call has the output `null`, and the process ends `partial`. */
  optional: z.boolean(),
  /** The most that one work item of this call may spend. Absent: its share of what the process has left. */
  budget: Grant.optional(),
  /** The plan that a planned route runs. */
  plan: Expression.optional(),
  validate: Validation.optional(),
});
export type Call = {
  readonly target: Target;
  readonly input: Expression;
  readonly timeoutMs?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly when?: string | undefined;
  readonly optional: boolean;
  readonly budget?: Grant | undefined;
  readonly plan?: Expression | undefined;
  readonly validate?: Validation | undefined;
};

/** A stop. `one` and the branches of `all` have outputs under their names, `any` and `forEach` under the stop's name. */
export const Stop = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("one"), name: Name, call: Call }),
  z.strictObject({ kind: z.literal("all"), name: Name, branches: z.record(Name, Call) }),
  z.strictObject({ kind: z.literal("any"), name: Name, branches: z.record(Name, Call) }),
  z.strictObject({
    kind: z.literal("forEach"),
    name: Name,
    over: Expression,
    call: Call,
    concurrency: z.int().min(1).max(LIMITS.forEachConcurrencyMax),
  }),
]);
export type Stop =
  | { readonly kind: "one"; readonly name: string; readonly call: Call }
  | { readonly kind: "all"; readonly name: string; readonly branches: Readonly<Record<string, Call>> }
  | { readonly kind: "any"; readonly name: string; readonly branches: Readonly<Record<string, Call>> }
  | { readonly kind: "forEach"; readonly name: string; readonly over: Expression; readonly call: Call; readonly concurrency: number };

/** The route is a template: it runs plans, whose stops call what its own stops call. */
const Planned = z.strictObject({
  stopsMax: z.int().min(1).max(LIMITS.stopsMax),
  timeoutMs: DurationMs.max(LIMITS.stopTimeoutMsMax).optional(),
});

/** One route of a slip. Persisted: changing this needs a version bump. */
export const RouteData = z.strictObject({
  version: z.int().positive(),
  stops: z.array(Stop).min(1).max(LIMITS.stopsMax),
  output: Expression,
  visitsMax: z.int().min(1).max(LIMITS.visitsMaxMax).optional(),
  /** What one process of this route may spend, with all that it runs. Absent: no budget. */
  budget: Grant.optional(),
  /** The person who may raise the budget when it ends. Absent: it ends. */
  budgetAsks: Name.optional(),
  planned: Planned.optional(),
});
export type RouteData = {
  readonly version: number;
  readonly stops: readonly Stop[];
  readonly output: Expression;
  /** Maximum visits of this route in one chain of nested routes. */
  readonly visitsMax?: number | undefined;
  readonly budget?: Grant | undefined;
  readonly budgetAsks?: string | undefined;
  readonly planned?: Readonly<z.infer<typeof Planned>> | undefined;
};

/** What the process manager knows about an agent. */
export const AgentData = z.strictObject({
  version: z.int().positive(),
  /** Session key over the name `input`. Absent: the process has one actor where the agent is stateful, else each work item has one. */
  key: Expression.optional(),
  /** The agent declares state. */
  stateful: z.boolean().optional(),
  asks: z.array(Name),
  handsOffTo: z.array(Name),
  /** Maximum visits of this agent in one chain of hand-offs and asks. */
  visitsMax: z.int().min(1).max(LIMITS.visitsMaxMax).optional(),
  /** Time for one attempt if the stop sets none. Absent: `stopTimeoutMsDefault`. */
  timeoutMs: DurationMs.max(LIMITS.stopTimeoutMsMax).optional(),
  /** The most that one work item of this agent may spend. */
  budget: Grant.optional(),
  /** The agent is a person. */
  person: PersonData.optional(),
});
export type AgentData = {
  readonly version: number;
  readonly key?: Expression | undefined;
  readonly stateful?: boolean | undefined;
  readonly asks: readonly string[];
  readonly handsOffTo: readonly string[];
  readonly visitsMax?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly budget?: Grant | undefined;
  readonly person?: PersonData | undefined;
};

export const Slip = z.strictObject({
  v: z.literal(1),
  system: Name,
  routes: z.record(Name, RouteData),
  agents: z.record(Name, AgentData),
});
/** Persisted: changing this needs a version bump. */
export type Slip = {
  readonly v: 1;
  readonly system: string;
  readonly routes: Readonly<Record<string, RouteData>>;
  readonly agents: Readonly<Record<string, AgentData>>;
};

/** The default retry policy of a stop. */
export const RETRY_DEFAULT: RetryPolicy = {
  attemptsMax: LIMITS.attemptsDefault,
  backoffMs: LIMITS.backoffMsDefault,
  backoffMsMax: LIMITS.backoffMsMaxDefault,
  jitter: 0.5,
};

/** The retry policy of compensations. */
export const RETRY_UNDO: RetryPolicy = {
  attemptsMax: LIMITS.undoAttemptsMax,
  backoffMs: LIMITS.undoBackoffMs,
  backoffMsMax: LIMITS.undoBackoffMsMax,
  jitter: 0.5,
};

/**
 * Backoff before the next attempt, in milliseconds: exponential from `backoffMs`, at most `backoffMsMax`, of which the share `jitter` is
 * random ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function backoffMs(policy: Omit<RetryPolicy, "attemptsMax">, attempt: number, jitter01: number): number {
  const full = Math.min(policy.backoffMsMax, policy.backoffMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (1 - policy.jitter * jitter01));
}

/** The names of a stop's outputs in the scope. */
export function outputNames(stop: Stop): string[] {
  return stop.kind === "all" ? Object.keys(stop.branches) : [stop.name];
}

/** The calls of a stop with the path under which each runs. A `forEach` has one call, whose works stand under its {@link itemsPath}. */
export function callsOf(stop: Stop): readonly (readonly [string, Call])[] {
  switch (stop.kind) {
    case "one":
    case "forEach":
      return [[stop.name, stop.call]];
    case "all":
      return Object.entries(stop.branches);
    case "any":
      return Object.entries(stop.branches).map(([branch, call]) => [branchPath(stop.name, branch), call] as const);
    default:
      return assertNever(stop);
  }
}

/** The paths under which a stop's works stand. */
export function pathsOf(stop: Stop): readonly string[] {
  return stop.kind === "forEach" ? [itemsPath(stop.name)] : callsOf(stop).map(([path]) => path);
}

/** Where the work items of an agent without a session key run: each at an actor of its own, or all of a process at one, in order. */
export function isPerWork(agent: AgentData): boolean {
  return agent.key === undefined && agent.stateful !== true;
}
