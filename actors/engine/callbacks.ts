/** @module Callbacks by id, such as for each record of a process that this host writes. */

/** Callbacks by id. */
export class Callbacks {
  readonly #news = new Map<string, Set<() => void>>();

  /** Calls `news` at every {@link tell} of the id, until the returned function is called. `news` must not throw. */
  watch(id: string, news: () => void): () => void {
    const known = this.#news.get(id) ?? new Set();
    // A wrapper of its own, so that the same callback can be registered twice.
    const told = (): void => news();
    this.#news.set(id, known.add(told));
    return () => {
      known.delete(told);
      if (known.size === 0 && this.#news.get(id) === known) this.#news.delete(id);
    };
  }

  /** Calls the callbacks of an id. */
  tell(id: string): void {
    const known = this.#news.get(id);
    if (known !== undefined) for (const told of known) told();
  }
}
