/** @module A store that is chosen once the sidecar has reported its components. Until then it is unavailable. */
import { Fault, type Json } from "../../runtime/faults.ts";
import type { InsertResult, StateStore, Tagged } from "../engine/ports.ts";

/** Before `open` is called, reads and removals throw `sidecar.unavailable`, and writes are `unknown`. */
export class LateStore implements StateStore {
  #store: StateStore | undefined;

  open(store: StateStore): void {
    this.#store = store;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    return this.#opened().read(keys);
  }

  async insert(key: string, text: string): Promise<InsertResult> {
    return this.#store === undefined ? "unknown" : this.#store.insert(key, text);
  }

  async tagged(key: string): Promise<Tagged | undefined> {
    return this.#opened().tagged(key);
  }

  async replace(key: string, text: string | undefined, tag: string): Promise<boolean> {
    return this.#store === undefined ? false : this.#store.replace(key, text, tag);
  }

  async remove(keys: readonly string[]): Promise<void> {
    return this.#opened().remove(keys);
  }

  #opened(): StateStore {
    if (this.#store === undefined) throw new Fault("sidecar.unavailable", "the sidecar has not been reached yet");
    return this.#store;
  }
}
