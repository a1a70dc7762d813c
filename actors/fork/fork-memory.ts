/**
 * @module The memory of a handler in a forked run: nothing is read but what the record has, and nothing is kept.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { ConversationView, FactDraft, FactView, Recalled, RuntimeMemory, TurnView } from "../../runtime/memory/view.ts";
import type { Json } from "../../runtime/faults.ts";
import type { ForkEnd } from "./fork-end.ts";

/** The parts of a memory of an execution. */
export interface ForkMemoryParts {
  readonly agent: string;
  readonly end: ForkEnd;
  /** What the record has of a read, by what was asked for. Absent: it was not made. */
  readonly recalled: (act: "recall" | "relevant" | "conversation", query: Json) => Recalled | undefined;
  readonly now: () => number;
}

/** The memory of one execution. */
export class ForkMemory implements RuntimeMemory {
  readonly #parts: ForkMemoryParts;
  #made = 0;

  constructor(parts: ForkMemoryParts) {
    this.#parts = parts;
  }

  async recall(query: Parameters<RuntimeMemory["recall"]>[0]): Promise<Recalled> {
    const { key = null, text = null, sinceMs = null, limit = LIMITS.factsRecalledDefault } = query;
    return this.#read("recall", { key, text, sinceMs, limit });
  }

  async relevant(text: string): Promise<Recalled> {
    return this.#read("relevant", text);
  }

  async conversation(): Promise<ConversationView> {
    const { facts, withheld } = await this.#read("conversation", null);
    return {
      turns: facts.map((fact) => ({ fact, tokens: fact.tokens ?? 0, content: fact.value as TurnView["content"] })).reverse(),
      withheld,
    };
  }

  async #read(act: "recall" | "relevant" | "conversation", query: Json): Promise<Recalled> {
    const { recalled, end, agent } = this.#parts;
    return recalled(act, query) ?? end.unknown({ agent, what: "memory", name: act, input: query });
  }

  async remember({ key, value }: FactDraft): Promise<FactView> {
    return this.#fact(value, key);
  }

  async forget(): Promise<void> {}

  async summarize(_turns: readonly TurnView[], summary: string, tokens: number): Promise<TurnView> {
    return { fact: this.#fact({ summary }, undefined), tokens, content: { summary } };
  }

  async addTurn(): Promise<void> {}

  #fact(value: Json, key: string | undefined): FactView {
    this.#made += 1;
    return {
      id: `forked-${this.#made}`,
      version: 1,
      value,
      trust: "model",
      label: [],
      atMs: this.#parts.now(),
      ...(key === undefined ? {} : { key }),
    };
  }
}
