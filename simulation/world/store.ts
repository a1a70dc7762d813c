/**
 * @module The simulated state store: insert-only, and as unreliable as a store behind a sidecar.
 *
 * A write may be lost, be made without an answer, or be made long after its caller gave it up. Reads return the contents at
 * the moment of the answer. The store can be unavailable for a while, and can lose its latest writes.
 */
import type { InsertResult, StateStore, Tagged } from "../../actors/engine/ports.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import type { Life } from "./life.ts";
import type { World } from "./world.ts";

/** A write that the store made, in the order of making. */
export interface Written {
  readonly atMs: number;
  readonly key: string;
  readonly text: string;
  readonly life: string;
}

interface Cell {
  readonly text: string;
  content: Json | undefined;
  /** One more with each replacement. */
  readonly version: number;
}

const LATE_MS_MIN = 500;
const LATE_MS_MAX = 15_000;
const UNAVAILABLE_MS = 20;

export class SimStore {
  readonly writes: Written[] = [];
  readonly #world: World;
  readonly #cells = new Map<string, Cell>();
  readonly #late = new Set<string>();
  #awayUntilMs = -1;
  forgot = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** The store as one host sees it. */
  of(life: Life): StateStore {
    return {
      read: (keys) => this.#read(life, () => this.peek(keys)),
      insert: (key, text) => this.#insert(life, key, text),
      tagged: (key) => this.#read(life, () => this.#tagged(key)),
      replace: (key, text, tag) =>
        this.#change(life, text === undefined ? `remove ${key}` : `replace ${key}`, () => this.#replace(life, key, text, tag)),
      remove: async (keys) => {
        const done = await this.#change(life, `remove ${keys.length} keys from ${keys[0] ?? ""}`, () => this.#remove(keys));
        if (!done) throw new Fault("store.unavailable", "the simulated store does not answer");
      },
    };
  }

  /** Whether a write of the key was made after its host had been told that its result is unknown. */
  wasLate(key: string): boolean {
    return this.#late.has(key);
  }

  #tagged(key: string): Tagged | undefined {
    const content = this.content(key);
    return content === undefined ? undefined : { content, tag: String(this.#cells.get(key)?.version) };
  }

  /** A replacement or removal: as unreliable as an insert. */
  #change(life: Life, what: string, make: () => boolean): Promise<boolean> {
    const { faults, random } = this.#world;
    return this.#world.port(life, what, true, (resolve) => {
      const answer = (done: boolean, delayMs: number): void => this.#world.toLife(life, delayMs, () => resolve(done));
      if (this.isAway || faults.happens("writeLost", random.store)) return answer(false, UNAVAILABLE_MS);
      const unanswered = faults.happens("writeUnanswered", random.store);
      const done = make();
      answer(done && !unanswered, this.#world.latency());
    });
  }

  #replace(life: Life, key: string, text: string | undefined, tag: string): boolean {
    const cell = this.#cells.get(key);
    if (cell === undefined || String(cell.version) !== tag) return false;
    if (text === undefined) return this.#remove([key]);
    this.#cells.set(key, { text, content: undefined, version: cell.version + 1 });
    this.#world.wrote(life, key, text);
    return true;
  }

  #remove(keys: readonly string[]): boolean {
    for (const key of keys) if (this.#cells.delete(key)) this.#world.options.observeRemoved?.(this.#world, key);
    return true;
  }

  /** A read returns the contents at the moment of its answer. */
  #read<T>(life: Life, look: () => T): Promise<T> {
    const { faults, random } = this.#world;
    return this.#world.port(life, "read", false, (resolve, reject) => {
      const fails = faults.happens("readFails", random.store) || this.isAway;
      this.#world.toLife(life, fails ? UNAVAILABLE_MS : this.#world.latency(), () => {
        if (fails) reject(new Fault("store.unavailable", "the simulated store does not answer"));
        else resolve(look());
      });
    });
  }

  #insert(life: Life, key: string, text: string): Promise<InsertResult> {
    const { faults, random } = this.#world;
    return this.#world.port(life, `write ${key}`, true, (resolve) => {
      const answer = (result: InsertResult, delayMs: number): void => this.#world.toLife(life, delayMs, () => resolve(result));
      if (this.isAway || faults.happens("writeLost", random.store)) return answer("unknown", UNAVAILABLE_MS);
      if (faults.happens("writeLate", random.store)) {
        this.#world.timeline.after(random.store.int(LATE_MS_MIN, LATE_MS_MAX), () => {
          this.#late.add(key);
          this.put(life, key, text);
        });
        return answer("unknown", UNAVAILABLE_MS);
      }
      const unanswered = faults.happens("writeUnanswered", random.store);
      const result = this.put(life, key, text);
      answer(unanswered ? "unknown" : result, this.#world.latency());
    });
  }

  /** Insert-only: a second write to a key is refused. */
  put(life: Life, key: string, text: string): InsertResult {
    if (this.#cells.has(key)) return "refused";
    this.#cells.set(key, { text, content: undefined, version: 1 });
    this.writes.push({ atMs: this.#world.timeline.nowMs, key, text, life: life.name });
    this.#world.wrote(life, key, text);
    return "inserted";
  }

  /** Overwrites a key, which no store of this system does. Only for planted bugs. */
  overwrite(life: Life, key: string, text: string): void {
    this.#cells.delete(key);
    this.put(life, key, text);
  }

  /** The current contents of some keys. */
  peek(keys: readonly string[]): Map<string, Json> {
    const found = new Map<string, Json>();
    for (const key of keys) {
      const content = this.content(key);
      if (content !== undefined) found.set(key, content);
    }
    return found;
  }

  /** The current content of one key. */
  content(key: string): Json | undefined {
    const cell = this.#cells.get(key);
    if (cell === undefined) return undefined;
    cell.content ??= JSON.parse(cell.text) as Json;
    return cell.content;
  }

  /** The text under a key now. */
  text(key: string): string | undefined {
    return this.#cells.get(key)?.text;
  }

  get keys(): IterableIterator<string> {
    return this.#cells.keys();
  }

  /** Whether the store does not answer now. */
  get isAway(): boolean {
    return this.#world.timeline.nowMs < this.#awayUntilMs;
  }

  goAway(forMs: number): void {
    this.#awayUntilMs = this.#world.timeline.nowMs + forMs;
  }

  comeBack(): void {
    this.#awayUntilMs = -1;
  }

  /** Loses the writes of the last `ms`. */
  forget(ms: number): void {
    const sinceMs = this.#world.timeline.nowMs - ms;
    this.forgot = true;
    for (const write of this.writes) if (write.atMs > sinceMs) this.#cells.delete(write.key);
  }
}
