/** @module The labels of what a process derives: the inputs of its work items, and its output. Pure. */
import { entryOf } from "../entries.ts";
import { type Expression, namesIn } from "../expression.ts";
import { joined, type Label, TRUSTED } from "../label.ts";
import type { Call } from "../slip.ts";
import type { Value } from "../value.ts";
import { type ProcessBuilder, routeOf, taskOf } from "./decision-builder.ts";
import type { ProcessState } from "./state.ts";

/** The label of the output of a process. */
export function outputLabel(builder: ProcessBuilder, output: Expression): Label {
  return isLabelled(builder.state) ? joined(labelOf(builder, output), planLabel(builder)) : TRUSTED;
}

/** The label of the input of a call. That of a planned route is derived from its plan too. */
export function inputLabel(builder: ProcessBuilder, { input, plan }: Call): Label {
  if (!isLabelled(builder.state)) return TRUSTED;
  return joined(labelOf(builder, input), plan === undefined ? TRUSTED : labelOf(builder, plan), planLabel(builder));
}

/** The label of what an expression gives. */
function labelOf(builder: ProcessBuilder, expression: Expression): Label {
  return labelOfNames(builder, namesIn(expression));
}

function isLabelled({ labels, task }: ProcessState): boolean {
  return labels !== undefined || task?.label !== undefined;
}

function labelOfNames(builder: ProcessBuilder, names: ReadonlySet<string>): Label {
  const { labels = {}, task } = builder.state;
  const known = [...names].map((name) => (name === "task" ? task?.label : name === "item" ? itemLabel(builder) : entryOf(labels, name)));
  return joined(...known);
}

/** The label of the items of the current stop. */
function itemLabel(builder: ProcessBuilder): Label {
  const stop = routeOf(builder).stops[builder.state.cursor];
  return stop?.kind === "forEach" ? labelOf(builder, stop.over) : TRUSTED;
}

/** In a process that runs a plan, all that the plan wrote is derived from what the plan was. */
function planLabel(builder: ProcessBuilder): Label {
  const { slip, label } = taskOf(builder.state);
  return isOfPlan(slip) ? joined(label) : TRUSTED;
}

/** The slip of a system is shared by all processes; that of a plan belongs to one. */
function isOfPlan(slip: Value): boolean {
  return !("ref" in slip) || slip.scope !== undefined;
}
