/** @module The search for facts by text. */
import type { Fact } from "../../runtime/memory/fact.ts";
import type { FactContent } from "./fact-contents.ts";

/** What is searched in. `facts` are those that the memory holds now; `contentsOf` reads contents of some of them. */
export interface Searched {
  readonly memory: string;
  readonly facts: readonly Fact[];
  readonly text: string;
  readonly contentsOf: (facts: readonly Fact[]) => Promise<readonly (FactContent | undefined)[]>;
}

/** Finds facts of one memory by words. It runs on the host that has the memory. */
export interface FactSearch {
  /** The ids of facts that match, best first. What is not among the facts is not found. */
  find(asked: Searched): Promise<readonly string[]>;
  /** Drops what is held of a memory, or of some of its facts. */
  drop(memory: string, ids?: readonly string[]): void;
}
