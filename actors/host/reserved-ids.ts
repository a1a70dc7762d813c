/**
 * @module Ids in reserve: their index entries stand already, so a process that begins with one of them waits for no write but its own.
 *
 * A host reserves ids while its callers submit one task after the other and wait for the outcomes, few in proportion to these tasks. To
 * everyone else the entry is like that of an acceptance that failed: it names this host and shows no process. Only this host knows the id.
 * What is not used soon is given up, and its entry is closed.
 */
import { LIMITS } from "../../runtime/limits.ts";
import { givenUpEntry, reservedEntry } from "../../runtime/process/preparation.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import type { Clock } from "../engine/ports.ts";
import type { HostWatch } from "./host-watch.ts";
import type { IndexClient } from "./index-client.ts";

/** The parts of a reserve. */
export interface ReservedIdsParts {
  readonly directory: Pick<IndexClient, "open" | "update">;
  readonly watch: Pick<HostWatch, "incarnation" | "isHeld">;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Reserved {
  readonly id: string;
  readonly bucket: string;
  readonly untilMs: number;
}

/** The reserve of one host. It throws nothing. */
export class ReservedIds {
  readonly #parts: ReservedIdsParts;
  #ready: Reserved[] = [];
  /** Ids whose tasks are on their way, with their buckets. */
  readonly #taken = new LruMap<string, string>(LIMITS.reservedIdsMax * LIMITS.tasksPerReservedId);
  #coming = 0;
  #inRow = 0;
  #takenAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ReservedIdsParts) {
    this.#parts = parts;
  }

  /** An id of the reserve, which is filled up with ids that `make` makes. Undefined: it has none. */
  take(make: () => string): string | undefined {
    const nowMs = this.#parts.clock.nowMs();
    this.#inRow = nowMs - this.#takenAtMs < LIMITS.reservePauseMs ? this.#inRow + 1 : 1;
    this.#takenAtMs = nowMs;
    if (!this.#parts.watch.isHeld) this.giveUpAll();
    const next = this.#ready[0]?.id;
    const isTaken = next !== undefined && this.claim(next);
    this.#fill(make);
    return isTaken ? next : undefined;
  }

  /** Takes an id out of the reserve. False: it is not there, or was there for too long. */
  claim(id: string): boolean {
    const one = this.#ready.find((each) => each.id === id);
    if (one === undefined) return false;
    this.#ready = this.#ready.filter((each) => each !== one);
    if (one.untilMs <= this.#parts.clock.nowMs()) {
      this.#giveUp(one);
      return false;
    }
    this.#taken.set(id, one.bucket);
    return true;
  }

  /** Uses no id that is in reserve now: this host was thought dead, and another one may have looked for processes with these ids. */
  giveUpAll(): void {
    for (const one of this.#ready) this.#giveUp(one);
    this.#ready = [];
  }

  /** The bucket in which the entry of a taken id stands. The reserve forgets the id. */
  bucketOf(id: string): string | undefined {
    const bucket = this.#taken.get(id);
    if (bucket !== undefined) this.#taken.delete(id);
    return bucket;
  }

  #fill(make: () => string): void {
    const wanted = Math.min(LIMITS.reservedIdsMax, Math.floor(this.#inRow / LIMITS.tasksPerReservedId));
    const missing = wanted - this.#ready.length - this.#coming;
    // Together, since each write of the index costs as much as one of a process.
    if (2 * missing < wanted || !this.#parts.watch.isHeld) return;
    for (let count = 0; count < missing; count += 1) void this.reserve(make());
  }

  /** Reserves an id that no other host knows. */
  async reserve(id: string): Promise<void> {
    const { directory, watch, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    this.#coming += 1;
    try {
      const bucket = await directory.open(reservedEntry(id, watch.incarnation, nowMs), LIMITS.reserveLingerMs);
      this.#ready.push({ id, bucket, untilMs: nowMs + LIMITS.reservedIdMs });
      if (this.#ready.length === 1) this.#tidyLater(nowMs + LIMITS.reservedIdMs);
    } catch (error) {
      log.debug({ err: error }, "no id was reserved; the next task opens its index entry itself");
    } finally {
      this.#coming -= 1;
    }
  }

  #tidyLater(atMs: number): void {
    const { clock } = this.#parts;
    clock.after(Math.max(0, atMs - clock.nowMs()), () => {
      const nowMs = clock.nowMs();
      for (const one of this.#ready) if (one.untilMs <= nowMs) this.#giveUp(one);
      this.#ready = this.#ready.filter(({ untilMs }) => untilMs > nowMs);
      const [next] = this.#ready;
      if (next !== undefined) this.#tidyLater(next.untilMs);
    });
  }

  #giveUp({ id, bucket }: Reserved): void {
    const { directory, watch, clock, log } = this.#parts;
    directory.update(bucket, givenUpEntry(id, watch.incarnation, clock.nowMs()), LIMITS.indexLingerMs).catch((error: unknown) => {
      log.debug(
        { err: error, processId: id },
        "the index entry of an id that was given up is still open; the next start of a host closes it",
      );
    });
  }
}
