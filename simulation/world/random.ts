/**
 * @module A seeded random source: sfc32 (Chris Doty-Humphrey, PractRand), small, fast and the same on every platform.
 *
 * A run uses one stream for each purpose, so that removing one fault does not move the others.
 */

const WARM_UP_ROUNDS = 12;

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  /** `stream` separates the purposes of one seed. */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = (Math.floor(seed / 0x1_0000_0000) ^ Math.imul(stream, 0x9e37_79b9)) | 0;
    this.#c = Math.imul(stream + 1, 0x85eb_ca6b) | 0;
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) this.bits();
  }

  /** 32 random bits. */
  bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error("invariant: nothing to pick from");
    return item;
  }
}

/** The purposes that draw random numbers in a run. */
export const STREAM = {
  plan: 1,
  latency: 2,
  network: 3,
  store: 4,
  reminders: 5,
  outside: 6,
  engine: 7,
  placement: 8,
  system: 9,
  crash: 10,
  leases: 11,
  models: 12,
} as const;
