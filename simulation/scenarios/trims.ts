/**
 * @module Long-lived actors whose journals are trimmed: waves of tasks an hour apart, and hosts that sleep for hours, also in the midst
 * of a trim.
 */
import type { Plan } from "../plan.ts";
import type { SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { Random, STREAM } from "../world/random.ts";
import type { Sleep } from "../world/world.ts";
import { long } from "./long.ts";

const WAVES = 6;
const WAVE_MS = 70 * 60_000;
const ITEMS_MAX = 8;
const TASK_MS = 600_000;
const SLEEP_MS_MAX = 4 * WAVE_MS;
/** Calls of each kind in which a sleep may begin. */
const TRIM_CALLS_MAX = 8;
const WRITES_MAX = 50;
const SHARE = 0.5;
const OTHER_SHARE = 0.2;

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: WAVES }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "entries",
    input: {
      customer: random.chance(OTHER_SHARE) ? "c2" : "c1",
      items: Array.from({ length: random.int(2, ITEMS_MAX) }, (_item, item) => `line${item}`),
    },
    timeoutMs: TASK_MS,
    atMs: index * WAVE_MS + random.int(0, 2_000),
  }));
}

/** Two hosts at least, of which one sleeps for hours when it writes to an actor that lives long, and one in the midst of a trim. */
function planOf(seed: number, base: Plan): Partial<Plan> {
  const random = new Random(seed, STREAM.crash + 100);
  const sleep = (at: RegExp, callsMax: number): readonly Sleep[] => {
    const call = random.int(1, callsMax);
    return random.chance(SHARE) ? [{ at, call, kind: "freeze", forMs: random.int(WAVE_MS, SLEEP_MS_MAX) }] : [];
  };
  return {
    nodes: Math.max(2, base.nodes),
    safetyMs: (WAVES + 1) * WAVE_MS,
    sleeps: [...sleep(/^write .*\.Ledger\//, WRITES_MAX), ...sleep(/^re(place|move) /, TRIM_CALLS_MAX)],
  };
}

export const trims: Scenario = { ...long, name: "trims", tasks: tasksOf, plan: planOf };
