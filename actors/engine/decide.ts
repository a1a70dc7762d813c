/** @module Decides a turn, and loads the values that the decision requests. */
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Decision, type DecisionContext, type Machine, MissingValues } from "../../runtime/machine.ts";
import type { Values } from "./values.ts";

/** A decision, or why there is none: a thrown error is a defect. */
export type Decided<E> = Decision<E> | { readonly failure: unknown };

/** Decides at once if no value has to be loaded. Throws `value.missing`, `store.unavailable`. */
export function decide<S, I, E>(
  machine: Machine<S, I, E>,
  state: S,
  input: I,
  context: DecisionContext,
  values: Values,
): Decided<E> | Promise<Decided<E>> {
  const decided = decideOnce(machine, state, input, context);
  return decided instanceof MissingValues ? decideOnLoaded(machine, state, input, context, values, decided) : decided;
}

function decideOnce<S, I, E>(machine: Machine<S, I, E>, state: S, input: I, context: DecisionContext): Decided<E> | MissingValues {
  try {
    return machine.decide(state, input, context);
  } catch (error) {
    return error instanceof MissingValues ? error : { failure: error };
  }
}

async function decideOnLoaded<S, I, E>(
  machine: Machine<S, I, E>,
  state: S,
  input: I,
  context: DecisionContext,
  stored: Values,
  asked: MissingValues,
): Promise<Decided<E>> {
  let { values } = context;
  let missing = asked;
  for (let load = 0; load < LIMITS.valueLoadsMax; load += 1) {
    values = overlay(await stored.load(missing.refs), values);
    const decided = decideOnce(machine, state, input, { ...context, values });
    if (!(decided instanceof MissingValues)) return decided;
    missing = decided;
  }
  return { failure: new Fault("value.missing", `a decision requested values more than ${LIMITS.valueLoadsMax} times`) };
}

function overlay(loaded: ReadonlyMap<string, Json>, below: DecisionContext["values"]): DecisionContext["values"] {
  return { has: (ref) => loaded.has(ref) || below.has(ref), get: (ref) => loaded.get(ref) ?? below.get(ref) };
}
