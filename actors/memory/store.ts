/** @module An in-memory state store with the semantics and the failures of a real one. */
import { Fault, type Json } from "../../runtime/faults.ts";
import type { InsertResult, StateStore, Tagged } from "../engine/ports.ts";

/** How a write without an answer ends. `before`: it was not made. `after`: it was made. */
export type LostWrite = "before" | "after";

/** A {@link StateStore} in memory. It stores texts, so that callers cannot change what was written. */
export class MemoryStore implements StateStore {
  readonly #texts = new Map<string, string>();
  /** Versions of replaced keys; all other keys are in their first version. */
  readonly #versions = new Map<string, number>();
  readonly #lost: LostWrite[] = [];
  #available = true;

  async insert(key: string, text: string): Promise<InsertResult> {
    // A sidecar answers 400 to text that is not JSON, which says nothing about the key.
    if (!this.#available || !isJson(text)) return "unknown";
    const lost = this.#lost.shift();
    if (lost === "before") return "unknown";
    const refused = this.#texts.has(key);
    if (!refused) this.#texts.set(key, text);
    if (lost === "after") return "unknown";
    return refused ? "refused" : "inserted";
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    if (!this.#available) throw new Fault("store.unavailable", "the in-memory state store was set to be unavailable");
    const found = new Map<string, Json>();
    for (const key of keys) {
      const text = this.#texts.get(key);
      if (text !== undefined) found.set(key, JSON.parse(text) as Json);
    }
    return found;
  }

  async tagged(key: string): Promise<Tagged | undefined> {
    const content = (await this.read([key])).get(key);
    return content === undefined ? undefined : { content, tag: this.#tag(key) };
  }

  async replace(key: string, text: string | undefined, tag: string): Promise<boolean> {
    if (!this.#available || (text !== undefined && !isJson(text))) return false;
    const lost = this.#lost.shift();
    if (lost === "before" || !this.#texts.has(key) || this.#tag(key) !== tag) return false;
    this.#versions.set(key, Number(tag) + 1);
    if (text === undefined) this.#remove(key);
    else this.#texts.set(key, text);
    return lost !== "after";
  }

  async remove(keys: readonly string[]): Promise<void> {
    if (!this.#available) throw new Fault("store.unavailable", "the in-memory state store was set to be unavailable");
    const lost = this.#lost.shift();
    if (lost !== "before") for (const key of keys) this.#remove(key);
    if (lost !== undefined) throw new Fault("store.unavailable", "the answer was lost");
  }

  #tag(key: string): string {
    return String(this.#versions.get(key) ?? 1);
  }

  #remove(key: string): void {
    this.#texts.delete(key);
    this.#versions.delete(key);
  }

  /** Loses the answers to the next writes, in this order. */
  loseNext(...writes: readonly LostWrite[]): void {
    this.#lost.push(...writes);
  }

  /** Sets availability. While unavailable, reads throw and writes are `unknown` and not made. */
  setAvailable(available: boolean): void {
    this.#available = available;
  }

  /** Removes a key, as a broken store would. */
  drop(key: string): void {
    this.#texts.delete(key);
  }

  /** Overwrites a key, as a broken store would. */
  corrupt(key: string, text: string): void {
    this.#texts.set(key, text);
  }

  /** The keys with a prefix, sorted. */
  keys(prefix: string = ""): readonly string[] {
    return [...this.#texts.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** UTF-8 bytes of all values under a prefix. */
  bytes(prefix: string = ""): number {
    let bytes = 0;
    for (const [key, text] of this.#texts) if (key.startsWith(prefix)) bytes += Buffer.byteLength(text);
    return bytes;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The caller learns it from the result.
    return false;
  }
}
