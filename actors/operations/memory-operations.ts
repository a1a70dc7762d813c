/** @module Memories for persons and programs: listing, showing, forgetting, promoting. */
import { Fault, isFault } from "../../runtime/faults.ts";
import { isId, isOfTenant, outsideId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { FactEntry, Forgotten, MemoriesAnswer, MemoryView, FactFilter, ForgetOptions } from "../../runtime/memory-answers.ts";
import { type Fact, keyHashOf } from "../../runtime/memory/fact.ts";
import { staleReads } from "../../runtime/memory/stale.ts";
import { factsOf, type MemoryState } from "../../runtime/memory/state.ts";
import { isMeant } from "../../runtime/memory/derivation.ts";
import type { FactContent } from "../host/fact-contents.ts";
import type { Host } from "../host/host.ts";
import { droppedCount, type LostReader } from "../host/forgetting.ts";
import type { Retention } from "../retention/retention.ts";
import type { Caller } from "./operations.ts";

/** The parts that the operations on memories work on. `note` writes an act to the audit, before it is done. */
export interface MemoryOperationsParts {
  readonly host: Host;
  readonly retention: Retention;
  readonly note: (act: { readonly what: string; readonly target: string; readonly why: string }, caller: Caller) => Promise<void>;
}

/** The operations on the memories of one system. */
export class MemoryOperations {
  readonly #parts: MemoryOperationsParts;

  constructor(parts: MemoryOperationsParts) {
    this.#parts = parts;
  }

  /** The ids of all memories; of one tenant, if one is given. */
  async list(tenant?: string): Promise<MemoriesAnswer> {
    const all = await this.#parts.host.memories.list();
    return { memories: all.filter((id) => tenant === undefined || isOfTenant(id, tenant)) };
  }

  /** Throws `memory.unknown`. */
  async show(memory: string, { id, key, text, limit = LIMITS.factsReadMax }: FactFilter, caller: Caller): Promise<MemoryView> {
    const { memories } = this.#parts.host;
    const state = await this.#state(memory);
    const found =
      text === undefined ? undefined : await memories.read(memory, { text, limit: LIMITS.factsReadMax, kinds: [...KINDS] }, caller);
    const keyHash = key === undefined ? undefined : keyHashOf(state.id, key);
    const all = factsOf(state).map(({ fact }) => fact);
    const wanted = (found?.facts ?? all.sort((left, right) => right.atMs - left.atMs)).filter(
      (fact) => (id === undefined || fact.id === id) && (keyHash === undefined || fact.keyHash === keyHash),
    );
    if (id !== undefined && wanted.length === 0) throw unknown(memory, id);
    const shown = wanted.slice(0, limit);
    const contents = await memories.contents(shown);
    return {
      id: memory,
      total: all.length,
      facts: shown.flatMap((fact, index) => {
        const content = contents[index];
        return content === undefined ? [] : [entryOf(state, fact, content)];
      }),
      gone: state.past
        .flatMap(({ fact: { id: of, version, gone } }) => (gone === undefined ? [] : [{ id: of, version, ...gone }]))
        .reverse()
        .slice(0, limit),
      stale: staleReads(state)
        .slice(0, limit)
        .map((read) => ({ ...readerOf(read), facts: read.facts.map((ref) => ({ ...ref })) })),
      readersDropped: state.readsDropped,
    };
  }

  /**
   * Forgets a fact everywhere. With `purge`, ended processes that had written or read it are purged.
   * @throws `memory.unknown`
   */
  async forget(memory: string, id: string, { reason = "", purge = false }: ForgetOptions, caller: Caller): Promise<Forgotten> {
    const { host, note } = this.#parts;
    await this.#state(memory);
    await note({ what: "memory-forget", target: `${memory}/${id}`, why: reason }, caller);
    const lost = await host.memories.forget(memory, { ids: [id], why: "forgotten", by: caller.principal.subject }, caller);
    const facts = lost.facts.map(({ memory: of, fact }) => ({ memory: of, id: fact.id, version: fact.version }));
    const holders = [...lost.facts.map(({ fact }) => fact.writer.processId), ...lost.readers.map(({ processId }) => processId)];
    return {
      facts,
      readers: lost.readers.map(readerOf),
      readersDropped: droppedCount(lost.dropped),
      ...(purge ? await this.#purge([...new Set(holders)]) : {}),
    };
  }

  /** A person vouches for a fact. Throws `memory.unknown`, and `person.forbidden` for an agent or a peer. */
  async promote(memory: string, id: string, reason: string, caller: Caller): Promise<FactEntry> {
    const { host, note } = this.#parts;
    const { kind, subject } = caller.principal;
    if (kind !== undefined) throw new Fault("person.forbidden", `an ${kind} may not vouch for a fact`);
    const state = await this.#state(memory);
    await note({ what: "memory-promote", target: `${memory}/${id}`, why: reason }, caller);
    const [fact] = (await host.memories.promote(memory, { id, by: subject, reason }, caller)).facts;
    const [content] = fact === undefined ? [] : await host.memories.contents([fact]);
    if (fact === undefined || content === undefined) throw unknown(memory, id);
    return entryOf(state, fact, content);
  }

  async #purge(ids: readonly string[]): Promise<Pick<Forgotten, "purged" | "waiting">> {
    const purged: string[] = [];
    const waiting: string[] = [];
    for (const id of ids) {
      const became = await this.#parts.retention.purgeProcess(id);
      if (became === "purged") purged.push(id);
      if (became === "waiting") waiting.push(id);
    }
    return { purged, waiting };
  }

  async #state(memory: string): Promise<MemoryState> {
    if (!isId(memory)) throw new Fault("memory.unknown", `there is no memory ${JSON.stringify(memory.slice(0, LIMITS.idLengthMax))}`);
    try {
      const state = await this.#parts.host.memories.state(memory);
      if (Object.keys(state.facts).length > 0 || state.past.length > 0) return state;
    } catch (error) {
      if (!isFault(error) || error.code !== "process.unknown") throw error;
    }
    throw new Fault("memory.unknown", `there is no memory ${outsideId(memory)}`);
  }
}

const KINDS = ["fact", "turn", "summary", "document"] as const;

function unknown(memory: string, id: string): Fault {
  return new Fault("memory.unknown", `the memory ${outsideId(memory)} has no fact ${JSON.stringify(id)}`);
}

function readerOf({ agent, processId, workId, atMs }: Omit<LostReader, "memory" | "facts">): Forgotten["readers"][number] {
  return { agent, processId, workId, atMs };
}

function entryOf(state: MemoryState, fact: Fact, { key, value }: FactContent): FactEntry {
  const { id, version, kind, trust, label = [], atMs, validUntilMs, writer, source, parents, promoted } = fact;
  return {
    ...{ id, version, kind, value, trust, label, atMs, writer, parents },
    ...(key === undefined ? {} : { key }),
    ...(validUntilMs === undefined ? {} : { validUntilMs }),
    ...(source === undefined ? {} : { source: { name: source.name, id: source.id } }),
    ...(promoted === undefined ? {} : { promoted }),
    readers: state.reads.filter((read) => read.facts.some((ref) => isMeant(ref, [fact]))).map(readerOf),
  };
}
