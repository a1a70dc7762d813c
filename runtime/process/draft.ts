/**
 * @module What every part of a process decision shares: the draft, the slip, and scopes for mappings. Pure.
 */
import type { Scope } from "../expression.ts";
import { Fault, invariant, type Json } from "../faults.ts";
import { type DecisionContext, Draft, readAll, readOne } from "../machine.ts";
import { type RouteData, Slip } from "../slip.ts";
import type { Value } from "../value.ts";
import { evolveProcess, type ProcessEvent, type ProcessState, type Task } from "./state.ts";

/** A decision of a process manager that is being made. */
export type ProcessDraft = Draft<ProcessState, ProcessEvent>;

/** Begins a decision on a state. */
export function openDraft(state: ProcessState, context: DecisionContext): ProcessDraft {
  return new Draft(state, evolveProcess, context);
}

/** The task of a process that was accepted. Its absence is a defect and ends the turn. */
export function taskOf(state: ProcessState): Task {
  invariant(state.task !== undefined, "a process that was accepted has a task");
  return state.task;
}

/** Slips that were checked once, by their hash: content stands under it, so it cannot be another. The oldest is forgotten first. */
const checked = new Map<string, Slip>();
const CHECKED_MAX = 256;

/** The slip pinned to the process. Throws `slip.invalid` when the content is no slip. */
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

/** The task's route as the pinned slip has it. Throws `route.unknown` and `slip.invalid`. */
export function routeOf(draft: ProcessDraft): RouteData {
  const task = taskOf(draft.state);
  const route = slipOf(task.slip, draft.context).routes[task.route];
  if (route === undefined) throw new Fault("route.unknown", `the slip has no route ${JSON.stringify(task.route)}`);
  return route;
}

/** The contents behind some names: `task`, `item` and finished stops. Names that are not there are left out. */
export function scopeOf(draft: ProcessDraft, names: Iterable<string>, item?: Json): Scope {
  const known = [...names].flatMap((name): [string, Value][] => {
    if (name === "task") return [[name, taskOf(draft.state).input]];
    const output = draft.state.outputs[name];
    return output === undefined ? [] : [[name, output]];
  });
  const contents = readAll(known.map(([, value]) => value), draft.context);
  const scope = Object.fromEntries(known.map(([name], index) => [name, contents[index] ?? null]));
  return item === undefined ? scope : { ...scope, item };
}

/** The names of a condition's scope that its text mentions; reading them all would load every output for nothing. */
export function conditionScope(draft: ProcessDraft, text: string, item?: Json): Scope {
  const words = new Set(text.match(/[A-Za-z_][A-Za-z0-9_-]*/g) ?? []);
  const names = ["task", ...Object.keys(draft.state.outputs)].filter((name) => words.has(name));
  return scopeOf(draft, names, item);
}
