/**
 * @module The reads of a process for its followers on this host: after each of its records if it is on this host, else now and then.
 */
import { Fault, faultFrom, isFault, isRetryable } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessView } from "../../runtime/process-view.ts";
import type { Clock } from "../engine/ports.ts";
import type { Operations } from "../operations/operations.ts";
import { DeltaFeed, type DeltaSource } from "./follow-deltas.ts";

/** What the followers of a host read. */
export type FeedSource = Pick<Operations, "process" | "watch"> & DeltaSource;

/** The reads of one process, shared by its followers. */
export class Feed {
  readonly deltas: DeltaFeed;
  readonly #look: () => Promise<ProcessView>;
  readonly #clock: Clock;
  readonly #unwatch: () => void;
  readonly #readers = new Set<(feed: Feed) => void>();
  #members = 1;
  #latest: ProcessView | undefined;
  #gone: string | undefined;
  #pauseMs: number = LIMITS.followLookMsMin;
  #lookedAtMs = 0;
  #looking: Promise<void> | undefined;
  #news = false;
  #cancelTimer: () => void = () => {};

  constructor(id: string, operations: FeedSource, clock: Clock, inTurn: (look: () => Promise<ProcessView>) => Promise<ProcessView>) {
    this.#clock = clock;
    this.deltas = new DeltaFeed(id, operations, clock);
    this.#look = () => inTurn(() => operations.process(id));
    this.#unwatch = operations.watch(id, () => this.#hear());
  }

  get latest(): ProcessView | undefined {
    return this.#latest;
  }

  /** Why there is nothing more to follow. */
  get gone(): string | undefined {
    return this.#gone;
  }

  join(): void {
    this.#members += 1;
  }

  /** Removes a member. True when it was the last one, and the feed has ended. */
  leave(): boolean {
    this.#members -= 1;
    if (this.#members > 0) return false;
    this.#cancelTimer();
    this.#unwatch();
    return true;
  }

  /** A fresh read: a follower must not receive an end that a redrive has reverted since. */
  async first(): Promise<ProcessView> {
    this.#take(await this.#look());
    if (this.#latest === undefined) throw new Fault("process.unknown", "the process has no readable state");
    return this.#latest;
  }

  /** Calls the reader after every read that found something new. The returned function ends it. */
  read(reader: (feed: Feed) => void): () => void {
    this.#readers.add(reader);
    this.#schedule();
    return () => this.#readers.delete(reader);
  }

  #take(found: ProcessView): void {
    this.#lookedAtMs = this.#clock.nowMs();
    // Two reads may overtake each other.
    if (this.#latest !== undefined && found.sequence <= this.#latest.sequence) return;
    this.#latest = found;
    this.#pauseMs = LIMITS.followLookMsMin;
    for (const reader of this.#readers) reader(this);
  }

  #hear(): void {
    this.#pauseMs = LIMITS.followLookMsMin;
    this.#news = true;
    this.#schedule();
  }

  /** Schedules the next read: after the pause, or as soon as possible after a record was reported. */
  #schedule(): void {
    if (this.#looking !== undefined || this.#readers.size === 0) return;
    this.#cancelTimer();
    const sinceMs = this.#clock.nowMs() - this.#lookedAtMs;
    const pauseMs = this.#news ? LIMITS.followLookMsMin - sinceMs : this.#pauseMs;
    this.#cancelTimer = this.#clock.after(Math.max(0, pauseMs), () => {
      this.#looking = this.#lookNow().finally(() => {
        this.#looking = undefined;
        this.#schedule();
      });
    });
  }

  async #lookNow(): Promise<void> {
    this.#news = false;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LIMITS.followLookMsMax);
    try {
      this.#take(await this.#look());
    } catch (error) {
      this.#lookedAtMs = this.#clock.nowMs();
      if (!isFault(error) || isRetryable(faultFrom(error, "turn.failed"))) return;
      this.#gone = error.code;
      for (const reader of this.#readers) reader(this);
    }
  }
}
