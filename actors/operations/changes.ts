/**
 * @module Changes of lists, for screens: this host tells its own at once, and looks for those of other hosts while someone follows.
 */
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";

/** The followers of changes at one host. They share one look. */
export class Changes {
  readonly #clock: Clock;
  readonly #mark: () => Promise<string>;
  readonly #followers = new Set<() => void>();
  #known: string | undefined;
  #cancel: (() => void) | undefined;

  /** `mark` changes with every change, by any host. */
  constructor(clock: Clock, mark: () => Promise<string>) {
    this.#clock = clock;
    this.#mark = mark;
  }

  /** Calls back after changes until the returned function is called. */
  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    if (this.#cancel === undefined) this.#wait();
    return () => {
      this.#followers.delete(changed);
      if (this.#followers.size > 0) return;
      this.#cancel?.();
      this.#cancel = undefined;
      this.#known = undefined;
    };
  }

  /** Something has changed at this host. */
  tell(): void {
    for (const changed of this.#followers) changed();
  }

  #wait(): void {
    this.#cancel = this.#clock.after(LIMITS.changesLookMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    // A store that does not answer tells of no changes; the next look may.
    const mark = await this.#mark().catch(() => this.#known);
    if (this.#cancel === undefined) return;
    const isNews = this.#known !== undefined && mark !== this.#known;
    this.#known = mark;
    if (isNews) this.tell();
    this.#wait();
  }
}
