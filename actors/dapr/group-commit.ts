/**
 * @module Group commit: inserts that come while a request is in flight go together in the next one.
 *
 * sqlite and postgres keep first-write inside `/transaction` and roll back. On redis a transaction loses the first-write
 * mark, so there a group is one plain save request: as many independent inserts in no order, each with its own mark, of
 * which a failed answer says nothing. How much it gains: docs/dapr-client.md.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../../runtime/faults.ts";
import type { InsertResult, StateStore, Tagged } from "../engine/ports.ts";
import { segment, type SidecarClient } from "./client.ts";
import { DaprStore, itemText } from "./store.ts";

/** Inserts in one request. More gain nothing and hold the others up longer. */
const GROUP_INSERTS_MAX = 64;
/** Bytes of one request's keys and texts, so that the request stays below the sidecar's limit also when quoting doubles them. */
const GROUP_BYTES_MAX = LIMITS.bodyBytesMax / 4;
const STATUS_NO_CONTENT = 204;

/** Records of an actor are numbered: `<system>/<type>/<id>/<sequence>`. */
const NUMBERED = /\/\d+$/;

interface Waiting {
  readonly key: string;
  readonly text: string;
  /** Inserts of one group never stand in one request. */
  readonly group: string;
  readonly bytes: number;
  readonly resolve: (result: InsertResult) => void;
}

/** How a store takes a group of inserts. */
interface Grouping {
  /** `transaction`: all or none. `save`: each for itself; only a full success says anything. */
  readonly request: "transaction" | "save";
  /** Requests in flight at once. */
  readonly inFlightMax: number;
}

/**
 * By the type of the store; a store that is not here was not proved to keep first-write in groups. sqlite has one writer,
 * so a second transaction only waits for its lock. On redis a request costs more than what it holds, so fewer and larger ones
 * are best. Measured in docs/dapr-client.md.
 */
const GROUPINGS: ReadonlyMap<string, Grouping> = new Map([
  ["state.sqlite", { request: "transaction", inFlightMax: 1 }],
  ["state.postgresql", { request: "transaction", inFlightMax: 2 }],
  ["state.redis", { request: "save", inFlightMax: 1 }],
]);

/** The store behind a component: with group commit where its type allows that. */
export function openStore(client: SidecarClient, component: string, type: string | undefined): StateStore {
  const single = new DaprStore(client, component);
  const grouping = type === undefined ? undefined : GROUPINGS.get(type);
  return grouping === undefined ? single : new GroupCommitStore(client, component, single, grouping);
}

/** A {@link StateStore} that groups the inserts of another one over the same component. */
export class GroupCommitStore implements StateStore {
  readonly #client: SidecarClient;
  readonly #path: string;
  readonly #single: StateStore;
  readonly #grouping: Grouping;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  /** The last request had several inserts: others will come in this turn of the event loop too. */
  #crowded = false;
  #gathering = false;

  constructor(client: SidecarClient, component: string, single: StateStore, grouping: Grouping) {
    this.#grouping = grouping;
    this.#client = client;
    this.#path = `/v1.0/state/${segment(component)}${grouping.request === "transaction" ? "/transaction" : ""}`;
    this.#single = single;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    return this.#single.read(keys);
  }

  tagged(key: string): Promise<Tagged | undefined> {
    return this.#single.tagged(key);
  }

  replace(key: string, text: string | undefined, tag: string): Promise<boolean> {
    return this.#single.replace(key, text, tag);
  }

  remove(keys: readonly string[]): Promise<void> {
    return this.#single.remove(keys);
  }

  insert(key: string, text: string): Promise<InsertResult> {
    return new Promise((resolve) => {
      this.#waiting.push({ key, text, group: groupOf(key), bytes: key.length + Buffer.byteLength(text), resolve });
      this.#wake();
    });
  }

  /** Whose inserts were answered together go on together: were the first of them sent at once, it would go alone, before the others. */
  #wake(): void {
    if (!this.#crowded) return this.#next();
    if (this.#gathering) return;
    this.#gathering = true;
    setImmediate(() => {
      this.#gathering = false;
      if (this.#waiting.length === 0 && this.#inFlight === 0) this.#crowded = false;
      this.#next();
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#grouping.inFlightMax) {
      const group = this.#take();
      this.#inFlight += 1;
      this.#crowded = group.length > 1;
      void this.#write(group).finally(() => {
        this.#inFlight -= 1;
        this.#wake();
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
      const fits =
        group.length < GROUP_INSERTS_MAX && !groups.has(insert.group) && (group.length === 0 || bytes + insert.bytes <= GROUP_BYTES_MAX);
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
    const result = group.length > 1 ? await this.#together(group) : "refused";
    if (result !== "refused") return tell(group, result);
    // Alone, or the group was refused: each finds out by itself.
    const left = group.length > 1 && this.#grouping.request === "save" ? await this.#unwritten(group) : group;
    await Promise.all(left.map(async (insert) => insert.resolve(await this.#single.insert(insert.key, insert.text))));
  }

  /** A save that failed may have written a part of its group: who stands in the store is told so, the others are given back. */
  async #unwritten(group: readonly Waiting[]): Promise<readonly Waiting[]> {
    try {
      const found = await this.#single.read(group.map((insert) => insert.key));
      return group.filter((insert) => {
        const content = found.get(insert.key);
        if (content !== undefined) insert.resolve(JSON.stringify(content) === insert.text ? "inserted" : "refused");
        return content === undefined;
      });
    } catch {
      tell(group, "unknown");
      return [];
    }
  }

  async #together(group: readonly Waiting[]): Promise<InsertResult> {
    try {
      const answer = await this.#client.call({ method: "POST", path: this.#path, body: bodyOf(this.#grouping.request, group) });
      return answer.status === STATUS_NO_CONTENT ? "inserted" : "refused";
    } catch {
      // No answer: it may have been written, or may be written yet. Each owner reads its own key back.
      return "unknown";
    }
  }
}

function tell(group: readonly Waiting[], result: InsertResult): void {
  for (const insert of group) insert.resolve(result);
}

function bodyOf(request: Grouping["request"], group: readonly Waiting[]): string {
  const items = group.map(({ key, text }) => itemText(key, text));
  if (request === "save") return `[${items.join(",")}]`;
  return `{"operations":[${items.map((item) => `{"operation":"upsert","request":${item}}`).join(",")}]}`;
}

/**
 * What a key must not share a request with. A record presumes the one before it: were both in one refused
 * request, the later one could get in alone. Other keys (values, snapshots by hash) presume nothing.
 */
function groupOf(key: string): string {
  return key.replace(NUMBERED, "");
}
