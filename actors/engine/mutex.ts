/**
 * @module Runs one turn at a time per actor, outside the actor.
 *
 * Dapr's own turn lock can let two turns overlap (dapr 1.18.2 pkg/actors/targets/app/lock/lock.go: a waiter that gives up releases the
 * running turn), so the host has its own.
 */
import { Fault } from "../../runtime/faults.ts";

/** A first-in, first-out queue for each key, with at most `waitingMax` calls waiting or running. */
export class KeyedMutex {
  /** The calls that wait behind the running one; absent for a key without a running call. */
  readonly #lines = new Map<string, (() => void)[]>();
  readonly #waitingMax: number;

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /** Waits until all earlier calls have left the key. Each caller that entered must leave. Throws `actor.busy` when too many wait. */
  async enter(key: string): Promise<void> {
    const line = this.#lines.get(key);
    if (line === undefined) {
      this.#lines.set(key, []);
      return;
    }
    if (line.length + 1 >= this.#waitingMax) throw new Fault("actor.busy", `${line.length + 1} turns wait for ${key}`);
    await new Promise<void>((resolve) => void line.push(resolve));
  }

  /** Releases the key to the next call in the queue. */
  leave(key: string): void {
    const next = this.#lines.get(key)?.shift();
    if (next === undefined) this.#lines.delete(key);
    else next();
  }

  /**
   * Runs an action exclusively among all calls with the same key, in the order of calls.
   * @throws `actor.busy` when the queue is too long
   */
  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    await this.enter(key);
    try {
      return await action();
    } finally {
      this.leave(key);
    }
  }

  /** Number of turns that wait or run. */
  get size(): number {
    let total = 0;
    for (const line of this.#lines.values()) total += 1 + line.length;
    return total;
  }
}
