/**
 * @module What a handler is given: the typed face, and the untyped one that a host's runner provides.
 */
import type { z } from "zod";
import type { Json } from "../runtime/faults.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import type { Contract, InputOf, OutputOf } from "./contract.ts";
import type { ToolDefinition, ToolInput, ToolOutput } from "./tool.ts";

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

/** What the action of a step is given. */
export interface StepTools {
  /** The same over every attempt, restart and host: hand it to the outside system so that it acts once. */
  readonly idempotencyKey: string;
  /** Aborted when the work is cancelled, superseded, out of time or has ended. */
  readonly signal: AbortSignal;
}

/** What may be said of a wait for a signal. */
export interface WaitForOptions {
  /** Time of the wait in milliseconds. Then it rejects with `wait.timeout`. @default as long as the process has */
  readonly timeoutMs?: number | undefined;
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
  /** Calls a tool with an input that has been checked; gives an output that has been. */
  call(tool: ToolDefinition, input: Json): Promise<Json>;
  /** An action that gives `undefined` is recorded as `null`. */
  step(name: string, action: (step: StepTools) => unknown): Promise<Json>;
  ask(target: { readonly name: string }, input: Json): Promise<Json>;
  sleep(ms: number): Promise<void>;
  /** Waits for an outside signal; gives its payload. */
  waitFor(name: string, schema: JsonSchema, options: WaitForOptions): Promise<Json>;
  handOff(target: { readonly name: string }, input: Json): HandOff;
  now(): number;
  uuid(): string;
  readonly signal: AbortSignal;
  readonly log: AgentLog;
  readonly principal: Principal;
  readonly attempt: number;
  readonly processId: string;
}

/** The untyped face of an agent's own undo: what a host's compensation provides. */
export interface RuntimeUndoContext extends Pick<
  RuntimeContext,
  "state" | "setState" | "now" | "signal" | "log" | "principal" | "attempt" | "processId"
> {
  readonly idempotencyKey: string;
}

/** A value that may not be written to, all the way down. */
export type DeepReadonly<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? number extends T["length"]
      ? readonly DeepReadonly<Item>[]
      : { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

/** What handlers and the undo of an agent have in common. */
interface WorkContext {
  /** Milliseconds since 1970, recorded: the same when the handler runs again. */
  now(): number;
  /** Aborted when the work is cancelled, superseded, out of time or has ended. */
  readonly signal: AbortSignal;
  readonly log: AgentLog;
  readonly principal: Principal;
  /** Counts from 1. */
  readonly attempt: number;
  readonly processId: string;
}

/** What every handler may do. */
export interface BaseContext<Asks extends Contract, HandsOffTo extends Contract, Tools extends ToolDefinition = never> extends WorkContext {
  /**
   * Calls a declared tool (`tools`), recorded once: after a crash the handler runs again and gets the recorded output. A call is known
   * by its tool, its input and how often that input came before. Rejects with a coded fault, which is recorded too: every execution of
   * this attempt hears it, and a further attempt makes the call again. `cause` is absent on replay.
   */
  call<T extends Tools>(tool: T, input: ToolInput<T>): Promise<ToolOutput<T>>;
  /**
   * A recorded result of anything, without an undo; recorded and failing as a call. A name is used once in a work item
   * (`step.duplicate`). The result is JSON (nothing is recorded as `null`). At most 1,024 calls and steps a work item.
   */
  step<R>(name: string, action: (step: StepTools) => R | Promise<R>): Promise<R>;
  /**
   * Asks another agent, through the process manager, and waits for its answer; meanwhile this actor is free for other
   * work. Only declared agents (`asks`). At most 256 asks and other waits a work item. Rejects with the coded fault of the other agent.
   */
  ask<C extends Asks>(target: C, input: InputOf<C>): Promise<OutputOf<C>>;
  /** Waits that long, over restarts; meanwhile this actor is free. At most 30 days. */
  sleep(ms: number): Promise<void>;
  /**
   * Waits for an outside signal of that name to this process; meanwhile this actor is free. Gives the payload, which fits the schema.
   * Rejects with `wait.timeout` after `timeoutMs`.
   */
  waitFor<S extends z.ZodType>(name: string, schema: S, options?: WaitForOptions): Promise<z.infer<S>>;
  /** Another agent is to answer instead; return the result. Only declared agents (`handsOffTo`). */
  handOff<C extends HandsOffTo>(target: C, input: InputOf<C>): HandOff;
  /** A UUID that is the same when the handler runs again. */
  uuid(): string;
}

/** What a handler of an agent with state may do besides. */
export interface StateContext<State> {
  /** The state as it was when the work began, or went on after a wait. */
  readonly state: DeepReadonly<State>;
  /** The next state. It is committed with the result, and not at all when the handler fails. Throws `schema.state`. */
  setState(next: DeepReadonly<State>): void;
}

type WithState<Context, State> = Context & ([State] extends [never] ? unknown : StateContext<State>);

/** The context of a handler: with state only where the agent declares one. */
export type HandlerContext<
  State = never,
  Asks extends Contract = never,
  HandsOffTo extends Contract = never,
  Tools extends ToolDefinition = never,
> = WithState<BaseContext<Asks, HandsOffTo, Tools>, State>;

/** The context of an agent's own undo: with state only where the agent declares one. A state that it sets is committed with its end. */
export type UndoContext<State = never> = WithState<
  WorkContext & {
    /** The same over every try of this compensation: for effects of the undo itself. */
    readonly idempotencyKey: string;
  },
  State
>;
