/**
 * @module A rate limit over a sliding window: no 60 seconds have more requests or tokens than allowed.
 *
 * A bucket that fills up would let twice the limit pass in the first minute, and providers count so.
 */
import { LIMITS } from "../../runtime/limits.ts";

/** What one request takes. `tokens` is what it may use, until it is known what it used. */
interface Taken {
  readonly atMs: number;
  tokens: number;
}

/** The limits; undefined: unlimited. */
export interface Rates {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
}

/** The requests of the last 60 seconds at one endpoint. */
export class RateWindow {
  #taken: Taken[] = [];
  #tokens = 0;

  /** From when on a request with so many tokens fits. A request with more than a minute's tokens fits when the window is empty. */
  freeAtMs(nowMs: number, tokens: number, { requestsPerMinute, tokensPerMinute }: Rates): number {
    this.#forget(nowMs);
    let atMs = nowMs;
    const count = this.#taken.length;
    const over = requestsPerMinute === undefined ? -1 : count - requestsPerMinute;
    const last = over < 0 ? undefined : this.#taken[over];
    if (last !== undefined) atMs = Math.max(atMs, last.atMs + LIMITS.rateWindowMs);
    if (tokensPerMinute === undefined) return atMs;
    let left = this.#tokens;
    for (const one of this.#taken) {
      if (left + tokens <= tokensPerMinute) break;
      left -= one.tokens;
      atMs = Math.max(atMs, one.atMs + LIMITS.rateWindowMs);
    }
    return atMs;
  }

  /** Notes a request. The returned function corrects its tokens when they are known. */
  take(nowMs: number, tokens: number): (used: number) => void {
    const one: Taken = { atMs: nowMs, tokens };
    this.#taken.push(one);
    this.#tokens += tokens;
    return (used) => {
      if (this.#taken.includes(one)) this.#tokens += used - one.tokens;
      one.tokens = used;
    };
  }

  #forget(nowMs: number): void {
    const from = nowMs - LIMITS.rateWindowMs;
    const kept = this.#taken.findIndex(({ atMs }) => atMs > from);
    const gone = kept === -1 ? this.#taken : this.#taken.slice(0, kept);
    if (gone.length === 0) return;
    for (const one of gone) this.#tokens -= one.tokens;
    this.#taken = kept === -1 ? [] : this.#taken.slice(kept);
  }
}
