/**
 * @module An agent: a contract and the handler that implements it.
 */
import type { z } from "zod";
import { Fault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { Gate } from "../runtime/schema.ts";
import type { AgentData } from "../runtime/slip.ts";
import { agentData, type Contract, definitionGate, type InputOf, type OutputOf } from "./contract.ts";
import type { HandlerContext, HandOff, RuntimeContext, RuntimeUndoContext, UndoContext } from "./context.ts";
import { invalid, requireInt, requireKeys, requireText, VERSION_MAX } from "./definition.ts";
import { CheckedContext, CheckedUndoContext, type FaceParts } from "./handler-context.ts";
import { type MemoryOptions, type MemoryRules, memoryRulesOf } from "./memory.ts";
import { type BoundModel, MODEL } from "./model/bound.ts";
import type { ModelAgentOptions } from "./model/model.ts";
import { isPerson } from "./person.ts";
import { type ToolDefinition, toolsOf } from "./tool.ts";

const OPTIONS = [
  "handle",
  "undo",
  "tools",
  "state",
  "asks",
  "handsOffTo",
  "visitsMax",
  "concurrency",
  "compatibleWith",
  "permissions",
  "memory",
];

/** What a handler returns: the contract's output, or a hand-off. */
export type Answer<Output> = Output | HandOff | Promise<Output | HandOff>;

/** Options of {@link agent}. Only `handle` is required. */
export interface AgentOptions<
  C extends Contract,
  State,
  Asks extends readonly Contract[],
  HandsOffTo extends readonly Contract[],
  Tools extends readonly ToolDefinition[],
> {
  /**
   * Does the work. A handler may run again after a crash: put side effects and changing values into `ctx.call` or `ctx.step`, and take
   * time and random ids from `ctx.now()` and `ctx.uuid()`. A thrown value becomes a coded fault; a `Fault` keeps its code.
   */
  readonly handle: (input: InputOf<C>, ctx: HandlerContext<State, Asks[number], HandsOffTo[number], Tools[number]>) => Answer<OutputOf<C>>;
  /**
   * Reverts what the work item changed in this agent. It runs after the undos of the work item's calls; the handler does not run again.
   * `output` is `undefined` if the work item did not succeed; no state was set then. The undo may run more than once. A state that it sets
   * is committed once.
   */
  readonly undo?: ((input: InputOf<C>, output: OutputOf<C> | undefined, ctx: UndoContext<State>) => void | Promise<void>) | undefined;
  /** Tools that the handler may call. */
  readonly tools?: Tools | undefined;
  /**
   * The permissions that agents of this class may use at most, for any principal. A tool that needs another one is a definition
   * error. @default those that its tools need
   */
  readonly permissions?: readonly string[] | undefined;
  /** What the agent remembers from one work item to the next, see `ctx.memory`. @default nothing */
  readonly memory?: MemoryOptions | undefined;
  /** Durable state of each actor of this agent. Without it, `ctx.state` does not exist. */
  readonly state?: { readonly schema: z.ZodType<State>; readonly initial: NoInfer<State> } | undefined;
  /** Agents that the handler may ask. */
  readonly asks?: Asks | undefined;
  /** Agents that may answer instead of this one. Their output must fit this agent's contract. */
  readonly handsOffTo?: HandsOffTo | undefined;
  /** Maximum visits per chain of hand-offs and asks, 1 to 1,000. Required if the agent is part of a cycle. */
  readonly visitsMax?: number | undefined;
  /** Maximum handlers of this agent that run at once in one host, at most 1,024. @default 64 */
  readonly concurrency?: number | undefined;
  /** Other versions of this agent whose unfinished work items this version can continue. */
  readonly compatibleWith?: readonly number[] | undefined;
}

/** A defined agent, as hosts use it. Its methods take and return JSON, because its types do not exist at run time. */
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
  /** Names of the models that the agent may use, its own first; "default" also stands for the only one. Empty for plain code. */
  readonly models: readonly string[];
  /** The versions of its prompt that the code has. Empty: the prompt has no versions, or it is no model agent. */
  readonly prompts: readonly string[];
  /** The version that is used without a release. Absent: there are none. */
  readonly prompt: string | undefined;
  /** The tools by name. */
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  /** The most that this agent may use. `undefined`: what its tools need. */
  readonly permissions: readonly string[] | undefined;
  /** Absent: it remembers nothing. */
  readonly memory: MemoryRules | undefined;
  /** `null` if the agent declares no state. */
  readonly initialState: Json;
  /** Returns the input, or throws `schema.input`. */
  checkInput(value: unknown): Json;
  /** Returns the output, or throws `schema.output`. A hand-off is not an output: check with `isHandOff` first. */
  checkOutput(value: unknown): Json;
  /** Returns the state, or throws `schema.state`. */
  checkState(value: unknown): Json;
  /** Runs the handler. The caller has checked the input and must check the answer. */
  handle(input: Json, context: RuntimeContext): Promise<unknown>;
  /** Runs the agent's own undo; `undefined` if it has none. The caller has checked input and output. */
  readonly undo: ((input: Json, output: Json | undefined, context: RuntimeUndoContext) => Promise<void>) | undefined;
}

