/**
 * @module What a starting host does: finds open processes in the index, sets their alarms again and nudges them.
 *
 * So an open process goes on within seconds of a restart, and is found even when every alarm was lost with the
 * scheduler's data.
 */
import PQueue from "p-queue";
import { z } from "zod";
import { faultFrom } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { actorType } from "../runtime/protocol.ts";
import type { IndexClient } from "./index-client.ts";
import type { Logger } from "./log.ts";
import type { Ports } from "./ports.ts";

const Shown = z.object({ phase: z.string(), bucket: z.string().optional() });

export interface RecoveryParts {
  readonly system: string;
  readonly ports: Ports;
  readonly directory: IndexClient;
  readonly log: Logger;
  /** The host is stopping. */
  readonly stopped: () => boolean;
}

/** Nudges every open process of the index; tries until it could read the index, or the host stops. Gives their number. */
export async function recover(parts: RecoveryParts): Promise<number> {
  for (;;) {
    try {
      return await nudgeAll(parts);
    } catch (error) {
      parts.log.debug({ fault: faultFrom(error, "sidecar.unavailable") }, "the index of open processes does not answer yet");
    }
    if (parts.stopped()) return 0;
    await new Promise<void>((resolve) => void parts.ports.clock.after(LIMITS.recoveryRetryMs, resolve));
  }
}

async function nudgeAll(parts: RecoveryParts): Promise<number> {
  const queue = new PQueue({ concurrency: LIMITS.recoveryConcurrency });
  let count = 0;
  for (const bucket of (await parts.directory.buckets()).toReversed()) {
    const open = (await parts.directory.read(bucket)).filter((entry) => entry.open);
    count += open.length;
    for (const entry of open) void queue.add(() => nudgeOne(parts, bucket, entry.id, entry.atMs));
    await queue.onSizeLessThan(LIMITS.pageEntriesMax);
  }
  await queue.onIdle();
  return count;
}

async function nudgeOne({ system, ports, directory, log }: RecoveryParts, bucket: string, id: string, atMs: number): Promise<void> {
  const actor = { type: actorType(system, "ProcessManager"), id };
  try {
    await ports.transport.nudge(actor);
    const shown = Shown.parse(await ports.transport.inspect(actor));
    const elsewhere = shown.phase === "void" || (shown.bucket !== undefined && shown.bucket !== bucket && shown.phase === "ended");
    // A line without a process is left of an acceptance that never came to be; one in the making is young.
    if (elsewhere && ports.clock.nowMs() - atMs > LIMITS.clockDriftMsMax) await directory.enter(bucket, { id, open: false, atMs: ports.clock.nowMs(), facts: { status: "void" } });
  } catch (error) {
    log.debug({ processId: id, fault: faultFrom(error, "sidecar.unavailable") }, "an open process could not be nudged; its alarm stands");
  }
}
