/**
 * @module The search for facts by key, time and text. Pure.
 *
 * It is an index in memory that can be built again from the facts at any time, and never a truth: what it finds is looked up and checked
 * before it is handed out. A fact that goes leaves it at once, with all its words.
 */
import MiniSearch from "minisearch";
import type { Json } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { FactQuery } from "./view.ts";

/** What is indexed of a fact. */
export interface SearchedFact {
  readonly id: string;
  readonly key?: string | undefined;
  readonly atMs: number;
  readonly text: string;
}

const FACTS_DEFAULT = 8;
/** A typing error in a fifth of a word's characters is forgiven. */
const FUZZY_SHARE = 0.2;
/** Words that begin with the one that was asked for count, from this length on. */
const PREFIX_LENGTH_MIN = 4;
/** What is a word of the key counts more than one of the text. */
const KEY_BOOST = 2;

/** The words of a fact's content: keys, texts and numbers, in their order, up to LIMITS.searchCharsMax. */
export function wordsOf(value: Json): string {
  const parts: string[] = [];
  let length = 0;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined && length < LIMITS.searchCharsMax; next = open.pop()) {
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
  return parts.join(" ").slice(0, LIMITS.searchCharsMax);
}

/** An index over the facts of one memory. */
export class FactSearch {
  readonly #facts = new Map<string, SearchedFact>();
  #chars = 0;
  readonly #index = new MiniSearch<SearchedFact>({
    fields: ["key", "text"],
    searchOptions: {
      boost: { key: KEY_BOOST },
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

  has(id: string): boolean {
    return this.#facts.has(id);
  }

  /** Ids of the facts in the index. */
  ids(): Iterable<string> {
    return this.#facts.keys();
  }

  /** Adds a fact, in the place of one with the same id. */
  put(fact: SearchedFact): void {
    this.remove(fact.id);
    const kept = { ...fact, text: fact.text.slice(0, LIMITS.searchCharsMax) };
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

  /** Ids of the facts that fit, best and newest first; `accepts` leaves facts out. */
  find({ key, text, sinceMs = 0, limit = FACTS_DEFAULT }: FactQuery, accepts: (id: string) => boolean = () => true): readonly string[] {
    const fits = (fact: SearchedFact | undefined): fact is SearchedFact =>
      fact !== undefined && fact.atMs >= sinceMs && (key === undefined || fact.key === key) && accepts(fact.id);
    const words = text?.slice(0, LIMITS.searchQueryCharsMax).trim() ?? "";
    if (words === "")
      return [...this.#facts.values()]
        .filter(fits)
        .sort(newestFirst)
        .slice(0, limit)
        .map(({ id }) => id);
    return this.#index
      .search(words)
      .map(({ id, score }) => ({ fact: this.#facts.get(id as string), score }))
      .filter((found): found is { readonly fact: SearchedFact; readonly score: number } => fits(found.fact))
      .sort((left, right) => right.score - left.score || newestFirst(left.fact, right.fact))
      .slice(0, limit)
      .map(({ fact }) => fact.id);
  }
}

function charsOf({ text, key = "" }: SearchedFact): number {
  return text.length + key.length;
}

/** Newest first; of two from the same moment the one with the greater id, so that the order is the same everywhere. */
function newestFirst(left: SearchedFact, right: SearchedFact): number {
  return right.atMs - left.atMs || (left.id < right.id ? 1 : -1);
}
