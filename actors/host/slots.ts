/**
 * @module A bounded number of slots, given in the order of asking.
 */

/** Whoever took a slot gives it back exactly once. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Undefined when a slot was free, else what resolves when one is. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Takers that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
