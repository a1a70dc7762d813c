/**
 * @module A model in the place of a handler: `agent(Refunds, model({ instructions, tools }))`.
 *
 * The contract's output is the form of the answer. Tools, asks and hand-offs are functions that the model may call. The loop decides in
 * runtime/model/; here its options are checked and bound to the contract.
 */
import type { ClaimKind } from "../../runtime/model/claims.ts";
import type { Rung } from "../../runtime/model/ladder.ts";
import type { ModelRetry } from "../../runtime/model/retry.ts";
import type { AgentOptions } from "../agent.ts";
import type { Budget } from "../budget.ts";
import type { Contract, InputOf, OutputOf } from "../contract.ts";
import { requireKeys } from "../definition.ts";
import type { ToolDefinition } from "../tool.ts";
import { bindModel } from "./bind.ts";
import { type BindModel, MODEL } from "./bound.ts";

/** What one work item of a model agent may spend. */
export interface ModelBudget extends Budget {
  /** Time in milliseconds from the beginning of the first attempt, waits included. */
  readonly timeMs?: number | undefined;
}

/** Instructions for one input. */
type Prompt<C extends Contract> = string | ((input: InputOf<C>) => string);

/** Options of {@link model} that plain agents do not have. */
export interface ModelSettings<C extends Contract> {
  /**
   * What the model shall do: a text, or a pure function of the input. Or several versions by name: `{ v1: "...", v2: (claim) => "..." }`.
   * The input itself follows as a message of its own.
   */
  readonly instructions: Prompt<C> | Readonly<Record<string, Prompt<C>>>;
  /** Which version of the instructions is used, unless a release says otherwise. @default the only one */
  readonly prompt?: string | undefined;
  /** The name of a model of the system. @default "default", or the only one */
  readonly model?: string | undefined;
  /** Models that are tried next when this one does not give a usable reply, in this order. */
  readonly fallback?: readonly string[] | undefined;
  /** What one work item may spend. @default no limit of its own */
  readonly budget?: ModelBudget | undefined;
  /** Model calls of one run, repairs included. The last one must answer. @default 32 */
  readonly callsMax?: number | undefined;
  /** Maximum output tokens of one model call. A reply that meets it is not used. @default 4,096 */
  readonly outputTokensMax?: number | undefined;
  /** 0 to 2. @default the provider's */
  readonly temperature?: number | undefined;
  /** For providers that can sample reproducibly. @default none */
  readonly seed?: number | undefined;
  /**
   * The rungs of the repair ladder, in order: what is tried after a reply that cannot be used. `tell` adds what is wrong, `shorten`
   * replaces the oldest tool results by notes, `summarize` replaces the older part by a summary, `model` goes on with the next
   * `fallback`. A rung that cannot help is skipped. @default ["tell", "tell", "shorten", "summarize", "model", "tell"]
   */
  readonly repair?: readonly Rung[] | undefined;
  /**
   * What is wrong with an answer that fits the contract's schema, one sentence each. It is told to the model like an answer that does not
   * fit. A pure function. @default nothing
   */
  readonly check?: ((answer: OutputOf<C>, input: InputOf<C>) => readonly string[]) | undefined;
  /**
   * Checks the claims of each answer (numbers, dates, ids, links, addresses, quotations) against its evidence: instructions, input, facts
   * and results of calls. `refuse`: an answer with a claim without evidence is told to the model like an answer that does not fit, at the
   * end `model.ungrounded`. `count`: they are only counted. `kinds`: which claims; all by default. @default nothing is checked
   */
  readonly grounding?: "refuse" | "count" | { readonly onUngrounded: "refuse" | "count"; readonly kinds: readonly ClaimKind[] } | undefined;
  /** How calls are made again after faults of the provider or the way to it. @default 5 attempts, pauses from 500 ms doubling to 20 s */
  readonly retry?: Partial<ModelRetry> | undefined;
  /** Where calls of several agents wait for an endpoint, higher ones go first, -100 to 100. @default 0 */
  readonly priority?: number | undefined;
  /** When the ladder ends: the work item fails, or an agent of `handsOffTo` answers instead, with the same input. @default "fault" */
  readonly onGiveUp?: "fault" | { readonly handOff: Contract } | undefined;
  /**
   * When the budget ends: the work item fails (`stop`); the model must answer at once, without functions and briefly (`degrade`); a
   * cheaper model goes on (`degradeTo`), and must answer at once if that is refused too; or an agent of `handsOffTo` answers instead.
   * @default "stop"
   */
  readonly onBudgetEnd?: "stop" | "degrade" | { readonly degradeTo: string } | { readonly handOff: Contract } | undefined;
}

/** Options of {@link model}. Only `instructions` is required. */
export type ModelOptions<
  C extends Contract,
  State,
  Asks extends readonly Contract[],
  HandsOffTo extends readonly Contract[],
  Tools extends readonly ToolDefinition[],
> = ModelSettings<C> & Omit<AgentOptions<C, State, Asks, HandsOffTo, Tools>, "handle">;

/** A model in the place of a handler; made by {@link model}, taken by `agent`. */
export interface ModelAgentOptions<
  C extends Contract,
  State,
  Asks extends readonly Contract[],
  HandsOffTo extends readonly Contract[],
  Tools extends readonly ToolDefinition[],
> extends Omit<AgentOptions<C, State, Asks, HandsOffTo, Tools>, "handle"> {
  readonly [MODEL]: BindModel;
}

const SETTINGS = [
  "instructions",
  "prompt",
  "model",
  "fallback",
  "budget",
  "callsMax",
  "outputTokensMax",
  "temperature",
  "seed",
  "repair",
  "check",
  "grounding",
  "retry",
  "priority",
  "onGiveUp",
  "onBudgetEnd",
];
const OF_AGENT = ["undo", "tools", "state", "asks", "handsOffTo", "visitsMax", "concurrency", "compatibleWith", "permissions", "memory"];

/**
 * Puts a model in the place of a handler. All options are checked by `agent`, which names the agent.
 * @throws `definition.invalid` for an unknown option
 */
export function model<
  C extends Contract,
  const Asks extends readonly Contract[] = [],
  const HandsOffTo extends readonly Contract[] = [],
  State = never,
  const Tools extends readonly ToolDefinition[] = [],
>(options: ModelOptions<C, State, Asks, HandsOffTo, Tools>): ModelAgentOptions<C, State, Asks, HandsOffTo, Tools> {
  requireKeys(options, "model", [...SETTINGS, ...OF_AGENT]);
  const { undo, tools, state, asks, handsOffTo, visitsMax, concurrency, compatibleWith, permissions, memory, ...settings } = options;
  const ofAgent = { undo, tools, state, asks, handsOffTo, visitsMax, concurrency, compatibleWith, permissions, memory };
  const bind: BindModel = (target, where) =>
    bindModel(settings, { tools: tools ?? [], asks: asks ?? [], handsOffTo: handsOffTo ?? [], memory }, target, where);
  return { ...ofAgent, [MODEL]: bind };
}
