/**
 * @module Grouped reads: reads that come while enough others are in flight go together in the next request.
 *
 * A request costs more than what it reads, for Node and for daprd: a host that takes thousands of processes over reads some keys of each.
 * A read is sent after it was asked for, as it would be alone, so it shows every write that was acknowledged before. docs/dapr-client.md
 * has the gain.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../../runtime/faults.ts";

/** Requests in flight from which on reads wait for each other. */
const IN_FLIGHT_MAX = 4;
/** Keys of one request. */
const KEYS_MAX = LIMITS.loadBatchRecords;

type Read = (keys: readonly string[]) => Promise<ReadonlyMap<string, Json>>;

interface Waiting {
  readonly keys: readonly string[];
  readonly resolve: (found: ReadonlyMap<string, Json>) => void;
  readonly reject: (error: unknown) => void;
}

/** Groups the reads of one store. */
export class GroupedReads {
  readonly #read: Read;
  readonly #isAnswer: (error: unknown) => boolean;
  #waiting: Waiting[] = [];
  #inFlight = 0;

  /** `isAnswer`: whether a failed read was answered. Then one of several may be the cause, and each is read on its own. */
  constructor(read: Read, isAnswer: (error: unknown) => boolean) {
    this.#read = read;
    this.#isAnswer = isAnswer;
  }

  /** Reads keys. Throws what the store throws. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    if (keys.length >= KEYS_MAX) return this.#read(keys);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ keys, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#inFlight < IN_FLIGHT_MAX) {
      this.#inFlight += 1;
      void this.#together(this.#take()).finally(() => {
        this.#inFlight -= 1;
        // Those whose reads have just ended ask for more in this turn of the event loop.
        setImmediate(() => this.#next());
      });
    }
  }

  /** The reads that waited longest. */
  #take(): readonly Waiting[] {
    let count = 0;
    const end = this.#waiting.findIndex(({ keys }) => (count += keys.length) > KEYS_MAX);
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end));
  }

  /** Never throws. */
  async #together(group: readonly Waiting[]): Promise<void> {
    try {
      const found = await this.#read([...new Set(group.flatMap(({ keys }) => keys))]);
      for (const { keys, resolve } of group) resolve(group.length === 1 ? found : partOf(found, keys));
    } catch (error) {
      if (group.length > 1 && this.#isAnswer(error))
        await Promise.all(group.map(({ keys, resolve, reject }) => this.#read(keys).then(resolve, reject)));
      else for (const { reject } of group) reject(error);
    }
  }
}

function partOf(found: ReadonlyMap<string, Json>, keys: readonly string[]): ReadonlyMap<string, Json> {
  const part = new Map<string, Json>();
  for (const key of keys) {
    const content = found.get(key);
    if (content !== undefined) part.set(key, content);
  }
  return part;
}
