/** @module The actors that a host keeps between turns, each with the time since when its state is known to be the newest. */
import { LIMITS } from "../../runtime/limits.ts";
import type { Loaded } from "./journal.ts";
import { LruMap } from "./lru.ts";
import type { Clock } from "./ports.ts";

/** An actor, and the last moment at which its state was the newest in the store. */
interface Cached<S> {
  readonly loaded: Loaded<S>;
  atMs: number;
}

/** The cache of one engine. */
export class ActorCache<S> {
  readonly #clock: Clock;
  readonly #known = new LruMap<string, Cached<S>>(LIMITS.cachedActorsMax);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(id: string): Loaded<S> | undefined {
    return this.#known.get(id)?.loaded;
  }

  /** Now, and since when the state is known that a turn begins with now. */
  times(id: string): readonly [startedMs: number, knownMs: number] {
    const nowMs = this.#clock.nowMs();
    return [nowMs, Math.min(nowMs, this.#known.get(id)?.atMs ?? nowMs)];
  }

  /** Whether so much time has passed that what was read then may have been purged or trimmed. */
  isLate(sinceMs: number): boolean {
    return this.#clock.nowMs() - sinceMs >= LIMITS.actorTrustMs;
  }

  set(id: string, loaded: Loaded<S>): void {
    if (loaded.purged !== true) this.#known.set(id, { loaded, atMs: this.#clock.nowMs() });
  }

  /** What a turn has left was the newest when it began: it may have slept since. */
  knownAt(id: string, atMs: number): void {
    const cached = this.#known.get(id);
    if (cached !== undefined) cached.atMs = atMs;
  }

  delete(id: string): void {
    this.#known.delete(id);
  }
}
