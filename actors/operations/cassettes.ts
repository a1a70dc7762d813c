/**
 * @module Reads cassettes from the journals: a process with its nested ones, the records of their work items, and all contents.
 */
import { agentMachine } from "../../runtime/agent/machine.ts";
import { textBytes } from "../../runtime/canonical.ts";
import { type Cassette, CASSETTE_VERSION, type CassetteProcess, type CassetteWork } from "../../runtime/cassette/cassette.ts";
import { refsIn } from "../../runtime/cassette/refs.ts";
import { CassetteWorkReader } from "../../runtime/cassette/works.ts";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import type { Work } from "../../runtime/process/work.ts";
import { actorType } from "../../runtime/protocol.ts";
import { Journal } from "../engine/journal.ts";
import type { WorkHistoryParts } from "./work-history.ts";

/** Counts the bytes of a cassette that is being read. */
class Room {
  #bytes = 0;

  /** Throws `cassette.too-large`. */
  take(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > LIMITS.cassetteBytesMax)
      throw new Fault("cassette.too-large", `the records and contents are more than ${LIMITS.cassetteBytesMax} bytes`);
  }
}

/** Reads cassettes of one system. */
export class Cassettes {
  readonly #parts: WorkHistoryParts;
  readonly #withOpen: boolean;

  /** `withOpen`: also the work items that have not ended, as far as they have come. They cannot be replayed. */
  constructor(parts: WorkHistoryParts, { withOpen = false }: { readonly withOpen?: boolean } = {}) {
    this.#parts = parts;
    this.#withOpen = withOpen;
  }

  /**
   * The cassette of a process.
   * @throws `process.unknown`, `cassette.too-large`, `store.unavailable`
   */
  async read(id: string): Promise<Cassette> {
    const { system, ports } = this.#parts;
    const room = new Room();
    const processes: CassetteProcess[] = [];
    for (let ids = [id]; ids.length > 0;) {
      const [next = id, ...rest] = ids;
      const { process, nested } = await this.#process(next, room);
      if (process === undefined && next === id) throw new Fault("process.unknown", `there is no process ${id}`);
      if (process !== undefined) processes.push(process);
      ids = [...rest, ...nested];
    }
    const values = await this.#contents(processes, room);
    return { format: "troupe-cassette", v: CASSETTE_VERSION, system, exportedAtMs: Math.round(ports.clock.nowMs()), processes, values };
  }

  async #process(id: string, room: Room): Promise<{ readonly process: CassetteProcess | undefined; readonly nested: readonly string[] }> {
    const { ports, system } = this.#parts;
    const journal = new Journal(ports.store, ports.clock, processMachine, system, actorType(system, "ProcessManager"));
    const records: CassetteProcess["records"] = [];
    const works: Work[] = [];
    for await (const { event, atMs, sequence } of journal.events(id)) {
      if (event.e === "asked" && event.work.kind !== "undo") works.push(event.work);
      const last = records.at(-1);
      if (last?.sequence === sequence) last.events.push(event);
      else records.push({ sequence, atMs, events: [event] });
      room.take(textBytes(JSON.stringify(event)));
    }
    if (records.length === 0) return { process: undefined, nested: [] };
    const read = await this.#works(works, room);
    const gone = works.filter(({ id: work, target }) => target.kind === "agent" && !read.has(work)).map(({ id: work }) => work);
    const nested = works.flatMap(({ target, actor }) => (target.kind === "route" ? [actor] : []));
    return { process: { id, records, works: [...read.values()], gone }, nested };
  }

  async #works(works: readonly Work[], room: Room): Promise<ReadonlyMap<string, CassetteWork>> {
    const { ports, system } = this.#parts;
    const actors = new Map<string, { readonly agent: string; readonly actor: string; readonly ids: string[] }>();
    for (const { id, target, actor } of works) {
      if (target.kind !== "agent") continue;
      const known = actors.get(`${target.agent}/${actor}`) ?? { agent: target.agent, actor, ids: [] };
      known.ids.push(id);
      actors.set(`${target.agent}/${actor}`, known);
    }
    const found = new Map<string, CassetteWork>();
    for (const { agent, actor, ids } of actors.values()) {
      const reader = new CassetteWorkReader(agent, actor, ids);
      const journal = new Journal(ports.store, ports.clock, agentMachine, system, actorType(system, agent));
      try {
        for await (const { event, sequence } of journal.events(actor)) {
          // Below the floor of a trimmed journal nothing is known of what a handler saw.
          if (sequence > 1 && reader.isEmpty) break;
          reader.take(event);
        }
      } catch (error) {
        if (!isFault(error) || !error.code.startsWith("journal.")) throw error;
      }
      for (const work of [...reader.works.values(), ...(this.#withOpen ? reader.open : [])]) {
        room.take(textBytes(JSON.stringify(work)));
        found.set(work.work.id, work);
      }
    }
    return new Map(works.flatMap(({ id }) => (found.has(id) ? [[id, found.get(id) as CassetteWork] as const] : [])));
  }

  /** What was forgotten or purged is left out. */
  async #contents(processes: readonly CassetteProcess[], room: Room): Promise<Record<string, Json>> {
    const values: [string, Json][] = [];
    for (const value of refsIn(processes)) {
      room.take(value.bytes);
      try {
        values.push([value.ref, await this.#parts.values.read(value)]);
      } catch (error) {
        if (!isFault(error) || error.code !== "value.missing") throw error;
      }
    }
    return Object.fromEntries(values);
  }
}
