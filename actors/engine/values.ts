/**
 * @module Large values in the store (claim check): written before the record that refers to them, read once and cached.
 *
 * Content is stored under its hash, so it never changes, and a refused insert means that it exists already.
 */
import { Fault, type Json } from "../../runtime/faults.ts";
import { heapSize } from "../../runtime/json-text.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { LookUp } from "../../runtime/machine.ts";
import { actorType } from "../../runtime/protocol.ts";
import { tombstoneOf } from "../../runtime/record.ts";
import { isOfMemory, packValue, type PackedValue, type StoredValue, type Value, type ValueRef } from "../../runtime/value.ts";
import { keys } from "./journal.ts";
import { LruMap } from "./lru.ts";
import type { Clock, StateStore } from "./ports.ts";

/** The values of one system. The last that were read or written are cached, as many as LIMITS.cachedValuesBytesMax holds. */
export class Values {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #system: string;
  /** Contents by hash alone: they are the same in every scope. */
  readonly #contents = new LruMap<string, Json>(LIMITS.cachedValuesMax, LIMITS.cachedValuesBytesMax);
  /** Keys that were confirmed to be in the store, and when. */
  readonly #seenAtMs = new LruMap<string, number>(LIMITS.cachedValuesMax);

  constructor(store: StateStore, clock: Clock, system: string) {
    this.#store = store;
    this.#clock = clock;
    this.#system = system;
  }

  /** Bytes of heap that the cached values take, estimated. */
  get cachedBytes(): number {
    return this.#contents.weight;
  }

  /** The cached values, as decisions read them. */
  get memory(): Pick<ReadonlyMap<string, Json>, "get" | "has"> {
    return this.#contents;
  }

  /**
   * Loads contents by hash, and what a decision looks up. Null stands for what may be absent and is; it is not cached.
   * @throws `value.missing`, `store.unavailable`
   */
  async load(refs: readonly (ValueRef | LookUp)[]): Promise<Map<string, Json>> {
    const found = new Map<string, Json>();
    const missing: (ValueRef | LookUp)[] = [];
    for (const at of refs) {
      const content = this.#contents.get(at.ref);
      if (content === undefined) missing.push(at);
      else found.set(at.ref, content);
    }
    if (missing.length === 0) return found;
    const read = await this.#store.read(missing.map((at) => this.#keyOf(at)));
    for (const at of missing) {
      const key = this.#keyOf(at);
      const content = read.get(key);
      if ("process" in at) {
        found.set(at.ref, content !== undefined && tombstoneOf(content, key) === undefined ? true : null);
        continue;
      }
      if (content === undefined && "optional" in at) {
        found.set(at.ref, null);
        continue;
      }
      if (content === undefined) throw new Fault("value.missing", `the value ${at.ref} is not in the store`, { ref: at.ref });
      this.#note(key, at, content);
      found.set(at.ref, content);
    }
    return found;
  }

  #keyOf(at: ValueRef | LookUp): string {
    if ("process" in at) return keys.record(this.#system, actorType(this.#system, "ProcessManager"), at.process, 1);
    return keys.value(this.#system, at);
  }

  /** The content of one value, loaded if necessary. */
  async read(value: Value): Promise<Json> {
    if ("json" in value) return value.json;
    return (await this.load([value])).get(value.ref) ?? null;
  }

  /**
   * Writes the values that are not known to be stored.
   * @throws `store.unavailable` when that could not be confirmed
   */
  async write(stored: readonly StoredValue[]): Promise<void> {
    await Promise.all(stored.map((value) => this.#writeOne(value)));
  }

  async #writeOne(value: StoredValue): Promise<void> {
    const key = keys.value(this.#system, value);
    if (this.#isThere(key, value)) return;
    for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
      const result = await this.#store.insert(key, value.text);
      if (result !== "unknown" || (await this.#store.read([key])).has(key)) return this.#note(key, value, JSON.parse(value.text) as Json);
    }
    throw new Fault("store.unavailable", `the value ${value.ref} could not be written`);
  }

  /**
   * Whether a key is known to be stored. A value with a scope may have been purged since, and its id may be used again, so this is
   * trusted only for a while.
   */
  #isThere(key: string, value: ValueRef): boolean {
    const seenAtMs = this.#seenAtMs.get(key);
    return seenAtMs !== undefined && (value.scope === undefined || this.#clock.nowMs() - seenAtMs < LIMITS.actorTrustMs);
  }

  /** The content of a fact is not cached: it may be forgotten at any time, on another host. */
  #note(key: string, at: ValueRef, content: Json): void {
    if (!isOfMemory(at)) this.#contents.set(at.ref, content, heapSize(content));
    this.#seenAtMs.set(key, this.#clock.nowMs());
  }

  /**
   * Removes values of a memory from the store.
   * @throws `store.unavailable` when that could not be confirmed
   */
  async remove(refs: readonly ValueRef[]): Promise<void> {
    const names = refs.map((at) => keys.value(this.#system, at));
    for (const name of names) this.#seenAtMs.delete(name);
    await this.#store.remove(names);
  }

  /** Stores content as a value of a scope. */
  keep(content: Json, scope: string): Promise<Value> {
    return this.store(packValue(content, scope));
  }

  /** Stores a value that is packed already. */
  async store(packed: PackedValue): Promise<Value> {
    if (packed.stored !== undefined) await this.write([packed.stored]);
    return packed.value;
  }
}
