/**
 * @module Changes of lists, for screens: this host tells its own at once, and looks for those of other hosts while someone follows.
 */
import type { Change } from "../../runtime/change.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";
import type { IndexNews } from "./index-news.ts";

/** Called with what has changed. */
export type ChangeListener = (changes: readonly Change[]) => void;

/** The followers of changes at one host. They share one look. */
export class Changes {
  readonly #clock: Clock;
  readonly #newsOf: () => readonly Pick<IndexNews, "look">[];
  readonly #followers = new Set<ChangeListener>();
  #stop: (() => void) | undefined;

  /** `newsOf` makes what is looked at, when the first follower comes. */
  constructor(clock: Clock, newsOf: () => readonly Pick<IndexNews, "look">[]) {
    this.#clock = clock;
    this.#newsOf = newsOf;
  }

  /** Calls back after changes until the returned function is called. Looks last as long as there is a follower. */
  follow(changed: ChangeListener): () => void {
    this.#followers.add(changed);
    this.#stop ??= this.#begin();
    return () => {
      this.#followers.delete(changed);
      if (this.#followers.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  /** Something has changed at this host. */
  tell(changes: readonly Change[]): void {
    if (changes.length > 0) for (const changed of this.#followers) changed(changes);
  }

  /** Looks again and again, until the returned function is called. */
  #begin(): () => void {
    const all = this.#newsOf();
    let isStopped = false;
    let cancel = (): void => {};
    const look = async (): Promise<void> => {
      for (const news of all) {
        // A store that does not answer tells of no changes; the next look does.
        const changes = await news.look().catch(() => []);
        if (isStopped) return;
        this.tell(changes);
      }
      cancel = this.#clock.after(LIMITS.changesLookMs, () => void look());
    };
    void look();
    return () => {
      isStopped = true;
      cancel();
    };
  }
}
