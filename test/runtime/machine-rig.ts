/**
 * @module Drives a machine as the shell does, and checks at every decision what holds for all of them.
 *
 * Checked each time: the decision mutates nothing (state, input and context are frozen), gives the same twice, its
 * events and the new state pass their strict schemas unchanged after a way through JSON, and replay gives the state.
 */
import { expect } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import type { Decision, DecisionContext, Machine } from "../../runtime/machine.ts";
import { MissingValues } from "../../runtime/machine.ts";
import type { Effect, Message } from "../../runtime/protocol.ts";

export const T0 = 1_000_000;
export const TRACE = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
export const PRINCIPAL = { subject: "ada", tenant: "t", permissions: ["book"] };

function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freezeDeep(part);
  return Object.freeze(value);
}

function overlay(above: ReadonlyMap<string, Json>, below: DecisionContext["values"]): DecisionContext["values"] {
  return { has: (ref) => above.has(ref) || below.has(ref), get: (ref) => above.get(ref) ?? below.get(ref) };
}

function viaJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** One actor of a machine, with its store of values and a clock that the test drives. */
export class MachineRig<S, I, E extends { readonly e: string }> {
  readonly machine: Machine<S, I, E>;
  readonly log: E[] = [];
  /** Contents by hash, as the store would have them. */
  readonly values = new Map<string, Json>();
  /** Processes without a journal. */
  readonly purged = new Set<string>();
  /** What decisions looked up in the store, in order. */
  readonly lookedUp: string[] = [];
  readonly actorId: string;
  state: S;
  nowMs = T0;
  jitter01 = 0;
  incarnation = "host-1";
  #tokens = 0;

  constructor(machine: Machine<S, I, E>, actorId: string) {
    this.machine = machine;
    this.actorId = actorId;
    this.state = freezeDeep(machine.initial(actorId));
  }

  context(): DecisionContext {
    return {
      system: "sys",
      actorId: this.actorId,
      nowMs: this.nowMs,
      incarnation: this.incarnation,
      sequence: this.log.length + 1,
      jitter01: this.jitter01,
      token: `token-${this.#tokens}`,
      values: this.values,
    };
  }

  /** Decides and takes the decision as committed. */
  give(input: I): Decision<E> {
    this.#tokens += 1;
    const context = Object.freeze(this.context());
    freezeDeep(input);
    const decision = this.#decide(input, context);
    expect(this.#decide(input, context)).toEqual(decision);
    for (const { ref, text } of decision.stored) this.values.set(ref, JSON.parse(text) as Json);
    let state = this.state;
    for (const event of decision.events) state = freezeDeep(this.machine.evolve(state, freezeDeep(event)));
    this.#checkPersisted(decision.events, state);
    this.log.push(...decision.events);
    this.state = state;
    return decision;
  }

  #decide(input: I, context: DecisionContext): Decision<E> {
    const values = new Map<string, Json | null>();
    for (;;) {
      try {
        return this.machine.decide(this.state, input, { ...context, values: overlay(values, context.values) });
      } catch (error) {
        if (!(error instanceof MissingValues)) throw error;
        for (const at of error.refs) {
          if ("process" in at) values.set(at.ref, this.purged.has(at.process) ? null : true);
          else if ("optional" in at) values.set(at.ref, null);
          else throw new Error(`a value that no store has: ${at.ref}`);
          this.lookedUp.push(at.ref);
        }
      }
    }
  }

  #checkPersisted(events: readonly E[], state: S): void {
    let replayed = this.state;
    for (const event of events) {
      const written = viaJson(event);
      expect(this.machine.events.any.parse(written)).toEqual(written);
      expect(this.machine.events.any.parse(event)).toEqual(event);
      replayed = this.machine.evolve(replayed, this.machine.events.any.parse(written));
    }
    expect(replayed).toEqual(state);
    expect(this.machine.states.parse(viaJson(state))).toEqual(viaJson(state));
    expect(viaJson(state)).toEqual(state);
  }

  outbox(): readonly Effect[] {
    return this.machine.outbox(this.state, this.context());
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this;
  }
}

/** The messages among some effects. */
export function sends(effects: readonly Effect[]): Message[] {
  return effects.flatMap((effect) => (effect.kind === "send" ? [effect.message] : []));
}

/** Names of events, in order. */
export function names(decision: { readonly events: readonly { readonly e: string }[] }): string[] {
  return decision.events.map((event) => event.e);
}
