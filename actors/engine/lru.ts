/** @module A map with a maximum size, and perhaps a maximum weight, that evicts the least recently used entry. */

/**
 * Holds at most `max` entries, and entries of at most `weightMax` together (a single one may be heavier). `get` and `set` make an entry
 * the most recently used; `has` does not.
 */
export class LruMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #weights = new Map<K, number>();
  readonly #max: number;
  readonly #weightMax: number;
  #weight = 0;
  #youngest: K | undefined;

  constructor(max: number, weightMax: number = Number.POSITIVE_INFINITY) {
    this.#max = max;
    this.#weightMax = weightMax;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined || key === this.#youngest) return value;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#youngest = key;
    return value;
  }

  set(key: K, value: V, weight = 0): void {
    if (key !== this.#youngest) this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#youngest = key;
    this.#weigh(key, weight);
    while (this.#entries.size > this.#max || (this.#weight > this.#weightMax && this.#entries.size > 1)) {
      const oldest = this.#entries.keys().next();
      if (oldest.done === true) return;
      this.delete(oldest.value);
    }
  }

  delete(key: K): void {
    this.#entries.delete(key);
    this.#weigh(key, 0);
  }

  /** Most maps weigh nothing. */
  #weigh(key: K, weight: number): void {
    if (weight === 0 && this.#weight === 0) return;
    this.#weight += weight - (this.#weights.get(key) ?? 0);
    if (weight === 0) this.#weights.delete(key);
    else this.#weights.set(key, weight);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The weight of all entries. */
  get weight(): number {
    return this.#weight;
  }
}
