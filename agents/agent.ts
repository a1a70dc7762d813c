/**
 * @module An agent: a contract and the handler that fulfils it.
 */
import type { z } from "zod";
import { Fault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { Gate } from "../runtime/schema.ts";
import type { AgentData } from "../runtime/slip.ts";
import { agentData, type Contract, definitionGate, type InputOf, type OutputOf } from "./contract.ts";
import type { HandlerContext, HandOff, RuntimeContext, RuntimeUndoContext, UndoContext } from "./context.ts";
import { invalid, requireInt, requireKeys } from "./definition.ts";
import { CheckedContext, CheckedUndoContext, type FaceParts } from "./handler-context.ts";
import { type ToolDefinition, toolsOf } from "./tool.ts";

const VERSION_MAX = 1_000_000;
const OPTIONS = ["handle", "undo", "tools", "state", "asks", "handsOffTo", "visitsMax", "concurrency", "compatibleWith"];

/** What a handler gives: the contract's output, or a hand-off. */
export type Answer<Output> = Output | HandOff | Promise<Output | HandOff>;

/** What an agent is beside its contract. Only `handle` is needed. */
export interface AgentOptions<
  C extends Contract,
  State,
  Asks extends readonly Contract[],
  HandsOffTo extends readonly Contract[],
  Tools extends readonly ToolDefinition[],
> {
  /**
   * Does the work. It may run again after a crash, so what is outside or changes belongs in `ctx.call` and `ctx.step`, and time and
   * random come from `ctx.now()` and `ctx.uuid()`. What it throws becomes a coded fault; a `Fault` keeps its code.
   */
  readonly handle: (input: InputOf<C>, ctx: HandlerContext<State, Asks[number], HandsOffTo[number], Tools[number]>) => Answer<OutputOf<C>>;
  /**
   * Takes back what the work did to the agent, after the undos of its calls; the handler is not run again. `output` is `undefined` where
   * the work did not succeed: then it set no state. It may run more than once; a state that it sets is committed once.
   */
  readonly undo?: ((input: InputOf<C>, output: OutputOf<C> | undefined, ctx: UndoContext<State>) => void | Promise<void>) | undefined;
  /** Tools that the handler may call. */
  readonly tools?: Tools | undefined;
  /** Durable state of each actor of this agent. Without it there is no `ctx.state`. */
  readonly state?: { readonly schema: z.ZodType<State>; readonly initial: NoInfer<State> } | undefined;
  /** Agents that the handler may ask. */
  readonly asks?: Asks | undefined;
  /** Agents that may answer instead. Their output must be one that this agent's contract allows. */
  readonly handsOffTo?: HandsOffTo | undefined;
  /** How often this agent may stand in one chain of hand-offs and asks, 1 to 1,000. Needed where it stands in a ring. */
  readonly visitsMax?: number | undefined;
  /** Handlers of this agent running at once in one host. Default 64, at most 1,024. */
  readonly concurrency?: number | undefined;
  /** Other versions of this agent whose unfinished work this one can go on with. */
  readonly compatibleWith?: readonly number[] | undefined;
}

/** A finished agent, as hosts use it. Its methods do not depend on types that are gone at run time. */
export interface AgentDefinition {
  readonly kind: "agent";
  readonly name: string;
  readonly version: number;
  readonly contract: Contract;
  readonly compatibleWith: readonly number[];
  readonly concurrency: number;
  /** The contracts of `asks` and `handsOffTo`. */
  readonly asks: readonly Contract[];
  readonly handsOffTo: readonly Contract[];
  readonly data: AgentData;
  /** By name. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** `null` without declared state. */
  readonly initialState: Json;
  /** Returns the input, or throws `schema.input`. */
  checkInput(value: unknown): Json;
  /** Returns the output, or throws `schema.output`. A hand-off is no output: look with `isHandOff` first. */
  checkOutput(value: unknown): Json;
  /** Returns the state, or throws `schema.state`. */
  checkState(value: unknown): Json;
  /** Runs the handler. The input must have been checked; the answer has not been. */
  handle(input: Json, context: RuntimeContext): Promise<unknown>;
  /** Runs the agent's own undo, where it has one. Input and output are checked. */
  readonly undo: ((input: Json, output: Json | undefined, context: RuntimeUndoContext) => Promise<void>) | undefined;
}

/** Defines an agent. Throws `definition.invalid` naming the agent and the option. */
export function agent<
  C extends Contract,
  const Asks extends readonly Contract[] = [],
  const HandsOffTo extends readonly Contract<string, unknown, OutputOf<C>>[] = [],
  State = never,
  const Tools extends readonly ToolDefinition[] = [],
>(target: C, options: AgentOptions<C, State, Asks, HandsOffTo, Tools>): AgentDefinition {
  if (target?.kind !== "contract") throw invalid("agent", "the first argument is a contract");
  const where = `agent ${JSON.stringify(target.name)}`;
  requireKeys(options, where, OPTIONS);
  if (typeof options.handle !== "function") throw invalid(where, "handle is not a function");
  const state = stateOf(options.state, target.name, where);
  const asks = options.asks ?? [];
  const handsOffTo = options.handsOffTo ?? [];
  const data = agentData(target, options, where, options.state !== undefined);
  const { undo } = options;
  if (undo !== undefined && typeof undo !== "function") throw invalid(where, "undo is not a function");
  const tools = toolsOf(options.tools ?? [], where);
  const parts: FaceParts = { name: target.name, state: state.gate, tools, asks, handsOffTo };
  return Object.freeze({
    kind: "agent",
    name: target.name,
    version: target.version,
    contract: target,
    compatibleWith: versionsOf(options.compatibleWith ?? [], target.version, where),
    concurrency: requireInt(options.concurrency ?? LIMITS.agentConcurrencyDefault, where, "concurrency", 1, LIMITS.agentConcurrencyMax),
    asks,
    handsOffTo,
    data,
    tools,
    initialState: state.initial,
    checkInput: (value: unknown) => target.checkInput(value),
    checkOutput: (value: unknown) => target.checkOutput(value),
    checkState: (value: unknown) => state.gate.check(value),
    handle: async (input: Json, context: RuntimeContext) => {
      // Here types meet JSON. `input` has passed the contract's gate, which changes nothing, so it is an InputOf<C>; the
      // face checks everything that goes through it, and has state exactly when `State` is not never.
      const face = new CheckedContext(context, parts) as unknown as HandlerContext<State, Asks[number], HandsOffTo[number], Tools[number]>;
      return await options.handle(input as InputOf<C>, face);
    },
    undo:
      undo === undefined
        ? undefined
        : async (input: Json, output: Json | undefined, context: RuntimeUndoContext) => {
            const face = new CheckedUndoContext(context, state.gate) as unknown as UndoContext<State>;
            await undo(target.checkInput(input) as InputOf<C>, output as OutputOf<C> | undefined, face);
          },
  });
}

function versionsOf(versions: readonly number[], own: number, where: string): readonly number[] {
  for (const version of versions) {
    requireInt(version, where, "compatibleWith", 1, VERSION_MAX);
    if (version === own) throw invalid(where, `compatibleWith names version ${own}, which is this one`);
  }
  return [...new Set(versions)];
}

interface StateData {
  readonly gate: Gate;
  readonly initial: Json;
}

function stateOf(state: { readonly schema: z.ZodType; readonly initial: unknown } | undefined, name: string, where: string): StateData {
  if (state === undefined) return { gate: NO_STATE, initial: null };
  requireKeys(state, `${where}, state`, ["schema", "initial"]);
  const gate = definitionGate(state.schema, `state of agent ${name}`, "schema.state");
  try {
    return { gate, initial: gate.check(state.initial) };
  } catch (error) {
    throw invalid(`${where}, state`, `initial does not fit the schema: ${error instanceof Error ? error.message : "no error"}`);
  }
}

const NO_STATE: Gate = {
  check: (value) => {
    if (value === null) return null;
    throw new Fault("schema.state", "the agent declares no state", { path: "", expected: "null" });
  },
};
