/**
 * @module A store that is chosen when the sidecar has told what it has; until then it does not answer.
 */
import { Fault, type Json } from "../runtime/faults.ts";
import type { InsertResult, StateStore } from "./ports.ts";

/** Until `open` is called, reads throw `store.unavailable` and inserts give `unknown`. */
export class LateStore implements StateStore {
  #store: StateStore | undefined;

  open(store: StateStore): void {
    this.#store = store;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    if (this.#store === undefined) throw new Fault("store.unavailable", "the sidecar has not been reached yet");
    return this.#store.read(keys);
  }

  async insert(key: string, text: string): Promise<InsertResult> {
    return this.#store === undefined ? "unknown" : this.#store.insert(key, text);
  }
}
