/**
 * @module The purge of actors that did one work item each: there may be thousands for one process.
 *
 * Which ones there are stands in the process's journal, in each record that asked for work. Before its tombstone is written
 * they are listed in values, and the tombstone refers to the lists: so they are found until the last of them is gone.
 */
import { z } from "zod";
import { plainJson } from "../../runtime/canonical.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { workActorId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Address, actorType } from "../../runtime/protocol.ts";
import type { Tombstone } from "../../runtime/record.ts";
import type { Value } from "../../runtime/value.ts";
import type { Values } from "../engine/values.ts";
import type { JournalPurge } from "./journal-purge.ts";

/** What is read of a record of a process: the work that it asked agents for. */
const AskingRecord = z.looseObject({ events: z.array(z.unknown()) });
const AskedEvent = z.looseObject({
  e: z.literal("asked"),
  work: z.looseObject({
    id: z.string(),
    kind: z.enum(["do", "ask"]),
    actor: z.string(),
    target: z.strictObject({ kind: z.literal("agent"), agent: z.string() }),
  }),
});
const Pairs = z.array(z.tuple([z.string(), z.string()]));
type Pairs = z.infer<typeof Pairs>;

/** The actors of single work items of one system. All methods throw `store.unavailable`. */
export class WorkActors {
  readonly #purge: JournalPurge;
  readonly #values: Values;
  readonly #system: string;

  constructor(purge: JournalPurge, values: Values, system: string) {
    this.#purge = purge;
    this.#values = values;
    this.#system = system;
  }

  /** Lists the actors of a process in values of its scope. The same journal gives the same lists. */
  async list(process: Address): Promise<readonly Value[]> {
    const found: Pairs = [];
    for await (const record of this.#purge.records(process)) found.push(...askedIn(record));
    const lists: Value[] = [];
    for (let at = 0; at < found.length; at += LIMITS.workActorsListedMax)
      lists.push(await this.#values.keep(found.slice(at, at + LIMITS.workActorsListedMax), process.id));
    return lists;
  }

  /** Everything of them but their tombstones. */
  clear(process: Address, tombstone: Tombstone): Promise<void> {
    return this.#each(tombstone, async (actor) => {
      const found = await this.#purge.writeTombstone(actor, { outcome: tombstone.outcome, agents: [] }, process.id);
      if (found !== undefined) await this.#purge.clear(actor, found, process.id);
    });
  }

  /** Their tombstones, and the lists at last. */
  async level(process: Address, tombstone: Tombstone): Promise<void> {
    await this.#each(tombstone, async (actor) => {
      const found = await this.#purge.look(actor);
      if (found.kind === "tombstone") await this.#purge.level(actor, found);
    });
    for (const list of tombstone.works ?? []) await this.#purge.forgetValues(process.id, plainJson(list));
  }

  async #each(tombstone: Tombstone, act: (actor: Address) => Promise<void>): Promise<void> {
    for (const list of tombstone.works ?? []) {
      const pairs = await this.#read(list);
      for (let at = 0; at < pairs.length; at += LIMITS.sweepConcurrency)
        await Promise.all(
          pairs.slice(at, at + LIMITS.sweepConcurrency).map(([agent, id]) => act({ type: actorType(this.#system, agent), id })),
        );
    }
  }

  /** A list that is gone is one whose actors are. */
  async #read(list: Value): Promise<Pairs> {
    try {
      return Pairs.parse(await this.#values.read(list));
    } catch (error) {
      if (!isFault(error) || error.code !== "value.missing") throw error;
      return [];
    }
  }
}

function askedIn(record: Json): Pairs {
  const parsed = AskingRecord.safeParse(record);
  if (!parsed.success) return [];
  return parsed.data.events.flatMap((event): Pairs => {
    const asked = AskedEvent.safeParse(event);
    if (!asked.success) return [];
    const { id, actor, target } = asked.data.work;
    return actor === workActorId(id) ? [[target.agent, actor]] : [];
  });
}
