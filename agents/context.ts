/**
 * @module What a handler is given: the typed face, and the untyped one that a host's runner provides.
 */
import type { Json } from "../runtime/faults.ts";
import type { Contract, InputOf, OutputOf } from "./contract.ts";

/** In whose name a task runs. It comes from a verified token or a signed claim, never from a body. */
export interface Principal {
  readonly subject: string;
  readonly tenant: string;
  readonly permissions: readonly string[];
}

/** A log whose lines carry the ids of the process and the work. Facts are JSON; what is secret does not belong there. */
export interface AgentLog {
  info(message: string, facts?: Readonly<Record<string, Json>>): void;
  warn(message: string, facts?: Readonly<Record<string, Json>>): void;
  error(message: string, facts?: Readonly<Record<string, Json>>): void;
}

/** What an outside effect is given. */
export interface StepTools {
  /** The same over every attempt, restart and host: hand it to the outside system so that it acts once. */
  readonly idempotencyKey: string;
  /** Aborted when the work is cancelled, superseded or out of time. */
  readonly signal: AbortSignal;
}

const HAND_OFF: unique symbol = Symbol.for("troupe.hand-off");

/** The answer "another agent answers for me". Made only by `ctx.handOff`, and returned from the handler. */
export interface HandOff {
  readonly [HAND_OFF]: true;
  readonly target: string;
  readonly input: Json;
}

/** For runners: makes the answer that `handOff` of a {@link RuntimeContext} returns. */
export function handOffTo(target: string, input: Json): HandOff {
  const answer: HandOff = { [HAND_OFF]: true, target, input };
  return Object.freeze(answer);
}

/** Whether a handler's answer is a hand-off, of any copy of this module. */
export function isHandOff(value: unknown): value is HandOff {
  return typeof value === "object" && value !== null && HAND_OFF in value && value[HAND_OFF] === true;
}

/** The untyped face of a running handler: what a host's runner provides, and what `AgentDefinition.handle` is given. */
export interface RuntimeContext {
  readonly state: Json;
  setState(next: Json): void;
  /** An action that gives `undefined` is recorded as `null`. */
  step(
    name: string,
    action: (step: StepTools) => unknown,
    options?: { readonly undo?: (result: Json | undefined, step: StepTools) => unknown; readonly input?: Json },
  ): Promise<Json>;
  ask(target: { readonly name: string }, input: Json): Promise<Json>;
  handOff(target: { readonly name: string }, input: Json): HandOff;
  now(): number;
  uuid(): string;
  readonly signal: AbortSignal;
  readonly log: AgentLog;
  readonly principal: Principal;
  readonly attempt: number;
  readonly processId: string;
}

/** A value that may not be written to, all the way down. */
export type DeepReadonly<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? number extends T["length"]
      ? readonly DeepReadonly<Item>[]
      : { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

/** What a step may say beside its name and its action. */
export interface StepOptions<R> {
  /**
   * Takes the effect back when the process is compensated. `result` is `undefined` when the effect may have happened
   * but its result was never recorded: then undo by the idempotency key, which is that of the step.
   * It may run more than once and must succeed when there is nothing to undo.
   */
  readonly undo?: ((result: R | undefined, step: StepTools) => void | Promise<void>) | undefined;
  /** What the effect depends on, JSON. A handler that runs again with another input is refused with `step.mismatch`. */
  readonly input?: unknown;
}

/** What every handler may do. */
export interface BaseContext<Asks extends Contract, HandsOffTo extends Contract> {
  /**
   * An outside effect, recorded once: after a crash the handler runs again and gets the recorded result. It runs at least
   * once. The result is JSON (nothing is recorded as `null`). At most 1,024 steps a work. Rejects with a coded fault, which is
   * recorded too: every run of this attempt hears it, and a further attempt does the step again. `cause` is there at first only.
   */
  step<R>(name: string, action: (step: StepTools) => R | Promise<R>, options?: StepOptions<R>): Promise<R>;
  /**
   * Asks another agent, through the process manager, and waits for its answer; meanwhile this actor is free for other
   * work. Only declared agents (`asks`). At most 256 asks a work. Rejects with the coded fault of the other agent.
   */
  ask<C extends Asks>(target: C, input: InputOf<C>): Promise<OutputOf<C>>;
  /** Another agent is to answer instead; return the result. Only declared agents (`handsOffTo`). */
  handOff<C extends HandsOffTo>(target: C, input: InputOf<C>): HandOff;
  /** Milliseconds since 1970, recorded: the same when the handler runs again. */
  now(): number;
  /** A UUID that is the same when the handler runs again. */
  uuid(): string;
  /** Aborted when the work is cancelled, superseded or out of time. */
  readonly signal: AbortSignal;
  readonly log: AgentLog;
  readonly principal: Principal;
  /** Counts from 1. */
  readonly attempt: number;
  readonly processId: string;
}

/** What a handler of an agent with state may do besides. */
export interface StateContext<State> {
  /** The state as it was when the work began, or went on after an ask. */
  readonly state: DeepReadonly<State>;
  /** The next state. It is committed with the result, and not at all when the handler fails. Throws `schema.state`. */
  setState(next: DeepReadonly<State>): void;
}

/** The context of a handler: with state only where the agent declares one. */
export type HandlerContext<State = never, Asks extends Contract = never, HandsOffTo extends Contract = never> = BaseContext<
  Asks,
  HandsOffTo
> &
  ([State] extends [never] ? unknown : StateContext<State>);
