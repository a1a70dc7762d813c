/** @module The pieces of replies of one followed process: read where the process is, and kept for the followers of this host. */
import { LIMITS } from "../../runtime/limits.ts";
import { type DeltaPage, type DeltaPlace, type FollowedDelta, lastDeltas } from "../../runtime/model/deltas.ts";
import type { Clock } from "../engine/ports.ts";
import type { Operations } from "../operations/operations.ts";

/** Where pieces come from. Without `deltas` there are none. */
export type DeltaSource = Pick<Operations, "deltas" | "watchDeltas">;

const NONE: DeltaPage = { epoch: "", from: 0, entries: [] };

/** The reads of the pieces of one process, shared by its followers. It reads only while there is a reader. */
export class DeltaFeed {
  readonly #id: string;
  readonly #source: DeltaSource;
  readonly #clock: Clock;
  readonly #readers = new Set<() => void>();
  #kept: DeltaPage = NONE;
  #pauseMs: number = LIMITS.deltaLookMsMin;
  #looking = false;
  #news = false;
  #cancelTimer: (() => void) | undefined;
  #unwatch: (() => void) | undefined;

  constructor(id: string, source: DeltaSource, clock: Clock) {
    this.#id = id;
    this.#source = source;
    this.#clock = clock;
  }

  /** Calls the reader after every read that found pieces. The returned function ends it. */
  read(reader: () => void): () => void {
    if (this.#source.deltas === undefined) return () => {};
    this.#readers.add(reader);
    this.#unwatch ??= this.#source.watchDeltas?.(this.#id, () => this.#hear());
    // The first read says that the process is followed.
    this.#news = true;
    this.#schedule();
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size > 0) return;
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      this.#unwatch?.();
      this.#unwatch = undefined;
    };
  }

  /** Reads once more, because the process has ended. Undefined: there is nothing to read. */
  last(): Promise<void> | undefined {
    return this.#source.deltas === undefined ? undefined : this.#look();
  }

  /** The pieces from a place on; all that are kept, if the place is of another epoch. */
  after(place: DeltaPlace | undefined): DeltaPage {
    const { epoch, from, entries } = this.#kept;
    const next = place?.epoch === epoch ? Math.max(place.next, from) : from;
    return { epoch, from: next, entries: entries.slice(next - from) };
  }

  #hear(): void {
    this.#news = true;
    this.#pauseMs = LIMITS.deltaLookMsMin;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#looking || this.#readers.size === 0 || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = this.#clock.after(this.#news ? 0 : this.#pauseMs, () => {
      this.#cancelTimer = undefined;
      this.#looking = true;
      void this.#look().finally(() => {
        this.#looking = false;
        this.#schedule();
      });
    });
  }

  async #look(): Promise<void> {
    this.#news = false;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LIMITS.deltaLookMsMax);
    const { epoch, from, entries } = this.#kept;
    const place = epoch === "" ? undefined : { epoch, next: from + entries.length };
    // The host of the process may not be reachable now, which the other reads of the process find out too.
    const page = await this.#source.deltas?.(this.#id, place).catch(() => undefined);
    if (page === undefined || page.entries.length === 0) return;
    this.#keep(page, place);
    this.#pauseMs = LIMITS.deltaLookMsMin;
    for (const reader of this.#readers) reader();
  }

  #keep(page: DeltaPage, place: DeltaPlace | undefined): void {
    const isNext = place?.epoch === page.epoch && place.next === page.from;
    const all: readonly FollowedDelta[] = isNext ? [...this.#kept.entries, ...page.entries] : page.entries;
    const entries = lastDeltas(all, LIMITS.deltaRingCharsMax, LIMITS.deltaRingEntriesMax);
    this.#kept = { epoch: page.epoch, from: page.from + page.entries.length - entries.length, entries: [...entries] };
  }
}
