/** @module Facts as handlers, commands and HTTP see them: with their content. */
import type { Json } from "../faults.ts";
import type { Label } from "../label.ts";
import type { Trust } from "./fact.ts";
import type { Withheld } from "./operations.ts";

/** What a handler wants to be remembered. */
export interface FactDraft {
  /** Facts with the same key are versions of one fact. Absent: a fact of its own. */
  readonly key?: string | undefined;
  readonly value: Json;
  /** How long it is valid, in milliseconds. @default until it is forgotten */
  readonly validMs?: number | undefined;
  /** Ids of facts that it was derived from. @default all facts that this work item has recalled */
  readonly from?: readonly string[] | undefined;
}

/** Which facts are wanted, newest and best first. Without `key` and `text`: the newest. */
export interface FactQuery {
  readonly key?: string | undefined;
  /** Words to search for. */
  readonly text?: string | undefined;
  /** Only those written at or after that time, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** At most that many, up to 64. @default 8 */
  readonly limit?: number | undefined;
}

/** Facts that were recalled, and how many were not given. */
export interface Recalled {
  readonly facts: readonly FactView[];
  readonly withheld: Withheld;
}

/** One turn of a conversation: what a work item was asked and answered. Or a summary of earlier turns, as a text. */
export interface TurnView {
  readonly fact: FactView;
  readonly tokens: number;
  readonly content: { readonly input: string; readonly output: string } | { readonly summary: string };
}

/** The earlier turns of a conversation, the oldest first, and how many were not given. */
export interface ConversationView {
  readonly turns: readonly TurnView[];
  readonly withheld: Withheld;
}

/** A fact with its content. */
export interface FactView {
  readonly id: string;
  readonly key?: string | undefined;
  readonly version: number;
  readonly value: Json;
  readonly trust: Trust;
  readonly label: Label;
  readonly atMs: number;
  readonly validUntilMs?: number | undefined;
  readonly source?: { readonly name: string; readonly id: string } | undefined;
  /** Of a turn or a summary. */
  readonly tokens?: number | undefined;
}

/**
 * The memory of a work item's agent, in the scope of that work item. Each call is recorded once: by the ids and versions of facts, never
 * by content.
 */
export interface RuntimeMemory {
  remember(draft: FactDraft): Promise<FactView>;
  recall(query: FactQuery): Promise<Recalled>;
  /** Forgets a fact, all its versions, and what was derived from it. */
  forget(id: string): Promise<void>;
  /** The facts for the first prompt of a model: those that fit a text best, then the newest. */
  relevant(text: string): Promise<Recalled>;
  conversation(): Promise<ConversationView>;
  /** Puts a summary in the place of turns. */
  summarize(turns: readonly TurnView[], summary: string, tokens: number): Promise<TurnView>;
  /** Adds this work item to the conversation, when it has succeeded. */
  addTurn(content: { readonly input: string; readonly output: string }, tokens: number): Promise<void>;
}
