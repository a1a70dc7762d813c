/** @module The part of the client for memories. */
import { FactEntry, type FactFilter, type ForgetOptions, Forgotten, MemoriesAnswer, MemoryView } from "../runtime/memory-answers.ts";
import type { CallOptions, Connection } from "./connection.ts";

/** What agents remember. */
export class MemoryClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Returns the ids of the memories of agents and sources. */
  list(options: CallOptions = {}): Promise<MemoriesAnswer> {
    return this.#connection.call(MemoriesAnswer, "the memories", { ...options, path: "/memory" });
  }

  /** Returns facts of a memory, the newest first. Throws `memory.unknown`. */
  show(memory: string, { id, key, text, limit, ...options }: CallOptions & FactFilter = {}): Promise<MemoryView> {
    return this.#connection.call(MemoryView, "the memory", { ...options, path: pathOf(memory), query: { id, key, text, limit } });
  }

  /** Forgets a fact in all its versions, and what was derived from it in any memory. Throws `memory.unknown`. */
  forget(memory: string, id: string, { reason, purge, ...options }: CallOptions & ForgetOptions = {}): Promise<Forgotten> {
    const body = { id, reason, purge };
    return this.#connection.call(Forgotten, "what was forgotten", { ...options, path: `${pathOf(memory)}/forget`, body });
  }

  /** Vouches for an untrusted fact, so that other processes may read it. Throws `memory.unknown`. */
  promote(memory: string, id: string, reason: string, options: CallOptions = {}): Promise<FactEntry> {
    return this.#connection.call(FactEntry, "the fact", { ...options, path: `${pathOf(memory)}/promote`, body: { id, reason } });
  }
}

function pathOf(memory: string): string {
  return `/memory/${encodeURIComponent(memory)}`;
}
