/** @module A conformance case: what is done to a world, and what every world must answer. */
import type { Json } from "../../runtime/faults.ts";
import type { WorldName, WorldRig } from "./world-rig.ts";

/** The parts of the world that cases are about. */
export const ROOMS = ["store", "actors", "calls", "reminders", "topics"] as const;
/** One of {@link ROOMS}. */
export type Room = (typeof ROOMS)[number];

/** An answer that differs on purpose, and the row of the table in docs/simulation.md that says why. */
export interface Difference {
  readonly row: string;
  readonly simulated: Json;
  readonly embedded?: Json;
  readonly redis?: Json;
}

/** One case. It runs where its room runs, less the worlds in `not`. */
export interface Case {
  readonly name: string;
  readonly run: (rig: WorldRig) => Promise<Json>;
  /** What every world answers. */
  readonly same?: Json;
  /** What the worlds answer where they differ. */
  readonly differs?: Difference;
  /** It hurts a part of the world, so no other case may run beside it. */
  readonly alone?: true;
  /** Worlds that have not the part which the case is about. */
  readonly not?: readonly WorldName[];
}

/** Actors, calls and reminders have nothing to do with the store, so they run on one daprd only. */
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

/** What a world must answer. */
export function expected(one: Case, world: WorldName): Json | undefined {
  if (one.differs === undefined) return one.same;
  return one.differs[world];
}
