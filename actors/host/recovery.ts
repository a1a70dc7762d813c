/**
 * @module Recovery of a starting host: finds open processes in the index, sets their reminders again and nudges them.
 *
 * So an open process continues within seconds of a restart, even if all reminders were lost with the scheduler's
 * data.
 */
import PQueue from "p-queue";
import { z } from "zod";
import { faultFrom, isRetryable } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { actorType, type IndexEntry } from "../../runtime/protocol.ts";
import type { IndexClient } from "./index-client.ts";
import type { Logger } from "../engine/log.ts";
import { pause } from "../engine/pause.ts";
import type { Ports } from "../engine/ports.ts";
import { isBroken } from "../engine/quarantine.ts";

const Shown = z.object({ phase: z.string(), bucket: z.string().optional() });

/** The parts of a recovery. */
export interface RecoveryParts {
  readonly system: string;
  readonly ports: Ports;
  readonly directory: IndexClient;
  readonly log: Logger;
  /** Aborted when the host shuts down. */
  readonly stopped: () => boolean;
}

/**
 * Nudges each open process of the index. Retries until the index is readable or the host shuts down. Returns the number of processes.
 * Those that could not be nudged are nudged again in the background, because their reminders may be lost.
 */
export async function recover(parts: RecoveryParts): Promise<number> {
  for (;;) {
    try {
      const { count, left } = await nudgeAll(parts);
      if (left.length > 0) void nudgeLater(parts, left);
      return count;
    } catch (error) {
      parts.log.debug({ fault: faultFrom(error, "sidecar.unavailable") }, "the index of open processes does not answer yet");
    }
    if (parts.stopped()) return 0;
    await pause(parts.ports.clock, LIMITS.recoveryRetryMs);
  }
}

/** An index entry that says "open". */
interface OpenLine {
  readonly bucket: string;
  readonly id: string;
  readonly atMs: number;
}

async function nudgeAll(parts: RecoveryParts): Promise<{ readonly count: number; readonly left: readonly OpenLine[] }> {
  // Most starts find no open process.
  let queue: PQueue | undefined;
  const left: OpenLine[] = [];
  let count = 0;
  for (const bucket of (await parts.directory.buckets()).toReversed()) {
    const open = (await readBucket(parts, bucket)).filter((entry) => entry.open);
    count += open.length;
    if (open.length > 0) queue ??= new PQueue({ concurrency: LIMITS.recoveryConcurrency });
    for (const { id, atMs } of open) void queue?.add(() => nudgeOne(parts, { bucket, id, atMs }, left));
    await queue?.onSizeLessThan(LIMITS.pageEntriesMax);
  }
  await queue?.onIdle();
  return { count, left };
}

/** A broken bucket does not hold up the others. Its processes go on when their reminders ring. */
async function readBucket({ directory, log }: RecoveryParts, bucket: string): Promise<readonly IndexEntry[]> {
  try {
    return await directory.read(bucket);
  } catch (error) {
    if (!isBroken(error)) throw error;
    log.error({ bucket, fault: faultFrom(error, "journal.broken-chain") }, "a bucket of the index of processes is broken");
    return [];
  }
}

async function nudgeLater(parts: RecoveryParts, lines: readonly OpenLine[]): Promise<void> {
  const queue = new PQueue({ concurrency: LIMITS.recoveryConcurrency });
  let left = lines;
  for (let pauseMs: number = LIMITS.recoveryRetryMs; left.length > 0; pauseMs = Math.min(2 * pauseMs, LIMITS.reminderAwayMsMin)) {
    await pause(parts.ports.clock, pauseMs);
    if (parts.stopped()) return;
    const again: OpenLine[] = [];
    await queue.addAll(left.map((line) => () => nudgeOne(parts, line, again)));
    left = again;
  }
}

/** Never throws. Adds an entry whose nudge may succeed later to `left`. */
async function nudgeOne({ system, ports, directory, log }: RecoveryParts, line: OpenLine, left: OpenLine[]): Promise<void> {
  const { bucket, id, atMs } = line;
  const actor = { type: actorType(system, "ProcessManager"), id };
  try {
    await ports.transport.nudge(actor);
    const shown = Shown.parse(await ports.transport.inspect(actor));
    const elsewhere =
      shown.phase === "void" ||
      shown.phase === "refused" ||
      shown.phase === "purged" ||
      (shown.bucket !== undefined && shown.bucket !== bucket && shown.phase === "ended");
    // An entry without a process is left of an acceptance that failed; one whose acceptance is under way is recent.
    if (elsewhere && ports.clock.nowMs() - atMs > LIMITS.clockDriftMsMax)
      await directory.update(bucket, { id, open: false, atMs: ports.clock.nowMs(), facts: { status: "void" } });
  } catch (error) {
    const fault = faultFrom(error, "sidecar.unavailable");
    if (isRetryable(fault)) left.push(line);
    log.debug({ processId: id, fault }, "an open process could not be nudged");
  }
}
