/**
 * @module The search for facts through an index in memory of each memory that is searched here.
 *
 * An index follows the facts that each search names: what is not among them leaves it before it is asked.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import { FactIndex, wordsOf } from "../../runtime/memory/fact-index.ts";
import { LruMap } from "../engine/lru.ts";
import type { FactSearch, Searched } from "./fact-search.ts";

/** Contents that are loaded at once to be indexed. */
const LOADED_COUNT = 64;

/** The indexes of one host. */
export class IndexedSearch implements FactSearch {
  readonly #indexes = new LruMap<string, FactIndex>(LIMITS.indexedMemoriesMax, LIMITS.indexedCharsMax);
  /** How often something was dropped. A search during which that happens keeps no index, which may hold what was dropped. */
  #drops = 0;

  /** Number of memories that have an index here. */
  get size(): number {
    return this.#indexes.size;
  }

  async find({ memory, facts, text, contentsOf }: Searched): Promise<readonly string[]> {
    const drops = this.#drops;
    const index = this.#indexes.get(memory) ?? new FactIndex();
    const there = new Set(facts.map(({ id }) => id));
    for (const id of index.ids()) if (!there.has(id)) index.remove(id);
    const news = facts.filter((fact) => !index.has(fact));
    for (let at = 0; at < news.length; at += LOADED_COUNT) await add(index, news.slice(at, at + LOADED_COUNT), contentsOf);
    if (this.#drops === drops) this.#indexes.set(memory, index, index.chars);
    else this.#indexes.delete(memory);
    return index.find(text).filter((id) => there.has(id));
  }

  drop(memory: string, ids?: readonly string[]): void {
    this.#drops += 1;
    const index = this.#indexes.get(memory);
    if (index === undefined) return;
    if (ids === undefined) return this.#indexes.delete(memory);
    for (const id of ids) index.remove(id);
  }
}

/** A fact without a content has gone since. */
async function add(index: FactIndex, facts: readonly Fact[], contentsOf: Searched["contentsOf"]): Promise<void> {
  const contents = await contentsOf(facts);
  for (const [at, { id, version, atMs }] of facts.entries()) {
    const content = contents[at];
    if (content !== undefined) index.put({ id, version, key: content.key, atMs, text: wordsOf(content.value) });
  }
}
