/**
 * @module One turn at a time per actor, kept outside the actor.
 *
 * Dapr's own turn lock can let two turns overlap (dapr 1.18.2 pkg/actors/targets/app/lock/lock.go: a waiter that gives
 * up releases the running turn), so the host has its own.
 */
import { Fault } from "../../runtime/faults.ts";

/** One line for each key, in which at most `waitingMax` calls wait or run. */
export class KeyedMutex {
  /** Who waits behind the one that runs; absent where nobody runs. */
  readonly #lines = new Map<string, (() => void)[]>();
  readonly #waitingMax: number;

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /** Waits until all calls that came before have left the key. Whoever entered must leave. Throws `actor.busy` when the line is too long. */
  async enter(key: string): Promise<void> {
    const line = this.#lines.get(key);
    if (line === undefined) {
      this.#lines.set(key, []);
      return;
    }
    if (line.length + 1 >= this.#waitingMax) throw new Fault("actor.busy", `${line.length + 1} turns wait for ${key}`);
    await new Promise<void>((resolve) => void line.push(resolve));
  }

  /** Gives the place to the next in the line. */
  leave(key: string): void {
    const next = this.#lines.get(key)?.shift();
    if (next === undefined) this.#lines.delete(key);
    else next();
  }

  /** Runs alone among all calls with the same key, in the order of calls. Throws `actor.busy` when the line is too long. */
  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    await this.enter(key);
    try {
      return await action();
    } finally {
      this.leave(key);
    }
  }

  /** Turns waiting or running. */
  get size(): number {
    let total = 0;
    for (const line of this.#lines.values()) total += 1 + line.length;
    return total;
  }
}
