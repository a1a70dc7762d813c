/**
 * @module Shared by all parts of a process decision: the builder, the slip, and scopes for mappings. Pure.
 */
import { entryOf } from "../entries.ts";
import { evaluate, type Expression, namesIn, type Scope } from "../expression.ts";
import { Fault, invariant, type Json } from "../faults.ts";
import { type DecisionContext, DecisionBuilder, readAll, readOne } from "../machine.ts";
import { type RouteData, Slip } from "../slip.ts";
import { namesOf } from "../slip-use.ts";
import type { Value } from "../value.ts";
import type { ProcessEvent } from "./events.ts";
import { evolveProcess } from "./evolve.ts";
import type { ProcessState, Task } from "./state.ts";

/** Collects the events and effects of one decision of a process manager. */
export type ProcessBuilder = DecisionBuilder<ProcessState, ProcessEvent>;

/** Begins a decision on a state. */
export function openBuilder(state: ProcessState, context: DecisionContext): ProcessBuilder {
  return new DecisionBuilder(state, evolveProcess, context);
}

/** The task of an accepted process. If there is none, that is a defect, and the turn fails. */
export function taskOf(state: ProcessState): Task {
  invariant(state.task !== undefined, "an accepted process has a task");
  return state.task;
}

/** Slips that were parsed, by content hash. The oldest is removed first. */
const checked = new Map<string, Slip>();
const CHECKED_MAX = 256;

/**
 * The slip pinned to the process.
 * @throws `slip.invalid`
 */
export function slipOf(value: Value, context: DecisionContext): Slip {
  const content = readOne(value, context);
  const known = "ref" in value ? checked.get(value.ref) : undefined;
  if (known !== undefined) return known;
  if (typeof content !== "object" || content === null) throw new Fault("slip.invalid", "the slip is not an object");
  const parsed = Slip.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Fault("slip.invalid", `the slip at ${issue?.path.join(".") ?? "top"}: ${issue?.message ?? "is not well formed"}`);
  }
  if ("ref" in value) {
    if (checked.size >= CHECKED_MAX) checked.delete(checked.keys().next().value ?? "");
    checked.set(value.ref, parsed.data);
  }
  return parsed.data;
}

/**
 * The route of the task, from the pinned slip.
 * @throws `route.unknown`, `slip.invalid`
 */
export function routeOf(builder: ProcessBuilder): RouteData {
  const task = taskOf(builder.state);
  const route = entryOf(slipOf(task.slip, builder.context).routes, task.route);
  if (route === undefined) throw new Fault("route.unknown", `the slip has no route ${JSON.stringify(task.route)}`);
  if (route.planned !== undefined) throw new Fault("slip.invalid", `route ${JSON.stringify(task.route)} runs plans, and was given none`);
  return route;
}

/** The contents of some names: `task`, `item` and finished stops. Unknown names are left out. */
export function scopeOf(builder: ProcessBuilder, names: Iterable<string>, item?: Json): Scope {
  const known = [...names].flatMap((name): [string, Value][] => {
    if (name === "task") return [[name, taskOf(builder.state).input]];
    const output = entryOf(builder.state.outputs, name);
    return output === undefined ? [] : [[name, output]];
  });
  const contents = readAll(
    known.map(([, value]) => value),
    builder.context,
  );
  const scope = Object.fromEntries(known.map(([name], index) => [name, contents[index] ?? null]));
  return item === undefined ? scope : { ...scope, item };
}

/**
 * What an expression gives, as a value. A whole output or the task's input is passed on as it is stored: it is neither read nor hashed
 * again.
 */
export function valueOf(builder: ProcessBuilder, expression: Expression, item?: Json): Value {
  const { state, context } = builder;
  const [name = "", ...path] = "from" in expression ? expression.from : [];
  const known = path.length > 0 ? undefined : name === "task" ? taskOf(state).input : entryOf(state.outputs, name);
  if (known !== undefined && ("json" in known || known.scope === context.actorId)) return known;
  return builder.pack(evaluate(expression, scopeOf(builder, namesIn(expression), item)));
}

/** The scope of a condition, with only the names that its text contains, so that no other outputs are loaded. */
export function conditionScope(builder: ProcessBuilder, text: string, item?: Json): Scope {
  const words = namesOf(text);
  const names = ["task", ...Object.keys(builder.state.outputs)].filter((name) => words.has(name));
  return scopeOf(builder, names, item);
}
