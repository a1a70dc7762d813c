/**
 * @module The purge of what a process's work items left outside of its own actors: actors that did one work item each, of which there
 * may be thousands, and entries of settled work items of actors that live on or did many.
 *
 * Which ones there are stands in the process's journal, in each record that asked for work. Before its tombstone is written
 * they are listed in values, and the tombstone refers to the lists: so they are found until the last of them is gone.
 */
import { z } from "zod";
import { plainJson } from "../../runtime/canonical.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { settledName, workActorId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { type Address, actorType } from "../../runtime/protocol.ts";
import type { Tombstone } from "../../runtime/record.ts";
import { keyedScope, type Value } from "../../runtime/value.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import type { Values } from "../engine/values.ts";
import type { Host } from "../host/host.ts";
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
/** Agent and actor; and the name of a settled work item, of an actor that did others too. */
const Listed = z.tuple([z.string(), z.string(), z.string().optional()]);
type Listed = z.infer<typeof Listed>;

/** The actors of single work items, and the settled work items of other actors, of one system. All methods throw `store.unavailable`. */
export class WorkActors {
  readonly #purge: JournalPurge;
  readonly #values: Values;
  readonly #system: string;

  readonly #host: Pick<Host, "values" | "agentState">;

  constructor(purge: JournalPurge, host: Pick<Host, "values" | "agentState">, system: string) {
    this.#purge = purge;
    this.#host = host;
    this.#values = host.values;
    this.#system = system;
  }

  /** Lists the actors of a process in values of its scope. The same journal gives the same lists. */
  async list(process: Address): Promise<readonly Value[]> {
    const asked: Asked[] = [];
    for await (const record of this.#purge.records(process)) asked.push(...askedIn(record));
    const found = listed(asked, process.id);
    const lists: Value[] = [];
    for (let at = 0; at < found.length; at += LIMITS.workActorsListedMax)
      lists.push(await this.#values.keep(plainJson(found.slice(at, at + LIMITS.workActorsListedMax)), process.id));
    return lists;
  }

  /** Everything of them but the tombstones of actors. */
  clear(process: Address, tombstone: Tombstone): Promise<void> {
    return this.#each(process.id, tombstone, async (actor) => {
      const found = await this.#purge.writeTombstone(actor, { outcome: tombstone.outcome, agents: [] }, process.id);
      if (found !== undefined) await this.#purge.clear(actor, found, process.id);
    });
  }

  /** Their tombstones, and the lists at last. An entry may have been written since by a host whose clock is behind. */
  async level(process: Address, tombstone: Tombstone): Promise<void> {
    await this.#each(process.id, tombstone, async (actor) => {
      const found = await this.#purge.look(actor);
      if (found.kind === "tombstone") await this.#purge.level(actor, found);
    });
    for (const list of tombstone.works ?? []) await this.#purge.forgetValues(process.id, plainJson(list));
  }

  async #each(processId: string, tombstone: Tombstone, act: (actor: Address) => Promise<void>): Promise<void> {
    for (const list of tombstone.works ?? []) {
      const all = await this.#read(list);
      const actors = all.filter(([, , work]) => work === undefined);
      for (let at = 0; at < actors.length; at += LIMITS.sweepConcurrency)
        await Promise.all(
          actors.slice(at, at + LIMITS.sweepConcurrency).map(([agent, id]) => act({ type: actorType(this.#system, agent), id })),
        );
      const settled = Map.groupBy(all, ([agent, id]) => keyedScope(agent, id));
      for (const [scope, some] of settled) {
        const [[agent, id] = ["", ""]] = some;
        await this.#purge.forgetKept(processId, await this.#worksOf(agent, id, processId));
        await this.#purge.forgetSettled(
          scope,
          some.flatMap(([, , work]) => work ?? []),
          processId,
        );
      }
    }
  }

  /** Work items of a process that are still in the state of an actor whose contents are all stored. */
  async #worksOf(agent: string, id: string, processId: string): Promise<readonly AgentWork[]> {
    const state = await this.#host.agentState(agent, id);
    return Object.values(state?.works ?? {}).filter((work) => work.processId === processId && work.stored === true);
  }

  /** A list that is gone is one whose actors are. */
  async #read(list: Value): Promise<readonly Listed[]> {
    try {
      return z.array(Listed).parse(await this.#values.read(list));
    } catch (error) {
      if (!isFault(error) || error.code !== "value.missing") throw error;
      return [];
    }
  }
}

interface Asked {
  readonly agent: string;
  readonly actor: string;
  readonly work: string;
}

/** Work items leave the state of an actor only when it has many. */
function listed(asked: readonly Asked[], processId: string): readonly Listed[] {
  const own = Map.groupBy(asked, ({ agent }) => agent);
  return asked.flatMap(({ agent, actor, work }): Listed[] => {
    if (actor === workActorId(work)) return [[agent, actor]];
    const few = actor === processId && (own.get(agent)?.length ?? 0) <= LIMITS.agentSettledMax;
    return few ? [] : [[agent, actor, settledName(work)]];
  });
}

function askedIn(record: Json): readonly Asked[] {
  const parsed = AskingRecord.safeParse(record);
  if (!parsed.success) return [];
  return parsed.data.events.flatMap((event): Asked[] => {
    const asked = AskedEvent.safeParse(event);
    if (!asked.success) return [];
    const { id, actor, target } = asked.data.work;
    return [{ agent: target.agent, actor, work: id }];
  });
}
