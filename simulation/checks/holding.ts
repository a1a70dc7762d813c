/**
 * @module The law of holding, checked when faults have ended: a living host holds each open process, and asks again for what has no receipt.
 */
import { messageId } from "../../runtime/ids.ts";
import { isPaused } from "../../runtime/process/work.ts";
import type { World } from "../world/world.ts";
import type { Finding } from "./check.ts";
import type { Watch } from "./watch.ts";

/** Time after the last fault in which a dead host is found and its processes are taken over, with all retries of nudges. */
export const HELD_MS = 45_000;
/** Longest time for which a request without a receipt is not sent again. */
const ASKED_MS = 12_000;

/** Checks all open processes of a world without faults. */
export function checkHolding(world: World, watch: Watch): Finding[] {
  const findings: Finding[] = [];
  for (const { id, state } of watch.processes.values()) {
    if (state.phase !== "open") continue;
    const holders = world.nodes.filter(({ life }) => life.state === "up" && life.host?.processes.isOpen(id) === true);
    if (holders.length === 0) findings.push({ law: "a living host holds each open process", text: `${id} is held by none` });
    for (const work of Object.values(state.works)) {
      if (work.status !== "asked" || isPaused(work) || work.standing !== undefined) continue;
      const sentMs = world.network.sentAtMs.get(messageId(work.id, work.attempt));
      const silentMs = world.timeline.nowMs - (sentMs ?? 0);
      if (silentMs > ASKED_MS)
        findings.push({
          law: "what has no receipt is sent again",
          text: `${work.id}, attempt ${work.attempt}, was last sent ${Math.round(silentMs)} ms ago`,
        });
    }
  }
  return findings;
}
