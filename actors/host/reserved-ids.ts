/**
 * @module Ids in reserve: their index entries stand already, so a process that begins with one of them waits for no write but its own.
 *
 * A host reserves ids while its callers submit one task after the other and wait for the outcomes, few in proportion to these tasks. Until
 * a process begins with it, only this host hands such an id out; others see an entry that names this host and shows no process, as after an
 * acceptance that failed. What is not used soon is given up, and its entry is closed.
 */
import { LIMITS } from "../../runtime/limits.ts";
import { givenUpEntry, reservedEntry } from "../../runtime/process/preparation.ts";
import type { Logger } from "../engine/log.ts";
import { LruMap } from "../engine/lru.ts";
import { pause } from "../engine/pause.ts";
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
  /** Given up, and their entries could not be closed yet. */
  #unclosed: Reserved[] = [];
  /** Ids whose tasks are on their way, with their buckets. */
  readonly #taken = new LruMap<string, string>(LIMITS.madeIdsMax);
  #coming = 0;
  #inRow = 0;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  /** How often everything was given up. */
  #generation = 0;
  #cancelTidy: (() => void) | undefined;

  constructor(parts: ReservedIdsParts) {
    this.#parts = parts;
  }

  /** An id of the reserve, which is filled up with ids that `make` makes. Undefined: it has none. */
  take(make: () => string): string | undefined {
    const nowMs = this.#parts.clock.nowMs();
    this.#inRow = nowMs - this.#takenAtMs < LIMITS.reservePauseMs ? this.#inRow + 1 : 1;
    this.#takenAtMs = nowMs;
    if (!this.#parts.watch.isHeld) void this.giveUpAll();
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
      void this.#giveUp(one);
      return false;
    }
    this.#taken.set(id, one.bucket);
    return true;
  }

  /** The bucket in which the entry of a reserved id stands. From then on the id is not handed out. */
  bucketOf(id: string): string | undefined {
    this.claim(id);
    return this.#taken.get(id);
  }

  /** A turn has taken the task with this id. */
  used(id: string): void {
    this.#taken.delete(id);
  }

  /**
   * Uses no id that is in reserve now: this host was thought dead, and another one may have looked for processes with these ids. Resolves
   * when their entries are closed, or could not be.
   */
  async giveUpAll(): Promise<void> {
    const all = this.#ready;
    this.#ready = [];
    this.#generation += 1;
    await Promise.all(all.map((one) => this.#giveUp(one)));
  }

  #fill(make: () => string): void {
    const wanted = Math.min(LIMITS.reservedIdsMax, Math.floor(this.#inRow / LIMITS.tasksPerReservedId));
    const missing = wanted - this.#ready.length - this.#coming;
    // Together, since each write of the index costs as much as one of a process.
    if (2 * missing < wanted || !this.#parts.watch.isHeld) return;
    for (let count = 0; count < missing; count += 1) void this.reserve(make());
  }

  /** Reserves an id that was not handed out. */
  async reserve(id: string): Promise<void> {
    const { directory, watch, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const generation = this.#generation;
    this.#coming += 1;
    try {
      const bucket = await directory.open(reservedEntry(id, watch.incarnation, nowMs), LIMITS.reserveLingerMs);
      const reserved = { id, bucket, untilMs: nowMs + LIMITS.reservedIdMs };
      if (generation !== this.#generation) return void this.#giveUp(reserved);
      this.#ready.push(reserved);
      this.#tidyLater();
    } catch (error) {
      log.debug({ err: error }, "no id was reserved; the next task opens its index entry itself");
    } finally {
      this.#coming -= 1;
    }
  }

  #tidyLater(afterMs: number = LIMITS.reservedIdMs): void {
    this.#cancelTidy ??= this.#parts.clock.after(afterMs, () => {
      this.#cancelTidy = undefined;
      const nowMs = this.#parts.clock.nowMs();
      const old = [...this.#unclosed, ...this.#ready.filter(({ untilMs }) => untilMs <= nowMs)];
      this.#ready = this.#ready.filter(({ untilMs }) => untilMs > nowMs);
      this.#unclosed = [];
      for (const one of old) void this.#giveUp(one);
      const [next] = this.#ready;
      if (next !== undefined) this.#tidyLater(next.untilMs - nowMs);
    });
  }

  async #giveUp(one: Reserved): Promise<void> {
    const { directory, watch, clock, log } = this.#parts;
    try {
      await directory.update(one.bucket, givenUpEntry(one.id, watch.incarnation, clock.nowMs()), LIMITS.reserveLingerMs);
    } catch (error) {
      log.debug({ err: error, processId: one.id }, "the index entry of an id that was given up is still open; it is closed later");
      if (this.#unclosed.length >= LIMITS.reservedIdsMax) return;
      this.#unclosed.push(one);
      this.#tidyLater();
    }
  }

  /** The host stops: gives up what is in reserve, and waits for that at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#inRow = 0;
    if (this.#ready.length > 0) await Promise.race([this.giveUpAll(), pause(this.#parts.clock, graceMs)]);
    this.#cancelTidy?.();
  }
}
