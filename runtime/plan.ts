/**
 * @module Plans: routing slips that an agent answers with, and the routes that they become. Pure.
 *
 * A planned route stands in the slip of its system as a template, whose stops are all agents and routes that a plan may use. So the static
 * guard sees every ring that a plan could make. At its stop the template is replaced by the route of the plan, and the nested process is
 * pinned to that slip like any other.
 */
import { z } from "zod";
import { namesIn, type Expression } from "./expression.ts";
import { entryOf } from "./entries.ts";
import { Fault, type Json } from "./faults.ts";
import { isName } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { type Call, callsOf, type RouteData, RETRY_DEFAULT, type Slip, type Stop } from "./slip.ts";

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** How an input or the output of a plan is built: read from a path, a literal, an object or a list. */
const PlanMapping: z.ZodType<Expression> = z.lazy(() =>
  z.union([
    z.strictObject({ from: z.array(z.string()).min(1).describe('a path, such as ["task", "city"] or ["flight", "price"]') }),
    z.strictObject({ literal: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
    z.strictObject({ object: z.record(z.string(), PlanMapping) }),
    z.strictObject({ list: z.array(PlanMapping) }),
  ]),
);

const step = <R extends z.ZodType<string>>(run: R) =>
  z.strictObject({
    name: z.string().regex(NAME).describe("the name of the stop, under which later stops read its output"),
    run: run.describe("the agent or route that does it"),
    input: PlanMapping,
    optional: z.boolean().optional().describe("if true, the plan goes on without it when it fails, and its output is null"),
  });

/** Returns the schema of plans. `run` is the schema of the names of agents and routes. */
export function planSchema<R extends z.ZodType<string>>(run: R, stopsMax: number) {
  return z.strictObject({
    stops: z
      .array(
        z.union([
          step(run),
          z.strictObject({ all: z.array(step(run)).min(1).max(LIMITS.branchesMax).describe("stops that run in parallel") }),
        ]),
      )
      .min(1)
      .max(stopsMax)
      .describe("in order"),
    output: PlanMapping,
  });
}

const AnyPlan = planSchema(z.string(), LIMITS.stopsMax);

/** A plan: stops in order, each one call or several in parallel, and the mapping of the output. */
export type Plan = z.infer<typeof AnyPlan>;
type PlanStep = z.infer<ReturnType<typeof step>>;

/**
 * Returns the route of a plan. `isPerson`: which agents are people.
 * @throws `slip.invalid` for a plan that is not well formed, names what the template does not, or reads what does not exist
 */
export function routeOfPlan(template: RouteData, content: Json, isPerson: (agent: string) => boolean = () => false): RouteData {
  const parsed = AnyPlan.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refused(`at ${issue?.path.join(".") ?? "top"}: ${issue?.message ?? "is not well formed"}`);
  }
  const { stops, output } = parsed.data;
  const stopsMax = template.planned?.stopsMax ?? LIMITS.stopsMax;
  if (stops.length > stopsMax) throw refused(`it has ${stops.length} stops, at most ${stopsMax} are allowed`);
  const known = new Set(["task"]);
  const made = stops.map((one, index): Stop => {
    const steps = "all" in one ? one.all : [one];
    const calls = steps.map((each) => [each.name, untimed(callOfStep(template, each, known), isPerson)] as const);
    for (const { name } of steps) {
      if (RESERVED.includes(name) || known.has(name) || !isName(name))
        throw refused(`the name ${JSON.stringify(name)} is reserved or used twice`);
      known.add(name);
    }
    const [only] = calls;
    if (!("all" in one) && only !== undefined) return { kind: "one", name: only[0], call: only[1] };
    return { kind: "all", name: `all-${index + 1}`, branches: Object.fromEntries(calls) };
  });
  requireKnown(output, known, "the output");
  const { planned: _planned, ...kept } = template;
  return { ...kept, stops: made, output };
}

const RESERVED = ["task", "item", "input"];

function callOfStep({ stops, planned }: RouteData, { name, run, input, optional }: PlanStep, known: ReadonlySet<string>): Call {
  const allowed = stops.flatMap((stop) => callsOf(stop)).find(([as]) => as === run)?.[1];
  if (allowed === undefined) throw refused(`stop ${JSON.stringify(name)} runs ${JSON.stringify(run)}, which plans may not use`);
  requireKnown(input, known, `the input of stop ${JSON.stringify(name)}`);
  const { target } = allowed;
  const agentMs = planned?.timeoutMs ?? LIMITS.stopTimeoutMsDefault;
  return {
    target,
    input,
    timeoutMs: target.kind === "agent" ? agentMs : LIMITS.taskTimeoutMsDefault,
    retry: RETRY_DEFAULT,
    optional: optional === true,
  };
}

/** A person has its own deadline, and is not asked again. */
function untimed(call: Call, isPerson: (agent: string) => boolean): Call {
  if (call.target.kind !== "agent" || !isPerson(call.target.agent)) return call;
  const { timeoutMs: _time, retry: _retry, ...rest } = call;
  return rest;
}

function requireKnown(mapping: Expression, known: ReadonlySet<string>, what: string): void {
  const unknown = [...namesIn(mapping)].find((name) => !known.has(name));
  if (unknown !== undefined) throw refused(`${what} reads ${JSON.stringify(unknown)}, but only ${[...known].join(", ")} are known there`);
}

function refused(text: string): Fault {
  return new Fault("slip.invalid", `the plan is refused: ${text}`);
}

/** Returns the slip of a nested process that runs a plan: that of its parent, with the route of the plan in the place of the template. */
export function slipOfPlan(slip: Slip, route: string, plan: Json): Slip {
  const template = entryOf(slip.routes, route);
  if (template?.planned === undefined) throw refused(`route ${JSON.stringify(route)} takes no plan`);
  return {
    ...slip,
    routes: { ...slip.routes, [route]: routeOfPlan(template, plan, (agent) => entryOf(slip.agents, agent)?.person !== undefined) },
  };
}
