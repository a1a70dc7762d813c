/** @module The search for facts by text: an index that can be made again from the facts at any time. */
import type { Json } from "../../runtime/faults.ts";
import type { Fact } from "../../runtime/memory/fact.ts";

/** Finds facts of one memory by words. It runs on the host that has the memory. */
export interface FactSearch {
  /**
   * The ids of facts that match, best first. `facts` are those that the memory holds now, each with its content; `contentsOf` reads contents
   * of some of them. What is not among them is not found.
   */
  find(asked: {
    readonly memory: string;
    readonly facts: readonly Fact[];
    readonly text: string;
    readonly contentsOf: (facts: readonly Fact[]) => Promise<readonly (Json | undefined)[]>;
  }): Promise<readonly string[]>;
  /** Drops what is held of a memory, or of some of its facts. */
  drop(memory: string, ids?: readonly string[]): void;
}

const WORD = /[\p{L}\p{N}]+/gu;

/** Searches without an index: reads every content and counts the words that it has. */
export const plainSearch: FactSearch = {
  find: async ({ facts, text, contentsOf }) => {
    const words = new Set(wordsOf(text));
    const contents = await contentsOf(facts);
    const hits = facts.map(({ id, key = "" }, index) => {
      const there = new Set(wordsOf(`${key} ${JSON.stringify(contents[index] ?? null)}`));
      return { id, count: [...words].filter((word) => there.has(word)).length };
    });
    return hits
      .filter(({ count }) => count > 0)
      .sort((left, right) => right.count - left.count)
      .map(({ id }) => id);
  },
  drop: () => {},
};

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(WORD) ?? [];
}
