/**
 * @module An index over the words of facts. Pure.
 *
 * It can be built again from the facts at any time and is never a truth: what it finds is looked up and checked before it is handed out. A
 * fact that goes leaves it at once, with all its words.
 */
import MiniSearch from "minisearch";
import type { Json } from "../faults.ts";
import { LIMITS } from "../limits.ts";

/** What is indexed of a version of a fact. */
export interface IndexedFact {
  readonly id: string;
  readonly version: number;
  readonly key?: string | undefined;
  readonly atMs: number;
  readonly text: string;
}

/** A typing error in a fifth of a word's characters is forgiven. */
const FUZZY_SHARE = 0.2;
/** Words that begin with the one that was asked for count, from this length on. */
const PREFIX_LENGTH_MIN = 4;
/** What is a word of the key counts more than one of the text. */
const KEY_BOOST_RATIO = 2;

/** The words of a fact's content: keys, texts and numbers, in their order, up to LIMITS.searchedCharsMax. */
export function wordsOf(value: Json): string {
  const parts: string[] = [];
  let length = 0;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined && length < LIMITS.searchedCharsMax; next = open.pop()) {
    if (Array.isArray(next)) open.push(...next.toReversed());
    else if (typeof next === "object" && next !== null)
      open.push(
        ...Object.entries(next)
          .toReversed()
          .flatMap(([key, part]) => [part, key]),
      );
    else if (typeof next === "string" || typeof next === "number") {
      const part = String(next);
      parts.push(part);
      length += part.length + 1;
    }
  }
  return parts.join(" ").slice(0, LIMITS.searchedCharsMax);
}

/** An index over the facts of one memory. */
export class FactIndex {
  readonly #facts = new Map<string, IndexedFact>();
  #chars = 0;
  readonly #index = new MiniSearch<IndexedFact>({
    fields: ["key", "text"],
    searchOptions: {
      boost: { key: KEY_BOOST_RATIO },
      fuzzy: (term) => (term.length >= PREFIX_LENGTH_MIN ? FUZZY_SHARE : false),
      prefix: (term) => term.length >= PREFIX_LENGTH_MIN,
    },
  });

  /** Number of facts. */
  get size(): number {
    return this.#facts.size;
  }

  /** Characters of the facts. */
  get chars(): number {
    return this.#chars;
  }

  /** Number of words that the index knows. */
  get words(): number {
    return this.#index.termCount;
  }

  has({ id, version }: Pick<IndexedFact, "id" | "version">): boolean {
    return this.#facts.get(id)?.version === version;
  }

  /** Ids of the facts in the index. */
  ids(): readonly string[] {
    return [...this.#facts.keys()];
  }

  /** Adds a fact, in the place of another version of it. */
  put(fact: IndexedFact): void {
    this.remove(fact.id);
    const kept = { ...fact, text: fact.text.slice(0, LIMITS.searchedCharsMax) };
    this.#facts.set(fact.id, kept);
    this.#index.add(kept);
    this.#chars += charsOf(kept);
  }

  /** Removes a fact with all its words. `discard` of the library would keep the words until a later cleaning. */
  remove(id: string): void {
    const known = this.#facts.get(id);
    if (known === undefined) return;
    this.#index.remove(known);
    this.#facts.delete(id);
    this.#chars -= charsOf(known);
  }

  /** Ids of the facts that hold one of the words or one like it, best first; of equally good ones the newest first. */
  find(text: string): readonly string[] {
    return this.#index
      .search(text)
      .map(({ id, score }) => ({ id: id as string, score, atMs: this.#facts.get(id as string)?.atMs ?? 0 }))
      .sort((left, right) => right.score - left.score || right.atMs - left.atMs || (left.id < right.id ? -1 : 1))
      .map(({ id }) => id);
  }
}

function charsOf({ text, key = "" }: IndexedFact): number {
  return text.length + key.length;
}
