/** @module The slip of a nested process that runs a plan. Pure. */
import { plainJson } from "../canonical.ts";
import type { Json } from "../faults.ts";
import { readOne } from "../machine.ts";
import { slipOfPlan } from "../plan.ts";
import type { Call, Doer } from "../slip.ts";
import type { Value } from "../value.ts";
import { type ProcessBuilder, slipOf, taskOf, valueOf } from "./decision-builder.ts";

/**
 * Makes the slip of a planned route from the plan in the scope. Empty for calls without a plan, and for a target that replaced the planned
 * route.
 * @throws `slip.invalid`
 */
export function plannedSlip(builder: ProcessBuilder, call: Call, target: Doer, element: Json | undefined): { readonly slip?: Value } {
  const { plan, target: asked } = call;
  const isPlanned = asked.kind === "route" && target.kind === "route" && asked.route === target.route;
  if (plan === undefined || !isPlanned) return {};
  const content = readOne(valueOf(builder, plan, element), builder.context);
  const slip = slipOfPlan(slipOf(taskOf(builder.state).slip, builder.context), target.route, content);
  return { slip: builder.pack(plainJson(slip)) };
}
