/**
 * @module What an agent actor decides on, and the builder of its decisions. Pure.
 */
import type { Json, WireFault } from "../faults.ts";
import type { DecisionBuilder } from "../machine.ts";
import type { CompensationReport, Message } from "../protocol.ts";
import type { AgentEvent, AgentState, Failure } from "./state.ts";

/** Under whose token a host speaks of a work item. */
interface Held {
  readonly workId: string;
  readonly token: string;
}

/** A call as its host tells of it: `key` within its work, and the tool. */
export interface CallName {
  readonly key: string;
  readonly tool: string;
}

/** A call that is about to be made. `input` is kept for the undo. */
export type BegunCall = CallName & { readonly undo: boolean; readonly input?: Json };

/** How a call ended, before its content is packed. */
export type EndedCall = CallName & { readonly end: { readonly output: Json } | FailedTry };

/** `open`: nothing says whether the call had its effect, and its tool wants to know. */
export interface FailedTry {
  readonly fault: WireFault;
  readonly open?: boolean;
}

/** A step or wait that failed, before it has its attempt. */
export type FailedPart = Pick<Failure, "kind" | "key" | "fault">;

/** What a handler waits for, before its content is packed. */
export type WaitContent =
  | { readonly kind: "agent"; readonly agent: string; readonly input: Json }
  | { readonly kind: "timer"; readonly ms: number }
  | { readonly kind: "signal"; readonly name: string; readonly schema: Json; readonly timeoutMs?: number };

/** A handler's end, before its content is packed. */
export type FinishedResult =
  { readonly output: Json } | { readonly fault: WireFault } | { readonly handOff: { readonly agent: string; readonly input: Json } };

/** A state to be set, and the version of the state that it was made of. */
export interface NextState {
  readonly content: Json;
  readonly base: number;
}

/** What an agent actor decides on: a message, or what its own host tells of a handler or a compensation. */
export type AgentInput =
  | {
      readonly kind: "message";
      readonly message: Message;
      /** What the boundary found wrong with the input: the work is accepted and done with this fault. */
      readonly fault?: WireFault;
    }
  | (Held & { readonly kind: "call-begun"; readonly call: BegunCall })
  | (Held & { readonly kind: "call-tried"; readonly call: CallName; readonly tries: number; readonly end: FailedTry })
  | (Held & { readonly kind: "call-ended"; readonly call: EndedCall })
  | (Held & { readonly kind: "call-undone"; readonly key: string })
  | (Held & { readonly kind: "step-done"; readonly name: string; readonly output: Json })
  | (Held & { readonly kind: "failed"; readonly failure: FailedPart })
  | (Held & { readonly kind: "waits"; readonly key: string; readonly for: WaitContent })
  /** The handler has ended, and its calls have settled. `undoes`: its agent has an undo of its own. */
  | (Held & { readonly kind: "finished"; readonly result: FinishedResult; readonly state?: NextState; readonly undoes?: boolean })
  /** The compensation has ended. */
  | (Held & {
      readonly kind: "compensated";
      readonly end: { readonly report: CompensationReport } | { readonly fault: WireFault };
      readonly state?: NextState;
      /** The agent's own undo has run, in this try of the compensation. */
      readonly agentUndid?: boolean;
    })
  /** Heartbeats of the holder were missed. */
  | (Held & { readonly kind: "lost" });

/** One kind of {@link AgentInput}. */
export type InputOf<K extends AgentInput["kind"]> = Extract<AgentInput, { readonly kind: K }>;

/** A decision of an agent actor being made. */
export type AgentBuilder = DecisionBuilder<AgentState, AgentEvent>;
