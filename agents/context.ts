/**
 * @module The context of a handler: the typed one that handlers use, and the untyped one that a host's runner provides.
 */
import type { z } from "zod";
import type { Json } from "../runtime/faults.ts";
import type { Grant, Spent } from "../runtime/budget.ts";
import type { ClaimCounts } from "../runtime/model/claims.ts";
import type { ModelCall, ModelReply } from "../runtime/model/conversation.ts";
import type { Label } from "../runtime/label.ts";
import type { FactDraft, FactQuery, FactView, RuntimeMemory } from "../runtime/memory/view.ts";
import type { WorkRelease } from "../runtime/release.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import type { Contract, InputOf, OutputOf } from "./contract.ts";
import type { ToolDefinition, ToolInput, ToolOutput } from "./tool.ts";

/** On whose behalf a task runs. It comes from a verified token or a signed claim, never from a request body. */
export interface Principal {
  readonly subject: string;
  readonly tenant: string;
  readonly permissions: readonly string[];
  /** Roles as a person. Absent: none. */
  readonly roles?: readonly string[] | undefined;
  /** Absent: a person. */
  readonly kind?: "agent" | "peer" | undefined;
  /** The permissions that the submitter gave to this task. Absent: all of `permissions`. */
  readonly given?: readonly string[] | undefined;
}

/** An earlier output of the stop that its validator did not accept. `round` counts from 1. */
export interface SentBackOutput {
  readonly round: number;
  readonly reasons: readonly string[];
  readonly output: Json;
}

/** What a person made of a call that needed consent. */
export interface EditedCall {
  /** The input that the handler or model wanted. */
  readonly asked: Json;
  /** The input with which the call is made. */
  readonly input: Json;
  /** Subject of the person. */
  readonly by?: string | undefined;
  readonly reason: string;
}

/** A log whose lines carry the ids of the process and the work item. Facts are JSON. Do not log secrets. */
export interface AgentLog {
  info(message: string, facts?: Readonly<Record<string, Json>>): void;
  warn(message: string, facts?: Readonly<Record<string, Json>>): void;
  error(message: string, facts?: Readonly<Record<string, Json>>): void;
}

/** What the function of a step receives. */
export interface StepTools {
  /** Constant over all attempts, restarts and hosts. Pass it to the external system so that it acts only once. */
  readonly idempotencyKey: string;
  /** Aborted when the work item is cancelled, superseded, timed out or finished, or its host shuts down (`system.stopping`). */
  readonly signal: AbortSignal;
}

/** Options of `ctx.waitFor`. */
export interface WaitForOptions {
  /** Maximum wait in milliseconds, after which it rejects with `wait.timeout`. @default until the process expires */
  readonly timeoutMs?: number | undefined;
}

const HAND_OFF: unique symbol = Symbol.for("troupe.hand-off");

/** The answer "another agent answers instead". Made by `ctx.handOff` and returned from the handler. */
export interface HandOff {
  readonly [HAND_OFF]: true;
  readonly target: string;
  readonly input: Json;
}

/** Makes a hand-off. For runners, which return it from `handOff` of a {@link RuntimeContext}. */
export function handOffTo(target: string, input: Json): HandOff {
  const answer: HandOff = { [HAND_OFF]: true, target, input };
  return Object.freeze(answer);
}

/** Whether a handler's answer is a hand-off, also one made by another copy of this module. */
export function isHandOff(value: unknown): value is HandOff {
  return typeof value === "object" && value !== null && HAND_OFF in value && value[HAND_OFF] === true;
}

/** The untyped context of a running handler. A host's runner provides it to `AgentDefinition.handle`. */
export interface RuntimeContext {
  readonly state: Json;
  setState(next: Json): void;
  /**
   * Calls a tool with a checked input and returns a checked output. The call is judged first, and a person is asked where a rule says so.
   * `edited` is called before the call is made with an input that a person gave to it.
   */
  call(tool: ToolDefinition, input: Json, edited?: (edit: EditedCall) => void): Promise<Json>;
  /** Runs a function once and records its result; `undefined` is recorded as `null`. */
  step(name: string, action: (step: StepTools) => unknown): Promise<Json>;
  /** Asks an agent. `received` is called with the label of the answer, or of its fault, before that is handed over. */
  ask(target: { readonly name: string }, input: Json, received?: (label: Label | undefined) => void): Promise<Json>;
  sleep(ms: number): Promise<void>;
  /** Waits for an external signal and returns its payload. */
  waitFor(name: string, schema: JsonSchema, options: WaitForOptions): Promise<Json>;
  handOff(target: { readonly name: string }, input: Json): HandOff;
  /**
   * Makes a model call and records it: as begun with its reservation, as ended with its reply and cost. Transient faults are tried again
   * inside. Rejects with a recorded fault `model.*` or `budget.exhausted`.
   */
  chat(call: ModelCall): Promise<ModelReply>;
  /** Notes how many claims an answer has, and how many of them are without evidence: for the counts of the run. */
  noteClaims(claims: ClaimCounts): void;
  /** What this work item may spend and has spent so far. The same in each execution when read after the same results. */
  readonly budget: { readonly grant: Grant | undefined; readonly spent: Spent };
  /** From which untrusted origins all that this execution has received so far was derived. */
  readonly label: Label;
  /** From which untrusted origins the input was derived. The same in each execution. */
  readonly inputLabel: Label;
  /** Absent: nothing was sent back. */
  readonly sentBack?: SentBackOutput | undefined;
  /** The version of the prompt and the model that were chosen for this work item. Absent: the code's own. */
  readonly release?: WorkRelease | undefined;
  /** Absent: the agent declares no memory. */
  readonly memory?: RuntimeMemory | undefined;
  now(): number;
  uuid(): string;
  readonly signal: AbortSignal;
  readonly log: AgentLog;
  readonly principal: Principal;
  readonly attempt: number;
  readonly processId: string;
}

