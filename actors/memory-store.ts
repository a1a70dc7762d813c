/**
 * @module An in-memory state store with the semantics of the real one, and the ways in which a real one fails.
 */
import { Fault, type Json } from "../runtime/faults.ts";
import type { InsertResult, StateStore } from "./ports.ts";

/** How a write goes that nobody hears of. `before`: it was never made. `after`: it was made. */
export type LostWrite = "before" | "after";

/** A {@link StateStore} in memory. Texts are kept as texts, so that nobody can change what was written. */
export class MemoryStore implements StateStore {
  readonly #texts = new Map<string, string>();
  readonly #lost: LostWrite[] = [];
  #available = true;

  async insert(key: string, text: string): Promise<InsertResult> {
    // A sidecar answers 400 to what is no JSON, which says nothing about the key.
    if (!this.#available || !isJson(text)) return "unknown";
    const lost = this.#lost.shift();
    if (lost === "before") return "unknown";
    const refused = this.#texts.has(key);
    if (!refused) this.#texts.set(key, text);
    if (lost === "after") return "unknown";
    return refused ? "refused" : "inserted";
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    if (!this.#available) throw new Fault("store.unavailable", "the state store in memory was told to be unavailable");
    const found = new Map<string, Json>();
    for (const key of keys) {
      const text = this.#texts.get(key);
      if (text !== undefined) found.set(key, JSON.parse(text) as Json);
    }
    return found;
  }

  /** The answers to the next writes are lost, in this order. */
  loseNext(...writes: readonly LostWrite[]): void {
    this.#lost.push(...writes);
  }

  /** While unavailable, reads throw and writes are unknown and not made. */
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
    // Told by the result.
    return false;
  }
}
