/**
 * @module Leases of hosts in the state store: one key for each incarnation, and one key with the list of all.
 *
 * Both are replaced under their tags, because a key that was inserted cannot be overwritten without one on every store.
 */
import { z } from "zod";
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Leases, StateStore } from "./ports.ts";

const Lease = z.object({ count: z.int() });
const Members = z.object({ hosts: z.array(z.string()) });

/** {@link Leases} over the state store of a system. */
export class StoreLeases implements Leases {
  readonly #store: StateStore;
  readonly #system: string;

  constructor(store: StateStore, system: string) {
    this.#store = store;
    this.#system = system;
  }

  async renew(incarnation: string, count: number): Promise<void> {
    await this.#write(this.#key(incarnation), () => ({ count }));
  }

  async read(incarnations: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = await this.#store.read(incarnations.map((one) => this.#key(one)));
    const counts = new Map<string, number>();
    for (const one of incarnations) {
      const lease = Lease.safeParse(found.get(this.#key(one)));
      if (lease.success) counts.set(one, lease.data.count);
    }
    return counts;
  }

  async members(): Promise<readonly string[]> {
    return membersIn((await this.#store.read([this.#list])).get(this.#list));
  }

  async change(added: readonly string[], removed: readonly string[]): Promise<void> {
    if (removed.length > 0) await this.#store.remove(removed.map((one) => this.#key(one)));
    await this.#write(this.#list, (content) => {
      const before = membersIn(content);
      const after = [...new Set([...before, ...added])].filter((one) => !removed.includes(one));
      const isChanged = after.length !== before.length || added.some((one) => !before.includes(one));
      return isChanged ? { hosts: after } : undefined;
    });
  }

  /** Writes what `next` makes of the content, unless it makes nothing. */
  async #write(key: string, next: (content: Json | undefined) => Json | undefined): Promise<void> {
    for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
      const there = await this.#store.tagged(key);
      const content = next(there?.content);
      if (content === undefined) return;
      const text = JSON.stringify(content);
      if (there === undefined ? (await this.#store.insert(key, text)) === "inserted" : await this.#store.replace(key, text, there.tag))
        return;
    }
    throw new Fault("store.unavailable", `${key} could not be written in ${LIMITS.commitAttemptsMax} attempts`);
  }

  get #list(): string {
    return `${this.#system}/hosts`;
  }

  #key(incarnation: string): string {
    return `${this.#system}/host/${incarnation}`;
  }
}

function membersIn(content: Json | undefined): readonly string[] {
  const members = Members.safeParse(content);
  return members.success ? members.data.hosts : [];
}
