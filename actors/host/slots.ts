/**
 * @module A bounded number of slots, given in the order of requests.
 */

/** Slots of one agent. The taker of a slot releases it exactly once. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Undefined if a slot was free, else a promise that resolves when one is. */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Takers that wait for a slot. */
  get waiting(): number {
    return this.#waiting.length;
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
