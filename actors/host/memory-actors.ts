/**
 * @module The memories of a host: runs their turns, and removes from the store what is forgotten.
 *
 * Invariants: M1 an entry of the index of memories exists before the first record of a memory. M2 an operation is answered only after all
 * values that the memory owes were removed. A host that dies before has answered nothing, so the operation comes again.
 */
import { entryOf } from "../../runtime/entries.ts";
import { faultFrom, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { memoryAnswer } from "../../runtime/memory/answer.ts";
import type { Fact } from "../../runtime/memory/fact.ts";
import { type MemoryInput, memoryMachine } from "../../runtime/memory/machine.ts";
import type { MemoryOpOf } from "../../runtime/memory/operations.ts";
import { factsOf, type MemoryEvent, type MemoryState } from "../../runtime/memory/state.ts";
import type { Message, TurnAnswer } from "../../runtime/protocol.ts";
import type { ValueRef } from "../../runtime/value.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Ports } from "../engine/ports.ts";
import type { Quarantine } from "../engine/quarantine.ts";
import { TurnEngine, type WriterIdentity } from "../engine/turn.ts";
import type { Values } from "../engine/values.ts";
import type { FactSearch } from "./fact-search.ts";
import { contentsOf } from "./fact-contents.ts";
import type { IndexClient } from "./index-client.ts";

/** The parts of a host that its memories use. `type` is their actor type, with the system's name. */
export interface MemoryActorParts {
  readonly system: string;
  readonly type: string;
  readonly ports: Ports;
  readonly values: Values;
  readonly writer: WriterIdentity;
  readonly quarantine: Quarantine;
  /** The index of memories. */
  readonly catalog: IndexClient;
  readonly search: FactSearch;
  readonly log: Logger;
}

const EXPIRY = "expiry";

/** All memories of this host. */
export class MemoryActors {
  readonly engine: TurnEngine<MemoryState, MemoryInput, MemoryEvent>;
  readonly #parts: MemoryActorParts;
  /** When the reminder of a memory comes. */
  readonly #dueMs = new LruMap<string, number>(LIMITS.cachedActorsMax);

  constructor(parts: MemoryActorParts) {
    this.#parts = parts;
    const { type, system, ports, values, writer, quarantine } = parts;
    this.engine = new TurnEngine({
      ...{ type, system, ports, values, writer, quarantine },
      machine: memoryMachine,
      trims: true,
      hooks: { beforeCommit: (id, _next, before) => (isEmpty(before) ? this.#enter(id) : undefined) },
    });
  }

  /** The actor type, with the system's name. */
  get type(): string {
    return this.#parts.type;
  }

  /** Performs an operation. */
  async receive(message: Message): Promise<TurnAnswer> {
    const { to, body, principal } = message;
    const found = body.kind === "memory" && body.op.op === "read" ? await this.#search(to.id, body.op) : undefined;
    const result = await this.engine.turn(to.id, { kind: "message", message, found }, { inputId: message.id });
    const gone = !result.wrote ? [] : Object.keys(result.before.facts).filter((one) => entryOf(result.state.facts, one) === undefined);
    if (gone.length > 0) this.#parts.search.drop(to.id, gone);
    await this.#pay(to.id, result.state);
    await this.#remind(to.id, result.state);
    if (result.verdict.kind === "refused") return { refused: result.verdict.fault };
    const receipt = { messageId: message.id, sequence: result.sequence };
    if (body.kind !== "memory") return { receipt };
    return { receipt, memory: memoryAnswer(result.state, body.op, { principal, nowMs: this.#parts.ports.clock.nowMs(), found }) };
  }

  /** The time of some facts is over. */
  async tick(id: string): Promise<void> {
    this.#dueMs.delete(id);
    const { state } = await this.engine.turn(id, { kind: "tick" }, { inputId: EXPIRY });
    await this.#pay(id, state);
    if (memoryMachine.nextDueMs(state, 0) === undefined) await this.#parts.ports.reminders.remove({ type: this.#parts.type, id }, EXPIRY);
    else await this.#remind(id, state);
  }

  /** The actor moves to another host. */
  deactivate(id: string): void {
    this.engine.forget(id);
    this.#dueMs.delete(id);
    this.#parts.search.drop(id);
  }

  #enter(id: string): Promise<void> {
    const { catalog, ports } = this.#parts;
    return catalog.open({ id, open: true, atMs: ports.clock.nowMs(), facts: {} }).then(() => undefined);
  }

  /** The ids that a search by text gives, best first; undefined for a read without a text. */
  async #search(id: string, { text }: MemoryOpOf<"read">): Promise<readonly string[] | undefined> {
    if (text === undefined) return undefined;
    const { search, values } = this.#parts;
    const { state } = await this.engine.fresh(id);
    const facts = factsOf(state).map(({ fact }) => fact);
    return search.find({
      memory: id,
      facts,
      text,
      contentsOf: (some: readonly Fact[]): Promise<readonly (Json | undefined)[]> => contentsOf(values, some),
    });
  }

  /** M2. */
  async #pay(id: string, { owed }: MemoryState): Promise<void> {
    if (owed.length === 0) return;
    const refs = owed.flatMap((value): readonly ValueRef[] => ("ref" in value ? [value] : []));
    await this.#parts.values.remove(refs);
    await this.engine.turn(id, { kind: "removed", refs: refs.map(({ ref }) => ref) }, { inputId: "removed" });
  }

  /** Facts whose time is over go also when no one asks for them. */
  async #remind(id: string, state: MemoryState): Promise<void> {
    const dueMs = memoryMachine.nextDueMs(state, 0);
    if (dueMs === undefined || dueMs >= (this.#dueMs.get(id) ?? Number.POSITIVE_INFINITY)) return;
    const { ports, type, log } = this.#parts;
    const inMs = Math.max(LIMITS.memoryExpiryMsMin, dueMs - ports.clock.nowMs());
    try {
      await ports.reminders.set({ type, id }, EXPIRY, inMs, LIMITS.memoryExpiryPeriodMs);
      this.#dueMs.set(id, dueMs);
    } catch (error) {
      // They go with the next operation at the latest, and are given to no one until then.
      log.debug({ memory: id, fault: faultFrom(error, "sidecar.unavailable") }, "a memory got no reminder for facts that expire");
    }
  }
}

function isEmpty({ facts, past }: MemoryState): boolean {
  return past.length === 0 && Object.keys(facts).length === 0;
}
