/** @module Random systems whose tasks are paused, resumed and terminated by operators while everything else fails. */
import type { SimAct, SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { Random, STREAM } from "../world/random.ts";
import { wild } from "./random.ts";
import { waits } from "./waits.ts";

/** Short, so that pauses without an end reach it. */
const PAUSE_MS_MAX = 40_000;
const BEGIN_MS_MAX = 6_000;
const PAUSE_MS = 25_000;

function actsOf(random: Random): readonly SimAct[] {
  const acts: SimAct[] = [];
  const tree = random.chance(0.8);
  if (random.chance(0.7)) {
    const atMs = random.int(0, BEGIN_MS_MAX);
    acts.push({ what: "pause", atMs, tree });
    if (random.chance(0.8)) acts.push({ what: "resume", atMs: atMs + random.int(100, PAUSE_MS), tree });
  }
  if (random.chance(0.2)) acts.push({ what: "pause", atMs: random.int(0, 2 * BEGIN_MS_MAX), tree: true });
  if (random.chance(0.25)) acts.push({ what: "terminate", atMs: random.int(0, PAUSE_MS), tree: true });
  return acts;
}

function withActs({ tasks }: Scenario): Scenario["tasks"] {
  return (seed) => {
    const random = new Random(seed, STREAM.system + 17);
    return tasks(seed).map((task): SimTask => ({ ...task, acts: actsOf(random) }));
  };
}

/** Random systems under random faults and operators. */
export const operated: Scenario = {
  ...wild,
  name: "operated",
  tasks: withActs(wild),
  limits: { ...wild.limits, pauseMsMax: PAUSE_MS_MAX },
};

/** Timers and signals under operators. */
export const operatedWaits: Scenario = {
  ...waits,
  name: "operatedWaits",
  tasks: withActs(waits),
  limits: { ...waits.limits, pauseMsMax: PAUSE_MS_MAX },
};