/** The untyped context of an agent's own undo. A host's compensation provides it. */
export interface RuntimeUndoContext extends Pick<
  RuntimeContext,
  "state" | "setState" | "now" | "signal" | "log" | "principal" | "attempt" | "processId"
> {
  readonly idempotencyKey: string;
}

/** A deeply read-only type. */
export type DeepReadonly<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? number extends T["length"]
      ? readonly DeepReadonly<Item>[]
      : { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

/** What the contexts of handlers and of an agent's own undo share. */
interface WorkContext {
  /** Recorded time in milliseconds since 1970: the same value when the handler runs again. */
  now(): number;
  /** Aborted when the work item is cancelled, superseded, timed out or finished, or its host shuts down (`system.stopping`). */
  readonly signal: AbortSignal;
  readonly log: AgentLog;
  readonly principal: Principal;
  /** Counts from 1. */
  readonly attempt: number;
  readonly processId: string;
}

/** The memory of an agent, in the scope that it declares. */
export interface HandlerMemory {
  /**
   * Remembers a fact, once for each call of the handler. A fact with a key replaces the one before it. It is derived from all facts that
   * this work item has recalled, unless `from` names others: it has the least trust of them, their labels, and goes with them. Rejects
   * with `memory.invalid` or `memory.full`.
   */
  remember(draft: FactDraft): Promise<FactView>;
  /**
   * Recalls facts: by their key, by words, or the newest ones. They are the same when the handler runs again; one that was forgotten since
   * rejects with `memory.unknown`. Untrusted facts of other processes are left out and counted; where the key names one, it rejects with
   * `memory.untrusted`.
   */
  recall(query?: FactQuery): Promise<readonly FactView[]>;
  /** Forgets a fact, all its versions, and what was derived from it. Rejects with `memory.scope` for a fact of another memory. */
  forget(id: string): Promise<void>;
}

/** The context of every handler. */
export interface BaseContext<Asks extends Contract, HandsOffTo extends Contract, Tools extends ToolDefinition = never> extends WorkContext {
  /**
   * Calls a declared tool (`tools`) and records its output once. After a crash the handler runs again and receives the recorded output.
   * A call is identified by its tool, its input and how often that input occurred before. It rejects with a coded fault, which is recorded
   * too: each execution of this attempt receives it, and a later attempt makes the call again. `cause` is absent on replay.
   * A call that a person must approve waits for the decision. A person may change its input: then `edited` is called before the call.
   */
  call<T extends Tools>(tool: T, input: ToolInput<T>, edited?: (edit: EditedCall) => void): Promise<ToolOutput<T>>;
  /**
   * Runs a function once and records its result. A step has no undo; it is recorded and fails like a call. A name may be used once in a
   * work item (`step.duplicate`). The result is JSON; `undefined` is recorded as `null`. At most 1,024 calls and steps per work item.
   */
  step<R>(name: string, action: (step: StepTools) => R | Promise<R>): Promise<R>;
  /**
   * Asks another declared agent (`asks`) through the process manager and waits for its answer. The actor is free for other work items
   * meanwhile. At most 256 asks and other waits per work item. Rejects with the coded fault of the other agent. An ask that is open when
   * the handler ends is cancelled and compensated.
   */
  ask<C extends Asks>(target: C, input: InputOf<C>): Promise<OutputOf<C>>;
  /** Waits for a time, across restarts. The actor is free meanwhile. At most 30 days. In a `Promise.race` it limits the time of an ask. */
  sleep(ms: number): Promise<void>;
  /**
   * Waits for an external signal of this name to this process and returns its payload, which fits the schema. The actor is free
   * meanwhile. Rejects with `wait.timeout` after `timeoutMs`.
   */
  waitFor<S extends z.ZodType>(name: string, schema: S, options?: WaitForOptions): Promise<z.infer<S>>;
  /** An earlier output for this input that the validator of the stop did not accept, with its reasons. Absent: none was sent back. */
  readonly sentBack?: SentBackOutput | undefined;
  /** Lets another declared agent (`handsOffTo`) answer instead. Return the result from the handler. */
  handOff<C extends HandsOffTo>(target: C, input: InputOf<C>): HandOff;
  /** Returns a UUID that is the same when the handler runs again. */
  uuid(): string;
  /** What the agent remembers. Throws `definition.invalid` if it declares no `memory`. */
  readonly memory: HandlerMemory;
}

/** The additional context of a handler whose agent has state. */
export interface StateContext<State> {
  /** The state at the start of the execution, or when it continued after a wait. */
  readonly state: DeepReadonly<State>;
  /** Sets the next state. It is committed with the result; a failed handler commits none. Throws `schema.state`. */
  setState(next: DeepReadonly<State>): void;
}

type WithState<Context, State> = Context & ([State] extends [never] ? unknown : StateContext<State>);

/** The context of a handler. It has state only if the agent declares a state. */
export type HandlerContext<
  State = never,
  Asks extends Contract = never,
  HandsOffTo extends Contract = never,
  Tools extends ToolDefinition = never,
> = WithState<BaseContext<Asks, HandsOffTo, Tools>, State>;

/** The context of an agent's own undo. It has state only if the agent declares a state; a state that it sets is committed at its end. */
export type UndoContext<State = never> = WithState<
  WorkContext & {
    /** Constant over all attempts of this compensation. Pass it to external systems that the undo itself calls. */
    readonly idempotencyKey: string;
  },
  State
>;
