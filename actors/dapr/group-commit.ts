/**
 * @module Group commit: inserts that arrive while a request is in flight are sent together in the next request.
 *
 * sqlite and postgres keep first-write inside `/transaction` and roll back. On redis a transaction loses the
 * first-write mark. There a group is one plain save request: independent inserts without an order, each with its own
 * mark. A failed answer to it says nothing about any single insert. docs/dapr-client.md has the gain.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Json } from "../../runtime/faults.ts";
import type { InsertResult, StateStore, Tagged } from "../engine/ports.ts";
import { segment, type SidecarClient } from "./client.ts";
import { GroupedReads } from "./group-read.ts";
import { DaprStore, itemText, wasAnswered } from "./store.ts";

/** Inserts in one request. More gain nothing and delay the others. */
const GROUP_INSERTS_MAX = 64;
/** Bytes of the keys and texts of one request. The request stays below the sidecar's limit even when quoting doubles them. */
const GROUP_BYTES_MAX = LIMITS.bodyBytesMax / 4;
const STATUS_NO_CONTENT = 204;

/** Records of an actor are numbered: `<system>/<type>/<id>/<sequence>`. */
const NUMBERED = /\/\d+$/;

interface Waiting {
  readonly key: string;
  readonly text: string;
  /** Inserts with the same group are never sent in one request. */
  readonly group: string;
  readonly bytes: number;
  readonly resolve: (result: InsertResult) => void;
  readonly reject: (error: unknown) => void;
}

/** How a store type takes a group of inserts. */
interface Grouping {
  /** `transaction`: all or none. `save`: each insert on its own; only full success is conclusive. */
  readonly request: "transaction" | "save";
  /** Requests in flight at once. */
  readonly inFlightMax: number;
}

/**
 * Grouping by store type. A store that is not listed was not verified to keep first-write in groups. sqlite has one
 * writer, so a second transaction would only wait for its lock. On redis a request costs more than its content, so
 * fewer and larger requests are best. Measured in docs/dapr-client.md.
 */
const GROUPINGS: ReadonlyMap<string, Grouping> = new Map([
  ["state.sqlite", { request: "transaction", inFlightMax: 1 }],
  ["state.postgresql", { request: "transaction", inFlightMax: 2 }],
  ["state.redis", { request: "save", inFlightMax: 1 }],
]);

/** Opens the store of a component, with group commit where its type supports it. */
export function openStore(client: SidecarClient, component: string, type: string | undefined): StateStore {
  const single = new DaprStore(client, component);
  const grouping = type === undefined ? undefined : GROUPINGS.get(type);
  return grouping === undefined ? single : new GroupCommitStore(client, component, single, grouping);
}

/** Groups the inserts of another {@link StateStore} over the same component. */
export class GroupCommitStore implements StateStore {
  readonly #client: SidecarClient;
  readonly #path: string;
  readonly #single: StateStore;
  readonly #grouping: Grouping;
  readonly #reads: GroupedReads;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  /** The last request had several inserts, so more are likely to come in this turn of the event loop. */
  #crowded = false;
  #gathering = false;

  constructor(client: SidecarClient, component: string, single: StateStore, grouping: Grouping) {
    this.#grouping = grouping;
    this.#client = client;
    this.#path = `/v1.0/state/${segment(component)}${grouping.request === "transaction" ? "/transaction" : ""}`;
    this.#single = single;
    this.#reads = new GroupedReads((keys) => single.read(keys), wasAnswered);
  }

  read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    return this.#reads.read(keys);
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
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, text, group: groupOf(key), bytes: key.length + Buffer.byteLength(text), resolve, reject });
      this.#wake();
    });
  }

  /**
   * Schedules the next request. After a group it waits for one turn of the event loop: the owners of that group go on at the
   * same time, and the first of their inserts would otherwise be sent alone.
   */
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

  /** The inserts that waited longest, at most one record of each actor. */
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
    // All hosts use one order of keys: two transactions over the same keys in different orders would deadlock in
    // postgres.
    return group.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Never throws. */
  async #write(group: readonly Waiting[]): Promise<void> {
    const result = group.length > 1 ? await this.#together(group) : "refused";
    if (result !== "refused") return tell(group, result);
    const left = group.length > 1 ? await this.#unwritten(group) : group;
    // Without the keys that were there already, the others can go together: one by one they would wait for each other's disk writes.
    if (left.length > 1 && left.length < group.length) {
      const again = await this.#together(left);
      if (again !== "refused") return tell(left, again);
    }
    await Promise.all(left.map(({ key, text, resolve, reject }) => this.#single.insert(key, text).then(resolve, reject)));
  }

  /**
   * The keys of a refused group that are there already are the cause. A save may also have written part of its group; a transaction
   * wrote nothing. Resolves those inserts; returns the others.
   */
  async #unwritten(group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const mayBePart = this.#grouping.request === "save";
    try {
      const found = await this.#single.read(group.map((insert) => insert.key));
      return group.filter((insert) => {
        const content = found.get(insert.key);
        if (content !== undefined) insert.resolve(mayBePart && JSON.stringify(content) === insert.text ? "inserted" : "refused");
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
      // No answer: the insert may have been written, or may still be written. Each owner reads its own key back.
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
 * The group of a key: keys of one group must not share a request. A record requires the one before it; if both were in one refused
 * request, the later one alone could be written. Other keys (values, snapshots) require nothing.
 */
function groupOf(key: string): string {
  return key.replace(NUMBERED, "");
}
