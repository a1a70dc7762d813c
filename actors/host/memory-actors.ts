/**
 * @module The memories of a host: runs their turns, and removes from the store what is forgotten.
 *
 * Invariants: M1 an entry of the index of memories exists before the first record of a memory. M2 an operation is answered only after all
 * values that the memory owes were removed. M3 a reminder is set before a record says that something was forgotten, and stays until it is
 * gone everywhere: so what a host that dies leaves is finished by another one. M4 what was removed is removed once more after a while, by
 * a reminder that is set before the record that owes it: a write that was given up may reach the store after the first removal.
 */
import { entryOf } from "../../runtime/entries.ts";
import { faultFrom } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { memoryAnswer } from "../../runtime/memory/answer.ts";
import { type MemoryInput, memoryMachine, packFact } from "../../runtime/memory/machine.ts";
import type { MemoryOpOf } from "../../runtime/memory/operations.ts";
import { factsOf, type MemoryEvent, type MemoryState, refsOf, removableAgain, writtenBy } from "../../runtime/memory/state.ts";
import type { Message, TurnAnswer } from "../../runtime/protocol.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { memoryScope } from "../../runtime/value.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Ports } from "../engine/ports.ts";
import type { Quarantine } from "../engine/quarantine.ts";
import { TurnEngine } from "../engine/turn.ts";
import type { WriterIdentity } from "../engine/turn-parts.ts";
import type { Values } from "../engine/values.ts";
import type { FactSearch } from "./fact-search.ts";
import { contentsOf } from "./fact-contents.ts";
import type { IndexClient } from "./index-client.ts";
import type { Memories, MemoryCaller } from "./memories.ts";

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
  /** Tells other memories. */
  readonly memories: Memories;
  readonly log: Logger;
}

const EXPIRY = "expiry";
const UNFINISHED = "unfinished";
const AGAIN = "again";

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
      hooks: { beforeCommit: (id, next, before) => this.#prepare(id, next, before) },
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
    if (body.kind === "memory" && body.op.op === "write") await this.#takeBack(to.id, result.state, body.op);
    const paid = await this.#pay(to.id, result.state);
    await this.#remind(to.id, result.state);
    await this.#finishLater(to.id, paid, body, isUnfinished(result));
    if (result.verdict.kind === "refused") return { refused: result.verdict.fault };
    const receipt = { messageId: message.id, sequence: result.sequence };
    if (body.kind !== "memory") return { receipt };
    return { receipt, memory: memoryAnswer(result.state, body.op, { principal, nowMs: this.#parts.ports.clock.nowMs(), found }) };
  }

  /** The time of some facts is over, or something that was forgotten is not gone everywhere yet. */
  async tick(id: string, name: string): Promise<void> {
    const { ports, type } = this.#parts;
    this.#dueMs.delete(id);
    const { state } = await this.engine.turn(id, { kind: "tick" }, { inputId: EXPIRY });
    const paid = await this.#pay(id, state);
    // Not awaited: the walk calls this actor too, and its sidecar may hold it until the reminder is answered.
    if (name === AGAIN && !isRemoving(paid)) await ports.reminders.remove({ type, id }, AGAIN);
    if (name === UNFINISHED || state.unfinished === true) this.#finish(id, paid).catch((error: unknown) => this.#note(id, error));
    if (memoryMachine.nextDueMs(state, 0) === undefined) await ports.reminders.remove({ type, id }, EXPIRY);
    else await this.#remind(id, state);
  }

  /** The actor moves to another host. */
  deactivate(id: string): void {
    this.engine.forget(id);
    this.#dueMs.delete(id);
    this.#parts.search.drop(id);
  }

  /** M1, M3 and M4. */
  #prepare(id: string, next: MemoryState, before: MemoryState): Promise<void> | undefined {
    const isNew = isEmpty(before);
    const isForgetting = next.unfinished === true && before.unfinished !== true;
    const isOwing = isRemoving(next) && !isRemoving(before);
    if (!isNew && !isForgetting && !isOwing) return undefined;
    const { reminders } = this.#parts.ports;
    const ms = LIMITS.memoryUnfinishedMs;
    const againMs = LIMITS.memoryRemoveAgainMs;
    return Promise.all([
      isNew ? this.#enter(id) : undefined,
      isForgetting ? reminders.set({ type: this.#parts.type, id }, UNFINISHED, ms, ms) : undefined,
      isOwing ? reminders.set({ type: this.#parts.type, id }, AGAIN, againMs, againMs) : undefined,
    ]).then(() => undefined);
  }

  /** Who forgets or invalidates also tells other memories, before that is reported. What has expired is told without an asker. */
  async #finishLater(id: string, state: MemoryState, body: Message["body"], wasUnfinished: boolean): Promise<void> {
    const told = body.kind === "memory" && ASKED_TO_TELL.has(body.op.op);
    if (state.toTell.length > 0 && !told) this.#finish(id, state).catch((error: unknown) => this.#note(id, error));
    else if (wasUnfinished && state.unfinished !== true) await this.#endReminder(id);
  }

  /** Tells the other memories. The reminder ends when nothing is owed. */
  async #finish(id: string, state: MemoryState): Promise<void> {
    if (state.toTell.length > 0) await this.#parts.memories.finish(id, state, CALLER);
    const { state: now } = await this.engine.fresh(id);
    if (now.unfinished !== true) await this.#parts.ports.reminders.remove({ type: this.#parts.type, id }, UNFINISHED);
  }

  #note(id: string, error: unknown): void {
    this.#parts.log.debug({ memory: id, fault: faultFrom(error, "sidecar.unavailable") }, "what is gone is not gone everywhere yet");
  }

  /** A reminder that stays finds nothing to do, and ends itself. */
  async #endReminder(id: string): Promise<void> {
    await this.#parts.ports.reminders.remove({ type: this.#parts.type, id }, UNFINISHED).catch((error: unknown) => this.#note(id, error));
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
      contentsOf: (some) => contentsOf(values, some),
    });
  }

  /** A host that stood still within a write may have stored what another one has written and forgotten since. */
  async #takeBack(id: string, state: MemoryState, op: MemoryOpOf<"write">): Promise<void> {
    const written = writtenBy(state, op.call);
    if (written === undefined || written.fact.content !== undefined) return;
    const { stored } = packFact(id, op);
    if (stored !== undefined) await this.#parts.values.remove([stored]);
  }

  /** M2 and M4. Returns the state afterwards. */
  async #pay(id: string, state: MemoryState): Promise<MemoryState> {
    const refs = [...refsOf(state.owed), ...removableAgain(state, this.#parts.ports.clock.nowMs())];
    if (refs.length === 0) return state;
    const scope = memoryScope(id);
    await this.#parts.values.remove(refs.map((ref) => ({ ref, scope })));
    const paid = await this.engine.turn(id, { kind: "removed", refs }, { inputId: "removed" });
    return paid.state;
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

/** Operations whose caller goes on to other memories. */
const ASKED_TO_TELL: ReadonlySet<string> = new Set(["forget", "invalidate", "told"]);
/** What the system does for itself. */
const CALLER: MemoryCaller = { principal: { ...ANONYMOUS, subject: "system", permissions: [] } };

function isUnfinished({ before, state }: { readonly before: MemoryState; readonly state: MemoryState }): boolean {
  return before.unfinished === true || state.unfinished === true;
}

/** Values are to be removed, for the first or the second time. */
function isRemoving({ owed, removed }: MemoryState): boolean {
  return owed.length > 0 || removed.length > 0;
}

function isEmpty({ facts, past }: MemoryState): boolean {
  return past.length === 0 && Object.keys(facts).length === 0;
}
