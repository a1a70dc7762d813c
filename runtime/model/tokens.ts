/** @module How many tokens a text takes: an estimate, and an upper bound for reservations. Pure. */
import { estimateTokenCount } from "tokenx";
import { textBytes } from "../canonical.ts";
import { LIMITS } from "../limits.ts";
import type { ModelMessage } from "./conversation.ts";

/** Tokens of a text or request. */
export interface Tokens {
  /** The most likely number. */
  readonly estimate: number;
  /** At least the real number, for any common tokenizer. */
  readonly max: number;
}

/** Tokens that the form of one message takes besides its texts, as an upper bound. */
const MESSAGE_TOKENS = 8;
/** Identifiers with digits, and runs without a space or punctuation: each of their characters may be a token of its own. */
const DENSE = /\w*\d\w*|[^\s.,:;!?"'(){}[\]<>]{24,}/g;

/** No tokens. */
export const NO_TOKENS: Tokens = { estimate: 0, max: 0 };

/** Counts the tokens of a text. */
export function textTokens(text: string): Tokens {
  if (text === "") return NO_TOKENS;
  const estimate = estimateTokenCount(text);
  let dense = 0;
  for (const [run] of text.matchAll(DENSE)) dense += run.length;
  // A token covers at least one byte.
  return { estimate, max: Math.min(textBytes(text), Math.ceil(estimate * LIMITS.modelTokensSafetyRatio) + dense) };
}

/** Counts the tokens of a message. */
export function messageTokens(message: ModelMessage): Tokens {
  const calls = message.role === "assistant" ? message.calls.flatMap(({ id, name, arguments: given }) => [id, name, given]) : [];
  const named = message.role === "tool" ? [message.callId, message.name] : [];
  const reasoning = message.role === "assistant" ? (message.reasoning ?? "") : "";
  const form: Tokens = { estimate: MESSAGE_TOKENS / 2, max: MESSAGE_TOKENS * (1 + calls.length) };
  return [message.text, reasoning, ...calls, ...named].map(textTokens).reduce(addTokens, form);
}

/** Adds two counts. */
export function addTokens(one: Tokens, other: Tokens): Tokens {
  return { estimate: one.estimate + other.estimate, max: one.max + other.max };
}
