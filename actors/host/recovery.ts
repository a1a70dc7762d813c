/**
 * @module Recovery: finds open processes in the index and nudges them, so that a host holds each of them again.
 *
 * A starting host nudges all of them, those that only wait last; after the death of another host, those that stood with it.
 */
import PQueue from "p-queue";
import { faultFrom, isRetryable } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { hostsOf } from "../../runtime/index-actor.ts";
import { isReserved } from "../../runtime/process-filter.ts";
import { actorType } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import type { IndexClient } from "./index-client.ts";
import type { HostWatch } from "./host-watch.ts";
import type { Logger } from "../engine/log.ts";
import { pause } from "../engine/pause.ts";
import type { Ports } from "../engine/ports.ts";
import { isBroken } from "../engine/quarantine.ts";

/** The parts of a host with which processes are found and nudged. */
export interface RecoveryParts {
  readonly system: string;
  readonly ports: Ports;
  readonly directory: IndexClient;
  readonly log: Logger;
  /** Aborted when the host shuts down. */
  readonly stopped: () => boolean;
}

/** The parts of the recoveries of one host. */
export interface HostRecoveryParts extends RecoveryParts {
  readonly watch: Pick<HostWatch, "isAlive" | "start">;
  /** The processes that a host held, as far as this one knows. */
  readonly takeFrom: (incarnation: string) => readonly string[];
}

/** Finds the open processes for one host. */
export class Recovery {
  readonly #parts: HostRecoveryParts;
  #isStarting = false;

  constructor(parts: HostRecoveryParts) {
    this.#parts = parts;
  }

  /** Looks at the other hosts, and then nudges the open processes of the index. Resolves with their number. */
  async start(): Promise<number> {
    this.#isStarting = true;
    await this.#parts.watch.start();
    this.#isStarting = false;
    return this.recover();
  }

  /** Nudges the open processes of the index. Resolves with their number. */
  recover(): Promise<number> {
    const { watch } = this.#parts;
    // A nudge would void an id that another host has in reserve.
    return recover(this.#parts, (entry) => !isReserved(entry) || !hostsOf(entry).some((host) => watch.isAlive(host)));
  }

  /**
   * Nudges the open processes that stood with a dead host. Not only with the one that was found dead: a host that took over from another
   * dead one may have died before the index named it.
   */
  async takeOver(incarnation: string): Promise<void> {
    const { takeFrom, watch } = this.#parts;
    void nudgeThese(this.#parts, takeFrom(incarnation));
    // A host that is found dead at the start: its processes are among those that are nudged next, and twice would take twice as long.
    if (this.#isStarting) return;
    // An entry without a host is of a process that never came; only a starting host cleans it up.
    await recover(this.#parts, (entry) => hostsOf(entry).some((host) => host === incarnation || !watch.isAlive(host)));
  }
}

type IsWanted = (entry: IndexEntry) => boolean;

/**
 * Nudges open processes of the index. Retries until the index is readable or the host shuts down. Returns the number of processes.
 * Those that could not be nudged are nudged again in the background.
 */
export async function recover(parts: RecoveryParts, isWanted: IsWanted = () => true): Promise<number> {
  for (;;) {
    try {
      const { count, left } = await nudgeAll(parts, isWanted);
      if (left.length > 0) void nudgeLater(parts, left);
      return count;
    } catch (error) {
      parts.log.debug({ fault: faultFrom(error, "sidecar.unavailable") }, "the index of open processes does not answer yet");
    }
    if (parts.stopped()) return 0;
    await pause(parts.ports.clock, LIMITS.recoveryRetryMs);
  }
}

/** Nudges processes by their ids, until each was nudged or the host shuts down. */
async function nudgeThese(parts: RecoveryParts, ids: readonly string[]): Promise<void> {
  const left: OpenLine[] = [];
  const queue = new PQueue({ concurrency: LIMITS.recoveryConcurrency });
  await queue.addAll(ids.map((id) => () => nudgeOne(parts, { id, bucket: undefined, entry: undefined }, left)));
  await nudgeLater(parts, left);
}

/** An index entry that says "open", and its bucket. */
interface OpenLine {
  readonly id: string;
  readonly bucket: string | undefined;
  readonly entry: IndexEntry | undefined;
}

interface AllNudged {
  readonly count: number;
  readonly left: readonly OpenLine[];
}

async function nudgeAll(parts: RecoveryParts, isWanted: IsWanted): Promise<AllNudged> {
  const lines: (OpenLine & { readonly entry: IndexEntry })[] = [];
  for (const bucket of await parts.directory.buckets())
    for (const entry of await readBucket(parts, bucket)) if (entry.open && isWanted(entry)) lines.push({ bucket, id: entry.id, entry });
  const left: OpenLine[] = [];
  const queue = new PQueue({ concurrency: LIMITS.recoveryConcurrency });
  for (const line of lines.sort((a, b) => byNeed(a.entry, b.entry))) void queue.add(() => nudgeOne(parts, line, left));
  await queue.onIdle();
  return { count: lines.filter(({ entry }) => !isReserved(entry)).length, left };
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

/** Processes that only wait come last, in the order in which they are due; the newest of the others come first. */
function byNeed(a: IndexEntry, b: IndexEntry): number {
  return dueOf(a) - dueOf(b) || b.atMs - a.atMs;
}

function dueOf({ facts }: IndexEntry): number {
  return typeof facts["dueAtMs"] === "number" ? facts["dueAtMs"] : 0;
}

async function nudgeLater(parts: RecoveryParts, lines: readonly OpenLine[]): Promise<void> {
  const queue = new PQueue({ concurrency: LIMITS.recoveryConcurrency });
  let left = lines;
  for (let pauseMs: number = LIMITS.recoveryRetryMs; left.length > 0; pauseMs = Math.min(2 * pauseMs, LIMITS.recoveryRetryMsMax)) {
    await pause(parts.ports.clock, pauseMs);
    if (parts.stopped()) return;
    const again: OpenLine[] = [];
    await queue.addAll(left.map((line) => () => nudgeOne(parts, line, again)));
    left = again;
  }
}

/** Never throws. Adds an entry whose nudge may succeed later to `left`. */
async function nudgeOne({ system, ports, directory, log }: RecoveryParts, line: OpenLine, left: OpenLine[]): Promise<void> {
  const { bucket, id, entry } = line;
  const actor = { type: actorType(system, "ProcessManager"), id };
  try {
    const found = await ports.transport.nudge(actor, undefined);
    if (bucket === undefined || entry === undefined) return;
    const isNone = NO_PROCESS.includes(found.phase);
    const isElsewhere = found.bucket !== undefined && found.bucket !== bucket && found.phase === "ended";
    // An entry without a process is left of an acceptance that failed; one whose acceptance is under way is recent. An id in reserve is
    // void now, also if its host lives.
    if ((isNone || isElsewhere) && (isReserved(entry) || ports.clock.nowMs() - entry.atMs > LIMITS.clockDriftMsMax))
      await directory.update(bucket, { id, open: false, atMs: ports.clock.nowMs(), facts: { ...entry.facts, status: "void" } });
  } catch (error) {
    const fault = faultFrom(error, "sidecar.unavailable");
    if (isRetryable(fault)) left.push(line);
    log.debug({ processId: id, fault }, "an open process could not be nudged");
  }
}

const NO_PROCESS: readonly string[] = ["void", "refused", "purged"];
