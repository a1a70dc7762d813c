/** @module A conformance case: an action on a world, and the answer that every world must give. */
import type { Json } from "../../runtime/faults.ts";
import type { WorldName, WorldRig } from "./world-rig.ts";

/** The parts of the world that cases are about. */
export const ROOMS = ["store", "actors", "calls", "reminders", "topics"] as const;
/** One of {@link ROOMS}. */
export type Room = (typeof ROOMS)[number];

/** An intentional difference, and the row of the table in docs/simulation.md that explains it. */
export interface Difference {
  readonly row: string;
  readonly simulated: Json;
  readonly embedded?: Json;
  readonly redis?: Json;
}

/** One case. It runs in the worlds of its room, except those in `not`. */
export interface Case {
  readonly name: string;
  readonly run: (rig: WorldRig) => Promise<Json>;
  /** The answer of every world. */
  readonly same?: Json;
  /** The answers of the worlds where they differ. */
  readonly differs?: Difference;
  /** It disrupts a part of the world, so no other case may run at the same time. */
  readonly alone?: true;
  /** Worlds that lack the part which the case is about. */
  readonly not?: readonly WorldName[];
}

/** Actors, calls and reminders are independent of the store, so they run on one daprd only. */
const WHERE: Readonly<Record<Room, readonly WorldName[]>> = {
  store: ["simulated", "embedded", "redis"],
  actors: ["simulated", "embedded"],
  calls: ["simulated", "embedded"],
  reminders: ["simulated", "embedded"],
  topics: ["simulated", "embedded", "redis"],
};

/** Whether a case of a room runs in a world. */
export function runsIn(room: Room, one: Case, world: WorldName): boolean {
  return WHERE[room].includes(world) && one.not?.includes(world) !== true;
}

/** The answer that a world must give. */
export function expected(one: Case, world: WorldName): Json | undefined {
  if (one.differs === undefined) return one.same;
  return one.differs[world];
}
