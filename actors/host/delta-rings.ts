/**
 * @module The last pieces of replies of the followed processes of this host, in memory. Numbers are those of this host's incarnation.
 */
import { LIMITS } from "../../runtime/limits.ts";
import { type DeltaEntry, type DeltaPage, type DeltaPlace, type FollowedDelta, lastDeltas } from "../../runtime/model/deltas.ts";
import { LruMap } from "../engine/lru.ts";
import type { Clock } from "../engine/ports.ts";
import { Callbacks } from "../engine/callbacks.ts";

/** The pieces of one process. */
interface Ring {
  entries: readonly FollowedDelta[];
  /** The number of the first kept piece. */
  from: number;
  /** The try of each call that pieces came of. */
  readonly attempts: LruMap<string, string>;
  readAtMs: number;
}

/** The pieces of all followed processes. */
export class DeltaRings {
  readonly #clock: Clock;
  readonly #epoch: string;
  readonly #rings = new LruMap<string, Ring>(LIMITS.deltaRingsMax);
  readonly #news = new Callbacks();

  constructor(clock: Clock, epoch: string) {
    this.#clock = clock;
    this.#epoch = epoch;
  }

  /** Calls back at every piece of a process that comes to this host, until the returned function is called. */
  listen(process: string, news: () => void): () => void {
    return this.#news.watch(process, news);
  }

  /** Whether pieces of the process were read here a short time ago. */
  isFollowed(process: string): boolean {
    const ring = this.#rings.get(process);
    return ring !== undefined && this.#clock.nowMs() - ring.readAtMs < LIMITS.deltaFollowedMs;
  }

  /** Keeps pieces if the process is followed. Returns whether it did. */
  add(process: string, entries: readonly DeltaEntry[]): boolean {
    const ring = this.#rings.get(process);
    if (ring === undefined || !this.isFollowed(process)) return false;
    const all = [...ring.entries, ...entries.map((entry) => followed(ring, entry))];
    const kept = lastDeltas(all, LIMITS.deltaRingCharsMax, LIMITS.deltaRingEntriesMax);
    ring.from += all.length - kept.length;
    ring.entries = kept;
    this.#news.tell(process);
    return true;
  }

  /** Returns the pieces from a place on; all that are kept, if the place is not of this host. The process is followed from now on. */
  read(process: string, after: DeltaPlace | undefined): DeltaPage {
    const known = this.#rings.get(process);
    const ring: Ring = known ?? { entries: [], from: 0, attempts: new LruMap(LIMITS.deltaRingCallsMax), readAtMs: 0 };
    ring.readAtMs = this.#clock.nowMs();
    if (known === undefined) this.#rings.set(process, ring);
    const next = after?.epoch === this.#epoch ? after.next : 0;
    const from = Math.min(Math.max(next, ring.from), ring.from + ring.entries.length);
    return { epoch: this.#epoch, from, entries: [...ring.entries.slice(from - ring.from)] };
  }
}

/** A piece as followers get it: the first one of a further try of a call says that the call was restarted. */
function followed(ring: Ring, { attempt, ...entry }: DeltaEntry): FollowedDelta {
  const call = `${entry.work}/${entry.call}`;
  const before = ring.attempts.get(call);
  ring.attempts.set(call, attempt);
  return before === undefined || before === attempt ? entry : { ...entry, restarted: true };
}
