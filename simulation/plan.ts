/**
 * @module What is planned for a run before it begins: hosts, kills, stops, cuts, outages, and what clients do.
 */
import type { FaultKind, FaultRates } from "./world/faults.ts";
import { Random, STREAM } from "./world/random.ts";
import type { CallFault, Sleep, World } from "./world/world.ts";

/** A fault that begins at a moment. */
export interface TimedFault {
  readonly atMs: number;
  readonly kind: Extract<FaultKind, "partitions" | "doubleOwners" | "storeOutages" | "remindersLost" | "storeForgets">;
  readonly forMs: number;
}

export interface Plan {
  readonly nodes: number;
  readonly atCalls: ReadonlyMap<number, CallFault>;
  readonly sleeps?: readonly Sleep[] | undefined;
  readonly timed: readonly TimedFault[];
  /** Hosts that are dead when faults end stay dead, if another one lives. */
  readonly keepDead: boolean;
  readonly safetyMs: number;
  readonly shortWay: boolean;
  readonly copies: boolean;
}

const NODES_MAX = 3;
const SAFETY_MS_MIN = 4_000;
const SAFETY_MS_MAX = 25_000;
/** Calls of hosts in which a planned kill may fall, for each task. */
const CALLS_PER_TASK = 120;
const DOWN_MS_MAX = 8_000;
const FROZEN_MS_MAX = 15_000;
const COPIES_SHARE = 0.125;
const HALF_SHARE = 0.5;

const TIMED: readonly { readonly kind: TimedFault["kind"]; readonly forMsMax: number }[] = [
  { kind: "partitions", forMsMax: 12_000 },
  { kind: "doubleOwners", forMsMax: 8_000 },
  { kind: "storeOutages", forMsMax: 20_000 },
  { kind: "remindersLost", forMsMax: 0 },
  { kind: "storeForgets", forMsMax: 1_000 },
];

/** The plan of a seed. */
export function planOf(seed: number, rates: FaultRates, tasks: number): Plan {
  const random = new Random(seed, STREAM.crash);
  const atCalls = new Map<number, CallFault>();
  const add = (kind: CallFault["kind"], forMsMax: number): void => {
    const call = random.int(1, CALLS_PER_TASK * tasks);
    const forMs = random.chance(0.8) ? random.int(50, forMsMax) : undefined;
    atCalls.set(call, { call, kind, forMs });
  };
  for (let count = 0; count < rates.crashes; count += 1) add(random.chance(HALF_SHARE) ? "crash-before" : "crash-after", DOWN_MS_MAX);
  for (let count = 0; count < rates.freezes; count += 1) add("freeze", FROZEN_MS_MAX);
  const timed = TIMED.flatMap(({ kind, forMsMax }) =>
    Array.from({ length: rates[kind] }, (): TimedFault => ({
      kind,
      atMs: random.int(0, SAFETY_MS_MIN),
      forMs: forMsMax === 0 ? 0 : random.int(100, forMsMax),
    })),
  );
  return {
    nodes: random.int(1, NODES_MAX),
    atCalls,
    timed,
    keepDead: random.chance(HALF_SHARE),
    safetyMs: random.int(SAFETY_MS_MIN, SAFETY_MS_MAX),
    shortWay: random.chance(HALF_SHARE),
    copies: random.chance(COPIES_SHARE),
  };
}

/** Has the timed faults happen at their moments. */
export function schedule(world: World, timed: readonly TimedFault[]): void {
  for (const { atMs, kind, forMs } of timed) {
    world.timeline.after(atMs, () => {
      if (!world.faults.on || !world.faults.allow(kind)) return;
      switch (kind) {
        case "partitions":
          return world.cut(world.random.placement, forMs);
        case "doubleOwners":
          world.trace?.(`PLACEMENT names two owners for ${forMs} ms`);
          return world.doubleOwners(forMs);
        case "storeOutages":
          world.trace?.(`THE STORE does not answer for ${forMs} ms`);
          return world.store.goAway(forMs);
        case "remindersLost":
          world.trace?.("ALL REMINDERS are lost");
          return world.reminders.loseAll();
        case "storeForgets":
          world.trace?.(`THE STORE forgets its last ${forMs} ms`);
          return world.store.forget(forMs);
        default:
          return kind satisfies never;
      }
    });
  }
}
