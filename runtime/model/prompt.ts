/**
 * @module The requests of one conversation. Pure.
 *
 * The hash of a conversation is chained: the hash of n messages is made from the hash of n - 1 and the new one. So the cost of a request
 * is that of what is new since the last one. Tools, the schema of the answer and the instructions are hashed and counted once.
 */
import { canonicalJson, hashJson, hashText } from "../canonical.ts";
import type { Json } from "../faults.ts";
import type { ModelCall, ModelMessage, ModelRequest, ModelTool } from "./conversation.ts";
import { addTokens, messageTokens, NO_TOKENS, textTokens, type Tokens } from "./tokens.ts";

/** The settings of all requests of an agent. */
export interface PromptSettings {
  readonly outputTokensMax: number;
  readonly temperature: number | undefined;
  readonly seed: number | undefined;
}

/** What all requests of an agent share, hashed and counted once. */
export interface FixedPart {
  readonly tools: readonly ModelTool[];
  readonly answer: ModelRequest["answer"];
  readonly settings: PromptSettings;
  /** SHA-256 in hex of the descriptions of all tools. */
  readonly toolsHash: string;
  /** SHA-256 in hex of tools, answer schema and settings. */
  readonly hash: string;
  readonly tokens: Tokens;
}

/** Makes the shared part of an agent's requests. */
export function fixedPart(tools: readonly ModelTool[], answer: ModelRequest["answer"], settings: PromptSettings): FixedPart {
  const described = tools.map(({ name, about, input }) => ({ name, about, input }));
  const toolsText = canonicalJson(described);
  const toolsHash = hashText(toolsText);
  const { temperature = null, seed = null } = settings;
  const form = answer === undefined ? null : { name: answer.name, schema: answer.schema };
  const tokens = [toolsText, form === null ? "" : canonicalJson(form)].map(textTokens).reduce(addTokens);
  return { tools, answer, settings, toolsHash, hash: hashJson({ tools: toolsHash, answer: form, temperature, seed }), tokens };
}

/** The messages so far, with their hash and their tokens. */
export interface Conversation {
  readonly messages: readonly ModelMessage[];
  /** SHA-256 in hex of all messages, chained. */
  readonly hash: string;
  readonly tokens: Tokens;
}

const EMPTY: Conversation = { messages: [], hash: hashText("conversation"), tokens: NO_TOKENS };

/** Makes a conversation of these messages. */
export function conversationOf(messages: readonly ModelMessage[]): Conversation {
  return withMessages(EMPTY, messages);
}

/** Adds messages. The cost is that of the added ones. */
export function withMessages(conversation: Conversation, added: readonly ModelMessage[]): Conversation {
  if (added.length === 0) return conversation;
  let { hash, tokens } = conversation;
  for (const message of added) {
    // A message is JSON but for properties that are undefined, which the canonical text leaves out.
    hash = hashText(`${hash}\n${canonicalJson(message as unknown as Json)}`);
    tokens = addTokens(tokens, messageTokens(message));
  }
  return { messages: [...conversation.messages, ...added], hash, tokens };
}

/** What is particular to one model call. */
export interface CallParts {
  readonly model: string;
  readonly conversation: Conversation;
  /** SHA-256 in hex of the instructions. */
  readonly prompt: string;
  /** Absent: the instructions have no versions. */
  readonly promptVersion?: string | undefined;
  readonly toolChoice: ModelRequest["toolChoice"];
  readonly outputTokensMax: number;
  readonly rung: string | undefined;
}

/** Makes a model call. */
export function callOf(fixed: FixedPart, parts: CallParts): ModelCall {
  const { model, conversation, prompt, promptVersion, toolChoice, outputTokensMax, rung } = parts;
  const { temperature, seed } = fixed.settings;
  const sampling = { ...(temperature === undefined ? {} : { temperature }), ...(seed === undefined ? {} : { seed }) };
  const { tools, answer } = fixed;
  return {
    model,
    request: {
      messages: conversation.messages,
      tools,
      toolChoice,
      ...(answer === undefined ? {} : { answer }),
      outputTokensMax,
      ...sampling,
    },
    hash: hashText([conversation.hash, fixed.hash, model, toolChoice, outputTokensMax].join("\n")),
    facts: {
      prompt,
      ...(promptVersion === undefined ? {} : { promptVersion }),
      tools: fixed.toolsHash,
      messages: conversation.messages.length,
      outputTokensMax,
      ...sampling,
      ...(rung === undefined ? {} : { rung }),
    },
    inputTokensMax: fixed.tokens.max + conversation.tokens.max,
  };
}