/** Defines an agent. @throws `definition.invalid`, which names the agent and the option */
export function agent<
  C extends Contract,
  const Asks extends readonly Contract[] = [],
  const HandsOffTo extends readonly Contract<string, unknown, OutputOf<C>>[] = [],
  State = never,
  const Tools extends readonly ToolDefinition[] = [],
>(
  target: C,
  options: AgentOptions<C, State, Asks, HandsOffTo, Tools> | ModelAgentOptions<C, State, Asks, HandsOffTo, Tools>,
): AgentDefinition {
  if (target?.kind !== "contract") throw invalid("agent", "the first argument must be a contract; make one with contract(name, options)");
  const where = `agent ${JSON.stringify(target.name)}`;
  if (isPerson(target)) throw invalid(where, "it is a person, who has no handler; list the person itself in the agents of the system");
  requireKeys(options, where, OPTIONS);
  const state = stateOf(options.state, target.name, where);
  const asks = options.asks ?? [];
  const handsOffTo = options.handsOffTo ?? [];
  const relations = agentData(target, options, where, options.state !== undefined);
  const { undo } = options;
  if (undo !== undefined && typeof undo !== "function") throw invalid(where, "undo must be a function");
  const tools = toolsOf(options.tools ?? [], where);
  const permissions = permissionsOf(options.permissions, tools, where);
  const bound = MODEL in options ? options[MODEL](target, where) : bindHandler(options, where);
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
    data: {
      ...relations,
      ...(bound.budget === undefined ? {} : { budget: bound.budget }),
      ...(bound.models.length === 0 ? {} : { timeoutMs: LIMITS.modelStopTimeoutMsDefault }),
    },
    models: bound.models,
    prompts: bound.prompts,
    prompt: bound.prompt,
    tools,
    permissions,
    memory: options.memory === undefined ? undefined : memoryRulesOf(options.memory, target, where, MODEL in options),
    initialState: state.initial,
    checkInput: (value: unknown) => target.checkInput(value),
    checkOutput: (value: unknown) => target.checkOutput(value),
    checkState: (value: unknown) => state.gate.check(value),
    handle: (input: Json, context: RuntimeContext) => bound.handle(input, context, new CheckedContext(context, parts)),
    undo:
      undo === undefined
        ? undefined
        : async (input: Json, output: Json | undefined, context: RuntimeUndoContext) => {
            const face = new CheckedUndoContext(context, state.gate) as unknown as UndoContext<State>;
            await undo(target.checkInput(input) as InputOf<C>, output as OutputOf<C> | undefined, face);
          },
  });
}

function bindHandler<
  C extends Contract,
  State,
  Asks extends readonly Contract[],
  HandsOffTo extends readonly Contract[],
  Tools extends readonly ToolDefinition[],
>({ handle }: AgentOptions<C, State, Asks, HandsOffTo, Tools>, where: string): BoundModel {
  if (typeof handle !== "function") throw invalid(where, "handle must be a function");
  return {
    models: [],
    prompts: [],
    prompt: undefined,
    budget: undefined,
    handle: async (input, _runtime, face) =>
      // Here types meet JSON. `input` has passed the contract's gate, which changes nothing, so it is an InputOf<C>. The
      // context checks each value that passes through it, and has state only if `State` is not never.
      await handle(input as InputOf<C>, face as unknown as HandlerContext<State, Asks[number], HandsOffTo[number], Tools[number]>),
  };
}

function permissionsOf(
  given: readonly string[] | undefined,
  tools: ReadonlyMap<string, ToolDefinition>,
  where: string,
): readonly string[] | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length > LIMITS.permissionsMax)
    throw invalid(where, `permissions must be a list of at most ${LIMITS.permissionsMax} texts`);
  const known = given.map((permission) => requireText(permission, where, "permissions", LIMITS.permissionLengthMax));
  for (const { name, permission } of tools.values())
    if (permission !== undefined && !known.includes(permission))
      throw invalid(
        where,
        `tool ${name} needs the permission ${JSON.stringify(permission)}, which is not in permissions; add it, or leave the tool out`,
      );
  return Object.freeze([...new Set(known)]);
}

function versionsOf(versions: readonly number[], own: number, where: string): readonly number[] {
  for (const version of versions) {
    requireInt(version, where, "compatibleWith", 1, VERSION_MAX);
    if (version === own) throw invalid(where, `compatibleWith names version ${own}, which is this version; leave it out`);
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
    throw new Fault("schema.state", "the agent has no state; declare it with the option state", { path: "", expected: "null" });
  },
};
