/**
 * @module Group commit: inserts that come while a transaction is in flight go together in the next one.
 *
 * Only for stores that keep first-write inside `/transaction` and roll back (sqlite, postgres), never redis:
 * there a transaction loses the first-write mark and is not rolled back. How much it gains: docs/dapr-client.md.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../../runtime/faults.ts";
import type { InsertResult, StateStore } from "../ports.ts";
import { segment, type SidecarClient } from "./client.ts";
import { DaprStore, itemText } from "./store.ts";

/** Inserts in one transaction. More gain nothing and hold the others up longer. */
const GROUP_INSERTS_MAX = 64;
/** Bytes of one transaction's keys and texts, so that the request stays below the sidecar's limit also when quoting doubles them. */
const GROUP_BYTES_MAX = LIMITS.bodyBytesMax / 4;
const STATUS_NO_CONTENT = 204;

/** Records of an actor are numbered: `<system>/<type>/<id>/<sequence>`. */
const NUMBERED = /\/\d+$/;

interface Waiting {
  readonly key: string;
  readonly text: string;
  /** Inserts of one group never stand in one transaction. */
  readonly group: string;
  readonly bytes: number;
  readonly resolve: (result: InsertResult) => void;
}

/**
 * Transactions in flight at once, by the type of the store; none where a transaction was not proved to keep first-write
 * and to roll back. sqlite has one writer, so a second transaction only waits for its lock. On postgres two let a few
 * callers go on without waiting for one another. Measured in docs/dapr-client.md.
 */
const IN_FLIGHT: ReadonlyMap<string, number> = new Map([
  ["state.sqlite", 1],
  ["state.postgresql", 2],
]);

/** The store behind a component: with group commit where its type allows that. */
export function openStore(client: SidecarClient, component: string, type: string | undefined): StateStore {
  const single = new DaprStore(client, component);
  const inFlight = type === undefined ? undefined : IN_FLIGHT.get(type);
  return inFlight === undefined ? single : new GroupCommitStore(client, component, single, inFlight);
}

/** A {@link StateStore} that groups the inserts of another one over the same component. */
export class GroupCommitStore implements StateStore {
  readonly #client: SidecarClient;
  readonly #path: string;
  readonly #single: StateStore;
  readonly #inFlightMax: number;
  #waiting: Waiting[] = [];
  #inFlight = 0;

  constructor(client: SidecarClient, component: string, single: StateStore, inFlightMax: number) {
    this.#inFlightMax = inFlightMax;
    this.#client = client;
    this.#path = `/v1.0/state/${segment(component)}/transaction`;
    this.#single = single;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    return this.#single.read(keys);
  }

  insert(key: string, text: string): Promise<InsertResult> {
    return new Promise((resolve) => {
      this.#waiting.push({ key, text, group: groupOf(key), bytes: key.length + Buffer.byteLength(text), resolve });
      this.#next();
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#inFlightMax) {
      const group = this.#take();
      this.#inFlight += 1;
      void this.#write(group).finally(() => {
        this.#inFlight -= 1;
        this.#next();
      });
    }
  }

  /** The longest waiting inserts, at most one record of an actor. */
  #take(): readonly Waiting[] {
    const group: Waiting[] = [];
    const left: Waiting[] = [];
    const groups = new Set<string>();
    let bytes = 0;
    for (const insert of this.#waiting) {
      const fits = group.length < GROUP_INSERTS_MAX && !groups.has(insert.group) && (group.length === 0 || bytes + insert.bytes <= GROUP_BYTES_MAX);
      if (fits) {
        group.push(insert);
        bytes += insert.bytes;
      } else left.push(insert);
      groups.add(insert.group);
    }
    this.#waiting = left;
    // One order of keys for all hosts: two transactions with the same keys in other orders would deadlock in postgres.
    return group.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Never throws. */
  async #write(group: readonly Waiting[]): Promise<void> {
    if (group.length > 1) {
      const result = await this.#transaction(group);
      if (result !== "refused") {
        for (const insert of group) insert.resolve(result);
        return;
      }
    }
    // Alone, or the transaction was refused as a whole: each finds out by itself. Whoever was written after all is
    // refused here and reads its own record back.
    await Promise.all(group.map(async (insert) => insert.resolve(await this.#single.insert(insert.key, insert.text))));
  }

  async #transaction(group: readonly Waiting[]): Promise<InsertResult> {
    const operations = group.map(({ key, text }) => `{"operation":"upsert","request":${itemText(key, text)}}`);
    try {
      const answer = await this.#client.call({ method: "POST", path: this.#path, body: `{"operations":[${operations.join(",")}]}` });
      return answer.status === STATUS_NO_CONTENT ? "inserted" : "refused";
    } catch {
      // No answer: it may have been written, or may be written yet. Each owner reads its own key back.
      return "unknown";
    }
  }
}

/**
 * What a key must not share a transaction with. A record presumes the one before it: were both in one refused
 * transaction, the later one could get in alone. Other keys (values, snapshots by hash) presume nothing.
 */
function groupOf(key: string): string {
  return key.replace(NUMBERED, "");
}
