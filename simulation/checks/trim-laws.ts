/**
 * @module The laws of trimming, checked at every write and removal: what may go and when, and what a slept host wrote below the floor.
 */
import { Journal } from "../../actors/engine/journal.ts";
import type { StateStore } from "../../actors/engine/ports.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import { canonicalJson, plainJson } from "../../runtime/canonical.ts";
import { faultFrom, type Json } from "../../runtime/faults.ts";
import { indexMachine } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Machine } from "../../runtime/machine.ts";
import { type HeadStone, headStoneOf } from "../../runtime/record.ts";
import type { Life } from "../world/life.ts";
import type { World } from "../world/world.ts";
import type { Find, Shadow } from "./shadow.ts";

/** Follows head stones, removals, and records below the floor. */
export class TrimLaws {
  readonly #find: Find;
  readonly #stones = new Map<string, HeadStone>();
  readonly #writtenAtMs = new Map<string, number>();
  /** Records that were written below the floor, and by whom: each must be taken back. */
  readonly #astray = new Map<string, Life>();

  constructor(find: Find) {
    this.#find = find;
  }

  /** Head stones that were written. */
  get stones(): ReadonlyMap<string, HeadStone> {
    return this.#stones;
  }

  /** Something of an actor was written. True: it belongs to no history, because it is a head stone or below the floor. */
  wrote(world: World, life: Life, key: string, content: Json, number: string, snapshotNumber: string | undefined): boolean {
    const actor = actorOf(key);
    const stone = headStoneOf(content, key);
    if (stone !== undefined) {
      this.#stone(world, actor, stone);
      return true;
    }
    const floor = this.#stones.get(actor);
    if (number === "snapshot") return Number(snapshotNumber) < (floor?.snapshot ?? 0);
    this.#writtenAtMs.set(key, world.timeline.nowMs);
    if (Number(number) >= (floor?.first ?? 0)) return false;
    this.#astray.set(key, life);
    return true;
  }

  #stone(world: World, actor: string, stone: HeadStone): void {
    const before = this.#stones.get(actor);
    const name = `the head stone of ${actor} names ${stone.first}`;
    if (before !== undefined && stone.first <= before.first) this.#find("a floor never goes back", `${name}, and it was ${before.first}`);
    const snapshot = world.store.content(`${actor}/snapshot/${stone.snapshot}`) as { readonly sequence?: number } | undefined;
    if (snapshot?.sequence !== stone.first)
      this.#find("a floor is a snapshot", `${name}, and snapshot ${stone.snapshot} is of ${snapshot?.sequence ?? "nothing"}`);
    this.#stones.set(actor, stone);
    world.trace?.(`   trimmed: ${name}`);
  }

  /** A key of an actor that is not purged was removed. */
  removed(world: World, key: string, number: string): void {
    if (number === "snapshot") return;
    const { first } = this.#stones.get(actorOf(key)) ?? { first: 0 };
    if (Number(number) >= first) this.#find("nothing is removed above the floor", `${key} was removed, and the floor is ${first}`);
    if (this.#astray.delete(key)) return;
    const ageMs = world.timeline.nowMs - (this.#writtenAtMs.get(key) ?? world.timeline.nowMs);
    if (this.#writtenAtMs.delete(key) && ageMs < LIMITS.trimAgeMs - LIMITS.clockDriftMsMax)
      this.#find("no young record is removed", `${key} was removed at the age of ${Math.round(ageMs)} ms`);
  }

  /** Everything that was trimmed is read as its records said, and nothing is left below a floor by a host that lives. */
  async check(world: World, shadows: { agents: Iterable<Shadow<unknown>>; indexes: Iterable<Shadow<unknown>> }): Promise<void> {
    for (const [key, life] of this.#astray)
      // A write that came after its host had given it up stays: no host can know of it, and no host reads there.
      if (life.state === "up" && world.store.content(key) !== undefined && !world.store.wasLate(key))
        this.#find("what was written below the floor is taken back", `${key} of ${life.name} is left`);
    for (const shadow of shadows.agents) await this.#compare(world, shadow, agentMachine as Machine<unknown, never, never>);
    for (const shadow of shadows.indexes) await this.#compare(world, shadow, indexMachine as Machine<unknown, never, never>);
  }

  async #compare(world: World, shadow: Shadow<unknown>, machine: Machine<unknown, never, never>): Promise<void> {
    const actor = `${world.options.system.name}/${shadow.type}/${shadow.id}`;
    if (!this.#stones.has(actor)) return;
    const clock = { nowMs: () => Number.MAX_SAFE_INTEGER, after: () => () => {} };
    const journal = new Journal(plain(world), clock, machine, world.options.system.name, shadow.type);
    try {
      const { state, sequence, purged } = await journal.load(shadow.id);
      if (purged !== true && (sequence !== shadow.sequence || canonicalJson(plainJson(state)) !== canonicalJson(plainJson(shadow.state))))
        this.#find("a trimmed journal is the state", `${actor} was read at record ${sequence} of ${shadow.sequence}, or differs there`);
    } catch (error) {
      this.#find("a trimmed journal is read", `${actor}: ${faultFrom(error, "turn.failed").message}`);
    }
  }
}

/** `system/type/id` of a key. */
function actorOf(key: string): string {
  return key.split("/").slice(0, 3).join("/");
}

/** The store without faults and delays, to read from. */
function plain(world: World): StateStore {
  const unused = (): never => {
    throw new Error("invariant: only read");
  };
  return { read: async (keys) => world.store.peek(keys), insert: unused, tagged: unused, replace: unused, remove: unused };
}
