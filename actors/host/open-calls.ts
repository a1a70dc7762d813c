/**
 * @module The calls and steps of one execution that are under way: an attempt ends when all have settled.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Fault } from "../../runtime/faults.ts";

const within = new AsyncLocalStorage<OpenCalls>();

/** Counts what is under way, and knows code that runs within a call. */
export class OpenCalls {
  #open = 0;
  #settled: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  get count(): number {
    return this.#open;
  }

  /** Throws `call.nested` within the function of a call, step or undo of this execution. */
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

  /** Runs the user's function of a call. */
  inside<T>(action: () => T): T {
    return within.run(this, action);
  }

  /** Undefined when nothing is under way, else what resolves when all has settled. */
  settled(): Promise<void> | undefined {
    if (this.#open === 0) return undefined;
    this.#settled ??= Promise.withResolvers<void>();
    return this.#settled.promise;
  }
}
