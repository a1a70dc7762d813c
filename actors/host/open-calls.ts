/**
 * @module The open calls and steps of one execution: an attempt ends when all of them have settled.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Fault } from "../../runtime/faults.ts";

const within = new AsyncLocalStorage<OpenCalls>();

/** Counts open calls, and recognizes code that runs inside a call. */
export class OpenCalls {
  #open = 0;
  #settled: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  get count(): number {
    return this.#open;
  }

  /** Throws `call.nested` inside the function of a call, step or undo of this execution. */
  requireOutside(what: string): void {
    if (within.getStore() === this)
      throw new Fault("call.nested", `${what} was made within a call or step; make it in the handler`, { what });
  }

  /** Counts a call until its end is recorded. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.#open += 1;
    try {
      return await call();
    } finally {
      this.#open -= 1;
      if (this.#open === 0) this.#settled?.resolve();
    }
  }

  /** Runs the user function of a call. */
  inside<T>(action: () => T): T {
    return within.run(this, action);
  }

  /** Undefined if no call is open, else a promise that resolves when all have settled. */
  settled(): Promise<void> | undefined {
    if (this.#open === 0) return undefined;
    this.#settled ??= Promise.withResolvers<void>();
    return this.#settled.promise;
  }
}
