/** @module The state of the loop of a model agent, and what it wants next. Pure. */
import type { Fault, Json } from "../faults.ts";
import type { ClaimCounts } from "./claims.ts";
import type { ModelCall } from "./conversation.ts";
import type { Progress } from "./progress.ts";
import type { Conversation } from "./prompt.ts";
import type { GatedCall, Trouble } from "./reply-gate.ts";

/** What the loop waits for. */
export type Phase =
  /** The reply of a model call. `estimate`: the tokens of its messages. */
  | { readonly kind: "reply"; readonly mayCall: boolean; readonly estimate: number }
  /** The summary of the older part of the conversation, because of a trouble. */
  | { readonly kind: "summary"; readonly part: readonly [number, number]; readonly trouble: Trouble }
  /** The results of calls. */
  | { readonly kind: "results"; readonly calls: readonly GatedCall[] }
  | { readonly kind: "over" };

/** How far the policy for the end of a budget has gone. */
export type BudgetStage = "within" | "degraded" | "last-answer";

/** The state of one run. It is made again from the recorded replies and results. */
export interface LoopState {
  readonly input: Json;
  /** SHA-256 in hex of the instructions. */
  readonly prompt: string;
  /** Messages of the conversation that always stay: up to the input. */
  readonly first: number;
  readonly conversation: Conversation;
  /** What the prompts of the run held from others, also what was shortened since: instructions, input, facts, results of calls. */
  readonly evidence: readonly string[];
  /** Model calls that were asked for. */
  readonly callsMade: number;
  readonly model: string;
  /** Fallbacks that were taken. */
  readonly fallbacks: number;
  /** Rungs of the policy that were used since the last usable reply. */
  readonly rungs: readonly number[];
  /** The hash of the last request. */
  readonly lastHash: string;
  /** Ids of all calls. */
  readonly ids: ReadonlySet<string>;
  readonly progress: Progress;
  readonly budgetStage: BudgetStage;
  readonly outputTokensMax: number;
  readonly phase: Phase;
}

/** What is done next. */
export type Next =
  | { readonly kind: "model"; readonly call: ModelCall }
  | { readonly kind: "calls"; readonly calls: readonly GatedCall[] }
  | { readonly kind: "answer"; readonly value: Json; readonly claims?: ClaimCounts | undefined }
  | { readonly kind: "hand-off"; readonly target: string; readonly input: Json }
  | { readonly kind: "fault"; readonly fault: Fault };

/** One step of the loop: the state after it, and what is done next. */
export interface Step {
  readonly state: LoopState;
  readonly next: Next;
}
