/**
 * @module What is sent to a model, and what it replies: one form for all providers. Pure.
 *
 * A request is never stored. It is rebuilt from the recorded replies and tool results, and checked against the hash in the record.
 */
import { z } from "zod";
import type { JsonSchema } from "../schema.ts";
import type { DataText } from "./data-text.ts";
import type { ModelRetry } from "./retry.ts";

/** A tool call that a model asks for. `arguments` is the text as it came: it is parsed by the gate, once, when the reply is complete. */
export const AskedCall = z.strictObject({ id: z.string(), name: z.string(), arguments: z.string() });
export type AskedCall = z.infer<typeof AskedCall>;

/** Tokens as the provider counted them. */
export const ModelUsage = z.strictObject({ inputTokens: z.int().nonnegative(), outputTokens: z.int().nonnegative() });
export type ModelUsage = z.infer<typeof ModelUsage>;

/** Why a reply ended: it was complete, it asks for calls, it met the output limit, or a content filter cut it. */
export const FINISHES = ["stop", "calls", "length", "filter"] as const;

/** The complete reply of one model call. Persisted: changing this needs a version bump. */
export const ModelReply = z.strictObject({
  text: z.string(),
  calls: z.array(AskedCall),
  /** The model declined, in its own words. */
  refusal: z.string().optional(),
  /** Reasoning text; some providers require it back in the next request of a run of tool calls. */
  reasoning: z.string().optional(),
  finish: z.enum(FINISHES),
  /** The model that answered, as the provider names it. */
  model: z.string(),
  /** The endpoint of the gateway that answered. */
  endpoint: z.string(),
  /** Absent: the provider did not say. */
  usage: ModelUsage.optional(),
});
export type ModelReply = z.infer<typeof ModelReply>;

/** One message of a conversation. */
export type ModelMessage =
  | ({ readonly role: "system" | "user" } & DataText)
  | { readonly role: "assistant"; readonly text: string; readonly calls: readonly AskedCall[]; readonly reasoning?: string | undefined }
  | ({ readonly role: "tool"; readonly callId: string; readonly name: string } & DataText);

/** A tool as it is described to a model. */
export interface ModelTool {
  readonly name: string;
  readonly about: string;
  readonly input: JsonSchema;
}

/** One request to a model, independent of the provider. */
export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  /** `none`: the model must answer now. */
  readonly toolChoice: "auto" | "none" | "required";
  /** The answer must be JSON that fits this schema. Absent: text. */
  readonly answer?: { readonly name: string; readonly schema: JsonSchema } | undefined;
  readonly outputTokensMax: number;
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
}

/** Facts of a model call for its record, so that a replay can tell what changed. Persisted: changing this needs a version bump. */
export const ModelFacts = z.strictObject({
  /** SHA-256 in hex of the instructions. */
  prompt: z.string(),
  /** Absent: the prompt has no versions. */
  promptVersion: z.string().optional(),
  /** SHA-256 in hex of the descriptions of all tools. */
  tools: z.string(),
  messages: z.int().nonnegative(),
  outputTokensMax: z.int().positive(),
  temperature: z.number().optional(),
  seed: z.int().optional(),
  /** Why the call was made, if not as the next of the conversation: the rung of the repair ladder. */
  rung: z.string().optional(),
});
export type ModelFacts = z.infer<typeof ModelFacts>;

/** One model call as a handler makes it. */
export interface ModelCall {
  /** Name of the model in the system. */
  readonly model: string;
  readonly request: ModelRequest;
  /**
   * SHA-256 in hex of all that is sent. The hash of a growing conversation is chained, so that its cost is that of what is new.
   * The same hash in one work item, counted, is the same call.
   */
  readonly hash: string;
  readonly facts: ModelFacts;
  /** Upper bound of the input in tokens, estimated. Reserved together with `request.outputTokensMax` before each attempt. */
  readonly inputTokensMax: number;
  /** How its transient faults are handled. @default MODEL_RETRY_DEFAULT */
  readonly retry?: Partial<ModelRetry> | undefined;
  /** Where calls wait for an endpoint, higher ones go first. @default 0 */
  readonly priority?: number | undefined;
}

/** A piece of a reply that is being received. For screens only: nothing is decided by it. */
export interface ModelDelta {
  readonly text?: string | undefined;
  readonly reasoning?: string | undefined;
  /** Name of a tool whose call begins. */
  readonly tool?: string | undefined;
}
