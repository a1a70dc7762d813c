/**
 * @module Values in the store: written before the record that refers to them, read once and kept.
 *
 * Content stands under its hash, so it never changes and a refused insert means that it is there already.
 */
import { Fault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { packValue, type PackedValue, type StoredValue, type Value } from "../runtime/value.ts";
import { keys } from "./journal.ts";
import { LruMap } from "./lru.ts";
import type { StateStore } from "./ports.ts";

/** The values of one system. The last LIMITS.cachedValuesMax that were read or written are kept in memory. */
export class Values {
  readonly #store: StateStore;
  readonly #system: string;
  readonly #contents = new LruMap<string, Json>(LIMITS.cachedValuesMax);

  constructor(store: StateStore, system: string) {
    this.#store = store;
    this.#system = system;
  }

  /** What is in memory now, as decisions read it. */
  get memory(): Pick<ReadonlyMap<string, Json>, "get" | "has"> {
    return this.#contents;
  }

  #known(refs: readonly string[]): Map<string, Json> {
    const found = new Map<string, Json>();
    for (const ref of refs) {
      const content = this.#contents.get(ref);
      if (content !== undefined) found.set(ref, content);
    }
    return found;
  }

  /** Contents by hash. Throws `value.missing`, `store.unavailable`. */
  async load(refs: readonly string[]): Promise<Map<string, Json>> {
    const found = this.#known(refs);
    const missing = refs.filter((ref) => !found.has(ref));
    if (missing.length === 0) return found;
    const read = await this.#store.read(missing.map((ref) => keys.value(this.#system, ref)));
    for (const ref of missing) {
      const content = read.get(keys.value(this.#system, ref));
      if (content === undefined) throw new Fault("value.missing", `the value ${ref} is not in the store`, { ref });
      this.#contents.set(ref, content);
      found.set(ref, content);
    }
    return found;
  }

  /** The content of one value. */
  async read(value: Value): Promise<Json> {
    if ("json" in value) return value.json;
    return (await this.load([value.ref])).get(value.ref) ?? null;
  }

  /** Writes values that are not known to be there. Throws `store.unavailable` when that cannot be made sure. */
  async write(stored: readonly StoredValue[]): Promise<void> {
    await Promise.all(stored.filter((value) => !this.#contents.has(value.ref)).map((value) => this.#writeOne(value)));
  }

  async #writeOne(value: StoredValue): Promise<void> {
    const key = keys.value(this.#system, value.ref);
    for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
      const result = await this.#store.insert(key, value.text);
      if (result !== "unknown" || (await this.#store.read([key])).has(key)) {
        this.#contents.set(value.ref, contentOf(value));
        return;
      }
    }
    throw new Fault("store.unavailable", `the value ${value.ref} could not be written`);
  }

  /** Stores content as a value. */
  keep(content: Json): Promise<Value> {
    return this.store(packValue(content));
  }

  /** Stores a value that was packed before. */
  async store(packed: PackedValue): Promise<Value> {
    if (packed.stored !== undefined) await this.write([packed.stored]);
    return packed.value;
  }
}

/** What was packed once, such as a slip, is written by every host of a process, and read by it from one copy. */
const contents = new WeakMap<StoredValue, Json>();

function contentOf(value: StoredValue): Json {
  const known = contents.get(value);
  if (known !== undefined) return known;
  const made = JSON.parse(value.text) as Json;
  contents.set(value, made);
  return made;
}
