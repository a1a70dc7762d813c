/** @module After a store lost records that it had accepted: each broken journal is detected, and no host appends to it. */
import { faultFrom } from "../../runtime/faults.ts";
import { INDEX_ROOT } from "../../runtime/index-actor.ts";
import { type JournalRecord, sameWriter } from "../../runtime/record.ts";
import type { Finding } from "./check.ts";
import { drive } from "../world/timeline.ts";
import type { World } from "../world/world.ts";

const LOOK_MS = 120_000;

interface Chain {
  readonly type: string;
  readonly id: string;
  readonly sequences: number[];
}

/** Looks at every actor with a fresh host. A broken chain must be answered by its code, and an intact one must be read. */
export async function checkForgetful(world: World): Promise<Finding[]> {
  const findings: Finding[] = [];
  const first = world.nodes[0];
  if (first === undefined) return findings;
  world.crash(first.life, undefined, "to look at everything with a fresh host");
  world.restart(first.index);
  let open = 0;
  for (const chain of chainsOf(world)) {
    const kind = kindOf(world, chain);
    // The root of an index begins anew by itself.
    const broken = kind === "broken" && chain.id !== INDEX_ROOT;
    if (broken) world.quarantined += 1;
    open += 1;
    const name = `${chain.type}/${chain.id}`;
    void first.life.host
      ?.inspect({ type: chain.type, id: chain.id })
      .then(
        () => {
          if (broken) findings.push({ law: "a broken chain is found", text: `${name} was read although its chain is broken` });
        },
        (error: unknown) => {
          const { code, message } = faultFrom(error, "turn.failed");
          const right = kind !== "intact" && code.startsWith("journal.");
          if (!right && code !== "value.missing")
            findings.push({ law: broken ? "a broken chain is found" : "an intact chain is read", text: `${name}: ${code}: ${message}` });
        },
      )
      .finally(() => {
        open -= 1;
      });
  }
  await drive(world.timeline, world.timeline.nowMs + LOOK_MS, () => open === 0);
  return findings;
}

function chainsOf(world: World): Chain[] {
  const chains = new Map<string, Chain>();
  for (const key of world.store.keys) {
    const [, type = "", id = "", number = ""] = key.split("/");
    if (!/^\d+$/.test(number)) continue;
    const chain = chains.get(`${type}/${id}`) ?? { type, id, sequences: [] };
    chain.sequences.push(Number(number));
    chains.set(`${type}/${id}`, chain);
  }
  return [...chains.values()];
}

/**
 * `broken`: a record does not follow the one before it, or is missing right before others. `gap`: one is missing further before others,
 * which a load finds where it reads one of them.
 */
function kindOf(world: World, { type, id, sequences }: Chain): "intact" | "gap" | "broken" {
  const there = new Set(sequences);
  let before: JournalRecord<unknown> | undefined;
  let sequence = 1;
  for (; there.has(sequence); sequence += 1) {
    const key = `${world.options.system.name}/${type}/${id}/${sequence}`;
    const record = world.store.peek([key]).get(key) as unknown as JournalRecord<unknown>;
    if (!sameWriter(record.previous, before?.writer ?? null)) return "broken";
    before = record;
  }
  if (sequence === 1 || !sequences.some((one) => one > sequence)) return "intact";
  return there.has(sequence + 1) ? "broken" : "gap";
}
