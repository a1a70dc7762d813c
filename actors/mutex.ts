/**
 * @module One turn at a time per actor, kept outside the actor.
 *
 * Dapr's own turn lock can let two turns overlap (dapr 1.18.2 pkg/actors/targets/app/lock/lock.go: a waiter that gives
 * up releases the running turn), so the host has its own.
 */
import { Fault } from "../runtime/faults.ts";

interface Line {
  tail: Promise<void>;
  length: number;
}

/** One line for each key, in which at most `waitingMax` calls wait or run. */
export class KeyedMutex {
  readonly #lines = new Map<string, Line>();
  readonly #waitingMax: number;

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /** Runs alone among all calls with the same key, in the order of calls. Throws `actor.busy` when the line is too long. */
  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key) ?? { tail: Promise.resolve(), length: 0 };
    if (line.length >= this.#waitingMax) throw new Fault("actor.busy", `${line.length} turns wait for ${key}`);
    line.length += 1;
    this.#lines.set(key, line);
    const before = line.tail;
    let release = (): void => {};
    line.tail = new Promise((resolve) => {
      release = resolve;
    });
    try {
      await before;
      return await action();
    } finally {
      release();
      line.length -= 1;
      if (line.length === 0) this.#lines.delete(key);
    }
  }

  /** Turns waiting or running. */
  get size(): number {
    let total = 0;
    for (const line of this.#lines.values()) total += line.length;
    return total;
  }
}
