/** @module What the loop of one model agent is given at its definition: functions, the form of the answer, bounds and policies. Pure. */
import type { Grant, Spent } from "../budget.ts";
import type { Json } from "../faults.ts";
import type { JsonSchema } from "../schema.ts";
import type { Grounding } from "./grounding.ts";
import type { Rung } from "./ladder.ts";
import type { FixedPart } from "./prompt.ts";
import type { ModelRetry } from "./retry.ts";

/** What a gate says of a value: it fits, or what is wrong, one sentence for each violation. */
export type Checked = { readonly value: Json } | { readonly violations: readonly string[] };

/** A function that a model may call: a tool, an ask, a hand-off, or one of its memory. */
export interface LoopFunction {
  /** The name that the model uses. */
  readonly name: string;
  readonly kind: "tool" | "ask" | "hand-off" | "memory";
  /** The name of the tool, or of the agent. */
  readonly target: string;
  readonly about: string;
  /** The schema of the arguments, always of an object. */
  readonly input: JsonSchema;
  /** The input is not an object: the arguments hold it under this key. */
  readonly under: string | undefined;
  /** Checks an input. Changes nothing. */
  readonly check: (value: Json) => Checked;
}

/** The form of the answer. */
export interface LoopAnswer {
  /** The answer is the text of the reply as it is. Absent otherwise. */
  readonly request: { readonly name: string; readonly schema: JsonSchema } | undefined;
  /** The output is not an object: the answer holds it under this key. */
  readonly under: string | undefined;
  /** Checks an answer to an input. Changes nothing. */
  readonly check: (value: Json, input: Json) => Checked;
}

/** What is done when the ladder ends. */
export type GiveUp = "fault" | { readonly handOff: string };

/** What is done when the budget ends. */
export type BudgetEnd = "stop" | "degrade" | { readonly degradeTo: string } | { readonly handOff: string };

/** The rules of one loop. */
export interface LoopRules {
  readonly agent: string;
  /** The version of the instructions. Absent: they have none. */
  readonly promptVersion?: string | undefined;
  /** Names of models: the first, then the fallbacks in their order. */
  readonly models: readonly [string, ...string[]];
  readonly functions: ReadonlyMap<string, LoopFunction>;
  readonly answer: LoopAnswer;
  /** Absent: claims of answers are not checked. */
  readonly grounding?: Grounding | undefined;
  /** Results may hold data from outside, or answers that were derived from such. */
  readonly readsData: boolean;
  /** What all requests share. */
  readonly fixed: FixedPart;
  /** How transient faults are tried again. Absent: the default. */
  readonly retry: Partial<ModelRetry> | undefined;
  /** Absent: 0. */
  readonly priority: number | undefined;
  readonly callsMax: number;
  readonly repair: readonly Rung[];
  readonly onGiveUp: GiveUp;
  readonly onBudgetEnd: BudgetEnd;
}

/** What a work item may spend and has spent. */
export interface Purse {
  readonly grant: Grant | undefined;
  readonly spent: Spent;
}
