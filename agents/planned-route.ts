/**
 * @module A planned route: agents and routes of which a plan makes a route. A planner answers with the plan, a route runs it with `.plan`.
 */
import { z } from "zod";
import { isFault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { type Plan, planSchema, routeOfPlan } from "../runtime/plan.ts";
import { type JsonSchema, jsonSchemaOf } from "../runtime/schema.ts";
import type { RouteData, Stop } from "../runtime/slip.ts";
import { type Budget, budgetOf } from "./budget.ts";
import { type Callable, type Contract, definitionGate } from "./contract.ts";
import { invalid, requireInt, requireKeys, requireName, VERSION_MAX } from "./definition.ts";
import { checkFit } from "./mapping-check.ts";
import { type Person, requirePerson } from "./person.ts";
import type { RouteContract, RouteDefinition, RouteTarget } from "./route.ts";

const STOPS_DEFAULT_MAX = 16;
const OPTIONS = ["task", "output", "agents", "routes", "stopsMax", "timeoutMs", "budget", "visitsMax"];

/** Options of {@link plannedRoute}. */
export interface PlannedRouteOptions<T extends z.ZodType, O extends z.ZodType> {
  /** Schema of the input of each plan, which its stops read as `task`. */
  readonly task: T;
  /** Schema that the output of each plan must fit. */
  readonly output: O;
  /** Agents that a plan may call. */
  readonly agents?: readonly Contract[] | undefined;
  /** Routes that a plan may run as nested ones. */
  readonly routes?: readonly (RouteDefinition | RouteContract)[] | undefined;
  /** Maximum stops of a plan. @default 16 */
  readonly stopsMax?: number | undefined;
  /** Time limit of one attempt of a stop that runs an agent, in milliseconds. @default 60 s */
  readonly timeoutMs?: number | undefined;
  /** What one plan may spend. A plan cannot change it. `asks`: the person who may raise it when it ends. @default no budget of its own */
  readonly budget?: (Budget & { readonly asks?: Person | undefined }) | undefined;
  /** Maximum visits per chain of nested routes. Required if a plan can lead back to the planned route. */
  readonly visitsMax?: number | undefined;
}

/** A defined planned route. */
export interface PlannedRoute<Name extends string = string, Task = unknown, Output = unknown> extends Callable<Name, Task, Output> {
  readonly kind: "planned-route";
  readonly version: number;
  /** Schema of plans: the output of a planner. */
  readonly schema: z.ZodType<Plan>;
  /** What plans may use, in words and schemas: for the instructions of a planner. */
  readonly guide: string;
  readonly data: RouteData;
  readonly inputJsonSchema: JsonSchema;
  readonly outputJsonSchema: JsonSchema;
  readonly targets: readonly RouteTarget[];
  /** Returns the input of a plan, or throws `schema.task`. */
  checkTask(value: unknown): Json;
  /** Checks a plan like a written route, and returns what is wrong. For the option `check` of a planner. */
  readonly check: (plan: Plan) => readonly string[];
}

/** Defines a planned route. @throws `definition.invalid` */
export function plannedRoute<const Name extends string, T extends z.ZodType, O extends z.ZodType>(
  name: Name,
  version: number,
  options: PlannedRouteOptions<T, O>,
): PlannedRoute<Name, z.infer<T>, z.infer<O>> {
  const where = `planned route ${JSON.stringify(name)}`;
  requireName(name, "route");
  requireKeys(options, where, OPTIONS);
  requireInt(version, where, "version", 1, VERSION_MAX);
  const targets = [...(options.agents ?? []), ...(options.routes ?? [])];
  const data = templateOf(version, targets, options, where);
  const [inputJsonSchema, outputJsonSchema] = [
    jsonSchemaOf(options.task, `${where}, task`),
    jsonSchemaOf(options.output, `${where}, output`),
  ];
  const gate = definitionGate(options.task, `task of route ${name}`, "schema.task");
  const names = targets.map((target) => target.name);
  return Object.freeze({
    kind: "planned-route",
    name,
    version,
    input: options.task as z.ZodType<z.infer<T>>,
    schema: planSchema(z.enum(names), data.planned?.stopsMax ?? STOPS_DEFAULT_MAX),
    guide: guideOf(targets, inputJsonSchema, outputJsonSchema),
    data,
    inputJsonSchema,
    outputJsonSchema,
    // A plan does not call the person whom its budget asks, but the system must have it.
    targets: [...new Set([...targets, ...(options.budget?.asks === undefined ? [] : [options.budget.asks])])],
    checkTask: (value: unknown) => gate.check(value),
    check: (plan: Plan) => {
      try {
        checkFit({ name, data: routeOfPlan(data, plan as unknown as Json), inputJsonSchema, targets }, { outputJsonSchema });
        return [];
      } catch (error) {
        if (!isFault(error)) throw error;
        return [error.message];
      }
    },
  });
}

/** All that a plan may use, as the stops of a route: so the static guard sees each ring that a plan could make. */
function templateOf(
  version: number,
  targets: readonly RouteTarget[],
  { stopsMax = STOPS_DEFAULT_MAX, timeoutMs, budget, visitsMax }: PlannedRouteOptions<z.ZodType, z.ZodType>,
  where: string,
): RouteData {
  if (targets.length === 0 || targets.length > LIMITS.stopsMax)
    throw invalid(where, `it names ${targets.length} agents and routes, but must name 1 to ${LIMITS.stopsMax}`);
  const names = new Set<string>();
  const stops = targets.map((target): Stop => {
    if (target?.kind !== "contract" && target?.kind !== "route" && target?.kind !== "route-contract")
      throw invalid(where, "agents must hold contracts, and routes must hold routes");
    if (names.has(target.name)) throw invalid(where, `two agents or routes have the name ${JSON.stringify(target.name)}`);
    names.add(target.name);
    const doer =
      target.kind === "contract" ? ({ kind: "agent", agent: target.name } as const) : ({ kind: "route", route: target.name } as const);
    return { kind: "one", name: target.name, call: { target: doer, input: { literal: null }, optional: false } };
  });
  const { asks, ...limits } = budget ?? {};
  return {
    version,
    stops,
    output: { literal: null },
    planned: {
      stopsMax: requireInt(stopsMax, where, "stopsMax", 1, LIMITS.stopsMax),
      ...(timeoutMs === undefined ? {} : { timeoutMs: requireInt(timeoutMs, where, "timeoutMs", 1, LIMITS.stopTimeoutMsMax) }),
    },
    ...(visitsMax === undefined ? {} : { visitsMax: requireInt(visitsMax, where, "visitsMax", 1, LIMITS.visitsMaxMax) }),
    ...(budget === undefined ? {} : { budget: budgetOf(limits, where) }),
    ...(asks === undefined ? {} : { budgetAsks: requirePerson(asks, where, "budget.asks").name }),
  };
}

function guideOf(targets: readonly RouteTarget[], task: JsonSchema, output: JsonSchema): string {
  const lines = targets.map((target) => {
    const about = target.kind === "contract" ? (target.about ?? "") : "";
    const gives = target.kind !== "route" ? ` It gives ${JSON.stringify(target.outputJsonSchema)}.` : "";
    return `- ${target.name}: ${about === "" ? "" : `${about} `}It takes ${JSON.stringify(target.inputJsonSchema)}.${gives}`;
  });
  return [
    "A plan has stops in order. A stop runs one of these:",
    ...lines,
    `Stops read the task as "task", which is ${JSON.stringify(task)}, and the outputs of earlier stops by their names.`,
    `The output of the plan must be ${JSON.stringify(output)}.`,
  ].join("\n");
}
