/**
 * @module The law of holding, checked after the last fault: a living host holds each open process and asks again for what has no receipt.
 */
import { requestId } from "../../runtime/process/messages.ts";
import { isPaused } from "../../runtime/process/work.ts";
import type { World } from "../world/world.ts";
import type { Finding } from "./check.ts";
import type { Watch } from "./watch.ts";

/** Time after the last fault in which a dead host is found and its processes are taken over, with all retries of nudges. */
export const HELD_MS = 45_000;
/** Longest time for which a request without a receipt is not sent again. */
const ASKED_MS = 12_000;

/** The open runs of a world, by process. */
export function openRuns(watch: Watch): ReadonlyMap<string, number> {
  return new Map([...watch.processes.values()].filter(({ state }) => state.phase === "open").map(({ id, state }) => [id, state.run]));
}

/** Checks all open processes of a world without faults. `before`: the runs that were open {@link HELD_MS} earlier. */
export function checkHolding(world: World, watch: Watch, before: ReadonlyMap<string, number>): Finding[] {
  const findings: Finding[] = [];
  for (const { id, type, state } of watch.processes.values()) {
    if (state.phase !== "open" || before.get(id) !== state.run) continue;
    if (!world.reminders.covers(type, id, state.run))
      findings.push({ law: "a process that lives long has a reminder", text: `run ${state.run} of ${id} has none` });
  }
  // The requests of nested routes that have begun. Their processes tell no standing.
  const children = new Set([...watch.processes.values()].flatMap(({ state }) => state.task?.parent?.workId ?? []));
  for (const { id, state } of watch.processes.values()) {
    if (state.phase !== "open") continue;
    const holders = world.nodes.filter(({ life }) => life.state === "up" && life.host?.processes.isOpen(id) === true);
    if (holders.length === 0) findings.push({ law: "a living host holds each open process", text: `${id} is held by none` });
    // A paused process asks for nothing.
    if (state.paused !== undefined) continue;
    for (const work of Object.values(state.works)) {
      if (work.status !== "asked" || isPaused(work) || work.standing !== undefined || children.has(work.id)) continue;
      const sentMs = world.network.sentAtMs.get(requestId(state, work));
      const silentMs = world.timeline.nowMs - Math.max(sentMs ?? 0, watch.resumedMs.get(work.id) ?? 0);
      if (silentMs > ASKED_MS)
        findings.push({
          law: "what has no receipt is sent again",
          text: `${work.id}, attempt ${work.attempt}, was last sent ${Math.round(silentMs)} ms ago`,
        });
    }
  }
  return findings;
}
