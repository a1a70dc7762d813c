/**
 * @module The inputs of an agent actor, and the builder of its decisions. Pure.
 */
import type { Grant, ModelSpent } from "../budget.ts";
import type { Json, WireFault } from "../faults.ts";
import type { Label } from "../label.ts";
import type { DecisionBuilder } from "../machine.ts";
import type { ClaimCounts } from "../model/claims.ts";
import type { ModelFacts, ModelUsage } from "../model/conversation.ts";
import type { Message } from "../protocol.ts";
import type { CompensationReport } from "../protocol/bodies.ts";
import type { WorkRelease } from "../release.ts";
import type { Reservation } from "./spending.ts";
import type { AgentEvent } from "./events.ts";
import type { AgentState, Failure } from "./state.ts";

/** The work item and the token under which a host reports. */
interface Held {
  readonly workId: string;
  readonly token: string;
}

/** A call as its host reports it: `key` within its work item, and the tool. */
export interface CallName {
  readonly key: string;
  readonly tool: string;
  /** The tool writes or sends, and has no undo. */
  readonly stands?: true;
}

/** A call that is about to be made. `input` is recorded for the undo. */
export type BegunCall = CallName & { readonly undo: boolean; readonly input?: Json };

/** The label of what is reported. Absent: trusted. */
interface Labelled {
  readonly label?: Label | undefined;
}

/** How a call ended, before its content is packed. */
export type EndedCall = CallName & { readonly end: { readonly output: Json } | FailedTry } & Labelled;

/** `open`: it is unknown whether the call had its effect, and its tool needs to know. */
export interface FailedTry {
  readonly fault: WireFault;
  readonly open?: boolean;
}

/** A model call as its host reports it. */
export interface ModelName {
  readonly key: string;
  readonly model: string;
}

/** A try of a model call that is about to be made. `tries` counts from 1. */
export interface BegunModelCall extends ModelName {
  readonly hash: string;
  readonly facts: ModelFacts;
  readonly tries: number;
  readonly reserved: Reservation;
}

/** How a try of a model call ended, and what it cost. `spent` is absent if it cost nothing. */
export interface EndedTry {
  readonly endpoint?: string | undefined;
  /** The model that answered, as the provider names it. */
  readonly answered?: string | undefined;
  readonly usage?: ModelUsage | undefined;
  readonly spent?: ModelSpent | undefined;
}

/** How a model call ended, before its content is packed. */
export type EndedModelCall = ModelName & EndedTry & { readonly end: { readonly reply: Json } | { readonly fault: WireFault } };

/** A failed step, wait or model call, before its attempt is added. */
export type FailedPart = Pick<Failure, "kind" | "key" | "fault">;

/** What a handler waits for, before its content is packed. */
export type WaitContent =
  | { readonly kind: "agent"; readonly agent: string; readonly input: Json }
  | { readonly kind: "timer"; readonly ms: number }
  | { readonly kind: "signal"; readonly name: string; readonly schema: Json; readonly timeoutMs?: number }
  | { readonly kind: "budget"; readonly need: Grant }
  /** `content` is a `RequestContent`, `hash` the SHA-256 of its input. */
  | { readonly kind: "person"; readonly person?: string | undefined; readonly content: Json; readonly hash: string };

/** How a handler ended, before its content is packed. */
export type FinishedResult =
  { readonly output: Json } | { readonly fault: WireFault } | { readonly handOff: { readonly agent: string; readonly input: Json } };

/** A state to set, and the version of the state from which it was computed. */
export interface NextState {
  readonly content: Json;
  readonly base: number;
}

/** Reported when the handler does nothing but wait: how many answers it has received. */
interface Resting {
  readonly answers: number;
}

/** An input of an agent actor: a message, or a report of its own host about a handler or a compensation. */
export type AgentInput =
  | {
      readonly kind: "message";
      readonly message: Message;
      /** A problem that the boundary found in the input: the work item is accepted and ends with this fault. */
      readonly fault?: WireFault;
      /** Contents of the work item may have to be forgotten, see {@link AgentWork}. */
      readonly stored?: boolean;
      /** Of a request: what its work item uses, if it is new. */
      readonly release?: WorkRelease;
    }
  | (Held & { readonly kind: "call-begun"; readonly call: BegunCall })
  | (Held & { readonly kind: "call-tried"; readonly call: CallName; readonly tries: number; readonly end: FailedTry })
  | (Held & { readonly kind: "call-ended"; readonly call: EndedCall })
  | (Held & { readonly kind: "call-undone"; readonly key: string })
  | (Held & { readonly kind: "model-begun"; readonly call: BegunModelCall })
  | (Held & {
      readonly kind: "model-tried";
      readonly call: ModelName & EndedTry;
      readonly tries: number;
      readonly fault: WireFault;
      readonly pauseMs: number;
    })
  | (Held & { readonly kind: "model-dropped"; readonly key: string })
  | (Held & { readonly kind: "model-ended"; readonly call: EndedModelCall })
  | (Held & { readonly kind: "step-done"; readonly name: string; readonly output: Json })
  | (Held & { readonly kind: "failed"; readonly failure: FailedPart })
  | (Held & { readonly kind: "waits"; readonly key: string; readonly for: WaitContent } & Partial<Resting> & Labelled)
  /** The handler does nothing but wait, again. */
  | (Held & { readonly kind: "rests" } & Resting)
  /** The handler ended and its calls settled. `undoes`: its agent has an own undo. */
  | (Held & {
      readonly kind: "finished";
      readonly result: FinishedResult;
      readonly state?: NextState;
      readonly undoes?: boolean;
      readonly claims?: ClaimCounts;
    } & Labelled)
  /** The compensation ended. */
  | (Held & {
      readonly kind: "compensated";
      readonly end: { readonly report: CompensationReport } | { readonly fault: WireFault };
      readonly state?: NextState;
      /** The agent's own undo has run, in this attempt of the compensation. */
      readonly agentUndid?: boolean;
    })
  /** The host shuts down, and the work item is not at its end. */
  | (Held & { readonly kind: "released" })
  /** The holder missed heartbeats. */
  | (Held & { readonly kind: "lost" });

/** One kind of {@link AgentInput}. */
export type InputOf<K extends AgentInput["kind"]> = Extract<AgentInput, { readonly kind: K }>;

/** The builder of an agent actor's decision. */
export type AgentBuilder = DecisionBuilder<AgentState, AgentEvent>;
