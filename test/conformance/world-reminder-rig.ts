/** @module What the cases of reminders share: setting, removing and counting ticks. */
import type { Json } from "../../runtime/faults.ts";
import type { Address } from "../../runtime/protocol.ts";
import type { Case } from "./world-case.ts";
import { freshActor, outcome, type WorldRig } from "./world-rig.ts";

export const NAME = "run-1";
export const SHORT_MS = 300;
export const SOON_MS = 4_000;
/** Time after which a reminder that fired every SHORT_MS counts as silent. */
export const QUIET_MS = 1_000;

export async function set(rig: WorldRig, actor: Address, name: string, dueMs: number, periodMs: number, carried?: Json): Promise<Json> {
  return outcome(rig.reminders.set(actor, name, dueMs, periodMs, carried).then(() => "set"));
}

export async function remove(rig: WorldRig, actor: Address, name: string): Promise<Json> {
  return outcome(rig.reminders.remove(actor, name).then(() => "removed"));
}

export function ticks(rig: WorldRig, actor: Address, name = NAME): number {
  return rig.script.of(actor.id, "tick").filter((tick) => tick.name === name).length;
}

/** Whether a new actor's reminder has fired this many times in total: its first tick may come before the answer that it is set. */
export function hasRung(rig: WorldRig, actor: Address, times: number, withinMs: number, name = NAME): Promise<boolean> {
  return rig.comes(() => ticks(rig, actor, name) >= times, withinMs);
}

/** Whether a reminder fires this many more times within a time. */
export function rings(rig: WorldRig, actor: Address, times: number, withinMs: number, name = NAME): Promise<boolean> {
  const before = ticks(rig, actor, name);
  return rig.comes(() => ticks(rig, actor, name) >= before + times, withinMs);
}

/** Whether a reminder fires that should be silent. A tick may be in flight when it is silenced. */
export async function stillRings(rig: WorldRig, actor: Address, name = NAME): Promise<boolean> {
  await rig.elapse(SHORT_MS);
  return rings(rig, actor, 1, QUIET_MS, name);
}

/** A case with a reminder that is always removed at its end. */
export function withReminder(run: (rig: WorldRig, actor: Address) => Promise<Json>): Case["run"] {
  return async (rig) => {
    const actor = freshActor(rig);
    try {
      return await run(rig, actor);
    } finally {
      await outcome(rig.reminders.remove(actor, NAME));
    }
  };
}
