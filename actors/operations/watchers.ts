/**
 * @module Who wants to know of each record of a process that this host writes.
 */

/** Callbacks by process id. */
export class Watchers {
  readonly #news = new Map<string, Set<() => void>>();

  /** Calls `news` at every {@link tell} of the id, until the result is called. `news` must not throw. */
  watch(id: string, news: () => void): () => void {
    const known = this.#news.get(id) ?? new Set();
    // A wrapper of its own, so that one callback can be given twice.
    const told = (): void => news();
    this.#news.set(id, known.add(told));
    return () => {
      known.delete(told);
      if (known.size === 0 && this.#news.get(id) === known) this.#news.delete(id);
    };
  }

  /** A record of the process was written. */
  tell(id: string): void {
    const known = this.#news.get(id);
    if (known !== undefined) for (const told of known) told();
  }
}
