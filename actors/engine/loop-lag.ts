/** @module How late the event loop is, by a timer that fires often. */

const SAMPLE_MS = 250;
/** How long a sample counts. */
const RECENT_MS = 2_000;

/** Measures until it is stopped. */
export class LoopLag {
  readonly #timer: NodeJS.Timeout;
  #dueAtMs = performance.now() + SAMPLE_MS;
  #worstMs = 0;
  #worstAtMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  #sample(): void {
    const nowMs = performance.now();
    const lateMs = Math.max(0, nowMs - this.#dueAtMs);
    if (lateMs >= this.#worstMs || nowMs - this.#worstAtMs > RECENT_MS) {
      this.#worstMs = lateMs;
      this.#worstAtMs = nowMs;
    }
    this.#dueAtMs = nowMs + SAMPLE_MS;
  }

  /** The worst lateness of the last two seconds, in milliseconds. */
  get ms(): number {
    return Math.round(this.#worstMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
